from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.errors import PatchError
from core.imagery.overlay import grid_overlay, mask_overlay, overlay_tile
from core.imagery.ramps import SIMILARITY_RAMP
from core.imagery.render import EMPTY_TILE
from core.scenes.library import Library
from core.scenes.location import patch_at_lonlat
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.scenes.webmercator import tile_square
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


@pytest.mark.parametrize("stride", [64, 32])
def test_each_patch_has_its_colour_at_its_centre(library: Library, stride: int) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene, 64, stride)
    values = np.linspace(0.2, 0.8, grid.count).astype(np.float32)
    picture, bounds = grid_overlay(scene, grid, np.arange(grid.count), values, 0.2, 0.8)
    shown = pixels_of(picture)
    centres = centres_lonlat(scene, grid, np.arange(grid.count))
    assert centres is not None
    table = SIMILARITY_RAMP.table().astype(int)
    for patch_id, (lon, lat) in enumerate(centres):
        level = round((values[patch_id] - 0.2) / 0.6 * 254) / 254 * 255
        assert np.abs(pixel_at(shown, bounds, lon, lat)[:3].astype(int) - table[round(level)]).max() <= 6


def test_values_beyond_the_range_look_like_its_ends_and_none_is_transparent(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    ids = np.array([0, 1, 2])
    picture, bounds = grid_overlay(scene, grid, ids, np.array([-5, 5, 0.5], np.float32), 0, 1)
    shown = pixels_of(picture)
    centres = centres_lonlat(scene, grid, np.arange(4))
    assert centres is not None
    found = [pixel_at(shown, bounds, lon, lat) for lon, lat in centres]
    table = SIMILARITY_RAMP.table()
    np.testing.assert_array_equal(found[0][:3], table[0])
    np.testing.assert_array_equal(found[1][:3], table[-1])
    assert [int(pixel[3]) for pixel in found] == [255, 255, 255, 0]


def test_a_mask_marks_the_patches_it_is_given(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    picture, bounds = mask_overlay(scene, grid, np.array([5]), (1, 2, 3))
    shown = pixels_of(picture)
    assert shown[shown[..., 3] > 0][:, :3].tolist()[0] == [1, 2, 3]
    share = (shown[..., 3] > 0).mean()
    assert share == pytest.approx(1 / grid.count, rel=0.15)
    centres = centres_lonlat(scene, grid, np.arange(grid.count))
    assert centres is not None
    marked = [patch_id for patch_id, place in enumerate(centres) if pixel_at(shown, bounds, *place)[3]]
    assert marked == [5]


@pytest.mark.parametrize("z", [10, 13, 17])
@pytest.mark.parametrize("where", ["utm", "line"])
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
    for row in range(0, 256, 7):
        for col in range(0, 256, 7):
            patch_id = patch_at_lonlat(scene, grid, *lonlat_of(z, x, y, row + 0.5, col + 0.5))
            found = int(shown[row, col, 0]) if shown[row, col, 3] else None
            wrong += found != patch_id
            checked += patch_id is not None
    assert checked > 5
    # Only a pixel right on a border may differ.
    assert wrong <= 0.01 * 37 * 37


def test_what_has_no_side_by_side_place_is_refused_or_empty(library: Library) -> None:
    nowhere = add_mapped(library, crs=None)
    grid = patch_grid(nowhere)
    with pytest.raises(PatchError):
        grid_overlay(nowhere, grid, np.array([0]), np.array([1], np.float32), 0, 1)
    collection = add_collection(library, [square_corners(10, 46)])
    with pytest.raises(PatchError):
        mask_overlay(collection, patch_grid(collection), np.array([0]), (1, 2, 3))
    colours = np.zeros((1, 3), np.uint8)
    assert overlay_tile(nowhere, grid, tile_square(0, 0, 0), np.array([0]), colours) is EMPTY_TILE
    somewhere = add_mapped(library, "m-3")
    assert overlay_tile(somewhere, grid, tile_square(5, 0, 0), np.array([0]), colours) is EMPTY_TILE
