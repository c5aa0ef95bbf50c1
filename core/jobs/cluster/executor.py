"""The executor of a cluster: one job at a time, done by whichever worker is free."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from typing import Any

from core.config import Config
from core.errors import JobCancelledError, JobError, LandlikeError, StoreError
from core.jobs.cluster.chunks import MOST_FAULTS
from core.jobs.cluster.connection import POLL_SECONDS, Cluster, ClusterCall, LostCallError, cluster_at
from core.jobs.cluster.errand import PATHS, Errand, perform_once
from core.jobs.cluster.run import GivenFile, Run, RunEnd
from core.jobs.executor import JobCall
from core.jobs.files import ProgressNote
from core.jobs.uploads import drop_upload
from core.jobs.worker import JobOutcome
from core.mirror.opening import open_data

MOST_UNFIT = 3
"""So often a job may come to a worker that is not fit, before that is known of it."""

_AGAIN_SECONDS = 1.0
"""How often a bucket that does not answer is tried when a job is done."""

_log = logging.getLogger(__name__)


class ClusterExecutor:
    """Has a worker of a cluster do a job; visits tell how far it is and carry wishes to cancel (``desk``).

    Where the data are in a bucket, files that the server alone has travel through it, both ways (``run``).

    While there is no scheduler or no worker, a job waits and says so. When the connection breaks, it is done again as
    soon as there is another: by then what did it has ended, or ends well, and is not repeated (``errand``).

    Args:
        config: names the scheduler, and says where the data are.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._cluster = cluster_at(config.scheduler, config.root, config.bucket)
        self._unfit = 0
        self._killed, self._shut = threading.Event(), threading.Event()

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        """Begin a job on the cluster."""
        self._killed.clear()
        promise: Future[JobOutcome] = Future()
        threading.Thread(target=self._attend, args=(call, promise), daemon=True, name="cluster-job").start()
        return promise

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        """Have every worker do something that makes the first job start quicker, where there are any."""
        promise: Future[Any] = Future()

        def begin() -> None:
            self._cluster.everywhere(function)
            promise.set_result(None)

        threading.Thread(target=begin, daemon=True, name="cluster-warm").start()
        return promise

    def kill(self) -> None:
        """End the job under way, with the worker's process that does it."""
        self._killed.set()

    def shutdown(self) -> None:
        """Let the job under way go: where it has begun it goes on, and whoever asks for it next gets what it gave."""
        self._shut.set()

    def _attend(self, call: JobCall, promise: Future[JobOutcome]) -> None:
        try:
            promise.set_result(self._outcome(call))
        except BaseException as error:  # noqa: BLE001  carried to the thread that waits for it
            promise.set_exception(error)

    def _outcome(self, call: JobCall) -> JobOutcome:
        """Wait for the end of a job, through as many connections and workers as it takes."""

        def waiting(words: str) -> None:
            call.files.note(call.job_id, ProgressNote(doing=words, updated=time.time()))

        shunned: set[str] = set()
        while True:
            try:
                self._cluster.workers(call.title, waiting, lambda: self._unwanted(call))
                files = call.payload.get(PATHS, ())
                given = Run(self._config, call.run).give(files, lambda: self._unwanted(call))
                errand = Errand(
                    task=call.task, run=call.run, title=call.title, payload=dict(call.payload), given=given,
                    config=self._config,
                )  # fmt: skip
                one = self._cluster.call(call.title, perform_once, errand, shun=shunned)
                with Visits(self._cluster, call):
                    worker, end = self._followed(one)
                shunned.add(worker)
                if end.faulty and len(shunned) < MOST_FAULTS:
                    self._cluster.look_again()  # One may have come meanwhile.
                    fit = self._cluster.workers(call.title, waiting, lambda: self._unwanted(call))
                    if not shunned.issuperset(fit):
                        _log.warning("%s Another one does it.", end.message)
                        continue
                return self._received(call, end, given, waiting)
            except LostCallError:
                time.sleep(POLL_SECONDS)
            except JobCancelledError as error:
                self._check_living()
                return JobOutcome(state="cancelled", message=str(error))
            except LandlikeError as error:
                return JobOutcome(state="failed", message=str(error))

    def _followed(self, one: ClusterCall) -> tuple[str, RunEnd]:
        """Wait for the answer to one call; who gave it, and what it is.

        Raises:
            LostCallError: when nobody will answer.
            LandlikeError: when the workers that did it died, or are not fit.
            BrokenExecutor: when it was killed, or this is shut down.
        """
        while (answer := one.answer()) is None:
            if self._cluster.stranded(one):
                self._cluster.drop([one])
            if self._killed.is_set():
                self._cluster.kill(one)
            elif self._shut.is_set():
                self._cluster.drop([one])
            self._check_living()
            time.sleep(POLL_SECONDS)
        if answer.unfit:
            self._cluster.look_again()
            self._unfit += 1
            if self._unfit > MOST_UNFIT:
                raise JobError(one.asked, f"the worker {answer.worker} has another Landlike", "give it the same one")
            raise LostCallError
        self._unfit = 0
        if answer.error is not None:
            return answer.worker, RunEnd(state="failed", message=str(answer.error))
        end: RunEnd = answer.value
        return answer.worker, end

    def _received(
        self, call: JobCall, end: RunEnd, given: Sequence[GivenFile], waiting: Callable[[str], None]
    ) -> JobOutcome:
        """Return the outcome of a job once what it gave is here: files, and what it wrote into the bucket."""
        if (shared := open_data(self._config)) is not None and end.state == "done":
            run = Run(self._config, call.run)
            while True:
                try:
                    run.fetch_back(end.made)
                    shared.refresh()
                    break
                except StoreError as error:
                    _log.warning("%s", error)
                    waiting(str(error))
                    self._check_living()
                    if call.files.cancel_asked(call.job_id):
                        raise
                    time.sleep(_AGAIN_SECONDS)
        drop_upload(self._config, [given[number].path for number in end.gone])
        return JobOutcome(state=end.state, message=end.message)

    def _unwanted(self, call: JobCall) -> bool:
        return self._killed.is_set() or self._shut.is_set() or call.files.cancel_asked(call.job_id)

    def _check_living(self) -> None:
        if self._killed.is_set() or self._shut.is_set():
            raise BrokenExecutor("killed")


class Visits:
    """Looks, while a block lasts, where a job is done, notes how far it is, and says when it is unwanted.

    Args:
        cluster: whose workers are visited.
        call: the job.
    """

    _OFTEN, _SELDOM = 0.1, 2.0

    def __init__(self, cluster: Cluster, call: JobCall) -> None:
        self._cluster, self._call = cluster, call
        self._ended = threading.Event()
        self._noting = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="cluster-visits")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        with self._noting:
            self._ended.set()  # It may be away on a visit to a worker that does not answer.

    def _run(self) -> None:
        """Visit all workers, ever more seldom, until some are at it, then those."""
        call, pause, doing = self._call, self._OFTEN, list[str]()
        while not self._ended.wait(pause):
            found = self._cluster.visited(call.run, unwanted=call.files.cancel_asked(call.job_id), among=doing)
            doing = list(found)
            pause = self._OFTEN if doing else min(1.5 * pause, self._SELDOM)
            told = sorted(found.values(), key=lambda one: (one.begun, one.note.updated))
            with self._noting:
                if told and not self._ended.is_set():
                    call.files.note(call.job_id, told[-1].note)
