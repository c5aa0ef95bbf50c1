"""Outlines of patches as RFC 7946 and GeoParquet want them: counterclockwise, cut at the antimeridian; and as WKB.

Shapely makes, writes and reads them, all at once; antimeridian cuts the few that cross ±180° or lie round a pole.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from core.scenes.patches import IntArray, PatchGrid, corners_lonlat
from core.scenes.scene import Scene

Corners = NDArray[np.float64]
Shapes = NDArray[np.object_]
"""Shapely's polygons and multipolygons, None where a place is unknown; longitude before latitude, in degrees."""

_AREAL = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
_POINT = int(shapely.GeometryType.POINT)
_DIGITS = 7  # of degrees: a centimetre
_LONLAT = CRS.from_epsg(4326)


def polygons(corners: Corners) -> Shapes:
    """Return the outline of each patch, counterclockwise, its parts where it crosses the antimeridian.

    A patch round a pole becomes the band of all longitudes from its outline to the pole (RFC 7946, section 3.1.9,
    asks for the cut; how to draw a pole it leaves open).

    Args:
        corners: shape (N, 4, 2), longitude and latitude in order round the patch; longitudes may exceed ±180.

    Returns:
        Shape (N,); None where a corner is not a finite number, or the corners enclose nothing round the antimeridian.
    """
    shapes: Shapes = np.full(len(corners), None, dtype=object)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(corners).all(axis=(1, 2)))
    lon = np.where(known[:, None], corners[:, :, 0], 0)
    plain = known & (np.abs(lon).max(axis=1, initial=0) <= 180) & (np.ptp(lon, axis=1) < 90)
    shapes[plain] = shapely.orient_polygons(shapely.polygons(corners[plain]))
    for row in np.flatnonzero(known & ~plain).tolist():
        shapes[row] = _cut(corners[row])
    return shapes


def patch_shapes(scene: Scene, grid: PatchGrid, ids: IntArray) -> Shapes:
    """Return the outlines of patches as ``polygons``; of vectors of points, which have none, the points."""
    corners = corners_lonlat(scene, grid, ids)
    if corners is None:
        return np.full(len(ids), None, dtype=object)
    if scene.given is None or not scene.given.points:
        return polygons(corners)
    shapes: Shapes = np.full(len(ids), None, dtype=object)
    middle = corners.mean(axis=1)
    known = np.isfinite(middle).all(axis=1)
    middle[:, 0] = (middle[:, 0] + 180) % 360 - 180
    shapes[known] = shapely.points(middle[known])
    return shapes


def _cut(corners: Corners) -> shapely.Geometry | None:
    """Return one outline that may cross the antimeridian or lie round a pole; None where it encloses nothing."""
    from antimeridian import fix_polygon

    ring = np.concatenate([corners, corners[:1]])
    ring[:, 0] = np.unwrap(ring[:, 0], period=360)
    turned = ring[-1, 0] - ring[0, 0]
    if abs(turned) < 180:
        ring[-1] = ring[0]
        ring[:, 0] -= 360 * np.floor((ring[:, 0].min() + 180) / 360)
        shape = shapely.orient_polygons(shapely.Polygon(ring))
        if shape.area == 0:
            return None
        if ring[:, 0].max() <= 180:
            return shape
        ring = shapely.get_coordinates(shape)
    elif (turned > 0) != (ring[0, 1] > 0):
        # Seen from above, a ring round the north pole is counterclockwise when it runs east; round the south, west.
        ring = ring[::-1]
    ring[:, 0] = (ring[:, 0] + 180) % 360 - 180
    ring[-1] = ring[0]  # antimeridian joins the ends only where they are the same to the last bit
    # Edges are straight in degrees, as the file's metadata say.
    return fix_polygon(shapely.Polygon(ring), fix_winding=False, great_circle=False)


def geojson_geometries(shapes: Shapes) -> list[dict[str, Any] | None]:
    """Return outlines as GeoJSON geometries with seven decimals (a centimetre); None where unknown."""
    known = np.array([shape is not None for shape in shapes], dtype=bool)
    written: list[dict[str, Any] | None] = [None] * len(shapes)
    rounded = shapely.transform(shapes[known], lambda points: np.round(points, _DIGITS))
    for at, text in zip(np.flatnonzero(known).tolist(), shapely.to_geojson(rounded).tolist(), strict=True):
        written[at] = json.loads(text)
    return written


def wkb_array(shapes: Shapes) -> pa.Array:
    """Return outlines as little-endian WKB (OGC 06-103r4, section 8), null where unknown."""
    return pa.array(shapely.to_wkb(shapes, byte_order=1), type=pa.binary())


def read_wkb(column: pa.ChunkedArray) -> Shapes:
    """Return the shapes of a column of WKB, of shape (N,), None where null.

    Raises:
        ValueError: for bytes that are no well-formed WKB.
    """
    try:
        # The last, None, keeps numpy from making anything but objects of the bytes.
        shapes: Shapes = shapely.from_wkb(np.array([*column.to_pylist(), None], dtype=object)[:-1])
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise ValueError("a geometry is no WKB, or it is cut off") from error
    return shapes


