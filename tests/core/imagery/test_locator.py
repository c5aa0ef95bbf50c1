"""Where a patch lies among the others, as a picture: the mark is at its place, north is up."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import PatchError
from core.imagery.locator import patch_locator
from core.imagery.render import quicklook, thumbnail
from core.imagery.tiles import map_tile
from core.ingest.boundary import ingest
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.scenes.webmercator import inverse_mercator, tile_square
from tests.embeddings import ROWS, lists, plain, vectors, write

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return ingest([plain(tmp_path / "f.parquet")], Library(tmp_path / "library"))


def marked(picture: bytes) -> tuple[float, float]:
    """Row and column of the middle of the mark, in shares of the side."""
    colours = np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA")).astype(int)
    red = (colours[..., 0] > 180) & (colours[..., 1] < 90) & (colours[..., 3] > 200)
    rows, cols = np.nonzero(red)
    return float(rows.mean() / len(red)), float(cols.mean() / len(red))


def test_the_mark_is_where_the_patch_lies(scene: Scene) -> None:
    grid = patch_grid(scene)
    first, last = marked(patch_locator(scene, grid, 0)), marked(patch_locator(scene, grid, ROWS - 1))
    assert first[0] < 0.35 < 0.65 < last[0]
    assert first[1] < 0.35 < 0.65 < last[1]
    assert thumbnail(scene, grid, 0, "true", 128) == patch_locator(scene, grid, 0)
    with pytest.raises(PatchError):
        patch_locator(scene, grid, 99)


def test_the_whole_is_dots_and_nothing_marked(scene: Scene) -> None:
    colours = np.asarray(Image.open(io.BytesIO(quicklook(scene, "true", 256))).convert("RGBA"))
    assert colours[..., 3].any()
    assert np.ptp(colours[colours[..., 3] > 60][:, :3], axis=0).max() < 60


def test_patches_without_a_place_have_a_sign_of_that(tmp_path: Path) -> None:
    path = write(tmp_path / "n.parquet", {"vector": lists(vectors())})
    scene = ingest([path], Library(tmp_path / "library"))
    assert Image.open(io.BytesIO(patch_locator(scene, patch_grid(scene), 3))).size == (128, 128)


def test_a_tile_veils_the_ground_of_the_patches_alone(scene: Scene) -> None:
    z, x, y = 9, 270, 173
    alpha = np.asarray(Image.open(io.BytesIO(map_tile(scene, z, x, y, "true"))).convert("RGBA"))[..., 3]
    square = tile_square(z, x, y)
    rows, cols = np.mgrid[0:256, 0:256] + 0.5
    lon, lat = inverse_mercator(square.left + cols * square.pixel, square.top - rows * square.pixel)
    inside = (lon > 9.99) & (lon < 10.11) & (lat < 50.01) & (lat > 49.91)
    assert inside.any()
    assert (alpha[inside] > 0).mean() > 0.95
    assert (alpha[~inside] > 0).mean() < 0.02
    assert alpha.max() < 128
