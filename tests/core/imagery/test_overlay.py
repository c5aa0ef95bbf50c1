from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.errors import PatchError
from core.imagery.overlay import mask_overlay, overlay_tile
from core.imagery.render import EMPTY_TILE
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.location import patch_at_lonlat
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.scenes.webmercator import source_positions, tile_square
from tests.mapped import add_collection, add_mapped, lonlat_of, pixels_of, square_corners, tile_at


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def pixel_at(shown: np.ndarray, bounds: tuple[float, float, float, float], lon: float, lat: float) -> np.ndarray:
    """The pixel of a picture, straight in web mercator, at a place."""
    west, south, east, north = bounds
    lon = west + (lon - west) % 360

    def up(degrees: float) -> float:
        return math.asinh(math.tan(math.radians(degrees)))

    col = (lon - west) / (east - west) * shown.shape[1]
    row = (up(north) - up(lat)) / (up(north) - up(south)) * shown.shape[0]
    return shown[int(row), int(col)]


@pytest.mark.parametrize("cut", [Cut.of(64), Cut.of(64, 32), Cut.of(60, 44, edge="cover")])
@pytest.mark.parametrize("which", [[5], [0, 3, 7]])
def test_a_mask_marks_the_patches_it_is_given(library: Library, cut: Cut, which: list[int]) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene, cut)
    picture, bounds = mask_overlay(scene, grid, np.array(which), (1, 2, 3))
    shown = pixels_of(picture)
    assert {tuple(pixel) for pixel in shown[shown[..., 3] > 0].tolist()} == {(1, 2, 3, 255)}
    if cut.stride == 64:
        assert (shown[..., 3] > 0).mean() == pytest.approx(len(which) / grid.count, rel=0.15)
    centres = centres_lonlat(scene, grid, np.arange(grid.count))
    assert centres is not None
    marked = [patch_id for patch_id, place in enumerate(centres) if pixel_at(shown, bounds, *place)[3]]
    assert marked == which


@pytest.mark.parametrize(("where", "z"), [("utm", 17), ("line", 13)])
def test_tiles_show_the_patch_that_a_click_finds(library: Library, z: int, where: str) -> None:
    scene: Scene = add_mapped(library)
    if where == "line":
        scene = add_mapped(library, "m-2", crs="EPSG:32660", transform=(10.0, 0.0, 814_945.0, 0.0, -10.0, 1_826_548.0))
    grid = patch_grid(scene)
    ids = np.arange(grid.count)
    colours = np.stack([ids, 255 - ids, 0 * ids], axis=1).astype(np.uint8)
    lon, lat = centres_lonlat(scene, grid, np.array([44]))[0]  # type: ignore[index]
    x, y = tile_at(lon, lat, z)
    shown = pixels_of(overlay_tile(scene, grid, tile_square(z, x, y), ids, colours))
    wrong = checked = 0
    for row in range(0, 256, 11):
        for col in range(0, 256, 11):
            patch_id = patch_at_lonlat(scene, grid, *lonlat_of(z, x, y, row + 0.5, col + 0.5))
            found = int(shown[row, col, 0]) if shown[row, col, 3] else None
            wrong += found != patch_id
            checked += patch_id is not None
    assert checked > 5
    # Only a pixel right on a border may differ.
    assert wrong <= 0.01 * 24 * 24


def test_the_rim_of_what_is_cut_shows_the_patches_that_reach_there(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene, Cut.of(64, 16))
    there = np.flatnonzero(
        [64 <= top <= 96 and 64 <= left <= 96 for top, left in grid.first_pixels(np.arange(grid.count))]
    )
    colours = np.stack([there, 0 * there, 0 * there], axis=1).astype(np.uint8)
    lon, lat = centres_lonlat(scene, grid, there[:1])[0]  # type: ignore[index]
    square = tile_square(15, *tile_at(lon, lat, 15))
    shown = pixels_of(overlay_tile(scene, grid, square, there, colours, there=there))
    rows, cols = source_positions(scene.grid, *square.centres((0, 256, 0, 256)))
    covered = (rows >= 64) & (rows < 160) & (cols >= 64) & (cols < 160)
    assert 0.02 < covered.mean() < 0.98
    np.testing.assert_array_equal(shown[..., 3] > 0, covered)
    found = grid.first_pixels(shown[covered][:, 0].astype(np.int64)) + 32
    far = np.array([rows[covered], cols[covered]]).T
    best = np.min([np.hypot(*(far - middle).T) for middle in grid.first_pixels(there) + 32], axis=0)
    np.testing.assert_allclose(np.hypot(*(far - found).T), best, atol=1e-6)
    picture, _ = mask_overlay(scene, grid, there, (1, 2, 3), there)
    bare, _ = mask_overlay(scene, grid, there, (1, 2, 3))
    wider = (pixels_of(picture)[..., 3] > 0).sum() / (pixels_of(bare)[..., 3] > 0).sum()
    assert wider == pytest.approx((96 / 48) ** 2, rel=0.1)


def test_what_has_no_side_by_side_place_is_refused_or_empty(library: Library) -> None:
    nowhere = add_mapped(library, crs=None)
    grid = patch_grid(nowhere)
    with pytest.raises(PatchError):
        mask_overlay(nowhere, grid, np.array([0]), (1, 2, 3))
    collection = add_collection(library, [square_corners(10, 46)])
    with pytest.raises(PatchError):
        mask_overlay(collection, patch_grid(collection), np.array([0]), (1, 2, 3))
    colours = np.zeros((1, 3), np.uint8)
    assert overlay_tile(nowhere, grid, tile_square(0, 0, 0), np.array([0]), colours) is EMPTY_TILE
    somewhere = add_mapped(library, "m-3")
    assert overlay_tile(somewhere, grid, tile_square(5, 0, 0), np.array([0]), colours) is EMPTY_TILE
