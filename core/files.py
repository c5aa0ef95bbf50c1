"""Files that are there whole or not at all, locks between processes, and what the disk says; what they hold is others'.

Whatever Landlike keeps is written by one of these ways:

- ``write_atomically`` some bytes, ``replacing`` a file that somebody else writes: readers see the old one or the new;
- ``staged_folder`` to build a folder in, and ``move_in``, by which it then appears whole;
- ``editing`` around reading a file and writing it again, so that nothing that others write meanwhile is lost;
- ``discard`` what is no longer wanted, a file or a folder;
- ``disk_errors`` around them, which tells a failure of the disk in one sentence.

So a folder can be the working copy of what several computers share (``core.mirror``): each way then tells the folder's
``Mirror``, and ``present`` and ``exists`` count what is not copied yet. A folder without one costs nothing more.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from threading import RLock
from typing import Protocol
from uuid import uuid4

import filelock

from core.errors import BucketError, ChangedMeanwhileError, JobCancelledError, StoreError
from core.progress import unsaid

LOCK_POLL_SECONDS = 0.05
"""How often who waits for a lock looks whether it is free."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM_WORDS = ("no space left", "storagefull", "disk quota")


def never() -> bool:
    """Answer no: nobody cancelled."""
    return False


_unwanted: ContextVar[Callable[[], bool]] = ContextVar("unwanted", default=never)


@contextmanager
def wanted_until(cancelled: Callable[[], bool]) -> Iterator[None]:
    """Have files that are shared in a block ask, while they travel, whether they are unwanted by now."""
    before = _unwanted.set(cancelled)
    try:
        yield
    finally:
        _unwanted.reset(before)


def unwanted() -> Callable[[], bool]:
    """Return what tells whether what this thread writes is unwanted by now."""
    return _unwanted.get()


class Mirror(Protocol):
    """What several computers share and a folder is the working copy of; safe to use from threads and by processes.

    Everything is written there first and then here, so that what is here is nowhere else newer than here. All methods
    raise ``StoreError``: one sentence without any credential, and nothing is changed then.
    """

    def shares(self, path: Path) -> bool:
        """Tell whether a path of the folder is shared; others belong to this computer."""

    def replace(self, fresh: Path, path: Path) -> None:
        """Move a finished file to its place, there and here.

        Raises:
            ChangedMeanwhileError: when somebody else wrote what people decide upon since it was read.
        """

    def move_in(self, staged: Path, target: Path, whole: str) -> None:
        """Move a finished folder to its place, there and here; the file ``whole`` last, and first away from before.

        Raises:
            FileExistsError: when there is another one.
        """

    def remove(self, path: Path, first: str) -> None:
        """Remove a file or a folder, there and here; the file ``first`` of a folder before the others."""

    def present(self, path: Path) -> None:
        """Copy a file, or all files of a folder, here where they are not."""

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file or a folder, here or there."""

    def editing(self, paths: Sequence[Path]) -> AbstractContextManager[None]:
        """Hold the right to write files for a block; they are the newest when the block begins."""

    def locked(
        self, path: Path, cancelled: Callable[[], bool], waiting: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """Hold a lock that all computers know, as ``locked`` does."""

    def address(self, path: Path) -> str:
        """Return where a folder lies that a library writes by itself."""

    def reach(self) -> None:
        """Ask for something that is there; raises ``BucketError`` when nothing can be had from there now."""

    def missing_bytes(self, folder: Path) -> int:
        """Return the bytes of what a folder holds there and not here."""


_mirrors: dict[Path, Mirror] = {}
_editing = RLock()


def mirrored(root: Path, mirror: Mirror | None) -> None:
    """Make a folder the working copy of a mirror; None = of none any more."""
    if mirror is None:
        _mirrors.pop(root, None)
    else:
        _mirrors[root] = mirror


def mirror_of(path: Path) -> Mirror | None:
    """Return the mirror that shares a path; None = it belongs to this computer."""
    for root, mirror in _mirrors.items():
        if path.is_relative_to(root) and mirror.shares(path):
            return mirror
    return None


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
        StoreError: when those who share it cannot have it; likewise.
    """
    fresh = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        yield fresh
        if durable:
            with fresh.open("rb+") as file:
                os.fsync(file.fileno())
        mirror = mirror_of(path)
        if mirror is None:
            fresh.replace(path)
        else:
            mirror.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def editing(*paths: Path, asked: str) -> Iterator[None]:
    """Hold the right to write files for a block that reads them first: one thread at a time, the newest in hand.

    Args:
        paths: the files, all in one folder.
        asked: what somebody wants, for the sentence of a bucket that fails, who knows its objects alone.

    Raises:
        BucketError: when those who share it cannot be asked for the newest, or do not take what is written.
        ChangedMeanwhileError: when somebody else wrote it at the same moment.
    """
    mirror = mirror_of(paths[0])
    try:
        with _editing if mirror is None else mirror.editing(paths):
            yield
    except (BucketError, ChangedMeanwhileError) as error:
        raise type(error)(asked, error.found, error.remedy) from error


