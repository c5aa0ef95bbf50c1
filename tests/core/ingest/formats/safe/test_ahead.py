"""Bands that are decoded ahead hold the same numbers, and no window is decoded that nobody reads."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.errors import SourceError
from core.ingest.formats.geotiff import open_raster
from core.ingest.formats.safe.ahead import AheadData, RasterShare, read_ahead
from tests.core.ingest.formats.safe.making import jp2

SIDES = {"B02": 10, "B03": 10, "B05": 20}


def written(tmp_path: Path) -> dict[str, Path]:
    """Bands of more than one tile; squares of a number each are coded and decoded faster than noise."""
    rng = np.random.default_rng(3)
    squares = {
        band: rng.integers(1, 5000, (1, 1200 // side, 1200 // side)).repeat(10, axis=1).repeat(10, axis=2)
        for band, side in SIDES.items()
    }
    return {band: jp2(tmp_path / f"{band}.jp2", made.astype("uint16"), SIDES[band]) for band, made in squares.items()}


def test_numbers_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[float] = []
    plainly = AheadData.decode

    def told(self: AheadData, share: RasterShare, beyond: int) -> None:
        decoded.append(share[1])
        plainly(self, share, beyond)

    monkeypatch.setattr(AheadData, "decode", told)
    paths = written(tmp_path)
    with ExitStack() as opened:
        plain = [open_raster(path, band) for band, path in paths.items()]
        for raster in plain:
            opened.callback(raster.close)
        ahead = read_ahead([open_raster(path, band) for band, path in paths.items()], opened, least=1)
        for row in range(0, 1200, 600):
            for col in range(0, 1200, 600):
                for one, other, side in zip(plain, ahead, SIDES.values(), strict=True):
                    part = 10 * 600 // side
                    window = (10 * row // side, 10 * col // side, part, part)
                    np.testing.assert_array_equal(other.read([1], window), one.read([1], window))
    # Each of three bands at each of four windows, but for the one that was asked for first.
    assert len(decoded) == 3 * 4 - 1
    assert set(decoded) == {0.0, 0.5}


def test_two_who_read_at_once_get_the_numbers_that_are_there(tmp_path: Path) -> None:
    paths = written(tmp_path)
    with ExitStack() as opened:
        ahead = read_ahead([open_raster(path, band) for band, path in paths.items()], opened, least=1)
        whole = {}
        for band, path in paths.items():
            with rasterio.open(path) as data:
                whole[band] = data.read()

        def walk(step: int) -> list[str]:
            wrong = []
            for row, col in list(itertools.product(range(0, 1200, 400), repeat=2))[::step]:
                for raster, (band, side) in zip(ahead, SIDES.items(), strict=True):
                    top, left, part = 10 * row // side, 10 * col // side, 4000 // side
                    got = raster.read([1], (top, left, part, part))
                    if not np.array_equal(got, whole[band][:, top : top + part, left : left + part]):
                        wrong.append(band)
            return wrong

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(walk, (1, -1))) == [[], []]


def test_small_rasters_are_left_as_they_are(tmp_path: Path) -> None:
    with ExitStack() as opened:
        rasters = [open_raster(path, band) for band, path in written(tmp_path).items()]
        assert read_ahead(rasters, opened) == rasters


def test_what_is_damaged_shows_when_it_is_read(tmp_path: Path) -> None:
    """By several threads GDAL itself passes over tiles that are cut short, and gives zeros for them."""
    path = written(tmp_path)["B03"]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    with ExitStack() as opened:
        opened.enter_context(rasterio.Env(GDAL_NUM_THREADS="2"))
        plain = [open_raster(tmp_path / f"{band}.jp2", band) for band in SIDES]
        first, cut_short, _ = read_ahead(plain, opened, least=1)
        whole = (0, 0, 1200, 1200)
        first.read([1], whole)
        with pytest.raises(SourceError, match="damaged or cut short"):
            cut_short.read([1], whole)
        with pytest.raises(SourceError, match="damaged or cut short"):
            plain[1].read([1], whole)
