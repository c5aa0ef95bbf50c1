"""Archives: whole ones are unpacked once, hostile and broken ones leave nothing behind."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.encoders.archive import unpack
from core.errors import EncoderError

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"x", **changes: object) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def pack(path: Path, *members: Member) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


GRAPH = member("saved_model.pb", b"graph")


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("prefix", ["", "./", "model/"])
def test_files_end_up_in_the_target(prefix: str, tmp_path: Path) -> None:
    names = {"saved_model.pb": b"graph", "variables/variables.index": b"index"}
    path = pack(tmp_path / "m.tar.gz", *(member(prefix + name, content) for name, content in names.items()))
    unpack(path, tmp_path / "out" / "m")
    assert {name: (tmp_path / "out" / "m" / name).read_bytes() for name in names} == names
    assert left(tmp_path / "out") == ["m", "m/saved_model.pb", "m/variables", "m/variables/variables.index"]


def test_existing_target_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "m"
    target.mkdir()
    (target / "mine").write_text("kept")
    unpack(pack(tmp_path / "m.tar.gz", GRAPH), target)
    assert left(target) == ["mine"]


HOSTILE: dict[str, tuple[list[Member], str]] = {
    "parent": ([GRAPH, member("../escaped")], "leads out"),
    "deep parent": ([GRAPH, member("a/../../escaped")], "leads out"),
    "absolute": ([GRAPH, member("/tmp/escaped")], "leads out"),
    "backslash": ([GRAPH, member("..\\escaped")], "leads out"),
    "symbolic link": ([GRAPH, member("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")], "link"),
    "hard link": ([GRAPH, member("link", b"", type=tarfile.LNKTYPE, linkname="saved_model.pb")], "link"),
    "device": ([GRAPH, member("null", b"", type=tarfile.CHRTYPE)], "special"),
    "pipe": ([GRAPH, member("pipe", b"", type=tarfile.FIFOTYPE)], "special"),
    "same name twice": ([GRAPH, GRAPH], "exists"),
    "file as folder": ([GRAPH, member("saved_model.pb/x")], "exists|directory"),
    "no model": ([member("readme.txt")], r"no saved_model.pb"),
    "nothing": ([], r"no saved_model.pb"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused(kind: str, tmp_path: Path) -> None:
    members, sentence = HOSTILE[kind]
    path = pack(tmp_path / "m.tar.gz", *members)
    with pytest.raises(EncoderError, match=sentence):
        unpack(path, tmp_path / "cache" / "m")
    assert left(tmp_path) == ["cache", "m.tar.gz"]


def truncate(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def flip(raw: bytes) -> bytes:
    return raw[:-60] + bytes([raw[-60] ^ 0xFF]) + raw[-59:]


def cut_trailer(raw: bytes) -> bytes:
    return raw[:-4]


@pytest.mark.parametrize("spoil", [truncate, flip, cut_trailer, lambda _: b"", lambda _: b"<html>not here</html>"])
def test_broken_archives_are_refused(spoil: Callable[[bytes], bytes], archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(EncoderError, match=r"^Unpacking “tiny.tar.gz”: it is not a complete .tar.gz; "):
        unpack(archive, tmp_path / "cache" / "m")
    assert left(tmp_path / "cache") == []


def test_limits(tmp_path: Path) -> None:
    path = pack(tmp_path / "m.tar.gz", GRAPH, *(member(f"f{number}", bytes(300)) for number in range(9)))
    with pytest.raises(EncoderError, match="more than 9 files"):
        unpack(path, tmp_path / "cache" / "m", most_files=9)
    with pytest.raises(EncoderError, match="unpacks to more than"):
        unpack(path, tmp_path / "cache" / "m", most_bytes=2_000)
    assert left(tmp_path) == ["cache", "m.tar.gz"]
    unpack(path, tmp_path / "cache" / "m", most_files=10, most_bytes=30_000)
    assert len(left(tmp_path / "cache" / "m")) == 10


def test_an_onnx_model_comes_in_an_archive_too(tmp_path: Path) -> None:
    unpack(pack(tmp_path / "m.tar.gz", member("m/model.onnx"), member("m/landlike.json")), tmp_path / "m")
    assert left(tmp_path / "m") == ["landlike.json", "model.onnx"]


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the cache should be")
    with pytest.raises(EncoderError, match="check the model cache"):
        unpack(pack(tmp_path / "m.tar.gz", GRAPH), tmp_path / "cache" / "m")
