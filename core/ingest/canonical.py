"""Writing the canonical scene and its truth: window by window, so that memory does not grow, the next read ahead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window as RasterWindow

from core.errors import SourceError
from core.ingest.bands.calibration import Calibration
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.nearest import read_nearest
from core.ingest.grid.resample import PixelSource, PixelWindow
from core.ingest.grid.stack import WINDOW_BUDGET, Pixels, Stack
from core.ingest.messages import no_room
from core.prefetch import ahead
from core.progress import Progress
from core.scenes.classification import SCL_NAMES
from core.scenes.geobox import GeoBox
from core.scenes.pixels.writer import canonical_writer

LARGEST = 65_000
"""Reflectance above 6.5 is clipped to it."""


def file_grid(grid: GeoBox) -> GeoBox:
    """Return the grid that goes into a file: without a place, pixels are counted upwards, as such files have to."""
    return grid if grid.crs is not None else replace(grid, transform=(1, 0, 0, 0, -1, grid.height))


def to_canonical(numbers: NDArray[Any], gain: float, offset: float) -> NDArray[np.uint16]:
    """Return (number + offset) × gain, rounded, clipped to 1 … ``LARGEST``."""
    if numbers.dtype == np.uint16 and gain == 1 and offset == 0:
        return np.asarray(np.clip(numbers, 1, LARGEST), dtype=np.uint16)
    scaled = numbers.astype(np.float32)
    if offset:
        scaled += np.float32(offset)
    if gain != 1:
        scaled *= np.float32(gain)
    np.rint(scaled, out=scaled)
    np.nan_to_num(scaled, copy=False, nan=1, posinf=LARGEST, neginf=1)
    np.clip(scaled, 1, LARGEST, out=scaled)
    return scaled.astype(np.uint16)


def all_no_data() -> SourceError:
    """Return the error for a source without a valid pixel."""
    remedy = "choose an area with data, or set the no-data value in the settings"
    return SourceError(found="every pixel is no data", remedy=remedy)


def write_scene(
    stack: Stack, scale: Calibration, directory: Path, progress: Progress, *, budget: int = WINDOW_BUDGET
) -> float:
    """Write ``pixels.tif``.

    Args:
        stack: the bands in product order.
        scale: what their numbers mean.
        directory: where the scene is built.
        progress: told rows of pixels.
        budget: numbers (pixels times bands) of 16 bits in memory at a time; the pixels do not depend on it.

    Returns:
        The share of valid pixels, more than 0.

    Raises:
        SourceError: when there is no valid pixel, or no room on the disk.
    """
    grid, valid = stack.grid, 0
    try:
        with canonical_writer(directory, file_grid(grid), stack.bands) as data:
            done = 0
            with closing(ahead(_read_windows(stack, budget), 1)) as windows:
                for (row, col, height, width), pixels in windows:
                    block = np.empty((len(stack.bands), height, width), dtype=np.uint16)
                    for position, numbers in enumerate(pixels.values):
                        block[position] = to_canonical(numbers, *scale.of(stack.bands[position]))
                        block[position] *= pixels.valid
                    data.write(block, window=RasterWindow(col, row, width, height))
                    valid += int(pixels.valid.sum())
                    done += height * width
                    progress(done // grid.width, grid.height)
    except GDAL_ERRORS as error:
        raise no_room() from error
    if valid == 0:
        raise all_no_data()
    check_complete(directory / "pixels.tif", grid, len(stack.bands))
    return valid / (grid.height * grid.width)


def _read_windows(stack: Stack, budget: int) -> Iterator[tuple[PixelWindow, Pixels]]:
    """Read the windows of a stack; each thread needs an environment of GDAL of its own."""
    with rasterio.Env():
        for window in stack.windows(budget):
            yield window, stack.read(window)


def write_truth(directory: Path, truth: NDArray[np.uint16], grid: GeoBox) -> None:
    """Write ``truth.tif``: class of each pixel, 0 = none, else 1 + index of the class.

    Raises:
        SourceError: when the disk is full.
    """
    try:
        with _class_writer(directory / "truth.tif", grid, "uint16") as data:
            data.write(truth, 1)
    except GDAL_ERRORS as error:
        raise no_room() from error
    check_complete(directory / "truth.tif", grid, 1)


def write_classes(source: PixelSource, grid: GeoBox, directory: Path) -> NDArray[np.int64]:
    """Write ``classification.tif``: the scene classification on the scene's grid, 0 to 11, 0 = no data.

    Returns:
        Pixels of each class, shape (12,).

    Raises:
        SourceError: when the disk is full.
    """
    counts = np.zeros(len(SCL_NAMES), dtype=np.int64)
    try:
        with _class_writer(directory / "classification.tif", grid, "uint8") as data:
            for row in range(0, grid.height, 512):
                window = (row, 0, min(512, grid.height - row), grid.width)
                classes, _ = read_nearest(source, 1, grid.transform, window)
                counts += np.bincount(classes.ravel(), minlength=len(counts))[: len(counts)]
                data.write(classes, 1, window=RasterWindow(0, row, grid.width, window[2]))
    except GDAL_ERRORS as error:
        raise no_room() from error
    check_complete(directory / "classification.tif", grid, 1)
    return counts


def _class_writer(path: Path, grid: GeoBox, kind: str) -> Any:  # noqa: ANN401 (rasterio has no types)
    target = file_grid(grid)
    options: dict[str, Any] = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "zstd", "zstd_level": 1}
    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=grid.height,
        width=grid.width,
        count=1,
        dtype=kind,
        crs=target.crs,
        transform=rasterio.Affine(*target.transform),
        **options,
    )


def check_complete(path: Path, grid: GeoBox, count: int) -> None:
    """Make sure that every block of a GeoTIFF just written lies inside the file.

    A disk that fills up may cut a file without any call failing.

    Raises:
        SourceError: when a block is missing.
    """
    size = path.stat().st_size
    try:
        with rasterio.open(path, driver="GTiff", sharing=False) as data:
            if (data.height, data.width, data.count) != (grid.height, grid.width, count):
                raise no_room()
            rows, cols = data.block_shapes[0]
            for band in range(1, count + 1):
                for row in range(-(-grid.height // rows)):
                    for col in range(-(-grid.width // cols)):
                        start = data.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
                        length = data.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=band)
                        if start is None or int(start) + int(length or 0) > size:
                            raise no_room()
    except GDAL_ERRORS as error:
        raise no_room() from error
