"""The ground as pictures: known land is land, lakes are water, and coasts soften where they are not known better."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.imagery.ground.drawing import GROUND_ZOOM, SHADES, ground_picture, ground_tile, locator
from core.scenes.webmercator import SIDE, WORLD, TileSquare
from tests.mapped import tile_at


def drawn(z: int, x: int, y: int, shade: str = "light") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(ground_tile(z, x, y, shade))).convert("RGB")).astype(int)


def colour_at(lon: float, lat: float, z: int, shade: str = "light") -> tuple[int, ...]:
    x, y = tile_at(lon, lat, z)
    north = np.degrees(np.arctanh(np.sin(np.radians(lat))))
    col = ((lon + 180) / 360 * 2**z - x) * 512
    row = ((180 - north) / 360 * 2**z - y) * 512
    return tuple(drawn(z, x, y, shade)[int(row), int(col)])


KNOWN = [
    (10.0, 50.0, "land"),  # Germany
    (-100.0, 40.0, "land"),  # Nebraska
    (25.0, -25.5, "land"),  # Botswana
    (-30.0, 30.0, "sea"),  # the Atlantic
    (51.0, 42.0, "sea"),  # the Caspian Sea, a hole in land
    (32.7, -1.7, "sea"),  # Lake Victoria
    (31.5, 61.0, "sea"),  # Lake Ladoga
    (0.0, 0.0, "sea"),  # where Natural Earth has an island that is none
    (100.0, -85.0, "land"),  # Antarctica
]


@pytest.mark.parametrize("z", [3, 6, 9])
@pytest.mark.parametrize(("lon", "lat", "what"), KNOWN)
def test_known_places_have_their_colour(lon: float, lat: float, what: str, z: int) -> None:
    wanted = np.array(getattr(SHADES["light"], what))
    assert np.abs(np.array(colour_at(lon, lat, z)) - wanted).max() <= 3


def test_dark_is_dark() -> None:
    assert sum(colour_at(10.0, 50.0, 5, "dark")) < 250
    assert sum(colour_at(-30.0, 30.0, 5, "dark")) < 150


def test_no_seam_shows_between_cells() -> None:
    """Four cells meet on the ice of Greenland at 75° N, 40° W."""
    x, y = tile_at(-40.0, 75.0, 8)
    assert len(np.unique(drawn(8, x, y).reshape(-1, 3), axis=0)) == 1


def test_neighbouring_tiles_meet() -> None:
    x, y = tile_at(-76.0, 37.0, 7)
    left, right = drawn(7, x - 1, y), drawn(7, x, y)
    assert np.abs(left[:, -1] - right[:, 0]).mean() < 8


def test_coasts_are_soft_where_they_are_not_known_better() -> None:
    """A coast of the Netherlands: a line at zoom 8, at 12 a passage of hundreds of metres and no line."""
    x, y = tile_at(4.37, 52.2, GROUND_ZOOM)
    near = np.concatenate([drawn(GROUND_ZOOM, x + step, y) for step in (-2, -1, 0, 1)], axis=1)[256]
    light = SHADES["light"]
    assert len(np.unique(near, axis=0)) > 20
    assert (near >= np.minimum(light.land, light.sea) - 3).all(), "the darker line of the coast is not there"
    x, y = tile_at(4.37, 52.2, 8)
    far = drawn(8, x, y)
    assert (far.min(axis=(0, 1)) <= np.array(light.coast) + 12).all()


def test_the_world_repeats_beyond_the_antimeridian() -> None:
    pixel = WORLD / 16 / SIDE
    here = TileSquare(left=-WORLD / 2, top=WORLD / 8, pixel=pixel)
    there = TileSquare(left=WORLD / 2, top=WORLD / 8, pixel=pixel)
    one, other = (np.asarray(ground_picture(square, 64, 32, "light", zoom=4), int) for square in (here, there))
    assert one.shape == (64, 128, 3)
    assert np.abs(one - other).mean() < 1


def test_a_locator_marks_the_scene_in_the_middle_of_its_land() -> None:
    picture = np.asarray(locator((4.3, 52.1, 4.6, 52.3), 120, 80), int)
    assert picture.shape == (160, 240, 3)
    mark = np.abs(picture - [209, 25, 111]).sum(axis=2) < 30
    rows, cols = np.nonzero(mark)
    assert abs(rows.mean() - 80) < 3
    assert abs(cols.mean() - 120) < 3
    light = SHADES["light"]
    assert np.abs(picture[:, :20] - light.sea).mean() < 40, "the North Sea in the west"
    assert np.abs(picture[-20:, -20:] - light.land).mean() < 40, "Germany in the south-east"
    assert np.asarray(locator((-180.0, -90.0, 180.0, 90.0), 120, 80)).shape == (160, 240, 3)
