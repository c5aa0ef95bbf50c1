"""The working copy of a bucket: each way of writing goes there first and then here, and what others wrote comes here.

Keys are paths below the folder: ``files/…`` of what is copied, ``tables/…`` of what LanceDB writes by itself,
``leases/…`` of locks (``lease``). What is known of them is in ``index``.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

from core.errors import ChangedMeanwhileError
from core.files import discard, disk_errors, locked_here, unwanted
from core.mirror.index import Index, Known
from core.mirror.lease import LeaseTimes, leased
from core.storage.base import ObjectInfo, Storage
from core.storage.bucket import PART_BYTES

OWN_FOLDER = ".bucket"
"""The folder in a working copy of what it needs itself."""

LOCAL = frozenset({"jobs", "uploads", "previews", "exports", "models", "scratch", "digests.json"})
"""What belongs to each computer, by the first part of its path."""

MARKERS = ("scene.json", "crc.json", "saved_model.pb", "model.onnx")
"""Files without which a folder counts as not there: they come last and go first."""

_LARGE = re.compile(
    r"files/(?:.*/)?(?:(?:scenes|trash)/[^/]+/(?:pixels\.tif|vectors\.npy|statistics\.npy|origin/.+)"
    r"|snapshots/[^/]+/[^/]+\.npy|trained/[^/]+\.training/last\.npz|fetched/[^/]+)"
)
"""Keys of files that are copied only when they are asked for."""

_DECIDED = re.compile(r"files/(?:.*/)?(?:scenes|schemes|heads)/.+")
"""Keys of what people give or decide: nobody writes it who has not seen the newest."""

LEASES = "leases"
"""What keys of locks begin with."""

_AT_ONCE = 8
_LATELY = 600.0
"""Seconds for which a large file that was asked for stays here, however little room there is."""

_USED_SECONDS = 60.0
_FREE = "free some space, then start again"

_log = logging.getLogger(__name__)


class WorkingCopy:
    """A folder as the working copy of a storage; a ``core.files.Mirror``.

    Args:
        root: the folder.
        storage: what it is the copy of.
        hurried: the same with little patience, for as long as it is known not to answer; None = as patient then.
        room: bytes that copies of large files may take; None = half of what is free without them.
        times: of leases.
    """

    def __init__(
        self,
        root: Path,
        storage: Storage,
        *,
        hurried: Storage | None = None,
        room: int | None = None,
        times: LeaseTimes | None = None,
    ) -> None:
        self.root = root
        self.storage, self._patient, self._hurried = storage, storage, hurried or storage
        self._own = root / OWN_FOLDER
        self._index = Index(self._own / "index.sqlite")
        self._room, self._times = room, times or LeaseTimes()
        self._name = _name_of(self._own / "name")
        self._editing, self._local = threading.RLock(), threading.local()
        self._asked: dict[str, float] = {}

    @property
    def title(self) -> str:
        """The address of the bucket, without what is secret."""
        return self.storage.title

    def reach(self) -> None:
        """Ask for something that is there.

        Raises:
            BucketError: when nothing can be had from the bucket now.
        """
        next(self.storage.list("files"), None)

    def missing_bytes(self, folder: Path) -> int:
        """Return the bytes of what a folder holds in the bucket and not here."""
        return sum(one.info.size for one in self._index.under(self._key(folder)) if not one.here)

    def hurry(self, *, hurried: bool) -> None:
        """Wait for the bucket no longer than it takes to ask, or as ever."""
        self.storage = self._hurried if hurried else self._patient

    def shares(self, path: Path) -> bool:
        """Tell whether a path is shared: not what belongs to this computer, nor what is half made."""
        parts = path.relative_to(self.root).parts
        if "origin" in parts:  # What people gave is called as it is called.
            parts = parts[: parts.index("origin")]
        return bool(parts) and parts[0] not in LOCAL and not any(_half_made(part) for part in parts)

    def address(self, path: Path) -> str:
        """Return where a folder of tables lies, for the library that writes them by itself."""
        return f"{self.title}/tables/{path.relative_to(self.root).as_posix()}"

    def replace(self, fresh: Path, path: Path) -> None:
        """Move a finished file to its place, there and here.

        Raises:
            ChangedMeanwhileError: when somebody else wrote what people decide upon since it was read; the newest is
                here then.
            StoreError: when the bucket cannot be written.
        """
        key = self._key(path)
        base: dict[str, Known | None] = getattr(self._local, "base", {})
        if _DECIDED.fullmatch(key) and fresh.stat().st_size <= PART_BYTES:
            info = self._put_as_seen(key, fresh.read_bytes(), base[key] if key in base else self._index.get(key))
        else:
            info = self.storage.put_file(key, fresh, unwanted())
        self._index.put(info, here=True, step=lambda: fresh.replace(path))
        if key in base:
            base[key] = self._index.get(key)

    def _put_as_seen(self, key: str, data: bytes, seen: Known | None) -> ObjectInfo:
        info = self.storage.put_if_absent(key, data) if seen is None else self.storage.replace_if(seen.info, data)
        if info is None:
            self._take_newest(key)
            asked, found = f"Writing {key.rpartition('/')[2]}", "somebody else changed it at the same moment"
            raise ChangedMeanwhileError(asked, found, "look at what is there now, then try again")
        return info

    def move_in(self, staged: Path, target: Path, whole: str) -> None:
        """Move a finished folder to its place, there and here; the file ``whole`` last.

        Raises:
            FileExistsError: when there is another one; it is here then.
            StoreError: when the bucket cannot be written.
        """
        prefix = self._key(target)
        last = f"{prefix}/{whole}"
        if self.storage.head(last) is not None:
            self.refresh(prefix)
            raise FileExistsError(str(target))
        if staged.is_relative_to(self.root) and self.shares(staged):
            self._move(self._key(staged), prefix, whole)
            return
        files = {f"{prefix}/{_named(path.relative_to(staged))}": path for path in _files(staged)}
        content, cancelled = files[last].read_bytes(), unwanted()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            others = [key for key in files if key != last]
            infos = list(threads.map(lambda key: self.storage.put_file(key, files[key], cancelled), others))
        info = self.storage.put_if_absent(last, content)
        if info is None:
            self.refresh(prefix)
            raise FileExistsError(str(target))
        for one in (*infos, info):
            self._index.put(one, here=True, step=partial(_moved, files[one.key], self._path(one.key)))

    def _move(self, source: str, target: str, whole: str) -> None:
        """Move a folder that is shared already: copied in the bucket, then removed where it lay."""
        infos = [info for info in self.storage.list(source) if _ours(info.key)]
        if f"{source}/{whole}" not in {info.key for info in infos}:
            self.refresh(source)
            raise FileNotFoundError(source)
        for info in sorted(infos, key=lambda one: one.key == f"{source}/{whole}"):
            key = f"{target}{info.key.removeprefix(source)}"
            copied = self.storage.copy(info.key, key)
            known, path = self._index.get(info.key), self._path(info.key)
            same = known is not None and known.here and known.info.etag == info.etag and path.is_file()
            if copied is not None:
                step = partial(_linked, path, self._path(key)) if same else partial(_gone, self._path(key))
                self._index.put(copied, here=same, step=step)
        self._remove_folder(source, whole)
        self.refresh(target)

    def remove(self, path: Path, first: str) -> None:
        """Remove a file or a folder, there and here; the file ``first`` of a folder before the others.

        Raises:
            StoreError: when the bucket cannot be written; what is left of a folder is no longer whole then.
        """
        key = self._key(path)
        if path.is_dir() or _of_tables(path) or self._index.under(key):
            self._remove_folder(key, first)
            if not _of_tables(path):
                shutil.rmtree(path, ignore_errors=True)
        elif path.exists() or self._index.get(key) is not None:
            self.storage.delete(key)
            self._index.forget(key, partial(_gone, path))

    def _remove_folder(self, prefix: str, first: str) -> None:
        keys = {info.key for info in self.storage.list(prefix)} | {one.key for one in self._index.under(prefix)}
        marked = f"{prefix}/{first}" if first else ""
        if marked in keys:
            self._delete(marked)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self._delete, sorted(keys - {marked})))

    def _delete(self, key: str) -> None:
        self.storage.delete(key)
        if key.startswith("files/") and _ours(key):
            self._index.forget(key, partial(_gone, self._path(key)))

    def present(self, path: Path) -> None:
        """Copy a file, or all files of a folder, here where they are not.

        Raises:
            StoreError: when they cannot be copied.
        """
        key = self._key(path)
        if path.is_file():
            self._note_use(key)
            return
        lacking = [one for one in self._index.under(key) if not one.here]
        if not lacking and not path.exists():
            lacking = [one] if (one := self._index.get(key)) is not None else []
            if not lacking and (info := self.storage.head(key)) is not None:  # It came since this computer looked.
                self._make_room(info.size)
                self._take_newest(key)
        for one in lacking:
            self._make_room(one.info.size)
            with locked_here(self._own / "fetching.lock"):
                if not self._path(one.key).is_file():
                    self._take_newest(one.key)

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file or a folder, here or there."""
        key = self._key(path)
        if _of_tables(path):
            return next(self.storage.list(key), None) is not None
        return self._index.get(key) is not None or bool(self._index.under(key))

    @contextmanager
    def editing(self, paths: Sequence[Path]) -> Iterator[None]:
        """Hold the right to write files for a block; they are the newest when the block begins.

        Raises:
            StoreError: when the bucket cannot be asked.
        """
        with self._editing:
            if getattr(self._local, "base", None):
                yield
                return
            with locked_here(self._own / "editing.lock"):
                try:
                    self._local.base = {key: self._newest(key) for key in map(self._key, paths)}
                    yield
                finally:
                    self._local.base = {}

    def _newest(self, key: str) -> Known | None:
        """Return what is known of an object once the newest is here."""
        info, known = self.storage.head(key), self._index.get(key)
        same = known is not None and known.info == info and self._path(key).is_file()
        if not same:
            self._take_newest(key)
        return self._index.get(key)

    def locked(
        self, path: Path, cancelled: Callable[[], bool], waiting: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """Hold a lock that all computers know, and know what they wrote until then."""
        return self._locked(path, cancelled, waiting)

    @contextmanager
    def _locked(
        self, path: Path, cancelled: Callable[[], bool], waiting: Callable[[str], None]
    ) -> Iterator[None]:  # fmt: skip
        key = f"{LEASES}/{path.relative_to(self.root).as_posix()}"
        wait = leased(
            self.storage, key, self._name, hurried=self._hurried, times=self._times, cancelled=cancelled,
            waiting=waiting,
        )  # fmt: skip
        with wait:
            self.refresh()
            yield

    def refresh(self, prefix: str = "files") -> None:
        """Make what is here what is in the bucket: small files are copied, large ones when they are asked for.

        Args:
            prefix: of the keys to look at.

        Raises:
            StoreError: when the bucket cannot be asked, or a copy cannot be kept; whatever could be is the newest.
        """
        before = {one.key: one for one in self._index.under(prefix)}
        there = {info.key: info for info in self.storage.list(prefix) if _ours(info.key)}
        for known in sorted(before.values(), key=lambda one: not _marks(one.key)):
            if known.key not in there:
                path = self._path(known.key)
                if self._index.forget_unless_changed(known, partial(_gone, path)):
                    _tidy(path.parent, self.root)
        wanted = [info for key, info in there.items() if self._outdated(before.get(key), info)]
        marks = [info for info in wanted if _marks(info.key)]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for some in ([info for info in wanted if not _marks(info.key)], marks):
                list(threads.map(lambda info: self._follow(before.get(info.key), info), some))

    def _outdated(self, known: Known | None, info: ObjectInfo) -> bool:
        if known is None or known.info.etag != info.etag:
            return True
        return not _LARGE.fullmatch(info.key) and not (known.here and self._path(info.key).is_file())

    def _follow(self, before: Known | None, info: ObjectInfo) -> None:
        """Have the newest of one object, unless this computer changed it meanwhile."""
        path = self._path(info.key)
        if _LARGE.fullmatch(info.key):
            self._index.put_unless_changed(before, info, here=False, step=partial(_gone, path))
        else:
            self._take(before, info.key)

    def _take_newest(self, key: str) -> None:
        self._take(self._index.get(key), key)

    def _take(self, before: Known | None, key: str) -> None:
        """Copy an object here, unless somebody else noted something of it since ``before``; or forget it."""
        path = self._path(key)
        fresh = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
        with disk_errors(f"Keeping a copy of {path.name}", full=_FREE, other="check the disk and its rights"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                info = self.storage.fetch(key, fresh)
                if info is not None:
                    self._index.put_unless_changed(before, info, here=True, step=partial(_moved, fresh, path))
                elif before is not None:
                    self._index.forget_unless_changed(before, partial(_gone, path))
            finally:
                fresh.unlink(missing_ok=True)
                if not path.exists():
                    _tidy(path.parent, self.root)

    def _note_use(self, key: str) -> None:
        """Note now and then that a large file is used, so that it stays."""
        now = time.monotonic()
        if _LARGE.fullmatch(key) and now - self._asked.get(key, -_USED_SECONDS) >= _USED_SECONDS:
            self._asked[key] = now
            self._index.use(key)

    def _make_room(self, size: int) -> None:
        """Remove copies of the large files that nobody asked for lately, the longest unused first."""
        large = [one for one in self._index.under("files") if one.here and _LARGE.fullmatch(one.key)]
        taken, lately = sum(one.info.size for one in large), time.time() - _LATELY
        room = (shutil.disk_usage(self.root).free + taken) // 2 if self._room is None else self._room
        for one in sorted(large, key=lambda one: one.used):
            if taken + size <= room or (self._room is None and one.used > lately):
                return
            gone = partial(_gone, self._path(one.key))
            if self._index.put_unless_changed(one, one.info, here=False, step=gone):
                taken -= one.info.size

    def _key(self, path: Path) -> str:
        return f"{'tables' if _of_tables(path) else 'files'}/{_named(path.relative_to(self.root))}"

    def _path(self, key: str) -> Path:
        return self.root / unquote(key.partition("/")[2])


def _name_of(path: Path) -> str:
    """Return the name of a working copy, which nobody else has; made once."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{uuid4().hex}")
        fresh.write_text(uuid4().hex, encoding="ascii")
        with suppress(FileExistsError):
            os.link(fresh, path)
        discard(fresh)
    return path.read_text(encoding="ascii")


def _named(path: Path) -> str:
    """Return the key of a path, in which names are as they are but for what keys cannot hold."""
    return re.sub(r"[%\\\x00-\x1f\x7f]|(?<![^/])\.", lambda found: f"%{ord(found[0]):02X}", path.as_posix())


def _ours(key: str) -> bool:
    """Tell whether a key is one that we write: of a path that does not lead out of the folder."""
    name = key.partition("/")[2]
    path = Path(unquote(name))
    return ".." not in path.parts and "\0" not in unquote(name) and _named(path) == name


def _of_tables(path: Path) -> bool:
    return path.suffix == ".lance"


def _half_made(part: str) -> bool:
    return part.startswith(".")


def _marks(key: str) -> bool:
    return key.rpartition("/")[2] in MARKERS


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _moved(fresh: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.replace(path)


def _linked(path: Path, target: Path) -> None:
    """Have a file in a second place too, without copying it where the disk can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def _gone(path: Path) -> None:
    with suppress(NotADirectoryError):
        path.unlink(missing_ok=True)


def _tidy(folder: Path, root: Path) -> None:
    """Remove folders that are empty, up to those that are always there."""
    while len(folder.relative_to(root).parts) > 1:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
