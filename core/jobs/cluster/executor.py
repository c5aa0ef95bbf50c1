"""The executor of a cluster: one job at a time, done by whichever worker is free."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

from core.errors import JobCancelledError, JobError, LandlikeError
from core.files import locked
from core.jobs.cluster.connection import POLL_SECONDS, ClusterCall, LostCallError, cluster_at
from core.jobs.executor import JobCall
from core.jobs.files import JobFiles, ProgressNote
from core.jobs.worker import JobOutcome, JobTask, perform

MOST_UNFIT = 3
"""So often a job may come to a worker that is not fit, before that is known of it."""


class ClusterExecutor:
    """Has a worker of a cluster do a job; the worker notes progress and looks for wishes to cancel in the job's files.

    While there is no scheduler or no worker, a job waits and says so. When the connection breaks, it is done again as
    soon as there is another: by then what did it has ended, or ends well, and is not repeated (``perform_once``).

    Args:
        address: of the scheduler.
        root: the folder of the data.
    """

    def __init__(self, address: str, root: Path) -> None:
        self._cluster = cluster_at(address, root)
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
        """Wait for the end of a job, through as many connections as it takes."""

        def waiting(words: str) -> None:
            call.files.note(call.job_id, ProgressNote(doing=words, updated=time.time()))

        while True:
            try:
                self._cluster.workers(call.title, waiting, lambda: self._unwanted(call))
                arguments = (call.task, call.files.directory, call.job_id, call.title, dict(call.payload))
                return self._followed(self._cluster.call(call.title, perform_once, *arguments))
            except LostCallError:
                time.sleep(POLL_SECONDS)
            except JobCancelledError as error:
                self._check_living()
                return JobOutcome(state="cancelled", message=str(error))
            except LandlikeError as error:
                return JobOutcome(state="failed", message=str(error))

    def _followed(self, one: ClusterCall) -> JobOutcome:
        """Wait for the answer to one call.

        Raises:
            LostCallError: when nobody will answer.
            JobError: when the workers that did it died, or are not fit.
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
            return JobOutcome(state="failed", message=str(answer.error))
        outcome: JobOutcome = answer.value
        return outcome

    def _unwanted(self, call: JobCall) -> bool:
        return self._killed.is_set() or self._shut.is_set() or call.files.cancel_asked(call.job_id)

    def _check_living(self) -> None:
        if self._killed.is_set() or self._shut.is_set():
            raise BrokenExecutor("killed")


def perform_once(task: JobTask, directory: Path, job_id: str, title: str, payload: Mapping[str, Any]) -> JobOutcome:
    """Do a job in a worker as ``perform`` does, unless another worker does it or has done it.

    A connection that broke says nothing of the work behind it: that may go on, on a worker that nobody hears of. So
    whoever does a job holds a lock, and notes the result; who comes after it gives that result.
    """
    files = JobFiles(directory)
    try:
        with locked(directory / f"{job_id}.lock", lambda: files.cancel_asked(job_id)):
            known = files.result(job_id)
            if known is not None:
                return JobOutcome(state="done", message=known)
            outcome = perform(task, directory, job_id, title, payload)
            if outcome.state == "done":
                files.keep_result(job_id, outcome.message)
            return outcome
    except JobCancelledError as error:
        return JobOutcome(state="cancelled", message=str(error))
    except LandlikeError as error:
        return JobOutcome(state="failed", message=str(error))
