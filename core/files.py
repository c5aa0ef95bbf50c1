"""Files that are there whole or not at all, locks between processes, and what the disk says; what they hold is others'.

Whatever Landlike keeps is written by one of these ways:

- ``write_atomically`` some bytes, ``replacing`` a file that somebody else writes: readers see the old one or the new;
- ``staged_folder`` to build a folder in, which then appears by one rename;
- ``disk_errors`` around them, which tells a failure of the disk in one sentence.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import filelock

from core.errors import JobCancelledError, StoreError

LOCK_POLL_SECONDS = 0.05
"""How often who waits for a lock looks whether it is free."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM_WORDS = ("no space left", "storagefull", "disk quota")


def never() -> bool:
    """Answer no: nobody cancelled."""
    return False


def write_atomically(path: Path, data: bytes, *, private: bool = True) -> None:
    """Write a file so that readers see the old content or the new, never a part; survives a crash.

    Args:
        path: the file to be.
        data: what it is to hold.
        private: True = nobody else on this computer may read it; False = who may read new files of ours may.

    Raises:
        OSError: when it cannot be written; the old content stays.
    """
    with replacing(path) as fresh:
        fresh.touch(mode=0o600 if private else 0o666, exist_ok=False)
        fresh.write_bytes(data)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a fresh name in the same folder; what is written there replaces ``path`` when the block ends well.

    Args:
        path: the file to be.
        durable: True = it is on the disk before it replaces the old one, so that it survives a power cut.

    Raises:
        OSError: when it cannot be moved there; ``path`` is as before, and nothing else is left behind.
    """
    fresh = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        yield fresh
        if durable:
            with fresh.open("rb+") as file:
                os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def staged_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a fresh folder to build in, on the file system of ``parent``; what was not moved away is removed in the end.

    Args:
        parent: where the finished folder will lie; made when it is not there.
        prefix: beginning of the folder's name, with a dot, so that who lists ``parent`` leaves it out.

    Raises:
        OSError: when it cannot be made.
    """
    parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


FileState = tuple[int, int, int]
"""What changes with a file's content: when it was changed, its size, and which file of the disk it is."""


def file_state(path: Path) -> FileState:
    """Return the state of a file, so that what was read of it is read again only when it has changed.

    Raises:
        OSError: when it is not there.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def folder_bytes(folder: Path) -> int:
    """Return the bytes on disk of all files in a folder; of linked files its share; 0 when there is none."""
    stats = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(stat.st_size // max(1, stat.st_nlink) for stat in stats)


def disk_full(error: BaseException) -> bool:
    """Tell whether a failure to write comes from a disk or a quota that has no room, whoever raised it."""
    words = str(error).lower()
    return getattr(error, "errno", None) in _NO_ROOM or any(sign in words for sign in _NO_ROOM_WORDS)


def reason(error: OSError) -> str:
    """Say in a few words what the system found, without what libraries write around it."""
    inside = re.search(r"\[errno (\d+)\]", str(error), re.IGNORECASE)
    number = error.errno or (int(inside[1]) if inside else None)
    return (os.strerror(number) if number else str(error).splitlines()[0].rstrip(".")).lower()


@contextmanager
def disk_errors(asked: str, *, full: str, other: str) -> Iterator[None]:
    """Turn what the system raises while writing into one sentence.

    Args:
        asked: what is being written.
        full: what to do when the disk has no room.
        other: what to do about anything else.

    Raises:
        StoreError: in place of any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        if disk_full(error):
            raise StoreError(asked, "the disk is full", full) from error
        raise StoreError(asked, reason(error), other) from error


class FileLock:
    """An exclusive lock on a file, held by one process at a time; the file holds the holder's process id.

    The kernel keeps it (``flock``, by ``filelock``), and gives it back when its holder dies in whatever way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Without ``flock`` a mark in the file would stay behind a process that was killed.
        self._lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=False)

    def take(self) -> bool:
        """Take the lock if it is free, at once; True = taken.

        Raises:
            StoreError: when the file cannot be written.
        """
        if self._lock.is_locked:
            return False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except OSError as error:
            found = f"it cannot be written ({error.strerror})"
            raise StoreError(f"Using {self.path.parent}", found, "choose another folder for the data") from error
        with suppress(OSError):  # The name of the holder is for people; a full disk must not keep a server down.
            self.path.write_text(str(os.getpid()), encoding="ascii")
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        self._lock.release(force=True)

    def holder(self) -> str:
        """Give the process id of the last holder, or ``unknown``."""
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
        time.sleep(LOCK_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
