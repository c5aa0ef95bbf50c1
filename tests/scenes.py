"""Small scenes whose pixels encode their own place, so that any misplacement shows."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.patches import PatchGrid
from core.scenes.pixels.writer import canonical_writer
from core.scenes.quality import Finding, QualityRecord
from core.scenes.scene import Scene, SceneReader

UTM31 = (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_700_000.0)


def place_pixels(height: int, width: int, bands: int) -> NDArray[np.uint16]:
    """Values of shape (bands, height, width): band + 1 in the thousands, then a code of row and column, never 0."""
    rows, cols = np.mgrid[0:height, 0:width]
    code = 1 + (rows * 31 + cols * 7) % 997
    return (code[None] + 1000 * np.arange(bands)[:, None, None]).astype(np.uint16)


def add_scene(
    library: Library,
    scene_id: str = "t-1",
    *,
    height: int = 256,
    width: int = 320,
    bands: Sequence[str] = BAND_NAMES,
    pixels: NDArray[np.uint16] | None = None,
    crs: str | None = "EPSG:32631",
    truth: NDArray[np.uint16] | None = None,
    classes: tuple[str, ...] = (),
    name: str = "Test scene",
    created: str = "2024-06-22T00:00:00+00:00",
) -> Scene:
    """A scene in the library; pixels default to ``place_pixels``."""
    with library.staged() as staged:
        grid = GeoBox(crs=crs, transform=UTM31, height=height, width=width)
        stretch = _written(staged, grid, tuple(bands), pixels)
        if truth is not None:
            write_truth(staged / "truth.tif", truth)
        finding = Finding(topic="pixels", value="made for a test", basis="read", because="the test says so")
        record = QualityRecord(source="test", findings=(finding,), settings={})
        (staged / "quality.json").write_text(record.to_json())
        scene = Scene(id=scene_id, name=name, grid=grid, bands=tuple(bands), date="2024-06-21", classes=classes)
        return library.add(staged, replace(scene, created=created, stretch=stretch))


Stretch = dict[str, list[list[float]]]


@cache
def _kept() -> tuple[Path, dict[object, tuple[Path, Stretch]]]:
    """A folder of this process, and what lies there by what it was written of."""
    folder = Path(tempfile.mkdtemp(prefix="landlike-scenes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, {}


def _written(staged: Path, grid: GeoBox, bands: tuple[str, ...], pixels: NDArray[np.uint16] | None) -> Stretch:
    """Write the pixels of a scene and give their stretch; equal ones are written once, and then copied."""
    folder, known = _kept()
    of = None if pixels is None else (pixels.shape, str(pixels.dtype), sha256(np.ascontiguousarray(pixels)).digest())
    key = grid, bands, of
    if key not in known:
        from core.imagery.render import compute_stretch

        made = Path(tempfile.mkdtemp(dir=folder))
        with canonical_writer(made, grid, bands) as data:
            data.write(place_pixels(grid.height, grid.width, len(bands)) if pixels is None else pixels)
        known[key] = made, compute_stretch(made / "pixels.tif", bands)
    made, stretch = known[key]
    for file in made.iterdir():
        shutil.copyfile(file, staged / file.name)
    return deepcopy(stretch)


def write_truth(path: Path, truth: NDArray[np.uint16]) -> None:
    height, width = truth.shape
    with rasterio.open(path, "w", driver="GTiff", height=height, width=width, count=1, dtype="uint16",
                       transform=rasterio.Affine(*UTM31), crs="EPSG:32631") as data:  # fmt: skip
        data.write(truth, 1)


def read_patch(
    scene: Scene, grid: PatchGrid, patch_id: int, bands: Sequence[str]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Read one patch: reflectance of shape (bands, size, size) and mask of shape (size, size), True = valid."""
    with SceneReader(scene) as reader:
        return reader.read(bands, grid.window(patch_id))
