from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon

from core.scenes.cut import Cut
from core.scenes.geobox import outlines_lonlat
from core.scenes.library import Library
from core.scenes.location import bounds_lonlat, left_over_outlines, outlines, patch_at_lonlat
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.mapped import add_collection, add_mapped, square_corners
from tests.scenes import add_scene

PLACES = [(10.0, 46.0), (10.1, 46.0), (-8.0, 40.0), (24.0, 60.0), (10.004, 46.001)]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


@pytest.fixture
def collection(library: Library) -> Scene:
    return add_collection(library, [square_corners(*place) for place in PLACES])


def test_every_patch_is_found_at_its_own_centre(library: Library) -> None:
    for scene_id, crs, transform in (
        ("utm", "EPSG:32633", (10.0, 0.0, 400_000.0, 0.0, -10.0, 5_100_000.0)),
        ("line", "EPSG:32660", (10.0, 0.0, 814_945.0, 0.0, -10.0, 1_826_548.0)),
        ("degrees", "EPSG:4326", (1e-4, 0.0, 179.97, 0.0, -1e-4, 10.0)),
        ("pole", "EPSG:3995", (10.0, 0.0, -3000.0, 0.0, -10.0, 2500.0)),
    ):
        scene = add_mapped(library, scene_id, crs=crs, transform=transform)
        grid = patch_grid(scene)
        centres = centres_lonlat(scene, grid, np.arange(grid.count))
        assert centres is not None
        found = [patch_at_lonlat(scene, grid, lon, lat) for lon, lat in centres]
        assert found == list(range(grid.count)), scene_id


def test_beside_the_scene_there_is_no_patch(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    for lon, lat in ((0.0, 0.0), (-165.0, -46.0), (13.0, 46.0), (math.nan, 46.0), (13.7, 91.0)):
        assert patch_at_lonlat(scene, grid, lon, lat) is None
    nowhere = add_mapped(library, "m-2", crs=None)
    assert patch_at_lonlat(nowhere, grid, 13.7, 46.0) is None
    assert bounds_lonlat(nowhere) is None
    assert np.isnan(outlines(nowhere, grid, np.arange(2))).all()


def test_a_turn_around_the_earth_changes_nothing(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    lon, lat = centres_lonlat(scene, grid, np.array([7]))[0]  # type: ignore[index]
    assert patch_at_lonlat(scene, grid, lon + 360, lat) == patch_at_lonlat(scene, grid, lon - 360, lat) == 7


def test_outlines_lie_inside_the_bounds_even_across_the_antimeridian(library: Library) -> None:
    scene = add_mapped(library, crs="EPSG:32660", transform=(10.0, 0.0, 814_945.0, 0.0, -10.0, 1_826_548.0))
    grid = patch_grid(scene)
    west, south, east, north = bounds_lonlat(scene)  # type: ignore[misc]
    corners = outlines(scene, grid, np.arange(grid.count))
    assert west - 1e-6 <= corners[..., 0].min() < corners[..., 0].max() <= east + 1e-6
    assert south - 1e-6 <= corners[..., 1].min() < corners[..., 1].max() <= north + 1e-6


def test_bounds_of_a_collection_hold_its_patches(collection: Scene) -> None:
    west, south, east, north = bounds_lonlat(collection)  # type: ignore[misc]
    assert (west, south) == pytest.approx((-8.0, 40.0), abs=0.01)
    assert (east, north) == pytest.approx((24.0, 60.0), abs=0.01)


def test_bounds_of_a_collection_take_the_short_way_round(library: Library) -> None:
    scene = add_collection(library, [square_corners(lon, 10.0) for lon in (178.0, -179.0, 179.9999)])
    west, _, east, _ = bounds_lonlat(scene)  # type: ignore[misc]
    assert (west, east) == pytest.approx((178.0, 181.0), abs=0.02)
    corners = outlines(scene, patch_grid(scene), np.arange(3))
    assert corners[..., 0].min() >= west - 1e-9
    assert corners[..., 0].max() <= east + 1e-9


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lon=st.floats(9.99, 10.12), lat=st.floats(45.99, 46.01))
def test_the_patch_of_a_collection_is_the_polygon_around_the_place(collection: Scene, lon: float, lat: float) -> None:
    from shapely import Point

    shapes = [Polygon(square_corners(*place)) for place in PLACES]
    holding = [index for index, shape in enumerate(shapes) if shape.contains(Point(lon, lat))]
    found = patch_at_lonlat(collection, patch_grid(collection), lon, lat)
    assert found in (holding or [None])
    assert (found is None) == (not holding)


@pytest.mark.parametrize("cut", [Cut.of(64), Cut.of(60), Cut.of(100, 30), Cut.of(60, edge="cover")])
def test_strips_left_over_are_just_where_no_patch_is(tmp_path: Path, cut: Cut) -> None:
    scene = add_scene(Library(tmp_path), height=256, width=330)
    grid = patch_grid(scene, cut)
    strips = left_over_outlines(scene, grid)
    rng = np.random.default_rng(0)
    rows, cols = rng.uniform(0, 256, 400), rng.uniform(0, 330, 400)
    (lon, lat) = outlines_lonlat("EPSG:32631", *(part[:, None] for part in scene.grid.xy(rows, cols)))[:, 0].T
    shapes = [Polygon(ring) for ring in strips]
    for number, place in enumerate(zip(lon, lat, strict=True)):
        inside = any(shape.contains(Point(place)) for shape in shapes)
        assert inside == (grid.patch_at(rows[number], cols[number]) is None)
    assert bool(len(strips)) == (grid.left_over != (0, 0))


def test_near_a_patch_of_a_collection_is_enough_within_reach(collection: Scene) -> None:
    grid = patch_grid(collection)
    assert patch_at_lonlat(collection, grid, 24.05, 60.0) is None
    assert patch_at_lonlat(collection, grid, 24.05, 60.0, reach=1000) is None
    assert patch_at_lonlat(collection, grid, 24.05, 60.0, reach=5000) == 3
    assert patch_at_lonlat(collection, grid, 24.05 - 360, 60.0, reach=5000) == 3


def test_patches_without_a_place_are_passed_over(library: Library) -> None:
    unknown = np.full((4, 2), np.nan)
    scene = add_collection(library, [unknown, square_corners(5.0, 50.0), unknown])
    assert patch_at_lonlat(scene, patch_grid(scene), 5.0, 50.0) == 1
    assert bounds_lonlat(scene)[0] == pytest.approx(5.0, abs=0.01)  # type: ignore[index]
    nowhere = add_collection(library, [unknown], "c-2")
    assert bounds_lonlat(nowhere) is None
    assert patch_at_lonlat(nowhere, patch_grid(nowhere), 5.0, 50.0, reach=1e9) is None
