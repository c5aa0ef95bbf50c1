"""Names of countries and places, which of them a map shows, and where a spot lies in words."""

from __future__ import annotations

import csv
import gzip
import io
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.imagery.ground.shapes import BORDERS, LAKES, LAND, NEAR_DETAIL, cells_in, rings_in
from core.scenes.geobox import METRES_PER_DEGREE
from core.scenes.webmercator import tile_square

PLACES_FILE = Path(__file__).with_name("places.csv.gz")
NAMES_ZOOM = 11
"""The nearest zoom that names are asked for; one tile of it holds them all."""
_MOST, _ALL = 24, 400
_COUNTRIES = (1, 5)
"""Zooms of tiles at which countries are named."""
_RANK_AT = 4
"""Rank of countries, 2 to 7, that are named at zoom 2 and below; one more a zoom."""
_LEAST_PEOPLE = {0: 8e6, 1: 3e6, 2: 1e6, 3: 5e5, 4: 2e5, 5: 5e4, 6: 2e4}
_CAPITAL = 4.0
"""How many times as many people a capital counts."""
_FAR, _CLOSE = 500.0, 2.0
"""Kilometres beyond which nothing is named, and below which a place is simply near."""
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True)
class Place:
    """A name on the map: of a ``country``, a ``capital`` or another ``place``, and where it stands, degrees."""

    kind: str
    name: str
    latitude: float
    longitude: float
    country: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gazetteer:
    """All names as rows of the file; ``size`` is people, or the rank of a country."""

    rows: list[list[str]]
    country: NDArray[np.bool_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    size: NDArray[np.float64]

    def place(self, number: int) -> Place:
        """Return one of them."""
        kind, name, latitude, longitude, _, country = self.rows[number]
        return Place(kind, name, float(latitude), float(longitude), country)


@lru_cache(maxsize=1)
def _gazetteer() -> _Gazetteer:
    text = gzip.decompress(PLACES_FILE.read_bytes()).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    columns = list(zip(*rows, strict=True))
    latitude, longitude, size = (np.array(columns[number], np.float64) for number in (2, 3, 4))
    kind = np.array(columns[0])
    return _Gazetteer(
        rows=rows,
        country=kind == "country",
        latitude=latitude,
        longitude=longitude,
        size=np.where(kind == "capital", _CAPITAL, 1.0) * size,
    )


def names_in_tile(z: int, x: int, y: int) -> list[Place]:
    """Return what a map names in a tile, the most important first.

    Args:
        z: zoom, 0 to ``NAMES_ZOOM``.
        x: column, 0 to 2^z − 1 from the antimeridian eastward.
        y: row, 0 to 2^z − 1 from the north.
    """
    known, square = _gazetteer(), tile_square(z, x, y)
    west, east = (-180 + 360 * column / 2**z for column in (x, x + 1))
    north, south = (_latitude(square.top - metres) for metres in (0.0, square.pixel * 256))
    here = (known.longitude >= west) & (known.longitude < east) & (known.latitude > south) & (known.latitude <= north)
    countries = np.flatnonzero(here & known.country & (known.size <= _RANK_AT + max(0, z - 1)))
    if not _COUNTRIES[0] <= z <= _COUNTRIES[1]:
        countries = countries[:0]
    places = np.flatnonzero(here & ~known.country & (known.size >= _LEAST_PEOPLE.get(z, 0.0)))
    places = places[np.argsort(-known.size[places], kind="stable")][: _ALL if z == NAMES_ZOOM else _MOST]
    return [known.place(number) for number in (*countries.tolist(), *places.tolist())]


def _latitude(metres: float) -> float:
    return math.degrees(math.atan(math.sinh(metres / 6378137.0)))


def whereabouts(latitude: float, longitude: float) -> str:
    """Return where a spot lies: ``8 km south-east of Norfolk, United States; 3 km from the coast``.

    Distances to coasts and borders are those of 1 : 10 million, whole kilometres.
    """
    place = nearest_place(latitude, longitude)
    parts = [] if place is None else [_from_place(*place)]
    away = [(_away(LAND, latitude, longitude), "the coast"), (_away(BORDERS, latitude, longitude), "a border")]
    km, words = min(away)
    if km < _FAR:
        parts.append(_from_line(km, words))
    if not parts:
        return f"More than {_FAR:.0f} km from any place" + ("" if on_land(latitude, longitude) else ", at sea")
    return "; ".join(parts)


def nearest_place(latitude: float, longitude: float) -> tuple[Place, float, str] | None:
    """Return the nearest place, kilometres to it, and the wind it is left towards; None beyond 500 km."""
    known = _gazetteer()
    north = np.radians(known.latitude)
    here = math.radians(latitude)
    east = np.radians(longitude - known.longitude)
    inner = np.sin((here - north) / 2) ** 2 + np.cos(north) * math.cos(here) * np.sin(east / 2) ** 2
    km = 2 * 6371.0 * np.arcsin(np.sqrt(np.clip(inner, 0, 1)))
    best = int(np.argmin(np.where(known.country, np.inf, km)))
    if km[best] > _FAR:
        return None
    up = math.cos(north[best]) * math.sin(here) - math.sin(north[best]) * math.cos(here) * math.cos(east[best])
    bearing = math.degrees(math.atan2(math.sin(east[best]) * math.cos(here), up))
    return known.place(best), float(km[best]), _WINDS[round(bearing / 45) % 8]


def _from_place(place: Place, km: float, wind: str) -> str:
    named = f"{place.name}, {place.country}" if place.country else place.name
    return f"near {named}" if km < _CLOSE else f"{km:.0f} km {wind} of {named}"


def _from_line(km: float, words: str) -> str:
    return f"near {words}" if km < _CLOSE else f"{km:.0f} km from {words}"


def on_land(latitude: float, longitude: float) -> bool:
    """Return whether a spot is land at 1 : 10 million, and neither sea nor lake."""
    crossed = 0
    bounds = (longitude, latitude, longitude + 1e-9, latitude + 1e-9)
    for layer in (LAND, LAKES):
        crossed += sum(_crossings(ring.places, latitude, longitude) for ring in rings_in(layer, NEAR_DETAIL, bounds))
    return crossed % 2 == 1


def _crossings(places: NDArray[np.float64], latitude: float, longitude: float) -> int:
    """Return how often a ring is crossed on the way east."""
    x, y = places.T
    above = y > latitude
    steps = np.flatnonzero(above[1:] != above[:-1])
    share = (latitude - y[steps]) / (y[steps + 1] - y[steps])
    return int((x[steps] + share * (x[steps + 1] - x[steps]) > longitude).sum())


def _away(layer: str, latitude: float, longitude: float) -> float:
    """Return kilometres to the nearest line of a layer, in cells around the spot; infinite where there is none."""
    narrow = max(0.02, math.cos(math.radians(latitude)))
    best = math.inf
    for degrees in (0.3, 1.0, 5.0):
        reach = degrees * METRES_PER_DEGREE / 1000
        best = min(best, _nearest(layer, latitude, longitude, narrow, degrees))
        if best <= reach:
            return best
    return math.inf


def _nearest(layer: str, latitude: float, longitude: float, narrow: float, degrees: float) -> float:
    wide = min(degrees / narrow, 180.0)
    best = math.inf
    for turn in (-360.0, 0.0, 360.0):
        lon = longitude + turn
        bounds = (lon - wide, latitude - degrees, lon + wide, latitude + degrees)
        if not cells_in(NEAR_DETAIL, bounds):
            continue
        for ring in rings_in(layer, NEAR_DETAIL, bounds):
            best = min(best, _to_line(ring.places, ring.real, latitude, lon, narrow))
    return best * METRES_PER_DEGREE / 1000


def _to_line(
    places: NDArray[np.float64], real: NDArray[np.bool_], latitude: float, longitude: float, narrow: float
) -> float:
    """Return degrees of a meridian to the nearest step of a line, on a plane: near enough for some hundred km."""
    at = (places - [longitude, latitude]) * [narrow, 1.0]
    begin, along = at[:-1][real], np.diff(at, axis=0)[real]
    if not len(begin):
        return math.inf
    length = np.maximum((along**2).sum(axis=1), 1e-18)
    share = np.clip(-(begin * along).sum(axis=1) / length, 0, 1)
    return float(np.sqrt(((begin + share[:, None] * along) ** 2).sum(axis=1).min()))
