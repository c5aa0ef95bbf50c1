"""Overviews that are averaged while pixels are written are those that GDAL makes of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from core.bands import BAND_NAMES
from core.scenes.geobox import GeoBox
from core.scenes.pixels import pyramid
from core.scenes.pixels.writer import canonical_writer

UTM = (10.0, 0.0, 500_000.0, 0.0, -10.0, 4_000_000.0)


def numbers(height: int, width: int, holes: bool, seed: int = 3) -> NDArray[np.uint16]:
    made = np.random.default_rng(seed)
    pixels = made.integers(1, 65_000, (3, height, width), dtype=np.uint16)
    if holes:
        pixels *= made.random((height, width)) > 0.4
        pixels[:, : height // 3] = 0
    return pixels


def written(folder: Path, pixels: NDArray[np.uint16], step: tuple[int, int]) -> Path:
    folder.mkdir()
    count, height, width = pixels.shape
    grid = GeoBox(crs="EPSG:32631", transform=UTM, height=height, width=width)
    with canonical_writer(folder, grid, BAND_NAMES[:count]) as data:
        for row in range(0, height, step[0]):
            for col in range(0, width, step[1]):
                block = pixels[:, row : row + step[0], col : col + step[1]]
                data.write(block, window=Window(col, row, block.shape[2], block.shape[1]))
    return folder / "pixels.tif"


def by_gdal(path: Path, pixels: NDArray[np.uint16], factors: list[int]) -> Path:
    count, height, width = pixels.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype="uint16", nodata=0,
        transform=rasterio.Affine(*UTM), crs="EPSG:32631", tiled=True, blockxsize=256, blockysize=256,
    ) as data:  # fmt: skip
        data.write(pixels)
    with rasterio.open(path, "r+") as data:
        data.build_overviews(factors, rasterio.enums.Resampling.average)
    return path


@pytest.mark.parametrize(
    ("height", "width", "step", "holes"),
    [(1024, 1536, (512, 512), False), (600, 700, (256, 512), True), (604, 1100, (1024, 2048), True),
     (602, 700, (200, 300), False), (601, 700, (256, 256), True), (600, 700, (75, 111), True),
     (300, 2180, (300, 2180), False)],
)  # fmt: skip
def test_overviews_are_those_of_gdal(
    tmp_path: Path, height: int, width: int, step: tuple[int, int], *, holes: bool
) -> None:
    pixels = numbers(height, width, holes)
    path = written(tmp_path / "scene", pixels, step)
    with rasterio.open(path) as ours:
        np.testing.assert_array_equal(ours.read(), pixels)
        factors = ours.overviews(1)
        assert factors == pyramid.factors_of(height, width)
        assert [ours.overviews(band) for band in (2, 3)] == [factors, factors]
    oracle = by_gdal(tmp_path / "oracle.tif", pixels, factors)
    for level in range(len(factors)):
        with (
            rasterio.open(path, OVERVIEW_LEVEL=level) as ours,
            rasterio.open(oracle, OVERVIEW_LEVEL=level) as theirs,
        ):
            np.testing.assert_array_equal(ours.read(), theirs.read())
            assert ours.nodata == 0
            assert ours.profile["compress"] == "zstd"
            assert ours.tags(ns="IMAGE_STRUCTURE")["PREDICTOR"] == "2"
    assert [one.name for one in path.parent.iterdir()] == ["pixels.tif"]


def test_pixels_that_nobody_wrote_are_no_data(tmp_path: Path) -> None:
    grid = GeoBox(crs="EPSG:32631", transform=UTM, height=512, width=512)
    with canonical_writer(tmp_path, grid, BAND_NAMES[:3]) as data:
        data.write(np.full((3, 256, 256), 900, dtype=np.uint16), window=Window(256, 0, 256, 256))
    with rasterio.open(tmp_path / "pixels.tif", OVERVIEW_LEVEL=0) as half:
        assert half.overviews(1) == [2]
        halves = half.read(2)
    assert (halves[:128, 128:] == 900).all()
    assert (halves == 900).sum() == 128 * 128


def test_what_goes_wrong_leaves_no_overviews_behind(tmp_path: Path) -> None:
    grid = GeoBox(crs="EPSG:32631", transform=UTM, height=512, width=512)
    with pytest.raises(ValueError, match="shape"), canonical_writer(tmp_path, grid, BAND_NAMES[:3]) as data:
        data.write(np.ones((2, 512, 512), dtype=np.uint16))
    assert [one.name for one in tmp_path.iterdir()] == ["pixels.tif"]


def test_an_overview_that_a_full_disk_cut_is_an_error(tmp_path: Path) -> None:
    pixels = numbers(512, 512, holes=False)
    path, cut = by_gdal(tmp_path / "a.tif", pixels, []), by_gdal(tmp_path / "b.tif", pixels, [])
    with cut.open("r+b") as file:
        file.truncate(cut.stat().st_size - 1000)
    with pytest.raises(OSError, match="No space left"):
        pyramid.append([cut], path)
    with path.open("r+b") as file:
        file.truncate(300)
    with pytest.raises(OSError, match="No space left"):
        pyramid.append([], path)
