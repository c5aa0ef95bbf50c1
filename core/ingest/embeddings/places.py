"""Where the rows of a file of vectors lie: geometries of any encoding as corners on Earth.

What a file says of its places as a whole is ``stated_place``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.embeddings.stated_place import LONLAT, NAME_SYSTEM, StatedPlace
from core.scenes.geobox import METRES_PER_DEGREE, outlines_lonlat

Reals = NDArray[np.float64]

_POINT, _POLYGON, _MULTIPOLYGON = (
    int(kind) for kind in (shapely.GeometryType.POINT, shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
)
_SAME_AREA = 0.98
"""An outline that fills so much of the rectangle around it is that rectangle."""
_WIDEST, _NARROWEST = 5000.0, 10.0
"""Metres a side of the squares that are drawn for points."""
_SAMPLE = 2000
_FEWEST_BEYOND = 3
"""Rows beyond the poles from which coordinates seem exchanged; fewer are slips of single rows."""


@dataclass(kw_only=True)
class PlaceCounts:
    """How many rows have what kind of place; what is said of them in the record."""

    points: int = 0
    outlines: int = 0
    rectangles: int = 0
    crossed: int = 0
    parts: int = 0
    holes: int = 0
    missing: int = 0
    outside: int = 0
    other: Counter[str] = field(default_factory=Counter)


def shapes_of(column: pa.Array, encoding: str) -> NDArray[np.object_]:
    """Return the geometries of a column, None where there is none.

    Raises:
        SourceError: when they cannot be read as what they are said to be.
    """
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    try:
        if encoding in {"WKB", "WKT"}:
            cells = np.array([*column.to_pylist(), None], dtype=object)[:-1]
            return np.asarray(shapely.from_wkb(cells) if encoding == "WKB" else shapely.from_wkt(cells), dtype=object)
        return _native(column, encoding)
    except (shapely.errors.ShapelyError, TypeError, ValueError, LookupError, pa.ArrowInvalid) as error:
        raise SourceError(
            found=f"a geometry is no well-formed {encoding}", remedy="save it again as GeoParquet"
        ) from error


def _native(column: pa.Array, encoding: str) -> NDArray[np.object_]:
    """Return geometries of GeoArrow: lists, as deep as the kind is, of points as structs or pairs."""
    made = np.full(len(column), None, dtype=object)
    for row, value in enumerate(column.to_pylist()):
        if value is not None:
            made[row] = _made(encoding, value)
    return made


def _made(encoding: str, value: Any) -> shapely.Geometry:  # noqa: ANN401  nested lists
    if encoding == "point":
        return shapely.Point(_pair(value))
    if encoding in {"linestring", "multipoint"}:
        return getattr(shapely, "LineString" if encoding == "linestring" else "MultiPoint")(
            [_pair(one) for one in value]
        )
    rings = [
        [[_pair(point) for point in ring] for ring in part]
        for part in ([value] if encoding != "multipolygon" else value)
    ]
    if encoding == "multilinestring":
        return shapely.MultiLineString(rings[0])
    parts = [shapely.Polygon(part[0], part[1:]) for part in rings if part]
    if encoding == "multipolygon":
        return shapely.MultiPolygon(parts)
    return parts[0] if parts else shapely.Polygon()


def _pair(value: Any) -> tuple[float, float]:  # noqa: ANN401  a struct or a list
    if isinstance(value, Mapping):
        return float(value["x"]), float(value["y"])
    return float(value[0]), float(value[1])


def corners_of(shapes: NDArray[np.object_], counts: PlaceCounts) -> Reals:
    """Return four corners of each geometry in its own system, float64 of shape (N, 4, 2), NaN where there is none.

    Those of a point are four times the point. An outline of other than four corners is the rectangle around it.
    """
    found = np.full((len(shapes), 4, 2), np.nan)
    kinds = shapely.get_type_id(shapes)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    counts.missing += int(empty.sum())
    points = (kinds == _POINT) & ~empty
    found[points] = shapely.get_coordinates(shapes[points])[:, None, :]
    counts.points += int(points.sum())
    areal = np.isin(kinds, (_POLYGON, _MULTIPOLYGON)) & ~empty
    counts.outlines += int(areal.sum())
    counts.holes += int((_holes(shapes[areal]) > 0).sum())
    for row in np.flatnonzero(areal & (kinds == _MULTIPOLYGON)):
        shapes[row], whole = _one_part(shapes[row])
        counts.parts += not whole
    rings = shapely.get_exterior_ring(shapes)
    four = areal & (shapely.get_num_points(rings) == 5)
    found[four] = shapely.get_coordinates(rings[four]).reshape(-1, 5, 2)[:, :4]
    crossed = four & np.isfinite(found).all(axis=(1, 2))
    crossed[crossed] = ~shapely.is_valid(shapely.polygons(rings[crossed]))
    if crossed.any():
        found[crossed], ordered = _uncrossed(found[crossed])
        counts.crossed += int(ordered.sum())
        four[np.flatnonzero(crossed)[~ordered]] = False
    for row in np.flatnonzero(areal & ~four):
        found[row], same = _rectangle(shapes[row])
        counts.rectangles += not same
    for kind in kinds[~empty & ~points & ~areal].tolist():
        counts.other[shapely.GeometryType(kind).name.lower()] += 1
    return found


def _uncrossed(corners: Reals) -> tuple[Reals, NDArray[np.bool_]]:
    """Return outlines that cross themselves with their corners in order round their middle, and which have four then.

    Where one corner lies between the others, these go round in more than one way, and which is meant nobody knows.
    """
    away = corners - corners.mean(axis=1, keepdims=True)
    order = np.argsort(np.arctan2(away[:, :, 1], away[:, :, 0]), axis=1)
    found: Reals = np.take_along_axis(corners, order[:, :, None], axis=1)
    hulls = shapely.convex_hull(shapely.polygons(found))
    return found, np.asarray(shapely.get_num_points(shapely.get_exterior_ring(hulls)) == 5)


def _holes(shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return how many holes each outline has, those of its parts together."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    return np.bincount(owner, shapely.get_num_interior_rings(parts), len(shapes)).astype(np.int64)


def _one_part(shape: shapely.Geometry) -> tuple[shapely.Geometry, bool]:
    """Return a polygon of a multipolygon, and whether it is all of its ground and no more.

    It is its only part, or the box around several, as of both sides of the antimeridian.
    """
    parts = shapely.get_parts(shape)
    if len(parts) == 1:
        return parts[0], True
    west, _, east, _ = shapely.bounds(shape)
    if east - west > 180 and east <= 180.0001 and west >= -180.0001:
        parts = shapely.transform(
            parts, lambda xy: np.where(xy * np.array([1.0, 0.0]) < 0, xy + np.array([360.0, 0.0]), xy)
        )
    around = shapely.box(*shapely.total_bounds(parts))
    return around, bool(shapely.area(shapely.union_all(parts)) >= _SAME_AREA * around.area)


def _rectangle(shape: shapely.Geometry) -> tuple[Reals, bool]:
    """Return the corners of the least rectangle around an outline, and whether it is that rectangle."""
    around = shapely.oriented_envelope(shape)
    if shapely.get_type_id(around) != _POLYGON:
        around = shapely.box(*shapely.bounds(shape))
    corners = shapely.get_coordinates(around)[:4]
    return corners, bool(shapely.area(shape) >= _SAME_AREA * shapely.area(around) > 0)


def on_earth(corners: Reals, statement: StatedPlace, counts: PlaceCounts) -> Reals:
    """Return corners in longitude and latitude, from the upper left clockwise; NaN for those that are nowhere on Earth.

    Raises:
        SourceError: when the reference system ties them to no place, or nothing states one and they are no degrees.
    """
    known = np.isfinite(corners).all(axis=(1, 2))
    if statement.crs is None and known.any():
        box = np.abs(corners[known])
        if box[:, :, 0].max() > 360 or box[:, :, 1].max() > 180:
            found = "its coordinates are no longitudes and latitudes, and it states no reference system"
            raise SourceError(found=found, remedy=NAME_SYSTEM)
    try:
        lonlat = outlines_lonlat(statement.crs or LONLAT, corners[:, :, 0], corners[:, :, 1])
    except ProjError as error:
        raise SourceError(found="its reference system is tied to no place on Earth", remedy=NAME_SYSTEM) from error
    with np.errstate(invalid="ignore"):
        there = np.isfinite(lonlat).all(axis=(1, 2)) & (np.abs(lonlat[:, :, 1]).max(axis=1) <= 90.0001)
        there &= np.abs(lonlat[:, :, 0]).max(axis=1) <= 540
    counts.outside += int((known & ~there).sum())
    lonlat[~there] = np.nan
    return _clockwise(lonlat)


def _clockwise(corners: Reals) -> Reals:
    """Return corners in order, the upper left first, then clockwise as the map shows them."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    turn = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    ordered = np.where((turn > 0)[:, None, None], corners[:, ::-1], corners)
    with np.errstate(invalid="ignore"):
        middle = ordered.mean(axis=1, keepdims=True)
        away = (ordered - middle) * np.array([-1.0, 1.0])
    first = np.nan_to_num(away.sum(axis=2), nan=0.0).argmax(axis=1)
    order = (first[:, None] + np.arange(4)) % 4
    found: Reals = np.take_along_axis(ordered, order[:, :, None], axis=1)
    return found


