"""Reading points and polygons with a class each from GeoJSON (RFC 7946), in longitude and latitude."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from core.errors import SourceError

MOST_SHAPES = 200_000
"""Points and polygons of one file, at most."""

MOST_VERTICES = 5_000_000

LABEL_COLUMNS = ("label", "class", "class_name", "classname", "landcover", "land_cover", "lulc", "category", "name")
"""Attributes that are taken for the class, in small letters, the likeliest first."""

_LONLAT = CRS.from_epsg(4326)
_REMEDY = "give points or polygons with an attribute “label”"


@dataclass(frozen=True, kw_only=True)
class LabelShapes:
    """Points and polygons with a class each.

    Attributes:
        labels: the class of each, as the file has it; empty where it has none.
        shapes: shapely's points and polygons in EPSG:4326, longitude first, of shape (N,); valid and not empty.
        column: the attribute that was taken for the class.
        mended: polygons that crossed themselves, and were parted at the crossings.
        other: lines and features without a shape, which label nothing.
    """

    labels: tuple[str, ...]
    shapes: NDArray[np.object_]
    column: str
    mended: int = 0
    other: int = 0


def read_geojson(text: str, column: str = "") -> LabelShapes:
    """Read a FeatureCollection; a member ``crs`` of the form before RFC 7946 counts.

    Args:
        text: of the file.
        column: the attribute that is the class; empty = the first of ``LABEL_COLUMNS`` that there is.

    Raises:
        SourceError: when it is no GeoJSON, has nothing to label by, or an unknown reference system.
    """
    try:
        whole = json.loads(text)
        features = whole["features"] if whole["type"] == "FeatureCollection" else [whole]
        properties = [dict(one.get("properties") or {}) for one in features]
        raw = [json.dumps(one.get("geometry")) if one.get("geometry") else None for one in features]
        stated = (whole.get("crs") or {}).get("properties", {}).get("name")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(found="it is no GeoJSON", remedy=_REMEDY) from error
    shapes = shapely.from_geojson(np.array([one or "null" for one in raw], dtype=object), on_invalid="ignore")
    return label_shapes(shapes, properties, None if stated is None else str(stated), column)


def label_shapes(
    shapes: NDArray[np.object_], properties: Sequence[Mapping[str, Any]], crs: str | None, column: str = ""
) -> LabelShapes:
    """Return shapes with their classes, brought to longitude and latitude, what crosses itself mended.

    Args:
        shapes: shapely's, in ``crs``, None where a feature has none.
        properties: attributes of each.
        crs: anything pyproj reads; None = longitude and latitude.
        column: as of ``read_geojson``.

    Raises:
        SourceError: as of ``read_geojson``, or when there are too many.
    """
    if len(shapes) > MOST_SHAPES or int(shapely.get_num_coordinates(shapes).sum()) > MOST_VERTICES:
        found = f"it has more than {MOST_SHAPES:,} shapes or {MOST_VERTICES:,} corners"
        raise SourceError(found=found, remedy="cut the area of the scene out of it first")
    chosen = _column(properties, column)
    usable = np.isin(shapely.get_type_id(shapes), (0, 3, 4, 6)) & ~shapely.is_empty(shapes)
    if not usable.any():
        raise SourceError(found="it has no points and no polygons", remedy=_REMEDY)
    known = shapes[usable]
    crossed = ~shapely.is_valid(known)
    known[crossed] = shapely.make_valid(known[crossed], method="structure", keep_collapsed=False)
    placed = _lonlat(known, crs)
    labels = [_text(one.get(chosen)) for one, keep in zip(properties, usable.tolist(), strict=True) if keep]
    left = ~shapely.is_empty(placed)
    kept = tuple(label for label, keep in zip(labels, left.tolist(), strict=True) if keep)
    other = int((~usable).sum()) + int((~left).sum())
    return LabelShapes(labels=kept, shapes=placed[left], column=chosen, mended=int((crossed & left).sum()), other=other)


def _column(properties: Iterable[Mapping[str, Any]], wanted: str) -> str:
    """Return the name of the attribute that is the class."""
    names = Counter(name for one in properties for name in one)
    if wanted:
        if wanted not in names:
            found = f"it has no attribute “{wanted[:60]}”; it has {_some(names)}"
            raise SourceError(found=found, remedy="name one of these")
        return wanted
    by_small = {name.casefold(): name for name in names}
    for known in LABEL_COLUMNS:
        if known in by_small:
            return by_small[known]
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


def _lonlat(shapes: NDArray[np.object_], crs: str | None) -> NDArray[np.object_]:
    if crs is None:
        return _finite(shapes)
    try:
        own = CRS.from_user_input(crs)
        if own.equals(_LONLAT, ignore_axis_order=True):
            return _finite(shapes)
        to_lonlat = Transformer.from_crs(own, _LONLAT, always_xy=True)
        return _finite(shapely.transform(shapes, to_lonlat.transform, interleaved=False))
    except ProjError as error:
        found = "its reference system is not one that stands for itself"
        raise SourceError(found=found, remedy="save it again in longitude and latitude, EPSG:4326") from error


def _finite(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Refuse places that cannot be on Earth, which a wrong reference system makes."""
    box = shapely.total_bounds(shapes)
    if not np.isfinite(box).all() or np.abs(box[[0, 2]]).max() > 540 or np.abs(box[[1, 3]]).max() > 90.001:
        found = "its coordinates are no longitudes and latitudes"
        raise SourceError(found=found, remedy="save it with its reference system, or in EPSG:4326")
    return shapes
