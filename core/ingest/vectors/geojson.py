"""Reading points and polygons with a class each from GeoJSON (RFC 7946), in longitude and latitude."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.messages import clean_name

MOST_SHAPES = 200_000
"""Points and polygons of one file, at most."""

MOST_VERTICES = 5_000_000

LABEL_COLUMNS = ("label", "class", "class_name", "classname", "landcover", "land_cover", "lulc", "category", "name")
"""Attributes that are taken for the class, in small letters, the likeliest first."""

NO_VALUE_CELLS = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "-", "?"})
"""Cells, in small letters, by which programs and people say that nothing is known."""

VALUE_COLUMNS = ("value", "target", "yield", "biomass")
"""Attributes that are taken for a number, in small letters."""

_LONLAT = CRS.from_epsg(4326)
_NUMBERS = "give points or polygons with an attribute that is a number"
_REMEDY = "give points or polygons with an attribute “label”"
_SAVE_AGAIN = "save it again with its reference system, or in longitude and latitude, EPSG:4326"


NOT_NUMBERS = frozenset({"fid", "id", "objectid", "patch_id", "lon", "lat", "x", "y", "area", "area_ha"})
"""Attributes, in small letters, that are no number to be learned, whatever they hold."""

MOST_CHOICES = 12
"""Attributes among which a person chooses the class, at most."""

MOST_DISTINCT = 254
"""Classes that a map tells apart; an attribute with more values is none of classes."""

MOST_LAYERS, MOST_LETTERS_OF_LAYER = 200, 100
"""Layers of a file among which a person chooses, at most, and letters of the name of one."""

Assumed = Literal["", "lonlat", "datum"]
"""What had to be assumed of places: nothing, that undefined numbers are degrees, or that an unknown datum is WGS 84."""

_ASSUMED: Mapping[str, str] = {
    "lonlat": "The file says that its reference system is undefined; its numbers were taken as longitude and latitude.",
    "datum": "The file does not say which datum its places refer to; they may be off by some hundred metres.",
}


@dataclass(frozen=True, kw_only=True)
class LabelShapes:
    """Points and polygons with a class each.

    Attributes:
        labels: the class of each, as the file has it; empty where it has none.
        shapes: shapely's points and polygons in EPSG:4326, longitude first, of shape (N,); valid and not empty.
        column: the attribute that was taken for the class; empty = a person has to choose one of ``choices``.
        mended: polygons that crossed themselves, and were parted at the crossings.
        other: lines and features without a shape that can be read, which label nothing.
        broken: those of them that have a shape, which cannot be read.
        numbers: the place of each in the file, from 1; empty = one after the other.
        other_numbers: those of the lines and features without a shape.
        choices: labels by the attribute that may be the class, where they were asked for.
        assumed: what the file does not say of its places.
        layer: that was read, of several.
        layers: among which a person has to choose first; empty = it was read.
    """

    labels: tuple[str, ...]
    shapes: NDArray[np.object_]
    column: str
    mended: int = 0
    other: int = 0
    broken: int = 0
    numbers: tuple[int, ...] = ()
    other_numbers: tuple[int, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    assumed: Assumed = ""
    layer: str = ""
    layers: tuple[str, ...] = ()

    @property
    def assumption(self) -> str:
        """What had to be assumed of places, in a sentence; empty = nothing."""
        return _ASSUMED.get(self.assumed, "")

    @property
    def said(self) -> list[str]:
        """What was assumed and mended, a sentence each."""
        parted = f"Polygons that cross themselves were parted at the crossings: {self.mended:,}." if self.mended else ""
        return [one for one in (self.assumption, parted) if one]

    def number(self, row: int) -> int:
        """Return the place in the file of a shape, from 1."""
        return self.numbers[row] if self.numbers else row + 1

    def by(self, column: str) -> LabelShapes:
        """Return the same with another attribute as the class. Raises a KeyError for one that is no choice."""
        return replace(self, labels=self.choices[column], column=column)


def no_layer(layers: Iterable[str]) -> LabelShapes:
    """Return what is known of a file of several layers before a person chose one: their names, and no shapes."""
    names = [clean_name(name, MOST_LETTERS_OF_LAYER) for name in layers]
    shapes: NDArray[np.object_] = np.empty(0, dtype=object)
    return LabelShapes(labels=(), shapes=shapes, column="", layers=tuple(names[:MOST_LAYERS]))


def read_geojson(text: str, column: str = "", *, choices: bool = False, numbers: bool = False) -> LabelShapes:
    """Read a FeatureCollection; a member ``crs`` of the form before RFC 7946 counts.

    Args:
        text: of the file.
        column: the attribute that is the class; empty = the first of ``LABEL_COLUMNS`` that there is.
        choices: True = give all attributes that may be the class, and refuse no file for having none that is called so.
        numbers: True = what is wanted is a number; without ``column`` the one of ``VALUE_COLUMNS``, or the only number.

    Raises:
        SourceError: when it is no GeoJSON, has nothing to label by, or an unknown reference system.
    """
    try:
        whole = json.loads(text)
        if whole["type"] in {"Polygon", "MultiPolygon", "GeometryCollection"}:
            whole = {"type": "Feature", "geometry": whole, "crs": whole.get("crs")}
        if whole["type"] not in {"FeatureCollection", "Feature"}:
            raise SourceError(found=f"it is {str(whole['type'])[:40]} and no features of GeoJSON", remedy=_REMEDY)
        features = whole["features"] if whole["type"] == "FeatureCollection" else [whole]
        properties = [dict(one.get("properties") or {}) for one in features]
        raw = [json.dumps(_closed(one["geometry"])) if one.get("geometry") else None for one in features]
        stated = _stated_crs(whole.get("crs"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(found="it is no GeoJSON", remedy=_REMEDY) from error
    shapes = shapely.from_geojson(np.array([one or "null" for one in raw], dtype=object), on_invalid="ignore")
    broken = sum(text is not None and shape is None for text, shape in zip(raw, shapes, strict=True))
    found = label_shapes(shapes, properties, stated, column, choices=choices, numbers=numbers)
    return replace(found, broken=broken)


def _closed(geometry: dict[str, Any]) -> dict[str, Any]:
    """Return a geometry whose rings end where they begin; some programs leave the last corner out."""
    kind, parts = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        return {**geometry, "geometries": [_closed(one) for one in geometry["geometries"]]}
    if kind == "Polygon" and isinstance(parts, list):
        return {**geometry, "coordinates": [_ring(one) for one in parts]}
    if kind == "MultiPolygon" and isinstance(parts, list):
        rings = [[_ring(one) for one in part] if isinstance(part, list) else part for part in parts]
        return {**geometry, "coordinates": rings}
    return geometry


def _ring(corners: Any) -> Any:  # noqa: ANN401  whatever stands in place of a ring
    whole = isinstance(corners, list) and len(corners) > 2 and corners[0] != corners[-1]
    return [*corners, corners[0]] if whole else corners


def _stated_crs(crs: object) -> str | None:
    """Return the reference system that a file of the form before RFC 7946 names; None where it names none.

    Raises:
        SourceError: where it names one elsewhere, as by a link.
    """
    if crs is None or isinstance(crs, str):
        return crs or None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not name:
        raise SourceError(found="it says its reference system in a way that cannot be read", remedy=_SAVE_AGAIN)
    return name


def label_shapes(
    shapes: NDArray[np.object_],
    properties: Sequence[Mapping[str, Any]],
    crs: str | None,
    column: str = "",
    *,
    choices: bool = False,
    numbers: bool = False,
) -> LabelShapes:
    """Return shapes with their classes, brought to longitude and latitude, what crosses itself mended.

    Args:
        shapes: shapely's, in ``crs``, None where a feature has none.
        properties: attributes of each.
        crs: anything pyproj reads; None = longitude and latitude.
        column: as of ``read_geojson``.
        choices: likewise.
        numbers: likewise.

    Raises:
        SourceError: as of ``read_geojson``, or when there are too many.
    """
    if not len(shapes):
        raise SourceError(found="it has no features", remedy=_REMEDY)
    if len(shapes) > MOST_SHAPES or int(shapely.get_num_coordinates(shapes).sum()) > MOST_VERTICES:
        found = f"it has more than {MOST_SHAPES:,} shapes or {MOST_VERTICES:,} corners"
        raise SourceError(found=found, remedy="cut the area of the scene out of it first")
    offered = (numbers_of(properties) if numbers else choices_of(properties)) if choices else {}
    if choices and numbers and not offered:
        raise SourceError(found=f"none of its attributes holds numbers: {_texts_in(properties)}", remedy=_NUMBERS)
    if numbers and not column:
        column = "" if choices else _value_attribute(properties)
    unsure = choices and not column and (numbers or not _known_names(offered))
    chosen = "" if unsure else _column(properties, column)
    shapes = _gathered(shapes)
    usable = np.isin(shapely.get_type_id(shapes), (0, 3, 4, 6)) & ~shapely.is_empty(shapes)
    if not usable.any():
        raise SourceError(found="it has no points and no polygons", remedy=_REMEDY)
    known = shapes[usable]
    crossed = ~shapely.is_valid(known)
    known[crossed] = shapely.make_valid(known[crossed], method="structure", keep_collapsed=False)
    placed, assumed = _lonlat(known, crs)
    left = ~shapely.is_empty(placed)
    kept = np.flatnonzero(usable)[left]
    others = np.setdiff1d(np.arange(len(shapes)), kept)
    return LabelShapes(
        labels=tuple(_text(properties[row].get(chosen)) if chosen else "" for row in kept.tolist()),
        shapes=placed[left], column=chosen, mended=int((crossed & left).sum()), other=len(others),
        numbers=tuple((kept + 1).tolist()), other_numbers=tuple((others + 1).tolist()),
        choices={name: tuple(texts[row] for row in kept.tolist()) for name, texts in offered.items()}, assumed=assumed,
    )  # fmt: skip


def _gathered(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes with the polygons alone of collections, which clipping and mending leave; their points else."""
    rows = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    if len(rows):
        shapes = shapes.copy()
    for row in rows.tolist():
        parts = shapely.get_parts(shapely.get_parts(shapes[row]))
        kinds = shapely.get_type_id(parts)
        for kind, joined in ((3, shapely.multipolygons), (0, shapely.multipoints)):
            if (kinds == kind).any():
                shapes[row] = joined(parts[kinds == kind])
                break
    return shapes


