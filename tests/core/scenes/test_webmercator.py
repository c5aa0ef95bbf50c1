from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from core.scenes.geobox import GeoBox
from core.scenes.webmercator import (
    MAX_LATITUDE,
    WORLD,
    Footprint,
    footprint,
    inverse_mercator,
    mercator_y,
    rowcol,
    rowcol_lonlat,
    source_positions,
    tile_square,
)
from tests.mapped import UTM33

GRID = GeoBox(crs="EPSG:32633", transform=UTM33, height=10_980, width=10_980)


@given(st.floats(-85, 85), st.floats(-180, 180))
def test_mercator_is_pyprojs(lat: float, lon: float) -> None:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(lon, lat)
    assert mercator_y(np.array([lat]))[0] == pytest.approx(y, abs=1e-3)
    back = inverse_mercator(np.array([x]), np.array([y]))
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=1e-9)


def test_mercator_is_cut_where_the_tiles_end() -> None:
    assert mercator_y(np.array([90.0, MAX_LATITUDE, -90.0])) == pytest.approx([WORLD / 2, WORLD / 2, -WORLD / 2])


def test_tiles_divide_the_world() -> None:
    whole, last = tile_square(0, 0, 0), tile_square(3, 7, 7)
    assert (whole.left, whole.top, whole.pixel * 256) == pytest.approx((-WORLD / 2, WORLD / 2, WORLD))
    assert last.left + 256 * last.pixel == pytest.approx(WORLD / 2)
    assert last.top - 256 * last.pixel == pytest.approx(-WORLD / 2)


def test_pixels_of_a_box_are_those_it_touches() -> None:
    square = tile_square(0, 0, 0)
    step = square.pixel
    box = Footprint(
        square.left + 2.5 * step, square.top - 7.1 * step, square.left + 4.1 * step, square.top - 3.9 * step
    )
    assert square.pixels_of(box, 0.0) == (3, 8, 2, 5)
    assert square.pixels_of(box, WORLD) is None


def test_interpolated_positions_are_the_exact_ones() -> None:
    for z, x, y in ((8, 137, 90), (11, 1102, 728), (15, 17639, 11656)):
        xs, ys = tile_square(z, x, y).centres((0, 256, 0, 256))
        rows, cols = source_positions(GRID, xs, ys)
        exact_rows, exact_cols = rowcol(GRID, *np.meshgrid(xs, ys))
        # In pixels of the tile.
        scale = abs(exact_cols[128, 129] - exact_cols[128, 128])
        assert np.abs(rows - exact_rows).max() / scale < 0.1
        assert np.abs(cols - exact_cols).max() / scale < 0.1


def test_positions_from_degrees_and_from_metres_agree() -> None:
    lon, lat = np.array([14.2, 15.0]), np.array([45.9, 45.5])
    metres = rowcol(GRID, np.radians(lon) * 6378137.0, mercator_y(lat))
    np.testing.assert_allclose(np.array(rowcol_lonlat(GRID, lon, lat)), np.array(metres), atol=1e-3)


def test_a_footprint_holds_every_corner() -> None:
    west, south, east, north = footprint(GRID).lonlat()
    back = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    for row in (0, 10_980):
        for col in (0, 10_980):
            lon, lat = back.transform(*GRID.xy(np.array(float(row)), np.array(float(col))))
            assert west - 1e-9 <= lon <= east + 1e-9
            assert south - 1e-9 <= lat <= north + 1e-9


def test_a_scene_with_a_pole_spans_all_longitudes() -> None:
    for crs, sign in (("EPSG:3995", 1), ("EPSG:3031", -1)):
        box = footprint(GeoBox(crs=crs, transform=(4000.0, 0, -1.2e6, 0, -4000.0, 1.2e6), height=600, width=600))
        assert box.right - box.left == pytest.approx(WORLD)
        assert (box.top if sign > 0 else -box.bottom) == pytest.approx(WORLD / 2)


def test_places_outside_of_a_projection_are_far_outside() -> None:
    rows, cols = rowcol_lonlat(GRID, np.array([-165.0, 105.0]), np.array([0.0, 0.0]))
    assert (np.maximum(np.abs(rows), np.abs(cols)) > 20_000).all()
