"""Coordinates as people write them: degrees, minutes and seconds, UTM, or those of a scene's own reference system.

Which patch lies there is found here too. Areas are ``core.scenes.regions.map_region``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from core.errors import PatchError, SettingsError
from core.features.table import PatchTable
from core.scenes.location import bounds_lonlat, patch_at_lonlat
from core.scenes.patches import PatchGrid
from core.scenes.scene import Scene

LONGEST_COORDINATES = 80
"""Characters of coordinates, at most."""

_REMEDY = "write latitude, longitude, such as 53.55, 9.99 or 53° 33′ N 9° 59′ E, or UTM, such as 32N 565000 5934000"
_NUMBER = r"\d+(?:\.\d+)?"
_UTM = re.compile(
    rf"(?:UTM|ZONE|\s)*(\d{{1,2}})\s*([A-Z])[\s,;]+({_NUMBER})\s*(?:M?E)?[\s,;]+({_NUMBER})\s*(?:M?N)?", re.IGNORECASE
)
_PAIR = re.compile(rf"([-+]?{_NUMBER})(?:\s*[,;]\s*|\s+)([-+]?{_NUMBER})")
_DECIMAL_COMMAS = re.compile(r"[-+]?\d+,\d+(?:\s*;\s*|\s+)[-+]?\d+,\d+")
_LETTERED = re.compile(r"([-+\d.°'\"\s]+)([NSEW])[\s,;]*([-+\d.°'\"\s]+)([NSEW])")
_LED = re.compile(r"([NSEW])([-+\d.°'\"\s]+?)[\s,;]*([NSEW])([-+\d.°'\"\s]+)")
_MARKED = re.compile(r"([-+]?\d[\d.°'\"\s]*[°'\"])[\s,;]+([-+]?\d[\d.°'\"\s]*)")
_ANGLE = re.compile(rf"([-+]?)\s*({_NUMBER})(?:[°\s]+({_NUMBER}))?(?:['\s]+({_NUMBER}))?[°'\"\s]*")
_LETTERS = frozenset({"UTM", "ZONE", "ME", "MN"})
_SIGNS = str.maketrans({"−": "-", "–": "-", "º": "°", "˚": "°", "′": "'", "’": "'", "″": '"', "”": '"', "“": '"'})
_ELLIPSOID = Geod(ellps="WGS84")
_WINDS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place that coordinates may mean.

    Attributes:
        lon: degrees, −180 to 180.
        lat: degrees, −90 to 90.
        note: how they were taken where they can be taken otherwise too, without a stop; else empty.
    """

    lon: float
    lat: float
    note: str = ""

    @property
    def title(self) -> str:
        """The place in degrees, ``37.2° N, 75.9° W``."""
        north, east = "N" if self.lat >= 0 else "S", "E" if self.lon >= 0 else "W"
        return f"{abs(self.lat):.5g}° {north}, {abs(self.lon):.5g}° {east}"


@dataclass(frozen=True, kw_only=True)
class PlacedSpot:
    """The patch at a place.

    Attributes:
        patch: its id.
        spot: the place.
    """

    patch: int
    spot: Spot


def are_coordinates(text: str) -> bool:
    """Return whether a text has two numbers or more and no word, as coordinates have, be they right or not."""
    words = re.findall(r"[^\W\d_]+", text.translate(_SIGNS).upper())
    return len(re.findall(_NUMBER, text)) > 1 and all(len(word) == 1 or word in _LETTERS for word in words)


