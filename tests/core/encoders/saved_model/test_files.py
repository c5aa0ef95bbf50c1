"""Whole models give one digest; a missing or flipped file is named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.encoders.files import CHECKSUMS, SIDECAR, digest, write_checksums
from core.errors import EncoderError, EncoderUnavailableError

DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"
FILES = [DATA, INDEX, "saved_model.pb", "tfhub_module.pb"]


def flip(path: Path, position: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[position] ^= 0x10
    path.write_bytes(raw)


def test_digest_follows_content_and_not_place(tiny: Path, tmp_path: Path) -> None:
    first = digest(tiny)
    other = Path(shutil.copytree(tiny, tmp_path / "elsewhere"))
    (other / SIDECAR).write_text("{}")
    write_checksums(other)
    assert digest(other) == first
    (other / CHECKSUMS).unlink()
    (other / "assets.txt").write_text("more")
    assert digest(other) != first


@pytest.mark.parametrize("name", [DATA, INDEX])
def test_flipped_weights_are_found_without_a_list(name: str, tiny: Path) -> None:
    size = (tiny / name).stat().st_size
    for position in (0, size // 3, size - 1):
        flip(tiny / name, position)
        with pytest.raises(EncoderError, match=f"{name} is damaged"):
            digest(tiny)
        flip(tiny / name, position)
    digest(tiny)


@pytest.mark.parametrize("name", [DATA, INDEX])
def test_missing_and_truncated_weights_are_found_without_a_list(name: str, tiny: Path) -> None:
    whole = (tiny / name).read_bytes()
    (tiny / name).write_bytes(whole[:-30])
    with pytest.raises(EncoderError, match=name):
        digest(tiny)
    (tiny / name).unlink()
    with pytest.raises(EncoderError, match=f"{name} is missing"):
        digest(tiny)


def test_missing_folder_and_empty_graph(tiny: Path) -> None:
    shutil.rmtree(tiny / "variables")
    with pytest.raises(EncoderError, match="the folder variables is missing"):
        digest(tiny)
    (tiny / "saved_model.pb").write_bytes(b"")
    with pytest.raises(EncoderError, match=r"saved_model.pb is empty"):
        digest(tiny)


@pytest.mark.parametrize("name", FILES)
def test_list_finds_every_flip_and_every_loss(name: str, tiny: Path) -> None:
    write_checksums(tiny)
    flip(tiny / name, 1)
    with pytest.raises(EncoderError, match=rf"{name} is damaged .*{CHECKSUMS}"):
        digest(tiny)
    (tiny / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name} is missing"):
        digest(tiny)


def test_list_that_came_with_the_model_is_kept(tiny: Path) -> None:
    (tiny / CHECKSUMS).write_text(f"{'0' * 64} *./saved_model.pb\n\n")
    write_checksums(tiny)
    with pytest.raises(EncoderError, match=r"saved_model.pb is damaged"):
        digest(tiny)


def test_directory_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailableError, match=r"no saved_model.pb"):
        digest(tmp_path)


def test_memory_spares_reading_until_a_file_changes(tiny: Path, tmp_path: Path) -> None:
    memory, data = tmp_path / "memory", tiny / DATA
    first = digest(tiny, memory)
    times = data.stat()
    flip(data, 9)
    os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digest(tiny, memory) == first  # by size and time unchanged: not read
    with pytest.raises(EncoderError, match="damaged"):
        digest(tiny)  # loading never trusts it
    os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(EncoderError, match="damaged"):
        digest(tiny, memory)


def test_memory_that_cannot_be_kept_does_no_harm(tiny: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert digest(tiny, blocked) == digest(tiny)
