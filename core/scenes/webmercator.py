"""Web mercator (EPSG:3857) and the XYZ tiles on it: where scenes lie there, and which pixel shows at which place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from core.scenes.geobox import GeoBox, transformer

FloatGrid = NDArray[np.float64]
SIDE = 256
"""Pixels a side of a tile."""
MAX_ZOOM = 22
RADIUS = 6378137.0
WORLD = 2 * math.pi * RADIUS
"""Width of the web-mercator world in metres."""
MAX_LATITUDE = 85.0511287798066
"""Where the square world of the tiles ends."""
NODES = 17
"""Nodes a side at which a projection is computed exactly; between them it is interpolated (error < 0.1 pixel)."""
_LATTICE = 33


@dataclass(frozen=True)
class Footprint:
    """Where something lies in web mercator, metres; ``right`` may lie beyond the antimeridian."""

    left: float
    bottom: float
    right: float
    top: float

    def lonlat(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north) in degrees; east may exceed 180."""
        lon, lat = inverse_mercator(np.array([self.left, self.right]), np.array([self.bottom, self.top]))
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


PixelBox = tuple[int, int, int, int]
"""(first row, end row, first column, end column) of pixels; ends exclusive."""


@dataclass(frozen=True)
class TileSquare:
    """One XYZ tile: metres of its upper left corner and of a pixel's side."""

    left: float
    top: float
    pixel: float

    def pixels_of(self, box: Footprint, shift: float) -> PixelBox | None:
        """Return the tile's pixels that a box, moved ``shift`` metres eastward, touches; None when there are none."""
        first_row, end_row = (self.top - box.top) / self.pixel, (self.top - box.bottom) / self.pixel
        first_col, end_col = ((edge + shift - self.left) / self.pixel for edge in (box.left, box.right))
        rows = max(0, math.floor(first_row)), min(SIDE, math.ceil(end_row))
        cols = max(0, math.floor(first_col)), min(SIDE, math.ceil(end_col))
        return (*rows, *cols) if rows[0] < rows[1] and cols[0] < cols[1] else None

    def centres(self, pixels: PixelBox) -> tuple[FloatGrid, FloatGrid]:
        """Return metres east of the centres of columns, and metres north of those of rows."""
        first_row, end_row, first_col, end_col = pixels
        xs = self.left + (np.arange(first_col, end_col, dtype=np.float64) + 0.5) * self.pixel
        ys = self.top - (np.arange(first_row, end_row, dtype=np.float64) + 0.5) * self.pixel
        return xs, ys


def tile_square(z: int, x: int, y: int) -> TileSquare:
    """Return the square of a tile of the usual XYZ scheme (row 0 in the north)."""
    side = WORLD / 2**z
    return TileSquare(left=-WORLD / 2 + x * side, top=WORLD / 2 - y * side, pixel=side / SIDE)


@lru_cache(maxsize=64)
def is_geographic(crs: str) -> bool:
    """Return whether a CRS counts in degrees."""
    return bool(CRS.from_user_input(crs).is_geographic)


def source_positions(grid: GeoBox, xs: FloatGrid, ys: FloatGrid) -> tuple[FloatGrid, FloatGrid]:
    """Return fractional rows and columns of a scene at web-mercator places.

    Args:
        grid: of a scene with a CRS.
        xs: evenly spaced metres east, shape (W,).
        ys: evenly spaced metres north, shape (H,).

    Returns:
        Rows and columns, shape (H, W), 0 = outer edge of the first pixel; huge where the scene's CRS is undefined.
    """
    node_xs = np.linspace(xs[0], xs[-1], min(NODES, len(xs)), dtype=np.float64)
    node_ys = np.linspace(ys[0], ys[-1], min(NODES, len(ys)), dtype=np.float64)
    rows, cols = rowcol(grid, *np.meshgrid(node_xs, node_ys))
    return _between(_between(rows, len(ys)).T, len(xs)).T, _between(_between(cols, len(ys)).T, len(xs)).T