def read_spots(text: str, crs: str | None = None) -> tuple[Spot, ...]:
    """Return the places that coordinates may mean, the likeliest first.

    ``53.55, 9.99`` is latitude before longitude, as maps copy it, or else the other way round; with letters,
    ``9.99 E, 53.55 N``, any order holds. Minutes and seconds may follow degrees. ``32N 565000 5934000`` is UTM: the
    letter is that of a band of latitude (C to X), or says north or south. Two numbers alone may be of ``crs``.

    Args:
        text: the coordinates.
        crs: the reference system of the scene that they are looked up in, anything pyproj reads.

    Raises:
        SettingsError: when they are no coordinates.
    """
    asked = f"Looking up the place “{text.strip()[:60]}”"
    if len(text) > LONGEST_COORDINATES:
        raise SettingsError(asked, f"there are {len(text)} letters", _REMEDY)
    clean = " ".join(text.translate(_SIGNS).replace("''", '"').upper().split())
    if _DECIMAL_COMMAS.fullmatch(clean):
        clean = re.sub(r"(?<=\d),(?=\d)", ".", clean)
    if (match := _UTM.fullmatch(clean)) is not None:
        return _utm(int(match[1]), match[2], float(match[3]), float(match[4]), asked)
    if (match := _PAIR.fullmatch(clean)) is not None:
        return _pair(float(match[1]), float(match[2]), crs, asked)
    return (_lettered(clean, asked),)


def _pair(first: float, second: float, crs: str | None, asked: str) -> tuple[Spot, ...]:
    """Return what two numbers alone may mean: degrees in either order, or places of a reference system."""
    found = []
    if abs(first) <= 90 and abs(second) <= 180:
        found.append(Spot(lon=second, lat=first))
    if abs(second) <= 90 and abs(first) <= 180 and first != second:
        note = "taken as longitude before latitude, for only so it lies in the scene" if found else ""
        found.append(Spot(lon=first, lat=second, note=note))
    projected = crs is not None and CRS.from_user_input(crs).is_projected
    if crs is not None and projected and max(abs(first), abs(second)) > 360:
        for x, y in ((first, second), (second, first)):
            found += _of_system(crs, x, y)
    if found:
        return tuple(found)
    told = f"there is no latitude {first:g} with longitude {second:g}"
    raise SettingsError(asked, told, _REMEDY)


def _of_system(crs: str, x: float, y: float) -> list[Spot]:
    """Return the place of coordinates in a reference system, in which easting goes before northing; none where none."""
    try:
        lon, lat = _to_degrees(crs).transform(x, y)
    except ProjError:
        return []
    known = np.isfinite([lon, lat]).all() and abs(lat) <= 90
    return [Spot(lon=(float(lon) + 180) % 360 - 180, lat=float(lat))] if known else []