def outlines_of(table: pa.Table) -> Shapes:
    """Return the column ``geometry`` in longitude and latitude, whatever system its file states, None where null.

    Without a statement it is longitude and latitude, as GeoParquet has it.

    Raises:
        ValueError: when the shapes are no WKB, or their reference system is said to be unknown or cannot be read.
    """
    if "geometry" not in table.column_names or pa.types.is_null(table.column("geometry").type):
        return np.full(table.num_rows, None, dtype=object)
    shapes, crs = read_wkb(table.column("geometry")), _stated_crs(table)
    if crs is None or crs.equals(_LONLAT, ignore_axis_order=True):
        return shapes
    to_lonlat = Transformer.from_crs(crs, _LONLAT, always_xy=True)
    moved: Shapes = shapely.transform(shapes, to_lonlat.transform, interleaved=False)
    return moved


def _stated_crs(table: pa.Table) -> CRS | None:
    """Return the reference system that the file of a table states; None where it states none. Errors as above."""
    about = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    stated = about.get("columns", {}).get("geometry", {})
    if "crs" not in stated:
        return None
    if stated["crs"] is None:
        raise ValueError("the reference system of its outlines is not known")
    try:
        return CRS.from_user_input(stated["crs"])
    except CRSError as error:
        raise ValueError("the reference system of its outlines cannot be read") from error


def type_names(shapes: Shapes) -> list[str]:
    """Return the types among shapes as GeoParquet 1.1 names them, ascending; others' files hold more than outlines."""
    known = shapes[~shapely.is_missing(shapes)]
    solid = shapely.has_z(known).tolist()
    return sorted({one.geom_type + (" Z" if high else "") for one, high in zip(known.tolist(), solid, strict=True)})


def bounds(shapes: Shapes) -> list[float] | None:
    """Return west, south, east, north of all outlines; west exceeds east across the antimeridian; None where unknown.

    RFC 7946, section 5.2, as GeoParquet 1.1 prescribes.
    """
    boxes = shapely.bounds(shapely.get_parts(shapes[shapes != None]))  # noqa: E711  element by element
    if not len(boxes):
        return None
    west, south, east, north = boxes[:, 0], boxes[:, 1].min(), boxes[:, 2], boxes[:, 3].max()
    order = np.argsort(west)
    # The widest stretch of longitude that no outline covers lies outside; often it holds the antimeridian.
    reach = np.maximum.accumulate(east[order])
    gaps = np.append(west[order][1:] - reach[:-1], west.min() + 360 - reach[-1])
    widest = int(gaps.argmax())
    if widest == len(gaps) - 1 or gaps[widest] <= 0:
        return [float(west.min()), float(south), float(east.max()), float(north)]
    return [float(west[order][widest + 1]), float(south), float(reach[widest]), float(north)]


def centres(geometry: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the middle of each WKB outline, as ``middles``; NaN also where null.

    Raises:
        ValueError: for bytes that are no well-formed WKB.
    """
    return middles(read_wkb(geometry))


def middles(shapes: Shapes) -> NDArray[np.float64]:
    """Return the middle of each outline: the mean of its corners; of several parts, their mean by area.

    Returns:
        Longitude in [−180, 180) and latitude, float64 of shape (N, 2); NaN where unknown, of lines and of collections.
    """
    points = shapely.get_type_id(shapes) == _POINT
    areal = np.isin(shapely.get_type_id(shapes), _AREAL)
    parts, owner = shapely.get_parts(shapes[areal], return_index=True)
    found = np.full((len(shapes), 2), np.nan)
    found[areal] = _joined(_corner_means(parts), shapely.area(parts), owner, int(areal.sum()))
    found[points] = shapely.get_coordinates(shapes[points])[:, :2].reshape(-1, 2)
    found[:, 0] = (found[:, 0] + 180) % 360 - 180
    return found


def _corner_means(parts: Shapes) -> NDArray[np.float64]:
    """Return the mean of the corners of each outer ring, the last of which repeats the first; NaN for an empty one."""
    points, owner = shapely.get_coordinates(shapely.get_exterior_ring(parts), return_index=True)
    last = np.append(np.diff(owner) != 0, True) if len(owner) else np.zeros(0, dtype=bool)
    points, owner = points[~last], owner[~last]
    counts = np.bincount(owner, minlength=len(parts)).astype(float)
    counts[counts == 0] = np.nan
    return np.stack([np.bincount(owner, axis, len(parts)) / counts for axis in points.T], axis=1)


def _joined(
    means: NDArray[np.float64], areas: NDArray[np.float64], owner: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return the mean of each shape's parts by area, joined across the antimeridian, float64 of shape (count, 2)."""
    first = means[np.searchsorted(owner, owner)]
    means = means - np.stack([360 * np.round((means - first)[:, 0] / 360), np.zeros(len(means))], axis=1)
    weights = np.where(np.bincount(owner, areas, count)[owner] > 0, areas, 1.0)
    sums = np.bincount(owner, weights, count).astype(float)
    sums[sums == 0] = np.nan
    return np.stack([np.bincount(owner, weights * axis, count) / sums for axis in means.T], axis=1)
