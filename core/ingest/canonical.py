"""Writing a stack of bands as the canonical scene, window by window, so that memory does not grow with the scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window as RasterWindow

from core.errors import SourceError
from core.ingest.bands.scale import Calibration
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.stack import Stack
from core.ingest.messages import disk_full, opening
from core.progress import Progress
from core.scenes.geobox import GeoBox
from core.scenes.scene import canonical_writer

LARGEST = 65_000
"""Reflectance above 6.5 is clipped to it."""


def file_grid(grid: GeoBox) -> GeoBox:
    """The grid that goes into a file: a scene without a place counts pixels upwards, as files of that kind have to."""
    return grid if grid.crs is not None else replace(grid, transform=(1, 0, 0, 0, -1, grid.height))


def to_canonical(numbers: NDArray[Any], gain: float, offset: float) -> NDArray[np.uint16]:
    """(number + offset) × gain, rounded, clipped to 1 … ``LARGEST``."""
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


def write_scene(stack: Stack, scale: Calibration, directory: Path, progress: Progress, name: str) -> float:
    """Write ``pixels.tif``.

    Args:
        stack: the bands in product order.
        scale: what their numbers mean.
        directory: where the scene is built.
        progress: told rows of pixels.
        name: the source, for sentences.

    Returns:
        The share of valid pixels, more than 0.

    Raises:
        SourceError: when there is no valid pixel, or no room on the disk.
    """
    grid, valid = stack.grid, 0
    try:
        with canonical_writer(directory, file_grid(grid), stack.bands) as data:
            done = 0
            for row, col, height, width in stack.windows():
                pixels = stack.read((row, col, height, width))
                block = np.empty((len(stack.bands), height, width), dtype=np.uint16)
                for position, numbers in enumerate(pixels.values):
                    block[position] = to_canonical(numbers, scale.gain, scale.offset)
                    block[position] *= pixels.valid
                data.write(block, window=RasterWindow(col, row, width, height))
                valid += int(pixels.valid.sum())
                done += height * width
                progress(done // grid.width, grid.height)
    except GDAL_ERRORS as error:
        raise disk_full(name) from error
    if valid == 0:
        found = "every pixel is no data"
        raise SourceError(opening(name), found, "choose an area with data, or set the no-data value in the settings")
    check_complete(directory / "pixels.tif", grid, len(stack.bands), name)
    return valid / (grid.height * grid.width)


def check_complete(path: Path, grid: GeoBox, count: int, name: str) -> None:
    """Make sure that every block of a GeoTIFF just written lies inside the file.

    A disk that fills up may cut a file without any call failing.

    Raises:
        SourceError: when a block is missing.
    """
    size = path.stat().st_size
    try:
        with rasterio.open(path, driver="GTiff", sharing=False) as data:
            if (data.height, data.width, data.count) != (grid.height, grid.width, count):
                raise disk_full(name)
            rows, cols = data.block_shapes[0]
            for band in range(1, count + 1):
                for row in range(-(-grid.height // rows)):
                    for col in range(-(-grid.width // cols)):
                        start = data.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
                        length = data.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=band)
                        if start is None or int(start) + int(length or 0) > size:
                            raise disk_full(name)
    except GDAL_ERRORS as error:
        raise disk_full(name) from error
