"""What a working copy knows of the bucket's objects: which version of each is here; in SQLite, for all processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import StoreError
from core.storage.base import ObjectInfo

_WAIT_SECONDS = 30.0
"""How long a process waits for another that changes the list; a change takes milliseconds."""

_TABLE = """
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL, version TEXT NOT NULL,
    here INTEGER NOT NULL, used REAL NOT NULL, mark INTEGER NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one object.

    Attributes:
        info: as the bucket said last.
        here: True = its file is here, with this content.
        used: when its file was asked for last, seconds since 1970 by this computer's clock.
        mark: another one after every change of this row.
    """

    info: ObjectInfo
    here: bool
    used: float
    mark: int

    @property
    def key(self) -> str:
        """The object's key."""
        return self.info.key


def nothing() -> None:
    """Do nothing: the step of a change that moves no file."""


class Index:
    """The list in one file; every change is whole, with the step that moves the file it tells of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors():
            try:
                self._begin()
            except sqlite3.OperationalError:  # A full disk or a lock says nothing of what others keep in it.
                raise
            except sqlite3.DatabaseError:
                for one in path.parent.glob(f"{path.name}*"):  # What is damaged counts as absent: all is copied anew.
                    one.unlink(missing_ok=True)
                self._begin()

    def _begin(self) -> None:
        with closing(self._connection()) as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute(_TABLE)

    def get(self, key: str) -> Known | None:
        """Return what is known of an object; None = nothing."""
        with self._reading() as base:
            row = base.execute("SELECT * FROM objects WHERE key = ?", (key,)).fetchone()
        return None if row is None else _known(row)

    def under(self, prefix: str) -> list[Known]:
        """Return what is known of all objects whose keys begin with some parts; all, for an empty text."""
        first, last = (f"{prefix}/", f"{prefix}0") if prefix else ("", "\U0010ffff")  # “0” follows “/”.
        with self._reading() as base:
            rows = base.execute("SELECT * FROM objects WHERE key >= ? AND key < ? ORDER BY key", (first, last))
            return [_known(row) for row in rows.fetchall()]

    def put(self, info: ObjectInfo, *, here: bool, step: Callable[[], object] = nothing) -> None:
        """Note an object, and do the step that makes it true.

        Args:
            info: what the bucket says.
            here: True = its file is here once the step is done.
            step: moves the file; what it raises leaves the list as it is.
        """
        with self._writing() as base:
            step()
            _put(base, info, here=here)

    def put_unless_changed(
        self, before: Known | None, info: ObjectInfo, *, here: bool, step: Callable[[], object] = nothing
    ) -> bool:
        """Note an object as ``put`` does, unless somebody else did since ``before`` was read; False = it was so."""
        with self._writing() as base:
            if not _as_before(base, info.key, before):
                return False
            step()
            _put(base, info, here=here)
            return True

    def forget(self, key: str, step: Callable[[], object] = nothing) -> None:
        """Note that there is no such object, and do the step that removes its file."""
        with self._writing() as base:
            step()
            base.execute("DELETE FROM objects WHERE key = ?", (key,))

    def forget_unless_changed(self, before: Known, step: Callable[[], object]) -> bool:
        """Forget an object, unless something was noted of it since ``before`` was read; False = it was so."""
        with self._writing() as base:
            if not _as_before(base, before.key, before):
                return False
            step()
            base.execute("DELETE FROM objects WHERE key = ?", (before.key,))
            return True

    def use(self, key: str) -> None:
        """Note that a file is asked for now."""
        with self._writing() as base:
            base.execute("UPDATE objects SET used = ? WHERE key = ?", (time.time(), key))

    def _connection(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None)
        base.execute("PRAGMA synchronous=OFF")  # A list that a power cut damages is made anew.
        return base

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), closing(self._connection()) as base:
            yield base

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the sole right to change the list, and files by it, for the block; what it raises undoes the change."""
        with self._errors(), closing(self._connection()) as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
            except BaseException:
                if base.in_transaction:  # A full disk has SQLite undo it by itself.
                    base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            full = "full" in str(error) or "disk I/O" in str(error)
            found = "the disk is full" if full else "its list of files cannot be read or written"
            remedy = "free some space, then start again" if full else f"stop the server, remove {self._path.parent}"
            raise StoreError(f"Using the working copy in {self._path.parent.parent}", found, remedy) from error


def _known(row: tuple[str, int, str, str, int, float, int]) -> Known:
    key, size, etag, version, here, used, mark = row
    return Known(info=ObjectInfo(key=key, size=size, etag=etag, version=version), here=bool(here), used=used, mark=mark)


def _put(base: sqlite3.Connection, info: ObjectInfo, *, here: bool) -> None:
    before = base.execute("SELECT mark FROM objects WHERE key = ?", (info.key,)).fetchone()
    mark = max(time.time_ns(), before[0] + 1 if before else 0)
    row = (info.key, info.size, info.etag, info.version, int(here), time.time(), mark)
    base.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _as_before(base: sqlite3.Connection, key: str, before: Known | None) -> bool:
    row = base.execute("SELECT mark FROM objects WHERE key = ?", (key,)).fetchone()
    return (None if row is None else row[0]) == (None if before is None else before.mark)
