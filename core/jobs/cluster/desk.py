"""What a worker knows of the jobs that it does: how far they are, and whether they are wanted no more.

A server visits it there a few times a second, through Dask. So nothing of it lies anywhere, and nothing is left behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from core.jobs.files import ProgressNote


@dataclass(frozen=True, kw_only=True)
class DeskNote:
    """What a visitor hears of a job.

    Attributes:
        begun: True = it is done here; False = it waits here for another worker that does it.
        note: how far it is.
    """

    begun: bool
    note: ProgressNote


class Desk:
    """The jobs of this process by their runs; notes come from the thread that works, visits from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there: dict[str, DeskNote] = {}
        self._unwanted: set[str] = set()

    @contextmanager
    def at(self, run: str) -> Iterator[None]:
        """Have a job here for a block."""
        with self._lock:
            self._there[run] = DeskNote(begun=False, note=ProgressNote(updated=time.time()))
        try:
            yield
        finally:
            with self._lock:
                del self._there[run]
                self._unwanted.discard(run)

    def begin(self, run: str) -> None:
        """Say that a job is done here from now on."""
        with self._lock:
            self._there[run] = replace(self._there[run], begun=True)

    def note(self, job_id: str, note: ProgressNote) -> None:
        """Say how far a job is."""
        with self._lock:
            self._there[job_id] = replace(self._there[job_id], note=note)

    def cancel_asked(self, job_id: str) -> bool:
        """Tell whether a job is wanted no more."""
        return job_id in self._unwanted

    def visit(self, run: str, *, unwanted: bool) -> DeskNote | None:
        """Return how far a job is, and say that it is unwanted if so; None when it is not here."""
        with self._lock:
            if unwanted and run in self._there:
                self._unwanted.add(run)
            return self._there.get(run)


DESK = Desk()
"""That of this process."""


def visit_desk(run: str, unwanted: bool) -> DeskNote | None:
    """Return how far a job is on this worker, and say that it is unwanted if so; None when it is not here."""
    return DESK.visit(run, unwanted=unwanted)
