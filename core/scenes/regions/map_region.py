"""Areas that somebody drew on the map: which patches lie there.

A drawn area is GeoJSON (RFC 7946): longitude before latitude, in degrees of WGS 84, with holes and several parts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import SettingsError

MOST_CORNERS = 100_000
"""Corners of an area, at most."""

MOST_REGION_BYTES = 16 * 2**20
"""Bytes of a file with an area, at most."""

_ASKED = "Reading an area"
_REMEDY = "give a polygon or a box as GeoJSON, longitude before latitude, in degrees"
_WGS84 = re.compile(r"(?:urn:ogc:def:crs:)?(?:(?:OGC:)?(?:1\.3:)?CRS84|EPSG:(?:[\d.]+:)?4326)", re.IGNORECASE)
"""Names that files of before RFC 7946 give to the only system that GeoJSON has."""

_TURN = 360.0

_MOST_SAID, _LONGEST_SAID = 6, 400


@dataclass(frozen=True, kw_only=True)
class MapRegion:
    """An area drawn on the map.

    Attributes:
        shape: a valid polygon or multipolygon that encloses something; longitudes in degrees, about −180 to 180, beyond
            them where it crosses the antimeridian; latitudes −90 to 90.
        said: what was made of its file that a person should know, a sentence each.
    """

    shape: shapely.Geometry
    said: tuple[str, ...] = field(default=(), compare=False)

    def to_geojson(self) -> dict[str, Any]:
        """Return the geometry as GeoJSON values, which ``read_region`` reads."""
        found: dict[str, Any] = json.loads(shapely.to_geojson(self.shape))
        return found

    def to_feature(self) -> dict[str, Any]:
        """Return the area with what was said of it as a feature of GeoJSON, which ``read_region`` reads."""
        return {"type": "Feature", "properties": {"said": list(self.said)}, "geometry": self.to_geojson()}

    def holds(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which points lie inside or on the outline, bool of shape (N,); an unknown point (NaN) does not.

        Args:
            lonlat: degrees, shape (N, 2), of any turn around the Earth.
        """
        found = np.zeros(len(lonlat), bool)
        known = np.isfinite(lonlat).all(axis=1)
        for turn in _turns(self.shape, lonlat[known, 0]):
            found[known] |= shapely.intersects_xy(self.shape, lonlat[known, 0] + turn, lonlat[known, 1])
        return found

    def shares(self, corners: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return which share of each patch lies inside, float64 of shape (N,), 0 to 1; 0 where a place is unknown.

        Args:
            corners: shape (N, 4, 2), as ``core.scenes.patches.corners_lonlat`` gives them.
        """
        found = np.zeros(len(corners))
        known = np.isfinite(corners).all(axis=(1, 2))
        shapes = shapely.polygons(corners[known])
        sizes, inside = shapely.area(shapes), np.zeros(int(known.sum()))
        for turn in _turns(self.shape, corners[known, :, 0]):
            moved = shapely.polygons(corners[known] + np.array([turn, 0.0]))
            inside += shapely.area(shapely.intersection(moved, self.shape))
        found[known] = inside / np.where(sizes > 0, sizes, 1.0)
        return found


def _turns(shape: shapely.Geometry, lon: NDArray[np.float64]) -> list[float]:
    """Return by how many degrees points have to be turned so that all who may lie in a shape do."""
    if not lon.size:
        return []
    west, _, east, _ = shapely.bounds(shape)
    first, last = math.ceil((west - lon.max()) / _TURN), math.floor((east - lon.min()) / _TURN)
    return [number * _TURN for number in range(first, last + 1)]


def read_region_file(path: Path) -> MapRegion:
    """Read an area from a GeoJSON file.

    Raises:
        SettingsError: when it cannot be read or is no area, as ``read_region``.
    """
    asked = f"Reading the area “{path.name}”"
    try:
        if path.stat().st_size > MOST_REGION_BYTES:
            found = f"it has more than {MOST_REGION_BYTES // 2**20} MB"
            raise SettingsError(asked, found, "give the outline of one area")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(asked, "it is no text", _REMEDY) from error
    except OSError as error:
        found = "there is no such file" if isinstance(error, FileNotFoundError) else "it cannot be read"
        raise SettingsError(asked, found, "check the path") from error
    return read_region(text, asked=asked)


def read_region(content: str | Mapping[str, Any], *, asked: str = _ASKED) -> MapRegion:
    """Return the area of GeoJSON: a polygon, several, a feature or a collection of such; all of them together.

    Args:
        content: the text, or the values of it.
        asked: the beginning of the sentence of an error.

    Raises:
        SettingsError: when it is broken, has no polygon, another reference system, numbers that are no degrees, or an
            outline that crosses itself.
    """
    try:
        values = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError) as error:
        raise SettingsError(asked, "it is no JSON, or it is cut off", _REMEDY) from error
    if not isinstance(values, Mapping):
        raise SettingsError(asked, "it is JSON, but not GeoJSON", _REMEDY)
    _check_crs(values, asked)
    found = region_of(shapely.union_all(_valid(list(_shapes(values, asked)), asked)), asked=asked)
    return replace(found, said=_said(values))


def _said(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the sentences that ``MapRegion.to_feature`` wrote."""
    properties = values.get("properties")
    said = properties.get("said") if isinstance(properties, Mapping) else None
    sentences = [one for one in said if isinstance(one, str) and one.isprintable()] if isinstance(said, list) else []
    return tuple(one[:_LONGEST_SAID] for one in sentences[:_MOST_SAID])


def polygon_region(corners: Sequence[tuple[float, float]]) -> MapRegion:
    """Return the area within corners, each longitude and latitude in degrees, beyond ±180 across the antimeridian.

    Raises:
        SettingsError: for fewer than three corners, numbers that are no degrees, or an outline that crosses itself.
    """
    asked = "Reading a drawn area"
    if len(corners) < 3:
        raise SettingsError(asked, "it has fewer than three corners", "draw it again")
    return region_of(_valid([shapely.Polygon(corners)], asked)[0], asked=asked)


def region_of(shape: shapely.Geometry, *, asked: str = _ASKED) -> MapRegion:
    """Return a valid shape as an area, turned around the Earth until it lies about −180 to 180.

    Raises:
        SettingsError: when it is wider than the Earth, or has too many corners.
    """
    west, _, east, _ = shapely.bounds(shape)
    if east - west > _TURN:
        raise SettingsError(asked, "it is wider than the whole Earth", "draw it smaller")
    if shapely.get_num_coordinates(shape) > MOST_CORNERS:
        raise SettingsError(asked, f"it has more than {MOST_CORNERS:,} corners", "simplify it")
    turn = -_TURN * math.floor(((west + east) / 2 + 180) / _TURN)
    return MapRegion(shape=shapely.transform(shape, lambda points: points + np.array([turn, 0.0])) if turn else shape)


def _check_crs(values: Mapping[str, Any], asked: str) -> None:
    """Refuse a reference system that a file of before RFC 7946 states, unless it is the usual one."""
    stated = values.get("crs")
    if stated is None:
        return
    properties = stated.get("properties") if isinstance(stated, Mapping) else None
    name = properties.get("name") if isinstance(properties, Mapping) else None
    if not isinstance(name, str) or not _WGS84.fullmatch(name.replace("::", ":")):
        said = name if isinstance(name, str) and name.isprintable() and len(name) < 80 else "one that has no name"
        raise SettingsError(asked, f"its reference system is {said}", "export it in EPSG:4326, as GeoJSON wants it")


def _shapes(values: Mapping[str, Any], asked: str, depth: int = 0) -> Iterator[shapely.Geometry]:
    """Yield the polygons of GeoJSON values as they are written, valid or not."""
    kind = values.get("type")
    if depth > 3:
        raise SettingsError(asked, "collections lie within collections", _REMEDY)
    if kind in {"FeatureCollection", "GeometryCollection"}:
        parts = values.get("features" if kind == "FeatureCollection" else "geometries")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, Mapping) for part in parts):
            raise SettingsError(asked, "the collection is empty", _REMEDY)
        for part in parts:
            yield from _shapes(part, asked, depth + 1)
    elif kind == "Feature":
        geometry = values.get("geometry")
        if not isinstance(geometry, Mapping):
            raise SettingsError(asked, "a feature has no geometry", _REMEDY)
        yield from _shapes(geometry, asked, depth + 1)
    elif kind in {"Polygon", "MultiPolygon"}:
        try:
            yield shapely.from_geojson(json.dumps({"type": kind, "coordinates": values.get("coordinates")}))
        except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
            raise SettingsError(asked, "its corners are no polygon", _REMEDY) from error
    else:
        said = f"it is a {kind}" if isinstance(kind, str) and kind.isalpha() else "it is not GeoJSON"
        raise SettingsError(asked, f"{said} and encloses no area", _REMEDY)


def _valid(shapes: list[shapely.Geometry], asked: str) -> list[shapely.Geometry]:
    """Return shapes whose numbers are degrees and whose outlines enclose something without crossing themselves."""
    for shape in shapes:
        points = shapely.get_coordinates(shape)
        if not len(points) or not np.isfinite(points).all():
            raise SettingsError(asked, "a corner is missing, or is no number", _REMEDY)
        if np.abs(points[:, 1]).max() > 90 or np.abs(points[:, 0]).max() > 3 * _TURN:
            found = f"a corner lies at {points[0, 0]:.10g}, {points[0, 1]:.10g}, which are no degrees"
            raise SettingsError(asked, found, "export it in EPSG:4326, longitude before latitude")
        if not shapely.is_valid(shape):
            why = shapely.is_valid_reason(shape).split("[")[0].strip().lower()
            crossed = "its outline crosses itself" if "self-intersection" in why else f"its outline is wrong ({why})"
            raise SettingsError(asked, crossed, "draw it again, or have it repaired")
        if shapely.area(shape) == 0:
            raise SettingsError(asked, "it encloses nothing", "draw it again")
    return shapes
