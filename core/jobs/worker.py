"""What happens where a job is done: reporting progress, obeying cancellation, and turning failures into sentences."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from core.errors import JobCancelledError, LandlikeError
from core.files import wanted_until
from core.jobs.files import ProgressNote

NOTE_SECONDS = 0.2
"""A note of progress is written, and a wish to cancel looked for, at most this often."""

ON_WORKER = "on the worker"
"""What the sentence of a failure says, before its address, when a worker of a cluster is at fault."""

SMOOTHING_SECONDS = 10.0
"""Time constant of the smoothed rate."""

_log = logging.getLogger(__name__)


class JobNotes(Protocol):
    """Where it is noted how far jobs are, and whether somebody wants them to stop: ``JobFiles``, or a worker's own."""

    def note(self, job_id: str, note: ProgressNote) -> None:
        """Say how far a job is."""

    def cancel_asked(self, job_id: str) -> bool:
        """Tell whether somebody wants a job to stop."""


class Work:
    """A job as the function that does it sees it.

    Attributes:
        made: files that the job made for the computer that asked for it, which are kept nowhere else.
    """

    def __init__(self, notes: JobNotes, job_id: str, title: str) -> None:
        self._notes, self._job_id, self._title = notes, job_id, title
        self.made: list[Path] = []
        self._note = ProgressNote(pid=os.getpid(), updated=time.time())
        self._written = self._looked = self._said = -math.inf
        self._cancelled = self._unwritten = False
        self._notes.note(job_id, self._note)

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is.

        Raises:
            JobCancelledError: when somebody wants it to stop.
        """
        now = time.time()
        if done != self._note.done or total != self._note.total:
            self._note, self._unwritten = _advanced(self._note, done, total, now), True
        # What was told too soon after the last note is written when it is told again.
        if self._unwritten and (now - self._written >= NOTE_SECONDS or done >= total):
            self._written, self._unwritten = now, False
            self._notes.note(self._job_id, self._note)
        if self.cancelled():
            raise JobCancelledError(self._title, "it was cancelled", "start it again when you like")

    def doing(self, words: str) -> None:
        """Say what is done before it is known how far the work is; of no effect afterwards."""
        now = time.time()
        another = words.split(" ", 1)[0] != self._note.doing.split(" ", 1)[0]
        if not self._note.total and (another or now - self._said >= NOTE_SECONDS):
            self._said = now
            self._note = replace(self._note, doing=words, updated=now)
            self._notes.note(self._job_id, self._note)

    def waiting(self, words: str) -> None:
        """Say what keeps the work from going on, however far it is; an empty text when it goes on."""
        if words != self._note.doing:
            self._note = replace(self._note, doing=words, rate=0.0, updated=time.time())
            self._notes.note(self._job_id, self._note)

    def cancelled(self) -> bool:
        """Tell whether somebody wants the work to stop."""
        now = time.monotonic()
        if not self._cancelled and now - self._looked >= NOTE_SECONDS:
            self._looked = now
            self._cancelled = self._notes.cancel_asked(self._job_id)
        return self._cancelled


def _advanced(note: ProgressNote, done: int, total: int, now: float) -> ProgressNote:
    """Return the next note; the rate starts over when the work counts something else."""
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


JobTask = Callable[[Work, Mapping[str, Any]], str]
"""Does a job from its payload and gives its result as a short text; importable by name."""


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """How a job ended.

    Attributes:
        state: ``done``, ``failed`` or ``cancelled``.
        message: the result, or a sentence.
        made: files that it made for the computer that asked for it.
    """

    state: str
    message: str
    made: tuple[Path, ...] = ()


def perform(
    task: JobTask,
    notes: JobNotes,
    job_id: str,
    title: str,
    payload: Mapping[str, Any],
    *,
    refused: Callable[[LandlikeError], str] = str,
) -> JobOutcome:
    """Do a job; the boundary at which every failure becomes a sentence.

    Args:
        task: does it.
        notes: where progress goes, and wishes to cancel come from.
        job_id: names it there.
        title: what people read.
        payload: arguments as JSON values.
        refused: gives the sentence of what was refused.
    """
    try:
        work = Work(notes, job_id, title)
        with wanted_until(work.cancelled):
            message = task(work, payload)
        return JobOutcome(state="done", message=message, made=tuple(work.made))
    except JobCancelledError as error:
        return JobOutcome(state="cancelled", message=str(error))
    except LandlikeError as error:
        return JobOutcome(state="failed", message=refused(error))
    except Exception as error:  # noqa: BLE001  whatever it is must not take the queue down; the log has it all
        return unexpected(title, error)


def tells_of_worker(sentence: str) -> bool:
    """Tell whether the sentence of a failure is of a worker that lacks something, so that trying again may do."""
    return f": {ON_WORKER} " in sentence


def unexpected(title: str, error: Exception) -> JobOutcome:
    """Log the failure that is being handled and give the end of its job: a sentence that tells no details."""
    _log.exception("%s", title)
    found = f"something unexpected went wrong ({type(error).__name__})"
    return JobOutcome(state="failed", message=f"{title}: {found}; details are in the server's log.")