def swapped_coordinates(corners: Reals) -> Reals:
    """Return corners with x and y exchanged."""
    return np.ascontiguousarray(corners[:, :, ::-1])


def seem_swapped(corners: Reals, statement: StatedPlace, centres: Reals | None) -> str:
    """Return why coordinates seem to be latitude before longitude; empty = nothing says so.

    Args:
        corners: as the file has them, in degrees.
        statement: what the file says of its places.
        centres: longitude and latitude that columns of the file state besides, shape (N, 2), or None.
    """
    known = np.isfinite(corners).all(axis=(1, 2))
    if statement.crs not in (None, LONLAT) or not known.any():
        return ""
    x, y = corners[known].reshape(-1, 2).T
    beyond = np.count_nonzero(np.abs(corners[known][:, 0, 1]) > 90.0001)
    if beyond >= max(_FEWEST_BEYOND, known.sum() / 100) and np.abs(x).max() <= 90.0001:
        return f"the second coordinate reaches {np.abs(y).max():.0f}, and the first stays within 90"
    if centres is not None:
        middle, told = corners[known].mean(axis=1), centres[known]
        near, other = (np.nanmedian(np.abs(middle - one).max(axis=1)) for one in (told, told[:, ::-1]))
        if other < 1 < near:
            return "columns of the file give its latitude and longitude the other way round"
    if statement.bbox is not None:
        own = np.array([x.min(), y.min(), x.max(), y.max()])
        box = np.array(statement.bbox)
        if np.abs(own - box[[1, 0, 3, 2]]).max() < 1 < np.abs(own - box).max():
            return "the box that its footer states has them the other way round"
    return ""


