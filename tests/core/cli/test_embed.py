"""The command that makes features, where the scene is in the library already: it does not go back to the source."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from core.__main__ import main
from core.bands import BAND_NAMES
from core.ingest import digests

SIDE = 128
_notes: list[list[str]] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    """Hear of every file that this process opens and of every process that it starts."""
    if _notes and event in {"open", "subprocess.Popen", "os.posix_spawn"}:
        _notes[-1].append(f"{event} {arguments[0]}")


@contextmanager
def noted() -> Iterator[list[str]]:
    """Give what happens in the block; a hook cannot be taken out again, so there is one."""
    if not _notes:
        sys.addaudithook(_note)
    _notes.append([])
    yield _notes[-1]
    _notes.append([])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file large enough for its digest to be kept, where one of 16 MB need not be read for that."""
    monkeypatch.setattr("core.ingest.digests.LEAST_BYTES", 13 * 2 * SIDE**2)
    path, random = tmp_path / "field.tif", np.random.default_rng(0)
    pixels = random.integers(300, 4000, (13, SIDE, SIDE), dtype=np.uint16)
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=13, dtype="uint16", crs="EPSG:32633",
        transform=rasterio.Affine(10, 0, 400_000, 0, -10, 5_000_000),
    ) as file:  # fmt: skip
        file.write(pixels)
        file.descriptions = BAND_NAMES
    assert path.stat().st_size >= digests.LEAST_BYTES
    return path


def test_a_source_that_is_in_is_read_no_second_time(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time
    monkeypatch.setattr("core.ingest.digests.time.time", lambda: now() + 10)  # The file is not young any more.
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    with noted() as first:
        assert main(["scene", str(source)]) == 0
    scene = json.loads(capsys.readouterr().out)["scene"]
    assert any(str(source) in line for line in first), "reading it would be heard of"
    assert any("Popen" in line for line in first), "so would the sandbox, which unpacks it"
    asked = ["embed", "--encoder", "spectral", "--out"]
    with noted() as by_file:
        assert main([*asked, str(tmp_path / "f.parquet"), str(source)]) == 0
    assert [line for line in by_file if "field.tif" in line or not line.startswith("open ")] == []
    source.rename(tmp_path / "elsewhere.tif")
    assert main([*asked, str(tmp_path / "g.parquet"), scene]) == 0, "by its id it does not even have to be there"
    one, two = (pq.read_table(tmp_path / name) for name in ("f.parquet", "g.parquet"))
    assert one.equals(two)
    assert one.num_rows == (SIDE // 64) ** 2


@pytest.mark.usefixtures("here")
def test_a_source_of_other_pixels_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time
    monkeypatch.setattr("core.ingest.digests.time.time", lambda: now() + 10)
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    assert main(["scene", str(source)]) == 0
    before = source.stat()
    with source.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"\1" * 500)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    capsys.readouterr()
    assert main(["embed", "--encoder", "spectral", "--out", str(tmp_path / "f.parquet"), str(source)]) == 0
    assert main(["scene", str(source)]) == 0
    other = json.loads(capsys.readouterr().out)["scene"]
    assert len(list((tmp_path / "data" / "scenes").iterdir())) == 2
    assert other in {path.name for path in (tmp_path / "data" / "scenes").iterdir()}
