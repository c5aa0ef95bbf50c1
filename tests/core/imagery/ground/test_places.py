"""Names and where a spot lies, against the ellipsoid of pyproj and what atlases say."""

from __future__ import annotations

import pytest
from pyproj import Geod

from core.imagery.ground.places import _away, names_in_tile, nearest_place, on_land, whereabouts
from core.imagery.ground.shapes import BORDERS, LAND
from tests.mapped import tile_at

PORTS = {
    "Lisbon": (38.72, -9.14), "Dakar": (14.69, -17.45), "Sydney": (-33.87, 151.21), "Mumbai": (19.08, 72.88),
    "Reykjavik": (64.15, -21.94), "Vancouver": (49.28, -123.12), "Lima": (-12.05, -77.04), "Suva": (-18.14, 178.44),
    "Honolulu": (21.31, -157.86), "Cape Town": (-33.93, 18.42), "Tokyo": (35.68, 139.76), "Norfolk": (36.85, -76.29),
}  # fmt: skip


@pytest.mark.parametrize("name", PORTS)
def test_ports_lie_on_the_coast(name: str) -> None:
    assert _away(LAND, *PORTS[name]) < 20


@pytest.mark.parametrize(
    ("latitude", "longitude", "low", "high"),
    [(46.8, 86.7, 2300, 2700), (39.1, -94.6, 900, 1200), (48.14, 11.58, 250, 330), (30.0, -40.0, 1000, 2500)],
)
def test_far_from_the_coast(latitude: float, longitude: float, low: float, high: float) -> None:
    """Nothing is said of what is farther than some hundred kilometres; of the rest, what maps say."""
    away = _away(LAND, latitude, longitude)
    assert low < away < high or away == float("inf")
    assert (away == float("inf")) == (low > 555)


def test_borders_and_the_antimeridian() -> None:
    assert _away(BORDERS, 47.56, 7.59) < 6, "Basel lies where three countries meet"
    assert _away(LAND, -16.8, -179.999) == pytest.approx(_away(LAND, -16.8, 179.999), abs=1.5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "land"),
    [
        (48.1, 11.6, True),
        (36.9, -75.0, False),
        (-1.0, 33.0, False),
        (42.0, 51.0, False),
        (90, 0, False),
        (-90, 0, True),
    ],
)
def test_land_and_water(latitude: float, longitude: float, land: bool) -> None:
    assert on_land(latitude, longitude) is land


@pytest.mark.parametrize("spot", [(37.62, -75.66), (46.05, 10.1), (-23.0, 133.0), (64.5, 100.0), (-16.9, -179.95)])
def test_distance_and_wind_are_those_of_the_ellipsoid(spot: tuple[float, float]) -> None:
    found = nearest_place(*spot)
    assert found is not None
    place, km, wind = found
    bearing, _, metres = Geod(ellps="WGS84").inv(place.longitude, place.latitude, spot[1], spot[0])
    assert km == pytest.approx(metres / 1000, rel=0.006)
    winds = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]
    assert wind == winds[round(bearing / 45) % 8]


def test_where_in_words() -> None:
    assert "km " in whereabouts(37.62, -75.66)
    assert whereabouts(37.62, -75.66).endswith("United States; near the coast")
    assert whereabouts(48.85, 2.35).startswith("near Paris, France")
    assert whereabouts(-45.0, -130.0) == "More than 500 km from any place, at sea"
    assert "near a border" in whereabouts(47.56, 7.59)


def test_a_tile_names_what_matters_first() -> None:
    world = [place.name for place in names_in_tile(0, 0, 0)]
    assert {"Tokyo", "London", "Cairo"} <= set(world)
    x, y = tile_at(10.0, 50.0, 4)
    europe = names_in_tile(4, x, y)
    assert ("country", "Germany") in {(place.kind, place.name) for place in europe}
    assert next(place for place in europe if place.kind != "country").kind == "capital"
    x, y = tile_at(11.58, 48.14, 11)
    assert "Munich" in {place.name for place in names_in_tile(11, x, y)}
