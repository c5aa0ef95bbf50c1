"""The one grid class: what it covers, what it overlaps, and which affines are no place."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.warp import transform as warp_points

from core.scenes.geobox import UNPLACED, GeoBox, outlines_lonlat, pixel_metres, usable_transform

TARGET = Affine(10, 0, 400_000, 0, -10, 5_000_000)


@pytest.mark.parametrize("angle", [0, 33, 90])
def test_north_up_covers_the_geobox(angle: float) -> None:
    geobox = GeoBox(
        crs=None, transform=tuple(TARGET @ Affine.rotation(angle) @ Affine.scale(1, 1))[:6], height=50, width=70
    )
    grid = geobox.north_up()
    for col, row in ((0, 0), (70, 0), (70, 50), (0, 50)):
        x, y = ~grid.affine @ (geobox.affine @ (col, row))
        assert -1e-6 <= x <= grid.width + 1e-6
        assert -1e-6 <= y <= grid.height + 1e-6


@pytest.mark.parametrize(
    ("size", "origin", "height", "width", "covered"),
    [
        (10, (400_000, 5_000_000), 50, 70, True),
        (20, (399_990, 5_000_010), 26, 36, True),
        (20, (400_000, 5_000_000), 24, 35, False),
        (60, (400_010, 5_000_000), 9, 12, False),
        (60, (399_950, 4_999_999), 9, 13, False),
    ],
)
def test_covering(size: int, origin: tuple[int, int], height: int, width: int, covered: bool) -> None:
    other = GeoBox(crs=None, transform=tuple(TARGET)[:6], height=50, width=70)
    place = Affine(size, 0, origin[0], 0, -size, origin[1])
    assert GeoBox(crs=None, transform=tuple(place)[:6], height=height, width=width).covers(other) == covered


def test_usable_transforms() -> None:
    assert usable_transform(tuple(TARGET)[:6])
    assert usable_transform((1e-4, 0, 13, 0, -1e-4, 45))
    assert not usable_transform((0, 0, 0, 0, 0, 0))
    assert not usable_transform((float("nan"), 0, 0, 0, -10, 0))
    assert not usable_transform((1, 2, 3))


def test_a_count_of_pixels_is_no_place() -> None:
    assert not GeoBox(crs=None, transform=UNPLACED, height=5, width=7).placed
    assert GeoBox(crs=None, transform=tuple(TARGET)[:6], height=5, width=7).placed


def test_what_is_written_of_a_grid_stays_the_same() -> None:
    box = GeoBox(crs="EPSG:32633", transform=tuple(TARGET)[:6], height=5, width=7)
    assert list(asdict(box)) == ["crs", "transform", "height", "width"]


@pytest.mark.parametrize(("right", "down", "shared"), [(0, 0, True), (69, 49, True), (70, 0, False), (0, 50, False)])
def test_overlap(right: int, down: int, shared: bool) -> None:
    one = GeoBox(crs=None, transform=tuple(TARGET)[:6], height=50, width=70)
    moved = TARGET @ Affine.translation(right, down)
    other = GeoBox(crs=None, transform=tuple(moved)[:6], height=50, width=70)
    assert one.overlaps(other) == other.overlaps(one) == shared


def test_a_raster_without_a_place_is_laid_over_another() -> None:
    coarse = GeoBox(crs=None, transform=UNPLACED, height=25, width=35)
    fine = GeoBox(crs="EPSG:32633", transform=tuple(TARGET)[:6], height=50, width=70)
    laid = coarse.stretched_to(fine)
    assert laid.same_extent(fine, 1e-6)
    assert (laid.crs, laid.pixel_size) == ("EPSG:32633", pytest.approx(20))


def test_outlines_are_rasterios_and_do_not_jump() -> None:
    xs = np.array([[819_000.0, 840_000.0, 840_000.0, 819_000.0]])
    ys = np.array([[8_200_000.0, 8_200_000.0, 8_190_000.0, 8_190_000.0]])
    found = outlines_lonlat("EPSG:32760", xs, ys)[0]
    lons, lats = warp_points("EPSG:32760", "EPSG:4326", xs[0], ys[0])
    np.testing.assert_allclose(found[:, 1], lats, atol=1e-9)
    np.testing.assert_allclose((found[:, 0] - lons + 180) % 360, 180, atol=1e-9)
    assert np.ptp(found[:, 0]) < 1
    assert np.ptp(lons) > 300


def square_around(crs: str, lon: float, lat: float, side: float) -> GeoBox:
    """A hundred pixels a side around a place."""
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    return GeoBox(crs=crs, transform=(side, 0, x - 50 * side, 0, -side, y + 50 * side), height=100, width=100)


@pytest.mark.parametrize(
    ("crs", "place", "side", "metres"),
    [
        ("EPSG:3857", (15, 60), 10, (5.0, 5.0)),
        ("EPSG:3857", (15, 0), 10, (10.0, 10.0)),
        ("EPSG:32633", (15, 60), 10, (10.0, 10.0)),
        ("EPSG:4326", (15, 60), 10 / 111_320, (5.0, 10.0)),
        ("EPSG:2263", (-74, 40.7), 32.8083, (10.0, 10.0)),
    ],
)
def test_pixels_are_measured_on_the_ground_whatever_the_map_stretches(
    crs: str, place: tuple[float, float], side: float, metres: tuple[float, float]
) -> None:
    assert pixel_metres(square_around(crs, *place, side)) == pytest.approx(metres, rel=0.01)


def test_pixels_that_are_nowhere_have_no_size() -> None:
    assert pixel_metres(GeoBox(crs=None, transform=UNPLACED, height=5, width=7)) is None
    nowhere = GeoBox(crs="EPSG:32631", transform=(10, 0, 1e30, 0, -10, 1e30), height=5, width=7)
    assert pixel_metres(nowhere) is None