@lru_cache(maxsize=32)
def _to_degrees(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _utm(zone: int, letter: str, east: float, north: float, asked: str) -> tuple[Spot, ...]:
    """Return what UTM coordinates mean; the letter S is a band of the north, or says south."""
    if not 1 <= zone <= 60 or letter in "ABIOYZ":
        raise SettingsError(asked, f"there is no UTM zone {zone}{letter}", "give 1 to 60 with a letter C to X")
    if not 100_000 <= east < 1_000_000 or north > 10_000_000:
        found = f"{east:g} east, {north:g} north lies in no UTM zone"
        raise SettingsError(asked, found, "give the easting, six digits, before the northing, in metres")
    halves = {"S": (True, False)}.get(letter, (letter >= "N",))
    notes = {"S": ("taken for the band S, of the north", "taken for the south")}.get(letter, ("",))
    found_spots = [
        replace(spot, note=note)
        for is_north, note in zip(halves, notes, strict=True)
        for spot in _of_system(f"EPSG:{(32600 if is_north else 32700) + zone}", east, north)
    ]
    if not found_spots:
        raise SettingsError(asked, f"it lies nowhere in the UTM zone {zone}", _REMEDY)
    return tuple(found_spots)


def _lettered(clean: str, asked: str) -> Spot:
    """Return what two angles mean, by their letters where they have some."""
    if (match := _LETTERED.fullmatch(clean)) is not None:
        angles = [(match[1], match[2]), (match[3], match[4])]
    elif (match := _LED.fullmatch(clean)) is not None:
        angles = [(match[2], match[1]), (match[4], match[3])]
    elif (match := _MARKED.fullmatch(clean)) is not None:
        angles = [(match[1], ""), (match[2], "")]
    else:
        raise SettingsError(asked, "those are no coordinates", _REMEDY)
    numbers = [_degrees(angle, letter, asked) for angle, letter in angles]
    letters = [letter for _, letter in angles]
    if letters[0] in {"E", "W"} or letters[1] in {"N", "S"}:
        numbers.reverse()
        letters.reverse()
    if any(letters) and not (letters[0] in {"N", "S"} and letters[1] in {"E", "W"}):
        raise SettingsError(asked, "both are along the same axis", _REMEDY)
    lat, lon = numbers
    if abs(lat) > 90 or abs(lon) > 180:
        raise SettingsError(asked, f"there is no latitude {lat:g} with longitude {lon:g}", _REMEDY)
    return Spot(lon=lon, lat=lat)


def _degrees(angle: str, letter: str, asked: str) -> float:
    match = _ANGLE.fullmatch(angle.strip())
    if match is None:
        raise SettingsError(asked, f"“{angle.strip()}” is no angle", _REMEDY)
    whole, minutes, seconds = (float(part or 0) for part in match.groups()[1:])
    fraction = match[3] is not None and "." in match[2]
    if match[1] == "-" and letter:
        raise SettingsError(asked, f"“{angle.strip()} {letter}” has a minus and a letter", "leave one of the two out")
    if minutes >= 60 or seconds >= 60 or fraction:
        raise SettingsError(asked, f"“{angle.strip()}” is no angle in degrees, minutes and seconds", _REMEDY)
    sign = -1 if match[1] == "-" or letter in {"S", "W"} else 1
    return sign * (whole + minutes / 60 + seconds / 3600)


def find_spot(text: str, scene: Scene, grid: PatchGrid, table: PatchTable) -> PlacedSpot:
    """Return the encoded patch of a scene at coordinates; of several places that they may mean, the one in the scene.

    Raises:
        SettingsError: when they are no coordinates, or lie outside of the scene, whose place it then tells.
        PatchError: when the patch there is not encoded.
    """
    asked = f"Looking up the place “{text.strip()[:60]}”"
    bounds = bounds_lonlat(scene)
    if bounds is None:
        raise SettingsError(asked, "it is not known where this scene lies", "search by patches, words or a picture")
    spots = read_spots(text, scene.grid.crs)
    for spot in spots:
        patch = patch_at_lonlat(scene, grid, spot.lon, spot.lat, there=table.patch_ids)
        if patch is not None and table.holds(patch):
            return PlacedSpot(patch=patch, spot=spot)
        if patch_at_lonlat(scene, grid, spot.lon, spot.lat) is not None:
            why = " or lies outside of the area that is cut" if grid.cut.area else ""
            raise PatchError(asked, f"the patch there has too little data{why}", "choose a place beside it")
    raise SettingsError(asked, _outside(spots[0], bounds), "write a place in there")


def _outside(spot: Spot, bounds: Sequence[float]) -> str:
    """Return where a place lies beside a scene, and where the scene is."""
    west, south, east, north = bounds
    lon = spot.lon + 360 * round(((west + east) / 2 - spot.lon) / 360)
    near = min(max(lon, west), east), min(max(spot.lat, south), north)
    corners = [Spot(lon=(lon + 180) % 360 - 180, lat=lat).title for lat, lon in ((south, west), (north, east))]
    reaches = f"the scene reaches from {corners[0]} to {corners[1]}"
    turn, _, metres = _ELLIPSOID.inv(near[0], near[1], lon, spot.lat)
    if metres < 1:
        return f"no patch lies there; {reaches}"
    wind = _WINDS[round((turn % 360) / 45) % 8]
    away = f"{metres / 1000:,.0f} km" if metres >= 10_000 else f"{metres / 1000:.1f} km"
    return f"{spot.title} lies {away} {wind} of the scene; {reaches}"
