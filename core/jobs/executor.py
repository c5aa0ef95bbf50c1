"""What runs a job: the protocol that the queue speaks; the worker pool of this computer is ``core.jobs.pool``.

Whoever writes another one, for a cluster say, writes one file with a class of these four methods and names it in a
``Lane``. Progress goes to the job's files and wishes to cancel come from there (``core.jobs.files``): the executor
carries both between them and where the work is done, in whatever way it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from core.jobs.files import JobFiles
from core.jobs.worker import JobOutcome, JobTask


@dataclass(frozen=True, kw_only=True)
class JobCall:
    """One job as an executor gets it.

    Attributes:
        task: does the work; importable by name, so that another process can have it.
        job_id: names its files.
        title: what people read, for the sentence of a failure.
        payload: arguments as JSON values.
        files: where progress is noted and wishes to cancel are found.
        run: names this submission of it, which none other has; the same after the server was started again.
    """

    task: JobTask
    job_id: str
    title: str
    payload: Mapping[str, Any]
    files: JobFiles
    run: str


class JobExecutor(Protocol):
    """Does one job at a time; used by one thread."""

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        """Begin a job.

        Meanwhile its progress appears in ``call.files``, and ``call.files.cancel_asked`` reaches the work.

        Returns:
            Its outcome to be; fails with ``BrokenExecutor`` when what does the work died. This executor is shut down
            then, and another one made.
        """

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        """Do something that makes the first job start quicker, where the jobs will be done."""

    def kill(self) -> None:
        """End the job under way at once, deaf as it may be; its outcome fails with ``BrokenExecutor``."""

    def shutdown(self) -> None:
        """End all, at once; jobs under way go on another time. Harmless when repeated."""