def _between(values: FloatGrid, count: int) -> FloatGrid:
    """Interpolate evenly spread rows to ``count`` evenly spread rows over the same range."""
    wanted = np.linspace(0, len(values) - 1, count)
    before = np.minimum(wanted.astype(np.int64), max(len(values) - 2, 0))
    after = np.minimum(before + 1, len(values) - 1)
    share = (wanted - before)[:, None]
    between: FloatGrid = values[before] * (1 - share) + values[after] * share
    return between


def rowcol(grid: GeoBox, xs: FloatGrid, ys: FloatGrid) -> tuple[FloatGrid, FloatGrid]:
    """Return exact fractional rows and columns of web-mercator places; huge where the scene's CRS is undefined."""
    return _rowcol(grid, "EPSG:3857", xs, ys)


def rowcol_lonlat(grid: GeoBox, lon: FloatGrid, lat: FloatGrid) -> tuple[FloatGrid, FloatGrid]:
    """Return the same of places in degrees."""
    return _rowcol(grid, "EPSG:4326", lon, lat)


def _rowcol(grid: GeoBox, source: str, xs: FloatGrid, ys: FloatGrid) -> tuple[FloatGrid, FloatGrid]:
    crs = str(grid.crs)
    x, y = transformer(source, crs).transform(xs, ys)
    if is_geographic(crs):
        centre = grid.transform[0] * grid.width / 2 + grid.transform[2]
        x = x - 360 * np.round((x - centre) / 360)
    far = ~(np.isfinite(x) & np.isfinite(y))
    return grid.rowcol(np.where(far, 1e12, x), np.where(far, 1e12, y))


@lru_cache(maxsize=256)
def footprint(grid: GeoBox) -> Footprint:
    """Return where a scene with a CRS lies, by a net of its pixels; one that holds a pole spans all longitudes."""
    lon, lat = _lattice_lonlat(grid)
    x, y = np.radians(lon) * RADIUS, mercator_y(lat)
    left, right, bottom, top = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    pole = _pole_inside(grid)
    if pole:
        left, right = -WORLD / 2, WORLD / 2
        top, bottom = (WORLD / 2, bottom) if pole > 0 else (top, -WORLD / 2)
    return Footprint(left, bottom, right, top)


def _pole_inside(grid: GeoBox) -> int:
    """Return 1 or −1 when the north or south pole lies in the scene, else 0."""
    if is_geographic(str(grid.crs)):
        return 0
    for sign in (1, -1):
        x, y = transformer("EPSG:4326", str(grid.crs)).transform(0.0, sign * 90.0)
        if math.isfinite(x) and math.isfinite(y):
            row, col = grid.rowcol(x, y)
            if 0 <= row <= grid.height and 0 <= col <= grid.width:
                return sign
    return 0


def _lattice_lonlat(grid: GeoBox) -> tuple[FloatGrid, FloatGrid]:
    """Return longitudes (unwrapped around the scene's centre) and latitudes of a lattice of the scene's pixels."""
    down, across = np.linspace(0, grid.height, _LATTICE), np.linspace(0, grid.width, _LATTICE)
    rows, cols = np.meshgrid(down, across, indexing="ij")
    lon, lat = transformer(str(grid.crs), "EPSG:4326").transform(*grid.xy(rows, cols))
    middle = lon[_LATTICE // 2, _LATTICE // 2]
    return lon - 360 * np.round((lon - middle) / 360), lat


def mercator_y(lat: FloatGrid) -> FloatGrid:
    """Return web-mercator metres north of the equator, cut at ``MAX_LATITUDE``; the spherical formula of EPSG:3857."""
    clipped = np.radians(np.clip(lat, -MAX_LATITUDE, MAX_LATITUDE))
    north: FloatGrid = RADIUS * np.arctanh(np.sin(clipped))
    return north


def inverse_mercator(x: FloatGrid, y: FloatGrid) -> tuple[FloatGrid, FloatGrid]:
    """Return longitudes and latitudes, degrees, of web-mercator metres."""
    return np.degrees(x / RADIUS), np.degrees(np.arctan(np.sinh(y / RADIUS)))
