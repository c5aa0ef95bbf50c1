"""Where the rows of a file of vectors lie: geometries of any encoding and reference system, as corners on Earth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.embeddings.columns import TableColumns, is_words, plain_type
from core.ingest.embeddings.model import json_of
from core.ingest.messages import clean_name
from core.scenes.geobox import METRES_PER_DEGREE, outlines_lonlat

Reals = NDArray[np.float64]

_POINT, _POLYGON, _MULTIPOLYGON = (
    int(kind) for kind in (shapely.GeometryType.POINT, shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
)
_LONLAT = "EPSG:4326"
_SAME_AREA = 0.98
"""An outline that fills so much of the rectangle around it is that rectangle."""
_WIDEST, _NARROWEST = 5000.0, 10.0
"""Metres a side of the squares that are drawn for points."""
_SAMPLE = 2000
_FEWEST_BEYOND = 3
"""Rows beyond the poles from which coordinates seem exchanged; fewer are slips of single rows."""
_SAVE_AGAIN = "save it again with its reference system, or name it: --crs EPSG:N"
_SRID = re.compile(r"srid:(\d{4,6})")
"""How Parquet's own type of geometries names a system by its number."""
_NATIVE = ("point", "polygon", "multipolygon", "linestring", "multipoint", "multilinestring")


@dataclass(kw_only=True)
class PlaceCounts:
    """How many rows have what kind of place; what is said of them in the record."""

    points: int = 0
    outlines: int = 0
    rectangles: int = 0
    missing: int = 0
    outside: int = 0
    other: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What the file says of its places.

    Attributes:
        crs: reference system as pyproj reads it; None = it says that it is unknown, or nothing at all.
        basis: ``read``, ``chosen``, or ``assumed`` where nothing is stated.
        because: the evidence, a clause.
        encoding: ``WKB`` or one of GeoArrow's.
        bbox: of all geometries as the file states it, x and y; None = it does not.
    """

    crs: str | None
    basis: str
    because: str
    encoding: str = "WKB"
    bbox: tuple[float, float, float, float] | None = None


def statement_of(schema: pa.Schema, columns: TableColumns, chosen: str | None) -> Statement:
    """Return what the file says of its places.

    Raises:
        SourceError: when its reference system cannot be read.
    """
    about = _about(schema, columns.geometry)
    encoding = _encoding(schema, columns.geometry, str(about.get("encoding") or ""))
    bbox = _bbox(about.get("bbox"))
    if chosen is not None:
        return Statement(crs=chosen, basis="chosen", because="chosen in the settings", encoding=encoding, bbox=bbox)
    if columns.geometry is None:
        because = f"columns “{' and '.join(columns.lonlat or ())}” are called so"
        return Statement(crs=_LONLAT, basis="read", because=because, encoding=encoding)
    stated = about.get("crs", _extension_crs(schema, columns.geometry))
    if stated is not None:
        return Statement(crs=_crs(stated), basis="read", because="the file states it", encoding=encoding, bbox=bbox)
    if about and "crs" not in about:
        because = "the file states none, which means longitude and latitude in GeoParquet"
        return Statement(crs=_LONLAT, basis="read", because=because, encoding=encoding, bbox=bbox)
    said = "the file says that it is unknown" if about else "the file states no reference system"
    because = f"{said}, and all coordinates can be longitude and latitude"
    return Statement(crs=None, basis="assumed", because=because, encoding=encoding, bbox=bbox)


def primary_geometry(schema: pa.Schema) -> str | None:
    """Return the column that the footer states to be the geometry, where there is one of that name."""
    name = json_of(schema.metadata or {}, b"geo").get("primary_column")
    return name if isinstance(name, str) and name in schema.names else None


def _about(schema: pa.Schema, geometry: str | None) -> dict[str, Any]:
    columns = json_of(schema.metadata or {}, b"geo").get("columns")
    found = columns.get(geometry) if isinstance(columns, dict) else None
    return found if isinstance(found, dict) else {}


def _bbox(box: object) -> tuple[float, float, float, float] | None:
    if not isinstance(box, list) or len(box) not in (4, 6) or not all(isinstance(one, int | float) for one in box):
        return None
    west, south, east, north = (float(box[at]) for at in ((0, 1, 2, 3) if len(box) == 4 else (0, 1, 3, 4)))
    return west, south, east, north


def _extension(schema: pa.Schema, geometry: str) -> tuple[str, dict[str, Any]]:
    field_of = schema.field(geometry)
    metadata = dict(field_of.metadata or {})
    name = metadata.get(b"ARROW:extension:name", b"").decode("ascii", "replace")
    about = json_of(metadata, b"ARROW:extension:metadata")
    if isinstance(field_of.type, pa.BaseExtensionType):
        name = field_of.type.extension_name
    return name, about


def _extension_crs(schema: pa.Schema, geometry: str) -> object:
    return _extension(schema, geometry)[1].get("crs")


def _encoding(schema: pa.Schema, geometry: str | None, stated: str) -> str:
    if geometry is None:
        return "columns"
    extension = _extension(schema, geometry)[0].removeprefix("geoarrow.").removeprefix("ogc.")
    kind = plain_type(schema.field(geometry).type)
    if is_words(kind):
        return "WKT"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "WKB"
    found = next((one for one in (stated.lower(), extension.lower()) if one in _NATIVE), "")
    if not found and pa.types.is_struct(kind):
        found = "point"
    if not found:
        what = f"its column “{clean_name(geometry, 60)}” holds {str(kind)[:40]} and no geometry"
        raise SourceError(found=what, remedy="save it again as GeoParquet")
    return found


def _crs(stated: object) -> str:
    code = _SRID.fullmatch(stated) if isinstance(stated, str) else None
    try:
        own = CRS.from_user_input(stated if code is None else f"EPSG:{code[1]}")
    except (ProjError, ValueError, TypeError, RecursionError) as error:
        raise SourceError(found="its reference system cannot be read", remedy=_SAVE_AGAIN) from error
    if own.is_geographic and own.equals(CRS.from_epsg(4326), ignore_axis_order=True):
        return _LONLAT
    authority = own.to_authority(min_confidence=100)
    return f"{authority[0]}:{authority[1]}" if authority is not None else own.to_wkt()


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
    except (shapely.errors.ShapelyError, TypeError, ValueError, pa.ArrowInvalid) as error:
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
    return shapely.MultiPolygon(parts) if encoding == "multipolygon" else parts[0]


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
    for row in np.flatnonzero(areal & (kinds == _MULTIPOLYGON)):
        shapes[row] = _one_part(shapes[row])
    rings = shapely.get_exterior_ring(shapes)
    four = areal & (shapely.get_num_points(rings) == 5)
    found[four] = shapely.get_coordinates(rings[four]).reshape(-1, 5, 2)[:, :4]
    for row in np.flatnonzero(areal & ~four):
        found[row], same = _rectangle(shapes[row])
        counts.rectangles += not same
    for kind in kinds[~empty & ~points & ~areal].tolist():
        counts.other[shapely.GeometryType(kind).name.lower()] += 1
    return found


def _one_part(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a polygon of a multipolygon: its only part, or the box around both sides of the antimeridian."""
    parts = shapely.get_parts(shape)
    if len(parts) == 1:
        return parts[0]
    west, _, east, _ = shapely.bounds(shape)
    if east - west > 180 and east <= 180.0001 and west >= -180.0001:
        parts = shapely.transform(
            parts, lambda xy: np.where(xy * np.array([1.0, 0.0]) < 0, xy + np.array([360.0, 0.0]), xy)
        )
    return shapely.box(*shapely.total_bounds(parts))


