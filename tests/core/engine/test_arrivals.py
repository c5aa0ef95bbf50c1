"""Files on their way lie on disk, are linked and not copied, and go when nobody holds them."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.engine.arrivals import Arrivals, ArrivedFile


def arrived(arrivals: Arrivals, content: bytes = b"tile") -> ArrivedFile:
    path = arrivals.place(len(content))
    path.write_bytes(content)
    return ArrivedFile(path)


def test_a_file_is_linked_under_other_names_and_goes_with_who_holds_it(tmp_path: Path) -> None:
    file = arrived(Arrivals(tmp_path))
    lies, taken = file.path, tmp_path / "taken.tif"
    file.put(taken)
    assert taken.samefile(lies)
    assert lies.parent.stat().st_mode & 0o077 == 0, "of no other user of this computer"
    del file
    gc.collect()
    assert not lies.parent.exists()
    assert taken.read_bytes() == b"tile"


def test_where_no_link_can_be_made_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", other_disk)
    file = arrived(Arrivals(tmp_path))
    file.put(tmp_path / "taken.tif")
    assert not (tmp_path / "taken.tif").samefile(file.path)
    assert (tmp_path / "taken.tif").read_bytes() == b"tile"


def test_what_a_killed_server_left_is_removed_and_what_arrives_now_is_not(tmp_path: Path) -> None:
    left = Arrivals(tmp_path).place(1)
    left.write_bytes(b"half of it")
    (tmp_path / "uploads" / "upload-waits").mkdir()
    now = Arrivals(tmp_path)
    here = arrived(now)
    now.sweep()
    assert not left.parent.exists()
    assert here.path.exists()
    assert (tmp_path / "uploads" / "upload-waits").exists()


def test_what_nobody_took_goes_when_the_server_ends(tmp_path: Path) -> None:
    first, second = Arrivals(tmp_path), Arrivals(tmp_path)
    mine, others = arrived(first), arrived(second)
    mine.put(tmp_path / "taken.tif")
    first.close()
    assert not mine.path.parent.exists()
    assert others.path.exists()
    assert (tmp_path / "taken.tif").read_bytes() == b"tile"


def test_a_disk_without_room_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    assert Arrivals(tmp_path).place(2**29).parent.is_dir()
    with pytest.raises(OSError, match="No space left"):
        Arrivals(tmp_path).place(2**30)
