"""Areas of interest: which patches belong to them, and what becomes of areas that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from core.errors import PatchError
from core.features.encode import encode_scene
from core.features.store import FeatureStore
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.regions.map_region import MapRegion, region_of
from core.scenes.regions.of_interest import (
    area_key,
    inside_area,
    keep_area,
    kept_area,
    kept_areas,
    patches_in_area,
)
from core.scenes.scene import Scene
from tests.fakes import PlaceEncoder, recipe_of
from tests.scenes import UTM31, add_scene

SIZE = 32


def ground(left: float, top: float, right: float, bottom: float) -> MapRegion:
    """The area of a window of pixels, fractions included."""
    box = shapely.box(UTM31[2] + 10 * left, UTM31[5] - 10 * bottom, UTM31[2] + 10 * right, UTM31[5] - 10 * top)
    turn = Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    return region_of(shapely.transform(box, lambda points: np.stack(turn.transform(*points.T), axis=1)))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path), height=160, width=192)


def test_patches_that_reach_into_an_area_belong_to_it(scene: Scene) -> None:
    key = keep_area(scene, ground(40.5, 20, 95.5, 60))
    grid = patch_grid(scene, Cut.of(SIZE, area=key))
    inside = inside_area(scene, grid)
    assert inside is not None
    # Columns 32–63 and 64–95, rows 0–31 and 32–63: the others do not reach it.
    assert np.flatnonzero(inside).tolist() == [1, 2, 7, 8]
    assert patches_in_area(scene, grid) == 4
    assert inside_area(scene, patch_grid(scene, Cut.of(SIZE))) is None


def test_an_area_smaller_than_a_patch_has_that_patch(scene: Scene) -> None:
    key = keep_area(scene, ground(70, 70, 71, 71))
    inside = inside_area(scene, patch_grid(scene, Cut.of(SIZE, area=key)))
    assert inside is not None
    assert np.flatnonzero(inside).tolist() == [14]


def test_only_patches_of_the_area_are_encoded(scene: Scene, tmp_path: Path) -> None:
    key, encoder, store = keep_area(scene, ground(40.5, 20, 95.5, 60)), PlaceEncoder(), FeatureStore(tmp_path)
    recipe = replace(recipe_of(scene, encoder), cut=Cut.of(SIZE, area=key))
    told: list[tuple[int, int]] = []
    encode_scene(scene, encoder, recipe, store, progress=lambda done, total: told.append((done, total)))
    assert store.read(recipe).patch_ids.tolist() == [1, 2, 7, 8]
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)
    assert store.complete(recipe)
    encode_scene(scene, encoder, recipe, store, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)


def test_an_area_is_known_by_its_shape(scene: Scene) -> None:
    first, same = ground(40, 20, 90, 60), ground(40, 20, 90, 60)
    assert area_key(first) == area_key(MapRegion(shape=shapely.reverse(same.shape)))
    assert area_key(first) != area_key(ground(40, 20, 90, 61))
    assert keep_area(scene, first) == keep_area(scene, same)
    other = keep_area(scene, ground(0, 0, 50, 50))
    assert set(kept_areas(scene)) == {area_key(first), other}
    assert kept_area(scene, other).shape.equals(ground(0, 0, 50, 50).shape)


def test_an_area_beside_the_scene_is_refused_with_both_places(scene: Scene) -> None:
    with pytest.raises(
        PatchError, match=r"the area lies at .*° east.* and the scene at .*; choose an area of the scene"
    ):
        keep_area(scene, ground(900, 900, 950, 950))
    assert kept_areas(scene) == []


def test_a_strip_that_no_patch_covers_is_refused(scene: Scene) -> None:
    key = keep_area(scene, ground(150, 0, 155, 5))
    with pytest.raises(PatchError, match="no patch lies in the area"):
        inside_area(scene, patch_grid(scene, Cut.of(50, area=key)))


def test_an_area_that_is_gone_is_one_sentence(scene: Scene) -> None:
    grid = patch_grid(scene, Cut.of(SIZE, area="a0123456789ab"))
    with pytest.raises(PatchError, match="not kept beside it, or damaged; choose the area again"):
        patches_in_area(scene, grid)


def test_a_scene_without_a_place_has_no_areas(tmp_path: Path) -> None:
    nowhere = add_scene(Library(tmp_path), crs=None)
    with pytest.raises(PatchError, match="where the scene lies on Earth is not known"):
        keep_area(nowhere, ground(0, 0, 50, 50))
