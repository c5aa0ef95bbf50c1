"""Which pixels are drawn: on a small scene each of them once, on a large one some from all over it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.ingest.bands.sampling import draw_pixels
from core.ingest.formats.geotiff import open_raster
from core.ingest.grid.stack import build_stack, layers_of


def drawn(path: Path, height: int, width: int) -> np.ndarray:
    """What is drawn of two bands whose pixels say in which row and in which column they lie, counted from 1."""
    rows, cols = np.mgrid[1 : height + 1, 1 : width + 1].astype(np.uint16)
    place = rasterio.Affine(10, 0, 600_000, 0, -10, 5_700_000)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=2, dtype="uint16", crs="EPSG:32631",
        transform=place,
    ) as file:  # fmt: skip
        file.write(np.stack([rows, cols]))
    with closing(open_raster(path, path.name)) as raster:
        layers = [replace(layer, band=band) for layer, band in zip(layers_of(raster), ("B02", "B03"), strict=True)]
        stack = build_stack(layers, raster.geobox, raster.geobox, None)
        return draw_pixels(stack).astype(int)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 192), (40, 256), (384, 320)])
def test_each_pixel_of_a_small_scene_counts_once(height: int, width: int, tmp_path: Path) -> None:
    _, counts = np.unique(drawn(tmp_path / "a.tif", height, width), axis=1, return_counts=True)
    assert (len(counts), counts.max()) == (height * width, 1)


def test_no_pixel_of_a_scene_that_windows_do_not_fit_into_is_left_out(tmp_path: Path) -> None:
    _, counts = np.unique(drawn(tmp_path / "a.tif", 100, 130), axis=1, return_counts=True)
    assert len(counts) == 100 * 130
    assert counts.sum() == 2 * 3 * 64 * 64, "windows side by side, as few as cover it"


def test_a_large_scene_is_looked_at_from_side_to_side(tmp_path: Path) -> None:
    rows, cols = drawn(tmp_path / "a.tif", 700, 900)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (1, 700, 1, 900)
    assert len(rows) == 36 * 64 * 64
