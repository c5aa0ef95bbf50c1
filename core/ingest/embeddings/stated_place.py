"""What a file of vectors says of its places: the column of geometries, their encoding and their reference system."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyproj import CRS
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.embeddings.columns import TableColumns, is_words, plain_type
from core.ingest.embeddings.model import json_of
from core.ingest.messages import clean_name

LONLAT = "EPSG:4326"
NAME_SYSTEM = "save it again with its reference system, or name it: --crs EPSG:N"
_SRID = re.compile(r"srid:(\d{4,6})")
"""How Parquet's own type of geometries names a system by its number."""
_NATIVE = ("point", "polygon", "multipolygon", "linestring", "multipoint", "multilinestring")


@dataclass(frozen=True, kw_only=True)
class StatedPlace:
    """What the file says of its places.

    Attributes:
        crs: reference system as pyproj reads it; None = it says that it is unknown, or nothing at all.
        basis: ``read``, ``chosen``, or ``assumed`` where nothing is stated.
        because: the evidence, a clause.
        encoding: ``WKB`` or one of GeoArrow's.
        bbox: of all geometries as the file states it, x and y; None = it does not.
        srid: number of the system that each geometry states itself; 0 = none does.
    """

    crs: str | None
    basis: str
    because: str
    encoding: str = "WKB"
    bbox: tuple[float, float, float, float] | None = None
    srid: int = 0


def stated_place(schema: pa.Schema, columns: TableColumns, chosen: str | None) -> StatedPlace:
    """Return what the file says of its places.

    Raises:
        SourceError: when its reference system cannot be read.
    """
    about = _about(schema, columns.geometry)
    encoding = _encoding(schema, columns.geometry, str(about.get("encoding") or ""))
    bbox = _bbox(about.get("bbox"))
    if chosen is not None:
        return StatedPlace(crs=chosen, basis="chosen", because="chosen in the settings", encoding=encoding, bbox=bbox)
    if columns.geometry is None:
        because = f"columns “{' and '.join(columns.lonlat or ())}” are called so"
        return StatedPlace(crs=LONLAT, basis="read", because=because, encoding=encoding)
    stated = about.get("crs", _extension_crs(schema, columns.geometry))
    if stated is not None:
        return StatedPlace(crs=_crs(stated), basis="read", because="the file states it", encoding=encoding, bbox=bbox)
    if about and "crs" not in about:
        because = "the file states none, which means longitude and latitude in GeoParquet"
        return StatedPlace(crs=LONLAT, basis="read", because=because, encoding=encoding, bbox=bbox)
    said = "the file says that it is unknown" if about else "the file states no reference system"
    because = f"{said}, and all coordinates can be longitude and latitude"
    return StatedPlace(crs=None, basis="assumed", because=because, encoding=encoding, bbox=bbox)


def place_of_system(statement: StatedPlace, srid: int) -> StatedPlace:
    """Return a statement with the system that the geometries themselves state (EWKB, as PostGIS writes it).

    Raises:
        SourceError: when there is no such system.
    """
    because = f"each geometry states it, as number {srid}"
    return replace(statement, crs=_crs(f"EPSG:{srid}"), basis="read", because=because, srid=srid)


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
        raise SourceError(found="its reference system cannot be read", remedy=NAME_SYSTEM) from error
    if own.is_geographic and own.equals(CRS.from_epsg(4326), ignore_axis_order=True):
        return LONLAT
    authority = own.to_authority(min_confidence=100)
    return f"{authority[0]}:{authority[1]}" if authority is not None else own.to_wkt()


def geo_words(statement: StatedPlace) -> str:
    """Return a reference system in a few words."""
    name = statement.crs or LONLAT
    try:
        return f"{name if len(name) < 20 else 'as stated'}, {CRS.from_user_input(name).name}"
    except ProjError:
        return name[:60]
