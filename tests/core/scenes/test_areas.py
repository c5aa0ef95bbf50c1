"""Ground under patches: by the ellipsoid, once where patches overlap, without what is not valid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod

from core.scenes.areas import patch_areas, quadrilateral_areas
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.fakes import place_scene
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
    found = patch_areas(scene, grid)
    assert found is not None
    mask = np.ones((128, 160), bool)
    mask[:10, :100] = False
    ids = np.array([0, 1])
    windows = [grid.window(patch) for patch in ids.tolist()]
    valid = np.array([mask[top : top + 64, left : left + 64].mean() for top, left, _, _ in windows])
    seen = np.zeros_like(mask)
    for top, left, _, _ in windows:
        seen[top : top + 64, left : left + 64] = True
    assert found.together(ids, valid) == pytest.approx((seen & mask).sum() * found.each[0] / 64**2, rel=1e-5)


def test_without_a_place_there_are_no_areas(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    assert patch_areas(replace(scene, grid=replace(scene.grid, crs=None)), patch_grid(scene)) is None
    assert patch_areas(unread(None, (1, 0, 0, 0, 1, 0)), patch_grid(unread(None, (1, 0, 0, 0, 1, 0)))) is None
