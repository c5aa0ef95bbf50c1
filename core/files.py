"""Locks between processes, held on files by the kernel and given back when their holder dies; nothing else."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import JobCancelledError, StoreError

POLL_SECONDS = 0.05


def never() -> bool:
    """A question whose answer is no: nobody cancelled."""
    return False


class FileLock:
    """An exclusive lock on a file, for one process at a time; the file holds the holder's process id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if it is free, at once; True = taken.

        Raises:
            StoreError: when the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            found = f"it cannot be written ({error.strerror})"
            raise StoreError(f"Using {self.path.parent}", found, "choose another folder for the data") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """Process id of the last holder, or ``unknown``."""
        try:
            return self.path.read_text(encoding="ascii") or "unknown"
        except OSError:
            return "unknown"


@contextmanager
def locked(path: Path, cancelled: Callable[[], bool] = never) -> Iterator[None]:
    """Hold the lock on a file for a block, waiting for it as long as it takes.

    Raises:
        JobCancelledError: when ``cancelled`` says so while waiting.
        StoreError: when the file cannot be written.
    """
    lock = FileLock(path)
    while not lock.take():
        if cancelled():
            raise JobCancelledError("Waiting for the same work elsewhere", "it was cancelled", "start it again")
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