def squares_around(points: Reals) -> tuple[Reals, float]:
    """Return squares around points, for drawing, and their side in metres: most of the usual distance between them.

    Args:
        points: longitude and latitude, shape (N, 2), NaN where unknown.
    """
    from scipy.spatial import cKDTree

    known = points[np.isfinite(points).all(axis=1)]
    east = np.cos(np.radians(known[:, 1])) * METRES_PER_DEGREE
    metres = np.stack([known[:, 0] * east, known[:, 1] * METRES_PER_DEGREE], axis=1)
    apart = np.unique(metres, axis=0)
    side = _WIDEST
    if len(apart) > 1:
        step = max(1, len(apart) // _SAMPLE)
        side = float(np.median(cKDTree(apart).query(apart[::step], k=2)[0][:, 1])) * 0.9
    side = min(_WIDEST, max(_NARROWEST, side))
    half = side / 2 / METRES_PER_DEGREE
    with np.errstate(invalid="ignore"):
        wide = half / np.maximum(np.cos(np.radians(points[:, 1])), 0.01)
    across = np.array([-1.0, 1.0, 1.0, -1.0])
    down = np.array([1.0, 1.0, -1.0, -1.0])
    xs, ys = points[:, :1] + wide[:, None] * across, points[:, 1:] + half * down
    return np.stack([xs, np.clip(ys, -90, 90)], axis=2), side
