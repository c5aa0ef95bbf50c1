"""The one grid class: where the pixels of a raster or a scene lie, and where its outlines lie on Earth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from pyproj.exceptions import ProjError

Transform = tuple[float, float, float, float, float, float]
UNPLACED: Transform = (1, 0, 0, 0, 1, 0)
"""The transform of pixels whose place is unknown: it only counts columns and rows."""
METRES_PER_DEGREE = 111_320.0
"""Length of a degree of latitude, and of longitude at the equator, on WGS 84 to 0.6 %."""


@dataclass(frozen=True, kw_only=True)
class GeoBox:
    """Where pixels lie.

    Attributes:
        crs: anything pyproj reads (``EPSG:32631`` or WKT), or None when the reference system is unknown.
        transform: affine (a, b, c, d, e, f): x = a·col + b·row + c, y = d·col + e·row + f; ``UNPLACED`` where nothing
            is known of the place.
        height: rows of pixels.
        width: columns of pixels.
    """

    crs: str | None
    transform: Transform
    height: int
    width: int

    @property
    def affine(self) -> Affine:
        """The transform as an object that multiplies and inverts."""
        return Affine(*self.transform)

    @property
    def placed(self) -> bool:
        """False when the transform only counts pixels."""
        return self.transform != UNPLACED

    @property
    def pixel_size(self) -> float:
        """Side of a pixel in units of the CRS (geometric mean of its two sides)."""
        return math.sqrt(abs(self.affine.determinant))

    @property
    def axis_aligned(self) -> bool:
        """True when rows run along x and columns along y, within a hundredth of a pixel over the raster."""
        a, b, _, d, e, _ = self.transform
        return abs(b) * self.height < 0.01 * abs(a) and abs(d) * self.width < 0.01 * abs(e)

    def xy(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> tuple[Any, Any]:
        """Return coordinates in ``crs`` of pixel positions (0, 0 = outer corner of the first pixel)."""
        a, b, c, d, e, f = self.transform
        return a * cols + b * rows + c, d * cols + e * rows + f

    def rowcol(self, x: Any, y: Any) -> tuple[Any, Any]:  # noqa: ANN401  a number or an array, as is given back
        """Return the fractional row and column of coordinates in ``crs``; the inverse of ``xy``."""
        a, b, c, d, e, f = self.transform
        det = a * e - b * d
        return (a * (y - f) - d * (x - c)) / det, (e * (x - c) - b * (y - f)) / det

    def corners(self) -> list[tuple[float, float]]:
        """Return the outer corners as (x, y) in ``crs``, from the first pixel clockwise as rows and columns run."""
        ends = ((0, 0), (self.width, 0), (self.width, self.height), (0, self.height))
        return [self.affine @ end for end in ends]

    def same_extent(self, other: GeoBox, tolerance: float) -> bool:
        """Tell whether the corners of both lie within ``tolerance`` (units of the CRS) of each other."""
        return all(math.dist(a, b) <= tolerance for a, b in zip(self.corners(), other.corners(), strict=True))

    def overlaps(self, other: GeoBox) -> bool:
        """Tell whether both, in one reference system, share ground; outlines are taken for boxes along the other."""
        to_other = ~other.affine
        xs, ys = zip(*(to_other @ corner for corner in self.corners()), strict=True)
        return bool(min(xs) < other.width and max(xs) > 0 and min(ys) < other.height and max(ys) > 0)

    def covers(self, other: GeoBox) -> bool:
        """Tell whether all corners of another, in the same reference system, lie inside, but for a thousandth pixel."""
        xs, ys = zip(*(~self.affine @ corner for corner in other.corners()), strict=True)
        inside = min(*xs, *ys) > -1e-3 and max(xs) < self.width + 1e-3 and max(ys) < self.height + 1e-3
        return bool(inside)

    def stretched_to(self, other: GeoBox) -> GeoBox:
        """Return the same pixels, their extent laid over the extent of another; for rasters without a place."""
        a, b, c, d, e, f = other.transform
        x, y = other.width / self.width, other.height / self.height
        return replace(self, crs=other.crs, transform=(a * x, b * y, c, d * x, e * y, f))

    def north_up(self) -> GeoBox:
        """Return the north-up grid that covers this one.

        A grid that is only mirrored keeps its pixels; a rotated one gets square pixels of the same area.
        """
        xs, ys = zip(*self.corners(), strict=True)
        left, top = min(xs), max(ys)
        if self.axis_aligned:
            a, e = abs(self.transform[0]), abs(self.transform[4])
            return replace(self, transform=(a, 0.0, left, 0.0, -e, top))
        size = self.pixel_size
        height = math.ceil((top - min(ys)) / size - 1e-6)
        width = math.ceil((max(xs) - left) / size - 1e-6)
        return replace(self, transform=(size, 0.0, left, 0.0, -size, top), height=height, width=width)


def usable_transform(numbers: tuple[float, ...]) -> bool:
    """Return False for affines that no place can have: not finite, collapsed to a line, or of absurd size."""
    if len(numbers) != 6 or not all(math.isfinite(value) for value in numbers):
        return False
    a, b, c, d, e, f = numbers
    size = abs(a * e - b * d) ** 0.5
    return 1e-9 < size < 1e7 and max(abs(c), abs(f)) < 1e9 and max(abs(a), abs(b), abs(d), abs(e)) < 1e3 * size


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Return a transformer in the order east, north; safe to share between threads."""
    return Transformer.from_crs(source, target, always_xy=True)


_ELLIPSOID = Geod(ellps="WGS84")


@lru_cache(maxsize=256)
def pixel_metres(grid: GeoBox) -> tuple[float, float] | None:
    """Return width and height of the pixel in the middle of a grid, along the ellipsoid, in metres.

    Maps stretch: at 60° north a metre of EPSG:3857 is half a metre on the ground. None where the place is unknown, or
    nowhere on Earth.
    """
    row, col = grid.height / 2, grid.width / 2
    xs, ys = grid.xy(np.array([row, row, row + 1]), np.array([col, col + 1, col]))
    try:
        lon, lat = transformer(grid.crs or "", "EPSG:4326").transform(xs, ys)
        _, _, (width, height) = _ELLIPSOID.inv([lon[0]] * 2, [lat[0]] * 2, lon[1:], lat[1:])
    except (ProjError, ValueError):
        return None
    known = all(math.isfinite(side) and side > 0 for side in (width, height))
    return (float(width), float(height)) if known else None


def outlines_lonlat(crs: str, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return outlines in EPSG:4326.

    Args:
        crs: their reference system.
        xs: x of their corners, shape (N, corners).
        ys: y of their corners, shape (N, corners).

    Returns:
        Shape (N, corners, 2), lon then lat. Longitudes of one outline are unwrapped: beyond the antimeridian they
        exceed ±180 rather than jump. Corners that are nowhere on Earth hold NaN or infinity.

    Raises:
        pyproj.exceptions.ProjError: when the reference system is none.
    """
    lon, lat = transformer(crs, "EPSG:4326").transform(xs, ys)
    with np.errstate(invalid="ignore"):
        lon = lon - 360 * np.round((lon - lon[:, :1]) / 360)
    return np.stack([lon, lat], axis=2)
