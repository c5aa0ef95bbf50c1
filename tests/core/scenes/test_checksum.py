"""The checksum of a scene: the same for the same pixels however they are packed, another for any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.errors import SceneError
from core.scenes.checksum import scene_checksum
from core.scenes.geobox import GeoBox
from core.scenes.scene import Scene

GRID = GeoBox(crs="EPSG:32631", transform=(10, 0, 600_000, 0, -10, 5_700_000), height=40, width=30)
PIXELS = np.arange(2 * 40 * 30, dtype=np.uint16).reshape(2, 40, 30) + 1


def scene(folder: Path, pixels: np.ndarray = PIXELS, **profile: object) -> Scene:
    folder.mkdir()
    how = {"driver": "GTiff", "count": 2, "height": 40, "width": 30, "dtype": "uint16", "transform": GRID.affine}
    with rasterio.open(folder / "pixels.tif", "w", crs=GRID.crs, **how, **profile) as data:
        data.write(pixels)
    return Scene(id=folder.name, name="x", grid=GRID, bands=("B02", "B03"), directory=folder)


def test_it_is_of_pixels_bands_and_place_and_of_nothing_else(tmp_path: Path) -> None:
    one = scene(tmp_path / "a")
    said = scene_checksum(one)
    packed = scene(tmp_path / "b", compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    assert scene_checksum(replace(packed, name="y", date="2020-01-01")) == said
    other = PIXELS.copy()
    other[1, -1, -1] += 1
    assert scene_checksum(scene(tmp_path / "c", other)) != said
    assert scene_checksum(replace(one, bands=("B02", "B04"))) != said
    assert scene_checksum(replace(one, grid=replace(GRID, crs="EPSG:32632"))) != said


def test_damaged_pixels_are_a_sentence(tmp_path: Path) -> None:
    one = scene(tmp_path / "a")
    one.pixels_path.write_bytes(b"II*\0")
    with pytest.raises(SceneError, match=r"^Reading the scene “x”: its pixels are damaged; add the scene again\.$"):
        scene_checksum(one)
