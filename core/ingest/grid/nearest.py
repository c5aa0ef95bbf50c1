"""Reading masks and maps of classes on the grid of a scene: the nearest pixel, for between two classes lies none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from core.ingest.grid.resample import Bools, PixelSource, PixelWindow
from core.scenes.geobox import GeoBox, Transform


@dataclass(frozen=True, kw_only=True)
class Relaid:
    """A source under another geobox.

    Attributes:
        source: the source.
        geobox: where its pixels lie instead.
    """

    source: PixelSource
    geobox: GeoBox

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read as the source itself."""
        return self.source.read(indexes, window)

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read as the source itself."""
        return self.source.read_missing(window)


def over_ground(source: PixelSource, reference: GeoBox) -> PixelSource | None:
    """Return a source on the ground of a scene: stretched over it where one of them has no place; None beside it."""
    box = source.geobox
    if not (box.placed and reference.placed):
        return Relaid(source=source, geobox=box.stretched_to(reference))
    return source if box.crs == reference.crs and box.overlaps(reference) else None


def read_nearest(source: PixelSource, index: int, target: Transform, window: PixelWindow) -> tuple[NDArray[Any], Bools]:
    """Read a window of the target from one band of a source.

    Args:
        source: where to read.
        index: 1-based band of the source.
        target: affine of the target.
        window: (row, col, height, width) in the target.

    Returns:
        Numbers of shape (height, width), 0 outside the source, and where the source reaches.
    """
    row, col, height, width = window
    to_source = ~source.geobox.affine @ Affine(*target) @ Affine.translation(col + 0.5, row + 0.5)
    cols, rows = np.meshgrid(np.arange(width), np.arange(height))
    # A pixel centre on an edge between two pixels of the source belongs to the latter, whatever rounding does.
    in_col = np.floor(to_source.a * cols + to_source.b * rows + to_source.c + 1e-6).astype(np.int64)
    in_row = np.floor(to_source.d * cols + to_source.e * rows + to_source.f + 1e-6).astype(np.int64)
    box = source.geobox
    inside = (in_col >= 0) & (in_col < box.width) & (in_row >= 0) & (in_row < box.height)
    if not inside.any():
        return np.zeros((height, width), dtype=source.read([index], (0, 0, 1, 1)).dtype), inside
    top, left = int(in_row[inside].min()), int(in_col[inside].min())
    bottom, right = int(in_row[inside].max()) + 1, int(in_col[inside].max()) + 1
    part = source.read([index], (top, left, bottom - top, right - left))[0]
    found = part[np.clip(in_row - top, 0, bottom - top - 1), np.clip(in_col - left, 0, right - left - 1)]
    return np.where(inside, found, 0).astype(part.dtype), np.asarray(inside)