def choices_of(properties: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the attributes that may be the class, with the text of each feature; those called so come first.

    One may be where it has a text or a whole number somewhere, and no more values than a map tells classes apart.
    """
    found = {}
    for name in dict.fromkeys(name for one in properties for name in one):
        texts = [_text(one.get(name)) for one in properties]
        values = set(texts) - {""}
        if 0 < len(values) <= MOST_DISTINCT and not all("." in value and _is_number(value) for value in values):
            found[name] = texts
    first = _known_names(found)
    return {name: found[name] for name in [*first, *(name for name in found if name not in first)][:MOST_CHOICES]}


def numbers_of(properties: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the attributes that hold numbers and are not known for others, with the text of each feature.

    Those called as a number is come first.
    """
    found = {}
    for name in dict.fromkeys(name for one in properties for name in one):
        texts = [_text(one.get(name)) for one in properties]
        values = {text for text in texts if text.casefold() not in NO_VALUE_CELLS}
        if values and name.casefold() not in NOT_NUMBERS and all(_is_number(value) for value in values):
            found[name] = texts
    order = sorted(found, key=lambda name: name.casefold() not in VALUE_COLUMNS)
    return {name: found[name] for name in order[:MOST_CHOICES]}


def _texts_in(properties: Sequence[Mapping[str, Any]]) -> str:
    """Return attributes with a text of each, in words."""
    said = []
    for name in dict.fromkeys(name for one in properties for name in one):
        text = next((text for one in properties if (text := _text(one.get(name))) and not _is_number(text)), "")
        if text and name.casefold() not in NOT_NUMBERS:
            said.append(f"“{name[:40]}” has “{text[:40]}”")
    return ", ".join(said[:4]) or "there are only ids and places"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False


def _known_names(names: Iterable[str]) -> list[str]:
    """Return those of some attributes that are called as a class is, the likeliest first."""
    by_small = {name.casefold(): name for name in names}
    return [by_small[known] for known in LABEL_COLUMNS if known in by_small]


def _value_attribute(properties: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the attribute that can only be the number."""
    names = list(dict.fromkeys(name for one in properties for name in one))
    found = [name for name in names if name.casefold() in VALUE_COLUMNS]
    if not found:
        found = [name for name in names if name.casefold() not in NOT_NUMBERS and _all_numbers(name, properties)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = f"the value could be {_some(found[:4]).replace(', ', ' and ')}"
        raise SourceError(found=listed, remedy="name the attribute that is meant")
    raise SourceError(
        found=f"no attribute is called value; it has {_some(names)}", remedy="name the one with the number"
    )


def _all_numbers(name: str, properties: Iterable[Mapping[str, Any]]) -> bool:
    texts = {_text(one.get(name)) for one in properties} - {""}
    return bool(texts) and all(_is_number(text) for text in texts)


def _column(properties: Iterable[Mapping[str, Any]], wanted: str) -> str:
    """Return the name of the attribute that is the class."""
    names = Counter(name for one in properties for name in one)
    if wanted:
        if wanted not in names:
            found = f"it has no attribute “{wanted[:60]}”; it has {_some(names)}"
            raise SourceError(found=found, remedy="name one of these")
        return wanted
    known = _known_names(names)
    if known:
        return known[0]
    raise SourceError(found=f"no attribute is called label or class; it has {_some(names)}", remedy=_REMEDY)


def _some(names: Iterable[str]) -> str:
    listed = [name[:40] for name in names]
    return ", ".join(f"“{name}”" for name in listed[:8]) or "none"


def _text(value: object) -> str:
    """Return a class as text: whole numbers without a point, nothing for what is no text and no number."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}" if value.is_integer() else repr(value)
    return str(value).strip() if isinstance(value, str | int) else ""


def _lonlat(shapes: NDArray[np.object_], crs: str | None) -> tuple[NDArray[np.object_], Assumed]:
    """Return shapes in longitude and latitude, and what had to be assumed for it."""
    if crs is None:
        return _finite(shapes), ""
    try:
        own = CRS.from_user_input(crs)
    except ProjError as error:
        found = "its reference system is not one that stands for itself"
        raise SourceError(found=found, remedy=_SAVE_AGAIN) from error
    if own.name.casefold().startswith("undefined"):  # As GDAL calls the systems 0 and −1 of a GeoPackage.
        return _undefined(shapes, own), "lonlat"
    assumed: Assumed = "datum" if own.datum is not None and "unknown" in own.datum.name.casefold() else ""
    if own.equals(_LONLAT, ignore_axis_order=True):
        return _finite(shapes), assumed
    try:
        to_lonlat = Transformer.from_crs(own, _LONLAT, always_xy=True)
        return _finite(shapely.transform(shapes, to_lonlat.transform, interleaved=False)), assumed
    except ProjError as error:
        found = f"its reference system “{own.name[:60]}” is tied to no place on Earth"
        raise SourceError(found=found, remedy=_SAVE_AGAIN) from error


def _undefined(shapes: NDArray[np.object_], own: CRS) -> NDArray[np.object_]:
    """Return shapes whose file says that their system is undefined as they are, where they can be degrees."""
    box = np.abs(shapely.total_bounds(shapes))
    if not own.is_geographic or not box[[0, 2]].max() <= 180 or not box[[1, 3]].max() <= 90:
        raise SourceError(found="it says that its reference system is undefined", remedy=_SAVE_AGAIN)
    return shapes


def _finite(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Refuse places that cannot be on Earth, which a wrong reference system makes."""
    box = shapely.total_bounds(shapes)
    if len(shapes) and shapely.is_empty(shapes).all():
        raise SourceError(found="its outlines enclose no ground", remedy="give outlines of three corners and more")
    if not np.isfinite(box).all() or np.abs(box[[0, 2]]).max() > 540 or np.abs(box[[1, 3]]).max() > 90.001:
        found = "its coordinates are no longitudes and latitudes"
        raise SourceError(found=found, remedy=_SAVE_AGAIN)
    return shapes