def _rectangle(shape: shapely.Geometry) -> tuple[Reals, bool]:
    """Return the corners of the least rectangle around an outline, and whether it is that rectangle."""
    around = shapely.oriented_envelope(shape)
    if shapely.get_type_id(around) != _POLYGON:
        around = shapely.box(*shapely.bounds(shape))
    corners = shapely.get_coordinates(around)[:4]
    return corners, bool(shapely.area(shape) >= _SAME_AREA * shapely.area(around) > 0)


def on_earth(corners: Reals, statement: Statement, counts: PlaceCounts) -> Reals:
    """Return corners in longitude and latitude, from the upper left clockwise; NaN for those that are nowhere on Earth.

    Raises:
        SourceError: when the reference system ties them to no place, or nothing states one and they are no degrees.
    """
    known = np.isfinite(corners).all(axis=(1, 2))
    if statement.crs is None and known.any():
        box = np.abs(corners[known])
        if box[:, :, 0].max() > 360 or box[:, :, 1].max() > 180:
            found = "its coordinates are no longitudes and latitudes, and it states no reference system"
            raise SourceError(found=found, remedy=_SAVE_AGAIN)
    try:
        lonlat = outlines_lonlat(statement.crs or _LONLAT, corners[:, :, 0], corners[:, :, 1])
    except ProjError as error:
        raise SourceError(found="its reference system is tied to no place on Earth", remedy=_SAVE_AGAIN) from error
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


def seem_swapped(corners: Reals, statement: Statement, centres: Reals | None) -> str:
    """Return why coordinates seem to be latitude before longitude; empty = nothing says so.

    Args:
        corners: as the file has them, in degrees.
        statement: what the file says of its places.
        centres: longitude and latitude that columns of the file state besides, shape (N, 2), or None.
    """
    known = np.isfinite(corners).all(axis=(1, 2))
    if statement.crs not in (None, _LONLAT) or not known.any():
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


def place_words(counts: PlaceCounts) -> list[tuple[str, str]]:
    """Return what is amiss with places, each how many and what was done about it."""
    said: list[tuple[str, str]] = []
    if counts.missing:
        said.append(
            (
                f"{_rows(counts.missing)} without a place",
                "their geometry is null or empty; they are in plot and gallery only",
            )
        )
    if counts.outside:
        said.append(
            (
                f"{_rows(counts.outside)} outside the world",
                "their coordinates are nowhere on Earth; they are in plot and gallery only",
            )
        )
    if counts.other:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.other.most_common(4))
        said.append(
            (
                f"{_rows(counts.other.total())} of other geometry",
                f"neither points nor polygons: {kinds}; they are in plot and gallery only",
            )
        )
    if counts.rectangles:
        said.append(
            (
                f"{counts.rectangles:,} outlines as rectangles",
                "they have other than four corners, and the least rectangle around each stands for it",
            )
        )
    return said


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count != 1 else ''}"


def geo_words(statement: Statement) -> str:
    """Return a reference system in a few words."""
    name = statement.crs or _LONLAT
    try:
        return f"{name if len(name) < 20 else 'as stated'}, {CRS.from_user_input(name).name}"
    except ProjError:
        return name[:60]
