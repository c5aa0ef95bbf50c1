"""A raster in another reference system, pixel by pixel: each pixel of the target takes the number of the nearest one.

No number is made that the file does not hold, so fills, masks and edges stay what they are; a place may be half a
pixel off.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ingest.grid.resample import Bools, PixelSource, PixelWindow
from core.scenes.geobox import GeoBox, transformer

_STEP = 32
"""Coordinates are worked out every so many pixels, and straight between; UTM bends less than 0.01 pixels in between."""


Places = tuple[NDArray[Any], NDArray[Any], Bools, PixelWindow | None]


class Warped:
    """A raster under a grid of another reference system."""

    def __init__(self, source: Any, target: GeoBox) -> None:  # noqa: ANN401  whatever raster tiles are made of
        self._source = source
        self.geobox = warped_box(source.geobox, target)
        self.name, self.count, self.descriptions = source.name, source.count, source.descriptions
        self.dtypes, self.nodata, self.block = source.dtypes, source.nodata, source.block
        self.scaling, self.alpha = source.scaling, source.alpha

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width); no data, else 0, where the source does not reach."""
        rows, cols, inside, area = self._places(window)
        fills = [self.nodata[index - 1] or 0 for index in indexes]
        dtype = np.result_type(*self.dtypes)
        out = np.zeros((len(indexes), *window[2:]), dtype=dtype)
        for number, fill in enumerate(fills):
            out[number] = fill
        if area is not None:
            numbers = self._source.read(indexes, area)
            out[:, inside] = numbers[:, rows, cols]
        return out

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read where the source does not reach, or says that there is nothing."""
        rows, cols, inside, area = self._places(window)
        missing: Bools = ~inside
        if area is not None and (own := self._source.read_missing(area)) is not None:
            missing[inside] = own[rows, cols]
        return missing

    def _places(self, window: PixelWindow) -> Places:
        return nearest_pixels(self._source.geobox, self.geobox, window)


@lru_cache(maxsize=4)
def nearest_pixels(source: GeoBox, target: GeoBox, window: PixelWindow) -> Places:
    """Return which pixels of a source lie nearest to those of a window of a target.

    Remembered, because the bands of a scene and their masks ask for the same windows.

    Returns:
        Rows and columns, counted from the first that is needed, of the target's pixels inside the source; which these
        are, shape (height, width); and the window of the source that holds them, None when there is none.
    """
    rows, cols = source_rowcol(source, target, window)
    inside = (rows >= 0) & (rows < source.height) & (cols >= 0) & (cols < source.width)
    rows, cols = rows[inside].astype(np.int32), cols[inside].astype(np.int32)
    if not rows.size:
        return rows, cols, inside, None
    top, left = int(rows.min()), int(cols.min())
    area = (top, left, int(rows.max()) - top + 1, int(cols.max()) - left + 1)
    return rows - top, cols - left, inside, area


def source_rowcol(source: GeoBox, target: GeoBox, window: PixelWindow) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return fractional rows and columns of a source under the centres of a target's pixels, shape (height, width)."""
    top, left, height, width = window
    knots = [np.arange(0, length + _STEP, _STEP, dtype=np.float64) for length in (height, width)]
    row, col = np.meshgrid(top + knots[0] + 0.5, left + knots[1] + 0.5, indexing="ij")
    x, y = target.xy(row, col)
    x, y = transformer(str(target.crs), str(source.crs)).transform(x, y)
    rows, cols = source.rowcol(x, y)
    return _between(rows, height, width), _between(cols, height, width)


def _between(knots: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Interpolate numbers known at every ``_STEP``-th row and column."""
    row, col = np.arange(height), np.arange(width)
    r, c = row // _STEP, col // _STEP
    down, right = ((row % _STEP) / _STEP)[:, None], (col % _STEP) / _STEP
    lines = knots[r] * (1 - down) + knots[r + 1] * down
    between: NDArray[Any] = lines[:, c] * (1 - right) + lines[:, c + 1] * right
    return between


def warped_box(source: GeoBox, target: GeoBox) -> GeoBox:
    """Return the smallest grid, of the pixels of another, that holds a raster of another reference system."""
    along = np.linspace(0, 1, 21)
    edge = np.concatenate([np.stack([along, np.full(21, end)]) for end in (0, 1)], axis=1)
    cols, rows = np.concatenate([edge, edge[::-1]], axis=1) * [[source.width], [source.height]]
    x, y = source.xy(rows, cols)
    x, y = transformer(str(source.crs), str(target.crs)).transform(x, y)
    row, col = target.rowcol(x, y)
    top, left = math.floor(row.min()), math.floor(col.min())
    a, b, c, d, e, f = target.transform
    moved = (a, b, c + left * a + top * b, d, e, f + left * d + top * e)
    return replace(target, transform=moved, height=math.ceil(row.max()) - top, width=math.ceil(col.max()) - left)


def reaches(source: PixelSource, every: int = 16) -> float:
    """Return about how much ground a raster holds numbers for: pixels that are not 0, by rows far apart, × area."""
    box = source.geobox
    step = max(1, box.height // every)
    lines = [source.read([1], (row, 0, 1, box.width)) for row in range(step // 2, box.height, step)]
    return float(np.mean([(line != 0).mean() for line in lines])) * box.height * box.width * box.pixel_size**2
