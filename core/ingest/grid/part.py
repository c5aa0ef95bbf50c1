"""A part of a scene's grid: whole pixels of it, chosen by rows and columns or by degrees."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.findings import finding
from core.ingest.grid.resample import PixelWindow
from core.ingest.settings import IngestSettings
from core.scenes.geobox import GeoBox, transformer
from core.scenes.quality import Finding

_AGAIN = "choose a part that lies on it, or the whole"
_EDGE = 1e-6
"""Pixels by which rounding may carry a corner over an edge."""
_TURN = 360.0


def wished_window(grid: GeoBox, settings: IngestSettings) -> PixelWindow | None:
    """Return the part of a grid that a person wishes, cut to the grid; None = all of it.

    Args:
        grid: north up.
        settings: the wish.

    Raises:
        SourceError: when it lies beside the grid, or is told in degrees and the place of the grid is unknown.
    """
    if settings.window is not None:
        return _on_grid(grid, settings.window, f"row {settings.window[0]:,}, column {settings.window[1]:,}")
    if settings.bounds is None:
        return None
    shown = ", ".join(f"{number:g}" for number in settings.bounds)
    return _on_grid(grid, _in_degrees(grid, settings.bounds), f"{shown} in degrees")


def grid_of_part(grid: GeoBox, window: PixelWindow) -> GeoBox:
    """Return the grid of a window of another grid, by which it is read; that of a grid without place counts on."""
    row, col, height, width = window
    a, b, c, d, e, f = grid.transform
    moved = (a, b, c + a * col + b * row, d, e, f + d * col + e * row)
    return replace(grid, transform=moved, height=height, width=width)


def part_said(grid: GeoBox, window: PixelWindow, settings: IngestSettings) -> Finding:
    """Say which part of a scene was taken in."""
    row, col, height, width = window
    value = f"{width} × {height} pixels from column {col:,} and row {row:,}"
    override = "window" if settings.window is not None else "bounds"
    return finding("part", value, "chosen", f"of {grid.width} × {grid.height} pixels, as wished", override)


def _on_grid(grid: GeoBox, window: PixelWindow, shown: str) -> PixelWindow:
    row, col, height, width = window
    top, left = max(row, 0), max(col, 0)
    bottom, right = min(row + height, grid.height), min(col + width, grid.width)
    if bottom <= top or right <= left:
        found = f"the part that was chosen, {shown}, lies beside it: it has {grid.width:,} × {grid.height:,} pixels"
        raise SourceError(found=found, remedy=_AGAIN)
    return top, left, bottom - top, right - left


def _in_degrees(grid: GeoBox, bounds: tuple[float, float, float, float]) -> PixelWindow:
    """Return the window that covers degrees, on the grid or beside it."""
    if grid.crs is None or not grid.placed:
        found = "a part of it was chosen in degrees, and its place is unknown"
        raise SourceError(found=found, remedy="choose the part in pixels, or give its coordinate system")
    west, south, east, north = bounds
    try:
        left, bottom, right, top = transformer("EPSG:4326", grid.crs).transform_bounds(
            west, south, east + _TURN * (east < west and grid.crs == "EPSG:4326"), north
        )
    except ProjError:
        left = bottom = right = top = math.nan
    if not np.isfinite([left, bottom, right, top]).all():
        raise SourceError(found="the part that was chosen in degrees is nowhere in its coordinates", remedy=_AGAIN)
    rows, cols = grid.rowcol(np.array([left, right, left, right]), np.array([bottom, bottom, top, top]))
    first_row, first_col = math.floor(rows.min() + _EDGE), math.floor(cols.min() + _EDGE)
    last_row, last_col = math.ceil(rows.max() - _EDGE), math.ceil(cols.max() - _EDGE)
    return first_row, first_col, last_row - first_row, last_col - first_col
