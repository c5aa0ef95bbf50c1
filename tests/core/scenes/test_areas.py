"""Ground under patches: by the ellipsoid, once where patches overlap, without what is not valid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Geod

from core.export.geometry import polygons
from core.scenes.areas import cell_ground, patch_areas, quadrilateral_areas
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.outline_areas import outline_hectares, patch_hectares
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.fakes import place_scene
from tests.mapped import add_collection, square_corners
from tests.scenes import add_scene

PLACES = {
    "UTM": ("EPSG:32632", (10.0, 0, 500_000, 0, -10.0, 5_000_000)),
    "web Mercator at 60° north": ("EPSG:3857", (10.0, 0, 1_000_000, 0, -10.0, 8_399_737)),
    "degrees": ("EPSG:4326", (1e-4, 0, 9.0, 0, -1e-4, 53.0)),
    "degrees across the antimeridian": ("EPSG:4326", (1e-4, 0, 179.99, 0, -1e-4, -17.0)),
    "the pole": ("EPSG:3995", (30.0, 0, -4800, 0, -30.0, 4800)),
    "turned": ("EPSG:32632", (8.0, 6.0, 500_000, 6.0, -8.0, 5_000_000)),
}


def unread(crs: str | None, transform: tuple[float, ...], side: int = 320) -> Scene:
    """A scene of which only the place is known."""
    return Scene(id="s", name="s", bands=("B02",), grid=GeoBox(crs=crs, transform=transform, height=side, width=side))


@pytest.mark.parametrize(("crs", "transform"), PLACES.values(), ids=list(PLACES))
def test_areas_are_those_of_the_ellipsoid(crs: str, transform: tuple[float, ...]) -> None:
    scene = unread(crs, transform)
    grid, ids = patch_grid(scene), np.arange(25)
    found = patch_areas(scene, grid)
    corners = corners_lonlat(scene, grid, ids)
    assert found is not None
    assert corners is not None
    geod = Geod(ellps="WGS84")
    wanted = [abs(geod.polygon_area_perimeter(one[:, 0], one[:, 1])[0]) for one in corners]
    if crs == "EPSG:3995":  # A geodesic polygon that holds the pole is none; the others are.
        middle = 12
        wanted[middle] = found.each[middle]
    np.testing.assert_allclose(found.of(ids), wanted, rtol=1e-5)


def test_large_patches_are_not_taken_for_flat() -> None:
    scene = unread("EPSG:4326", (0.25, 0, -180.0, 0, -0.25, 90.0), 256)
    found = patch_areas(scene, patch_grid(scene))
    band = 2 * np.pi * 6_371_007.2**2 * (1 - np.sin(np.radians(90 - 16))) * 16 / 360
    assert found is not None
    assert found.each[0] == pytest.approx(band, rel=0.01), "a sphere of equal surface differs by half a per cent"
    lon, lat = np.meshgrid(np.linspace(-180, -164, 801), np.linspace(90, 74, 801))
    assert found.each[0] == pytest.approx(quadrilateral_areas(lon, lat).sum(), rel=2e-5)


@pytest.mark.parametrize("cut", [Cut.of(64, 32), Cut.of(64, edge="cover"), Cut.of(64, 40, edge="cover")])
def test_ground_that_several_patches_show_counts_once(cut: Cut) -> None:
    scene = unread("EPSG:32632", PLACES["UTM"][1], 300)
    grid = patch_grid(scene, cut)
    found = patch_areas(scene, grid)
    assert found is not None
    chosen = np.random.default_rng(0).permutation(grid.count)[: grid.count // 2]
    painted = np.zeros((300, 300), bool)
    for patch in chosen.tolist():
        top, left, height, width = grid.window(patch)
        painted[top : top + height, left : left + width] = True
    assert found.together(chosen) == pytest.approx(painted.sum() * found.each.mean() / 64**2, rel=1e-5)
    assert found.together(chosen) < found.of(chosen).sum()
    assert found.together(chosen[:0]) == 0


@pytest.mark.parametrize("cut", [Cut.of(64), Cut.of(64, 32)])
def test_only_valid_pixels_count_where_they_are_told(tmp_path: Path, cut: Cut) -> None:
    scene = place_scene(tmp_path, empty=(slice(0, 10), slice(0, 100)))
    grid = patch_grid(scene, cut)
    whole, mask, ids = patch_areas(scene, grid), np.ones((128, 160), bool), np.array([0, 1])
    mask[:10, :100] = False
    windows = [grid.window(patch) for patch in range(grid.count)]
    valid = np.array([mask[top : top + 64, left : left + 64].mean() for top, left, _, _ in windows])
    found = patch_areas(scene, grid, valid)
    assert whole is not None
    assert found is not None
    pixel = whole.each[0] / 64**2
    np.testing.assert_allclose(found.of(ids), whole.of(ids) * valid[ids])
    np.testing.assert_allclose(found.whole(ids), whole.of(ids))
    assert (whole.partial(ids), found.partial(ids)) == (0, 2)
    seen = np.zeros_like(mask)
    for patch in ids.tolist():
        top, left, _, _ = windows[patch]
        seen[top : top + 64, left : left + 64] = True
    assert found.together(ids) == pytest.approx((seen & mask).sum() * pixel, rel=1e-5)
    if not found.overlapping:
        assert found.standing(ids).sum() == pytest.approx((seen & mask).sum() * pixel, rel=1e-5)
    ground = cell_ground(scene, grid, whole=False)
    assert ground is not None
    assert ground.shape == (-(-128 // cut.stride), -(-(64 * 2 if cut.stride == 64 else 160) // cut.stride))
    assert ground[0, 0] == pytest.approx(mask[: cut.stride, : cut.stride].sum() * pixel, rel=1e-5)


@pytest.mark.parametrize("cut", [Cut.of(64, 32), Cut.of(64, edge="cover"), Cut.of(64, 40, edge="cover")])
def test_the_ground_that_each_patch_of_a_grid_stands_for_is_that_of_outlines(cut: Cut) -> None:
    scene = unread("EPSG:32632", PLACES["UTM"][1], 300)
    grid = patch_grid(scene, cut)
    found, ids = patch_areas(scene, grid), np.arange(grid.count)
    corners = corners_lonlat(scene, grid, ids)
    assert found is not None
    assert corners is not None
    np.testing.assert_allclose(found.standing(ids), patch_hectares(polygons(corners)) * 1e4, rtol=2e-3)
    assert found.standing(ids).sum() == pytest.approx(found.together(ids), rel=1e-6)
    some = ids[ids != 1]
    assert found.standing(some).sum() == pytest.approx(found.together(some), rel=1e-4)


def test_ground_that_pictures_of_a_collection_share_counts_once(tmp_path: Path) -> None:
    """Two pictures of one place, one that covers half of it, and one elsewhere, of 64 × 64 pixels of 10 m."""
    east = square_corners(9.0 + 320 / (111_320 * np.cos(np.radians(52))), 52.0)
    corners = [square_corners(9.0, 52.0), square_corners(9.0, 52.0), east, square_corners(12.0, 50.0)]
    scene = add_collection(Library(tmp_path), corners)
    found = patch_areas(scene, patch_grid(scene))
    assert found is not None
    assert found.overlapping
    one = 640 * 640
    assert found.of(np.arange(4)).sum() == pytest.approx(4 * one, rel=0.01)
    for ids, squares in (([0, 1], 1), ([0, 2], 1.5), ([0, 1, 2, 3], 2.5), ([1], 1), ([], 0)):
        assert found.together(np.array(ids, np.int64)) == pytest.approx(squares * one, rel=0.01)
    assert found.standing(np.arange(4)) / one == pytest.approx([0.375, 0.375, 0.75, 1], rel=0.01)
    half = patch_areas(scene, patch_grid(scene), np.array([1, 1, 1, 0.5]))
    assert half is not None
    assert half.together(np.arange(4)) == pytest.approx(2 * one, rel=0.01)


def test_pictures_on_both_sides_of_the_antimeridian_share_ground(tmp_path: Path) -> None:
    corners = [square_corners(lon, 0.0) for lon in (179.999, -179.999, 0.0, 0.001)]
    scene = add_collection(Library(tmp_path), corners)
    found = patch_areas(scene, patch_grid(scene))
    assert found is not None
    each = found.each[0]
    apart = 0.002 * 111_320 / 640
    assert found.together(np.array([0, 1])) == pytest.approx((1 + apart) * each, rel=0.01)
    assert found.together(np.arange(4)) == pytest.approx((2 + 1.5 * apart) * each, rel=0.01)


def test_pictures_that_lie_apart_are_counted_one_by_one(tmp_path: Path) -> None:
    scene = add_collection(Library(tmp_path), [square_corners(lon, 52.0) for lon in (9.0, 9.5, 10.0)])
    valid = np.array([1, 0.5, 1, 1])
    found = patch_areas(scene, patch_grid(scene), valid)
    assert found is not None
    assert not found.overlapping
    assert found.together(np.arange(3)) == found.standing(np.arange(3)).sum() == found.each.sum()
    assert found.each.sum() == pytest.approx(2.5 * found.each[0], rel=1e-6)


def test_without_a_place_there_are_no_areas(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    assert patch_areas(replace(scene, grid=replace(scene.grid, crs=None)), patch_grid(scene)) is None
    assert patch_areas(unread(None, (1, 0, 0, 0, 1, 0)), patch_grid(unread(None, (1, 0, 0, 0, 1, 0)))) is None


def test_land_that_no_nearest_patch_reaches_goes_to_those_over_it() -> None:
    big, small = shapely.box(5, 50, 5.1, 50.1), shapely.box(5.01, 50.01, 5.02, 50.02)
    far = shapely.box(9, 50, 9.1, 50.1)
    own = outline_hectares(np.array([big, small, far], dtype=object))
    found = patch_hectares(np.array([big, small, far], dtype=object))
    np.testing.assert_allclose(found, [own[0] - own[1], own[1], own[2]], rtol=2e-5)
    # Two of a size, aside of each other: the lower left corner is nearer to the middle of one that does not reach it.
    pair = [shapely.box(5, 50, 5.1, 50.1), shapely.box(5.06, 50.01, 5.16, 50.11)]
    found = patch_hectares(np.array([*pair, far], dtype=object))
    both = outline_hectares(np.array([shapely.union_all(pair)], dtype=object))[0]
    assert found[2] == pytest.approx(own[2], rel=2e-5), "what lies apart has its own land"
    assert found[:2].sum() == pytest.approx(both, rel=2e-5)
