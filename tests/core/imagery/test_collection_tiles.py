from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.imagery.collection_tiles import mosaic_overlay_tile
from core.imagery.render import EMPTY_TILE, palette
from core.imagery.tiles import map_tile
from core.scenes.library import Library
from core.scenes.webmercator import tile_square
from tests.mapped import add_collection, lonlat_of, pixels_of, square_corners, tile_at

SQUARES = [square_corners(10.0, 46.0), square_corners(10.02, 46.0), square_corners(-30.0, 20.0)]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def grey(scene: object, number: int) -> int:
    return int(palette(scene, "true").paint(np.full((3, 1, 1), number, np.uint16))[0, 0, 0])  # type: ignore[arg-type]


def test_each_patch_is_drawn_at_its_own_place_the_right_way_up(library: Library) -> None:
    scene = add_collection(library, SQUARES)
    z = 15
    for patch_id, (lon, lat) in enumerate(((10.0, 46.0), (10.02, 46.0), (-30.0, 20.0))):
        x, y = tile_at(lon, lat, z)
        shown = pixels_of(map_tile(scene, z, x, y, "true"))
        (west, north), _, (east, south), _ = SQUARES[patch_id]
        seen = set()
        for row in range(3, 256, 9):
            for col in range(3, 256, 9):
                place = lonlat_of(z, x, y, row + 0.5, col + 0.5)
                across, down = (place[0] - west) / (east - west), (north - place[1]) / (north - south)
                if 0.03 < across < 0.97 and 0.03 < down < 0.97 and min(abs(across - 0.5), abs(down - 0.5)) > 0.03:
                    dark = across < 0.5 and down < 0.5
                    assert shown[row, col, 3] == 255
                    assert abs(int(shown[row, col, 0]) - grey(scene, (patch_id + 1) * (500 if dark else 1000))) <= 2
                    seen.add(dark)
                elif not (-0.03 < across < 1.03 and -0.03 < down < 1.03) and patch_id == 2:
                    assert shown[row, col, 3] == 0
        assert False in seen


def test_patches_too_small_to_see_become_dots(library: Library) -> None:
    scene = add_collection(library, SQUARES)
    z = 4
    x, y = tile_at(-30.0, 20.0, z)
    shown = pixels_of(map_tile(scene, z, x, y, "true"))
    dots = shown[..., 3] == 255
    assert 40 < dots.sum() < 75
    row, col = np.argwhere(dots).mean(axis=0) + 0.5
    assert lonlat_of(z, x, y, row, col) == pytest.approx((-30.0, 20.0), abs=0.1)


def test_a_dot_on_the_border_of_two_tiles_is_whole(library: Library) -> None:
    scene = add_collection(library, [square_corners(0.0, 20.0)])
    z = 5
    _, y = tile_at(0.0, 20.0, z)
    halves = [pixels_of(map_tile(scene, z, x, y, "true"))[..., 3] == 255 for x in (15, 16)]
    together = np.hstack(halves)
    cols = np.argwhere(together)[:, 1]
    assert halves[0].any()
    assert halves[1].any()
    assert np.ptp(cols) == np.ptp(np.argwhere(together)[:, 0])


def test_dots_show_across_the_antimeridian(library: Library) -> None:
    scene = add_collection(library, [square_corners(180.0, 20.0)])
    _, y = tile_at(180.0, 20.0, 5)
    assert all(map_tile(scene, 5, x, y, "true") is not EMPTY_TILE for x in (0, 31))


def test_far_from_all_patches_the_tile_is_empty(library: Library) -> None:
    scene = add_collection(library, [*SQUARES, np.full((4, 2), np.nan), np.zeros((4, 2))])
    assert map_tile(scene, 10, 3, 3, "true") is EMPTY_TILE
    assert map_tile(scene, 0, 0, 0, "ndvi") is not EMPTY_TILE


def test_a_line_instead_of_a_square_is_left_out(library: Library) -> None:
    flat = np.array([[10.0, 46.0], [10.01, 46.0], [10.01, 46.0], [10.0, 46.0]])
    scene = add_collection(library, [flat])
    x, y = tile_at(10.005, 46.0, 14)
    assert map_tile(scene, 14, x, y, "true") is EMPTY_TILE


def test_very_many_patches_in_a_tile_show_their_mean(library: Library) -> None:
    squares = [square_corners(10 + 0.01 * (number % 12), 46 + 0.007 * (number // 12)) for number in range(144)]
    scene = add_collection(library, squares)
    x, y = tile_at(10.06, 46.04, 10)
    shown = pixels_of(map_tile(scene, 10, x, y, "true"))
    assert (shown[..., 3] == 255).sum() > 144 * 9


def test_the_overlay_colours_the_patches_it_is_given(library: Library) -> None:
    scene = add_collection(library, SQUARES)
    z = 14
    x, y = tile_at(10.02, 46.0, z)
    content = mosaic_overlay_tile(scene, tile_square(z, x, y), np.array([1]), np.array([[9, 8, 7]], np.uint8))
    shown = pixels_of(content)
    assert set(map(tuple, shown[shown[..., 3] == 255][:, :3])) == {(9, 8, 7)}
    filled = np.argwhere(shown[..., 3] == 255)
    places = np.array([lonlat_of(z, x, y, row + 0.5, col + 0.5) for row, col in filled])
    assert len(filled) > 1000
    assert (np.abs(places - [10.02, 46.0]) <= [0.0042, 0.0029]).all()
    nothing = mosaic_overlay_tile(scene, tile_square(z, 0, 0), np.array([1]), np.array([[9, 8, 7]], np.uint8))
    assert nothing is EMPTY_TILE
