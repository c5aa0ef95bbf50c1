"""A storage in a folder of this computer, or of a network drive."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from core.files import disk_errors, locked, never, replacing
from core.storage.base import ObjectInfo, StoredObject, check_key

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems say that have no hard links."""

_LOCK = ".landlike.lock"


class FolderStorage:
    """Objects as files under ``root``; what begins with a full stop is not of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def title(self) -> str:
        """The folder."""
        return str(self.root)

    def get(self, key: str) -> StoredObject | None:
        """Return an object; None = there is none."""
        with self._errors("Reading", key):
            try:
                with self._path(key).open("rb") as file:
                    return StoredObject(data=file.read(), info=_info(key, os.fstat(file.fileno())))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is said of an object without its content; None = there is none."""
        with self._errors("Reading", key):
            try:
                return _info(key, self._path(key).stat())
            except (FileNotFoundError, NotADirectoryError):
                return None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield objects under some parts of keys; what is removed meanwhile is left out."""
        waiting = [prefix.strip("/")]
        while waiting:
            inside = waiting.pop()
            with self._errors("Listing", inside):
                found = list(os.scandir(self.root / inside)) if (self.root / inside).is_dir() else []
                for entry in found:
                    key = f"{inside}/{entry.name}" if inside else entry.name
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        waiting.append(key)
                    elif (info := self.head(key)) is not None:
                        yield info

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write an object, whatever was there."""
        with self._errors("Writing", key):
            path = self._place(key)
            with replacing(path) as fresh:
                fresh.write_bytes(data)
                state = fresh.stat()
            return _info(key, state)

    def put_file(self, key: str, path: Path, _cancelled: Callable[[], bool] = never) -> ObjectInfo:
        """Write a file as an object, whatever was there."""
        with self._errors("Writing", key):
            with replacing(self._place(key)) as fresh:
                shutil.copyfile(path, fresh)
                state = fresh.stat()
            return _info(key, state)

    def put_if_absent(self, key: str, data: bytes) -> ObjectInfo | None:
        """Write an object where there is none; None = there is another one."""
        with self._errors("Writing", key):
            path = self._place(key)
            if path.exists():
                return self._same(key, data)
            with _beside(path) as fresh:
                _write(fresh, data)
                try:
                    os.link(fresh, path)
                except FileExistsError:
                    return self._same(key, data)
                except OSError as error:
                    if error.errno not in _NO_LINKS:
                        raise
                    with self._sole():
                        if path.exists():
                            return self._same(key, data)
                        fresh.replace(path)
            return self.head(key)

    def replace_if(self, found: ObjectInfo, data: bytes) -> ObjectInfo | None:
        """Write an object anew, unless it was written since it was found so; None = it was."""
        key = found.key
        with self._errors("Writing", key), self._sole():
            now = self.head(key)
            if now is None or now.etag != found.etag:
                return self._same(key, data)
            path = self._path(key)
            before = path.stat().st_mtime_ns
            with _beside(path) as fresh:
                _write(fresh, data)
                state = fresh.stat()
                # Clocks of disks are coarse, and numbers of files are used again: the mark must be another one.
                os.utime(fresh, ns=(state.st_atime_ns, max(state.st_mtime_ns, before + 1)))
                made = _info(key, fresh.stat())
                fresh.replace(path)
            return made

    def fetch(self, key: str, path: Path) -> ObjectInfo | None:
        """Copy an object to a file; None = there is none."""
        with self._errors("Reading", key):
            try:
                with self._path(key).open("rb") as source, path.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 2**20)
                    return _info(key, os.fstat(source.fileno()))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def copy(self, key: str, target: str) -> ObjectInfo | None:
        """Copy an object under another key; None = there is none."""
        path = self._path(key)
        return self.put_file(target, path) if path.is_file() else None

    def delete(self, key: str) -> None:
        """Remove an object; harmless where there is none."""
        with self._errors("Removing", key):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _place(self, key: str) -> Path:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _same(self, key: str, data: bytes) -> ObjectInfo | None:
        """Return what an object is where it holds these bytes."""
        there = self.get(key)
        return there.info if there is not None and there.data == data else None

    def _sole(self) -> AbstractContextManager[None]:
        """Hold the right to change what others may change too, for as long as a small file takes to write."""
        return locked(self.root / _LOCK)

    def _errors(self, verb: str, key: str) -> AbstractContextManager[None]:
        asked = f"{verb} {self.root / key}"
        return disk_errors(asked, full="free some space, then start again", other="check the folder and its rights")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a fresh name in the same folder; what is left there in the end is removed."""
    fresh = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _info(key: str, state: os.stat_result) -> ObjectInfo:
    mark = f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"
    return ObjectInfo(key=key, size=state.st_size, etag=mark, modified=state.st_mtime)
