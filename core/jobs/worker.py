"""What happens inside a worker: reporting progress, obeying cancellation, and dying with the server."""

from __future__ import annotations

import ctypes
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.errors import JobCancelledError, LandlikeError
from core.jobs.files import JobFiles, ProgressNote

NOTE_SECONDS = 0.2
"""A note of progress is written, and a wish to cancel looked for, at most this often."""

SMOOTHING_SECONDS = 10.0
"""Time constant of the smoothed rate."""

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: the signal a process gets when the thread that started it ends."""

_log = logging.getLogger(__name__)


class Work:
    """A job as the function that does it sees it."""

    def __init__(self, files: JobFiles, job_id: str, title: str) -> None:
        self._files, self._job_id, self._title = files, job_id, title
        self._note = ProgressNote(pid=os.getpid(), updated=time.time())
        self._written = self._looked = -math.inf
        self._cancelled = False
        self._files.note(job_id, self._note)

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is.

        Raises:
            JobCancelledError: when somebody wants it to stop.
        """
        now = time.time()
        if done != self._note.done or total != self._note.total:
            self._note = _advanced(self._note, done, total, now)
            if now - self._written >= NOTE_SECONDS or done >= total:
                self._written = now
                self._files.note(self._job_id, self._note)
        if self.cancelled():
            raise JobCancelledError(self._title, "it was cancelled", "start it again when you like")

    def cancelled(self) -> bool:
        """Whether somebody wants the work to stop."""
        now = time.monotonic()
        if not self._cancelled and now - self._looked >= NOTE_SECONDS:
            self._looked = now
            self._cancelled = self._files.cancel_asked(self._job_id)
        return self._cancelled


def _advanced(note: ProgressNote, done: int, total: int, now: float) -> ProgressNote:
    """The next note; the rate starts over when the work counts something else."""
    elapsed = now - note.updated
    if total != note.total or done < note.done:
        rate = 0.0
    elif elapsed <= 0:
        rate = note.rate
    else:
        latest = (done - note.done) / elapsed
        share = 1 - math.exp(-elapsed / SMOOTHING_SECONDS) if note.rate else 1.0
        rate = note.rate + share * (latest - note.rate)
    return ProgressNote(done=done, total=total, rate=rate, updated=now, pid=note.pid)


Task = Callable[[Work, Mapping[str, Any]], str]
"""Does a job from its payload and gives its result as a short text; importable by name."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended: ``state`` is ``done``, ``failed`` or ``cancelled``; ``message`` the result or a sentence."""

    state: str
    message: str


def perform(task: Task, directory: Path, job_id: str, title: str, payload: Mapping[str, Any]) -> Outcome:
    """Do a job; the boundary at which every failure becomes a sentence."""
    try:
        return Outcome(state="done", message=task(Work(JobFiles(directory), job_id, title), payload))
    except JobCancelledError as error:
        return Outcome(state="cancelled", message=str(error))
    except LandlikeError as error:
        return Outcome(state="failed", message=str(error))
    except Exception as error:  # noqa: BLE001  whatever it is must not take the queue down; the log has it all
        _log.exception("%s", title)
        found = f"something unexpected went wrong ({type(error).__name__})"
        return Outcome(state="failed", message=f"{title}: {found}; details are in the server's log.")


class WorkerPool(ProcessPoolExecutor):
    """One worker process that ends when its pool is shut down or its parent process dies, even by ``kill -9``.

    The worker holds one end of a pipe and exits when the other end closes. On Linux the kernel ends it besides, in
    case it is deep inside compiled code then.
    """

    def __init__(self, niceness: int = 0) -> None:
        context = get_context("spawn")
        self._reader, self._lifeline = context.Pipe(duplex=False)
        super().__init__(1, context, initializer=_settle, initargs=(self._reader, os.getpid(), niceness))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the worker at once, whatever it does."""
        self._lifeline.close()
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        self._reader.close()


def _settle(lifeline: Connection, parent: int, niceness: int) -> None:
    """Make this process a good worker: polite, deaf to Ctrl-C, and bound to its parent's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.nice(niceness)
    threading.Thread(target=_follow, args=(lifeline,), daemon=True, name="lifeline").start()


def _follow(lifeline: Connection) -> None:
    """Exit when the other end of the pipe closes; nothing is ever sent."""
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)
