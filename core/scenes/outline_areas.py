"""How much ground outlines in degrees cover, one by one and together: real areas on the ellipsoid.

Where outlines overlap, shared land counts once. Of one that crosses itself all land that it goes round counts. Of which
patches they are is not known here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from core.scenes.patches import IntArray

_Reals = NDArray[np.float64]
_Outlines = NDArray[np.object_]

HECTARE = 10_000.0
"""Square metres of a hectare."""

_ELLIPSOID = Geod(ellps="WGS84")

_LONGEST_EDGE = 0.05  # degrees; outlines are straight in degrees, the ellipsoid's lines are not

_ATLANTIC = -30.0  # degrees of longitude

_SHARED = 1e-6
"""Share of the ground from which outlines overlap; less is rounding."""


def crossing(shapes: _Outlines) -> NDArray[np.bool_]:
    """Return which outlines cross themselves, of shape (N,); those that are unknown do not."""
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_valid(shapes)), np.bool_)


def _uncrossed(shapes: _Outlines) -> _Outlines:
    """Return outlines of which those that cross themselves are the land that they go round, parted at the crossings."""
    crossed = crossing(shapes)
    if crossed.any():
        shapes = shapes.copy()
        shapes[crossed] = shapely.make_valid(shapes[crossed], method="structure", keep_collapsed=False)
    return shapes


def outline_hectares(shapes: _Outlines) -> _Reals:
    """Return areas on the ellipsoid WGS 84 in hectares, of shape (N,); NaN where a place is unknown or not areal.

    A map stretches: a patch of 640 × 640 m of EPSG:3857 at 60° north covers a quarter of that.

    Args:
        shapes: in EPSG:4326, shapely's, None where unknown.
    """
    areal = shapely.get_dimensions(shapes) == 2
    fine = shapely.orient_polygons(shapely.segmentize(_uncrossed(shapes[areal]), _LONGEST_EDGE))
    found = np.full(len(shapes), np.nan)
    found[areal] = [abs(_ELLIPSOID.geometry_area_perimeter(one)[0]) / HECTARE for one in fine.tolist()]
    return found


def hectares_together(shapes: _Outlines, valid: NDArray[np.floating[Any]] | None = None) -> float | None:
    """Return the hectares with data that outlines cover together, shared land once; None where one is unknown.

    Args:
        shapes: in EPSG:4326.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (N,); None = all of all.
    """
    if (shapely.get_dimensions(shapes) != 2).any():
        return None
    if valid is not None and np.any(valid < 1):
        return float(patch_hectares(shapes, valid).sum())
    whole = shapely.union_all(_unbroken(shapes))
    return float(np.nan_to_num(outline_hectares(np.array([whole], dtype=object))[0]))


def patch_hectares(shapes: _Outlines, valid: NDArray[np.floating[Any]] | None = None) -> _Reals:
    """Return the hectares with data that each patch stands for, float64 of shape (N,).

    Where patches overlap, land goes to the patch whose middle is nearest, so that all together they have the area of
    what they cover. Areas are those on the ellipsoid, whatever the reference system the patches were cut in. Of the
    land of a patch that share counts of which it holds data.

    Args:
        shapes: outlines in EPSG:4326, all known.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (N,); None = all of all.
    """
    stands = _apart(shapes)
    return stands if valid is None else stands * valid


def outlines_overlap(shapes: _Outlines) -> bool:
    """Return whether any of some outlines, all known, share land."""
    flat = _unbroken(shapes)
    return _share(flat, shapely.union_all(flat))


def _share(flat: _Outlines, whole: shapely.Geometry) -> bool:
    return bool(shapely.area(flat).sum() > shapely.area(whole) * (1 + _SHARED))


def _apart(shapes: _Outlines) -> _Reals:
    """Return the hectares of outlines, each piece of land given to one of them."""
    own = outline_hectares(shapes)
    flat = _unbroken(shapes)
    whole = shapely.union_all(flat)
    if not _share(flat, whole):
        return own
    cells, sharing = _nearest_land(flat, whole)
    parts = shapely.intersection(flat, cells)
    nearest = np.nan_to_num(outline_hectares(parts)) / sharing  # NaN: they touch in a line at most
    covered: float = outline_hectares(np.array([whole], dtype=object))[0]
    if nearest.sum() < covered * (1 - _SHARED):
        nearest += _left_over(flat, parts, whole)
    counted: _Reals = nearest * (covered / nearest.sum())
    return counted


def _left_over(flat: _Outlines, parts: _Outlines, whole: shapely.Geometry) -> _Reals:
    """Return the hectares that each patch has of land whose nearest middle is that of a patch which does not reach it.

    Each piece of it is shared by the patches over it, as much as each covers.
    """
    rest = shapely.get_parts(shapely.difference(whole, shapely.union_all(parts)))
    land = outline_hectares(rest)
    rest, land = rest[land > 0], land[land > 0]
    piece, patch = shapely.STRtree(flat).query(rest, predicate="intersects")
    over = np.nan_to_num(outline_hectares(shapely.intersection(rest[piece], flat[patch])))
    every = np.bincount(piece, over, len(rest))[piece]
    shared = land[piece] * over / np.where(every > 0, every, 1.0)
    return np.asarray(np.bincount(patch, shared, len(flat)), np.float64)


def _unbroken(shapes: _Outlines) -> _Outlines:
    """Return outlines of longitudes that go on beyond 180°, where one is parted by the antimeridian or reaches over it.

    The break lies in the Atlantic then. What crosses itself is parted.
    """
    shapes = _uncrossed(shapes)
    west, _, east, _ = shapely.bounds(shapes).reshape(-1, 4).T
    parted = east - west > 180
    if not (parted | (east > 180) | (west < -180)).any():
        return shapes
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    behind = np.where(parted[owner], points[:, 0] < 0, east[owner] < _ATLANTIC)
    points[:, 0] += 360 * behind
    moved: _Outlines = shapely.set_coordinates(shapes.copy(), points)
    return moved


def _nearest_land(shapes: _Outlines, whole: shapely.Geometry) -> tuple[_Outlines, IntArray]:
    """Return for each patch the land to whose middle none other is nearer, and how many patches have that middle."""
    middles, place, sharing = np.unique(
        shapely.get_coordinates(shapely.centroid(shapes)).round(9), axis=0, return_inverse=True, return_counts=True
    )
    if len(middles) == 1:
        return np.full(len(shapes), whole, dtype=object), sharing[place]
    cells = shapely.voronoi_polygons(shapely.multipoints(middles), extend_to=whole, ordered=True)
    found: _Outlines = shapely.get_parts(cells)[place]
    return found, sharing[place]
