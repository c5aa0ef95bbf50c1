"""Large files are read once, and again as soon as anything of them has changed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from core.files import never
from core.ingest.digests import LEAST_BYTES, KeptDigests, state_of
from core.ingest.files import content_of

LONG_AGO = 1_700_000_000


def large(path: Path, byte: bytes = b"a") -> Path:
    path.write_bytes(byte * LEAST_BYTES)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were made in this test are no longer young."""
    import time

    now = time.time
    monkeypatch.setattr("core.ingest.digests.time.time", lambda: now() + 10)


def digest(content: bytes) -> str:
    return content.rstrip().rpartition(b" ")[2].decode()


@pytest.mark.usefixtures("later")
def test_a_file_that_is_as_it_was_is_not_read_again(tmp_path: Path) -> None:
    file, kept = large(tmp_path / "a.tif"), KeptDigests(tmp_path / "digests.json")
    first = content_of([("a.tif", file)], never, kept=kept)
    assert digest(first) == hashlib.sha256(b"a" * LEAST_BYTES).hexdigest()
    (key,) = json.loads((tmp_path / "digests.json").read_text())
    (tmp_path / "digests.json").write_text(json.dumps({key: "0" * 64}))
    assert digest(content_of([("b.tif", file)], never, kept=kept)) == "0" * 64, "it was read again"
    assert content_of([("a.tif", file)], never) == first


@pytest.mark.usefixtures("later")
def test_other_bytes_of_the_same_size_and_time_are_seen(tmp_path: Path) -> None:
    file, kept = large(tmp_path / "a.tif"), KeptDigests(tmp_path / "digests.json")
    first = content_of([("a.tif", file)], never, kept=kept)
    assert content_of([("a.tif", large(file, b"b"))], never, kept=kept) != first


def test_what_is_small_or_was_changed_just_now_is_not_kept(tmp_path: Path) -> None:
    file, small, kept = large(tmp_path / "a.tif"), tmp_path / "s.tif", KeptDigests(tmp_path / "digests.json")
    small.write_bytes(b"s")
    assert state_of(file) is None
    content_of([("a.tif", file), ("s.tif", small)], never, kept=kept)
    assert not (tmp_path / "digests.json").exists()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("text", ["", "[1]", '{"k": 3}', '{"k": "xyz"}', "\0"])
def test_what_is_damaged_counts_as_empty(tmp_path: Path, text: str) -> None:
    file, path = large(tmp_path / "a.tif"), tmp_path / "digests.json"
    path.write_text(text)
    kept = KeptDigests(path)
    assert kept.get(file) is None
    content_of([("a.tif", file)], never, kept=kept)
    assert kept.get(file) == hashlib.sha256(b"a" * LEAST_BYTES).hexdigest()
