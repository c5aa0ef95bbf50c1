"""Examples that are no patches of the open scene: areas of its map, pictures, patches of other scenes; in addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

import shapely

from core.errors import SettingsError
from core.scenes.patches import PatchRef
from core.scenes.regions.map_region import MapRegion, polygon_region
from core.scenes.scene import SCENE_ID
from core.search.chips import ChipExample
from core.search.examples import LEAST_WEIGHT, MOST_WEIGHT, AreaExample, PatchExample

OtherExample = PatchExample | AreaExample | ChipExample
"""A patch among them is of another scene than the open one."""

LONGEST = 2000
"""Letters that they take in an address, at most; more would be too long for browsers."""
MOST_LINKED_CORNERS = 60
_BETWEEN, _AREA, _CHIP, _TIMES = ";", "@", "~", "*"
_WEIGHT = re.compile(r"\d{1,3}(?:\.\d{1,6})?")
_CORNER = re.compile(r"-?\d{1,3}(?:\.\d{1,6})?_-?\d{1,2}(?:\.\d{1,6})?")


def others_link(others: Iterable[OtherExample]) -> str:
    """Return examples as the text of a parameter of an address; empty where there are none, or it would be too long."""
    listed = [_written(one) for one in others]
    text = _BETWEEN.join(one for one in listed if one is not None)
    return text if all(listed) and len(text) <= LONGEST else ""


def read_others(text: str) -> tuple[OtherExample, ...]:
    """Return the examples of an address; parts that make no sense are passed over."""
    found = [_read(part) for part in text[:LONGEST].split(_BETWEEN)] if text else []
    return tuple({one.what: one for one in found if one is not None}.values())


def others_digest(others: Iterable[OtherExample], weights: Iterable[tuple[int, float]] = ()) -> str:
    """Return what tells examples from any others in addresses of values, hex; empty where there are none."""
    parts = [f"{patch}x{weight!r}" for patch, weight in weights]
    for one in others:
        what = one.area.shape.wkb_hex if isinstance(one, AreaExample) else one.what
        parts.append(f"{one.good}{_heavy(one)}{what}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12] if parts else ""


def drawn_area(corners: Iterable[object]) -> MapRegion:
    """Return the area of corners that a script tells, each (lat, lon).

    Raises:
        SettingsError: when they enclose nothing, or the outline crosses itself.
    """
    points: list[tuple[float, float]] = []
    for corner in corners:
        told = corner if isinstance(corner, list | tuple) else ()
        if len(told) != 2 or not all(isinstance(number, int | float) for number in told):
            raise SettingsError("Searching in a drawn area", "a corner is missing", "draw it again")
        points.append((round(float(told[1]), 6), round(float(told[0]), 6)))
    return polygon_region(points)


def _written(one: OtherExample) -> str | None:
    sign = "+" if one.good else "-"
    if isinstance(one, PatchExample):
        return f"{sign}{one.ref}{_heavy(one)}"
    if isinstance(one, ChipExample):
        return f"{sign}{_CHIP}{one.chip}{_heavy(one)}"
    corners = shapely.get_coordinates(one.area.shape)[:-1].tolist()
    if one.area.shape.geom_type != "Polygon" or one.area.shape.interiors or len(corners) > MOST_LINKED_CORNERS:
        return None
    return f"{sign}{_AREA}{'_'.join(_short(number) for corner in corners for number in corner)}{_heavy(one)}"


def _heavy(one: OtherExample) -> str:
    return "" if one.weight == 1 else f"{_TIMES}{one.weight:g}"


def _short(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _read(text: str) -> OtherExample | None:
    part, times, heavy = text.partition(_TIMES)
    if times and not (_WEIGHT.fullmatch(heavy) and LEAST_WEIGHT <= float(heavy) <= MOST_WEIGHT):
        return None
    found = _read_once(part)
    return replace(found, weight=float(heavy)) if times and found is not None else found


def _read_once(part: str) -> OtherExample | None:
    good, kind, rest = part[:1] == "+", part[1:2], part[2:]
    if part[:1] not in {"+", "-"}:
        return None
    if kind == _CHIP:
        return ChipExample(chip=rest, good=good) if SCENE_ID.fullmatch(rest) else None
    if kind == _AREA:
        return _read_area(rest, good)
    ref = PatchRef.parse(part[1:])
    return None if ref is None else PatchExample(ref=ref, good=good)


def _read_area(text: str, good: bool) -> AreaExample | None:
    numbers = text.split("_")
    pairs = ["_".join(numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
    if not 3 <= len(pairs) <= MOST_LINKED_CORNERS or not all(map(_CORNER.fullmatch, pairs)):
        return None
    try:
        area = polygon_region([(float(lon), float(lat)) for lon, _, lat in (pair.partition("_") for pair in pairs)])
    except SettingsError:
        return None
    return AreaExample(area=area, good=good)
