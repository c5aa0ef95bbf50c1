"""The lattice of a raster's pixels, and how one lattice maps on another; reading pixels by it is ``resample``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from affine import Affine

Numbers6 = tuple[float, float, float, float, float, float]
METRES_PER_DEGREE = 111_320.0
"""Length of a degree of latitude, and of longitude at the equator, on WGS 84 to 0.6 %."""


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Where the pixels of one raster lie.

    Attributes:
        crs: ``EPSG:n`` or WKT, or None.
        transform: affine (a, b, c, d, e, f) from (column, row) to coordinates; y points down when not placed.
        height: rows.
        width: columns.
        placed: False = the raster says nothing of its position, ``transform`` is only a count of pixels.
    """

    crs: str | None
    transform: Numbers6
    height: int
    width: int
    placed: bool = True

    @property
    def affine(self) -> Affine:
        """The transform as an object that multiplies and inverts."""
        return Affine(*self.transform)

    @property
    def pixel_size(self) -> float:
        """Side of a pixel in units of the CRS (geometric mean of its two sides)."""
        return math.sqrt(abs(self.affine.determinant))

    @property
    def axis_aligned(self) -> bool:
        """True when rows run along x and columns along y, within a hundredth of a pixel over the raster."""
        a, b, _, d, e, _ = self.transform
        return abs(b) * self.height < 0.01 * abs(a) and abs(d) * self.width < 0.01 * abs(e)

    def stretched_to(self, other: Lattice) -> Lattice:
        """The same raster, its extent laid over the extent of another; for rasters without a position."""
        a, b, c, d, e, f = other.transform
        x, y = other.width / self.width, other.height / self.height
        return replace(self, crs=other.crs, transform=(a * x, b * y, c, d * x, e * y, f), placed=other.placed)


def usable_transform(numbers: tuple[float, ...]) -> bool:
    """False for affines that no place can have: not finite, collapsed to a line, or of absurd size."""
    if len(numbers) != 6 or not all(math.isfinite(value) for value in numbers):
        return False
    a, b, c, d, e, f = numbers
    size = abs(a * e - b * d) ** 0.5
    return 1e-9 < size < 1e7 and max(abs(c), abs(f)) < 1e9 and max(abs(a), abs(b), abs(d), abs(e)) < 1e3 * size


def same_extent(one: Lattice, other: Lattice, tolerance: float) -> bool:
    """True when the corners of both lie within ``tolerance`` (units of the CRS) of each other."""
    corners = zip(_corners(one), _corners(other), strict=True)
    return all(math.dist(a, b) <= tolerance for a, b in corners)


def _corners(lattice: Lattice) -> list[tuple[float, float]]:
    ends = [(0, 0), (lattice.width, 0), (lattice.width, lattice.height), (0, lattice.height)]
    return [lattice.affine @ end for end in ends]


def north_up(lattice: Lattice) -> tuple[Numbers6, int, int]:
    """The north-up grid that covers a lattice: (transform, height, width).

    A lattice that is only mirrored keeps its pixels; a rotated one gets square pixels of the same area.
    """
    xs, ys = zip(*_corners(lattice), strict=True)
    left, top = min(xs), max(ys)
    if lattice.axis_aligned:
        a, e = abs(lattice.transform[0]), abs(lattice.transform[4])
        return (a, 0.0, left, 0.0, -e, top), lattice.height, lattice.width
    size = lattice.pixel_size
    height = math.ceil((top - min(ys)) / size - 1e-6)
    width = math.ceil((max(xs) - left) / size - 1e-6)
    return (size, 0.0, left, 0.0, -size, top), height, width
