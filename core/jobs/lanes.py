"""Lanes, in which background jobs run: their executors, and attending to one job; their order is ``jobs.queue``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any

from core.jobs.executor import JobCall, JobExecutor
from core.jobs.files import JobFiles, Record
from core.jobs.worker import JobOutcome, JobTask

CANCEL_GRACE_SECONDS = 5.0
"""A worker that does not obey a cancellation for so long is killed, unless its kind of job says otherwise."""

WARM_AFTER_SECONDS = 10.0
"""Until then somebody may be waiting for the first page, which needs the processor more."""

LISTEN_SECONDS = 0.2
"""How often a running job is attended to."""

WARMING_FAILED = "Warming a worker up failed: %r"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Where jobs of some kinds run, one after the other in each slot.

    Attributes:
        executor: makes the executor of a slot, such as ``WorkerPool``; called again when its process died.
        slots: how many jobs at once.
        warm: done once in each executor that has been idle for ``WARM_AFTER_SECONDS``, so that its first job starts
            quicker; None = nothing.
        warm_beside: kinds of jobs that this lane's usually follow; where there are some, it is warmed while one of them
            runs, and not before.
        forget: told the run of a job whose end is on record, of which nothing has to be kept any more; None = nothing
            is kept.
    """

    executor: Callable[[], JobExecutor]
    slots: int = 1
    warm: Callable[[], object] | None = None
    warm_beside: frozenset[str] = frozenset()
    forget: Callable[[str], None] | None = None


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of job.

    Attributes:
        task: the function that does it.
        lane: the name of its lane.
        grace: seconds that a worker may take to end its work well when it is cancelled.
    """

    task: JobTask
    lane: str
    grace: float = CANCEL_GRACE_SECONDS


class Slot:
    """One place in a lane; used by one thread."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._executor: JobExecutor | None = None
        self._cold = lane.warm is not None

    @property
    def patience(self) -> float | None:
        """Seconds without a job after which to warm up; None = never."""
        return WARM_AFTER_SECONDS if self._cold and not self._lane.warm_beside else None

    def expects_work(self, running: Collection[str]) -> bool:
        """Tell whether it is cold while jobs of such kinds run that its own usually follow."""
        return self._cold and not self._lane.warm_beside.isdisjoint(running)

    def warm_up(self) -> None:
        """Start what the lane's ``warm`` does; once. A failure is logged only: the jobs themselves will tell people."""
        if self._cold and self._lane.warm is not None:
            try:
                self._made().warm(self._lane.warm).add_done_callback(_log_failure)
            except Exception as error:  # noqa: BLE001  a courtesy must not end the thread that jobs wait for
                _log.warning(WARMING_FAILED, error)

    def run(self, kind: JobKind, files: JobFiles, record: Record, closing: Callable[[], bool]) -> JobOutcome | None:
        """Do a job and wait for its end; None when ``closing`` says so first.

        A worker that ignores a wish to cancel for the grace of its kind is killed.

        Raises:
            BrokenExecutor: when the process that did it died; the next run gets a new one.
        """
        executor = self._made()
        call = JobCall(
            task=kind.task, job_id=record.id, title=record.title, payload=record.payload, files=files, run=record.run
        )  # fmt: skip
        future = executor.submit(call)
        asked = 0.0
        while not wait_for([future], timeout=LISTEN_SECONDS).done:
            if closing():
                return None
            if files.cancel_asked(record.id):
                asked = asked or time.monotonic()
                if time.monotonic() - asked > kind.grace:
                    executor.kill()
        return future.result()

    def settle(self, record: Record) -> None:
        """Let go of what was kept of a job, whose end is on record."""
        if self._lane.forget is not None:
            self._lane.forget(record.run)

    def stop(self) -> None:
        """Let the executor go; what it does ends at once."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def _made(self) -> JobExecutor:
        """Return the executor of this slot; makes one where there is none, or none any more."""
        self._cold = False
        if self._executor is None:
            self._executor = self._lane.executor()
        return self._executor


def _log_failure(future: Future[Any]) -> None:
    if not future.cancelled() and future.exception() is not None:
        _log.warning(WARMING_FAILED, future.exception())
