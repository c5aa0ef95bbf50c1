"""The list of what a working copy has, beside processes that cannot write: it stays, and they say the true reason."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StoreError
from core.mirror.index import Index
from core.storage.base import ObjectInfo

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
from core.errors import StoreError
from core.mirror.index import Index
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    Index(Path(sys.argv[1]))
except StoreError as error:
    sys.stdout.write(error.found)
"""
INFO = ObjectInfo(key="files/a", size=3, etag='"1"', version="")


def test_a_process_whose_disk_is_full_leaves_the_list_to_those_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "own" / "index.sqlite"
    index = Index(path)
    index.put(INFO, here=True)
    opening = [sys.executable, "-c", WITHOUT_ROOM, str(path)]
    told = subprocess.run(opening, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout in {"", "the disk is full"}
    known = index.get("files/a")
    assert known is not None
    assert known.info == INFO
    index.forget("files/a")
    assert Index(path).under("") == []


def test_where_sqlite_has_undone_a_change_by_itself_the_disk_is_full_and_nothing_else(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")

    def filled() -> None:
        with index._writing() as base:
            base.execute("ROLLBACK")  # as SQLite does where a page cannot be written
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreError, match="the disk is full; free some space"):
        filled()
    index.put(INFO, here=False)
    assert [one.key for one in index.under("files")] == ["files/a"]


def test_a_list_that_is_locked_or_cannot_be_opened_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.sqlite"
    Index(path).put(INFO, here=True)
    with monkeypatch.context() as patch:
        patch.setattr(Index, "_begin", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk I/O error")))
        with pytest.raises(StoreError, match="the disk is full"):
            Index(path)
    assert Index(path).get("files/a") is not None