def move_in(staged: Path, target: Path, *, whole: str) -> None:
    """Move a finished folder to its place, by one rename where nobody shares it.

    Args:
        staged: the folder, on the same file system; may be one that lay elsewhere, which is gone there then.
        target: where it will lie.
        whole: the file in it without which readers take the folder for one that is not there.

    Raises:
        OSError: when it cannot be moved, or another lies there.
        StoreError: when those who share it cannot have it.
    """
    mirror = mirror_of(target)
    if mirror is None:
        staged.rename(target)
    else:
        mirror.move_in(staged, target, whole)


def discard(path: Path, *, first: str = "") -> None:
    """Remove a file, or a folder with all that is in it; harmless where there is none.

    Args:
        path: which.
        first: of a folder, the file that goes before the others, without which readers take it for gone.

    Raises:
        OSError: when a file cannot be removed; of a folder what can be removed is.
        StoreError: when it cannot be removed where it is shared.
    """
    mirror = mirror_of(path)
    if mirror is not None:
        mirror.remove(path, first)
    elif path.is_dir():
        doomed = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
        with suppress(OSError):
            path.rename(doomed)
        shutil.rmtree(doomed if doomed.exists() else path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def present(path: Path) -> Path:
    """Return a path whose file, or all files of whose folder, are here; of what is shared they are copied if need be.

    Raises:
        StoreError: when they cannot be copied.
    """
    if (mirror := mirror_of(path)) is not None:
        mirror.present(path)
    return path


def exists(path: Path) -> bool:
    """Tell whether there is a file or a folder, copied here or not."""
    return path.exists() or ((mirror := mirror_of(path)) is not None and mirror.exists(path))


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
    """Return the bytes of a folder's files, copied here or not; of linked files its share; 0 where there is none."""
    stats = [path.stat() for path in folder.rglob("*") if path.is_file()]
    mirror = mirror_of(folder)
    missing = 0 if mirror is None else mirror.missing_bytes(folder)
    return sum(stat.st_size // max(1, stat.st_nlink) for stat in stats) + missing


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
def locked(
    path: Path, cancelled: Callable[[], bool] = never, waiting: Callable[[str], None] = unsaid
) -> Iterator[None]:
    """Hold the lock on a file for a block, waiting for it as long as it takes.

    Args:
        path: the file; of what is shared all computers know the lock.
        cancelled: asked while waiting.
        waiting: told what is waited for on another computer; an empty text when that is over.

    Raises:
        JobCancelledError: when ``cancelled`` says so while waiting.
        StoreError: when the file cannot be written.
    """
    with locked_here(path, cancelled):
        mirror = mirror_of(path)
        if mirror is None:
            yield
        else:
            with mirror.locked(path, cancelled, waiting):
                yield


@contextmanager
def locked_here(path: Path, cancelled: Callable[[], bool] = never) -> Iterator[None]:
    """Hold a lock as ``locked`` does, among the processes of this computer alone."""
    lock = FileLock(path)
    while not lock.take():
        if cancelled():
            raise JobCancelledError("Waiting for the same work elsewhere", "it was cancelled", "start it again")
        time.sleep(LOCK_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
