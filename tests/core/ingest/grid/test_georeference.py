"""Ground size of pixels, whatever the map stretches."""

from __future__ import annotations

import math

import pytest
from pyproj import Transformer

from core.ingest.grid.georeference import pixel_metres
from core.scenes.geobox import GeoBox


def grid(crs: str, lat: float, side: float) -> GeoBox:
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(15.0, lat)
    return GeoBox(crs=crs, transform=(side, 0, x - 50 * side, 0, -side, y + 50 * side), height=100, width=100)


@pytest.mark.parametrize(
    ("crs", "lat", "side", "metres"),
    [
        ("EPSG:3857", 60, 10, 5.0),
        ("EPSG:3857", 0, 10, 10.0),
        ("EPSG:32633", 60, 10, 10.0),
        ("EPSG:4326", 60, 10 / 111_320, 10.0),
        ("EPSG:2263", 41, 32.8083, 10.0),
    ],
)
def test_on_the_ground(crs: str, lat: float, side: float, metres: float) -> None:
    width, height = pixel_metres(grid(crs, lat, side) if crs != "EPSG:2263" else new_york(side))
    assert math.isclose(height, metres, rel_tol=0.01)
    assert math.isclose(width, metres / 2 if crs == "EPSG:4326" else metres, rel_tol=0.01)


def new_york(side: float) -> GeoBox:
    """A place in feet."""
    return GeoBox(crs="EPSG:2263", transform=(side, 0, 980_000, 0, -side, 200_000), height=100, width=100)
