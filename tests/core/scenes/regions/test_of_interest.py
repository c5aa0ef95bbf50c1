"""Areas of interest: which patches belong to them, and what becomes of areas that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from core.config import Config
from core.engine.operations import Engine
from core.errors import PatchError
from core.features.encode import encode_scene
from core.features.given import first_encoder
from core.features.store import FeatureStore
from core.ingest.boundary import ingest
from core.scenes.cut import Cut
from core.scenes.labels import give_label, hand_labels, patch_labels
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.regions.map_region import MapRegion, region_of
from core.scenes.regions.of_interest import (
    area_key,
    inside_area,
    keep_area,
    kept_area,
    kept_areas,
    outside_shape,
    outside_windows,
    patches_in_area,
)
from core.scenes.scene import Scene
from tests.embeddings import ROWS, centre, plain
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
    with pytest.raises(PatchError, match=r"the area lies at .*° E.*° N, and the scene at .*; choose an area"):
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


def test_labels_and_truth_of_patches_outside_are_not_there(tmp_path: Path) -> None:
    truth = np.repeat(np.array([1, 2], np.uint16), [64, 128])[None].repeat(160, axis=0)
    scene = add_scene(Library(tmp_path), height=160, width=192, truth=truth, classes=("Forest", "River"))
    whole = patch_grid(scene, Cut.of(SIZE))
    give_label(scene, whole, [0, 1, 8, 14], "Oak")
    give_label(scene, whole, [20, 21], "Ash")
    key = keep_area(scene, ground(40.5, 20, 95.5, 60))
    cut = patch_grid(scene, Cut.of(SIZE, area=key))
    given, known = hand_labels(scene, cut), patch_labels(scene, cut)
    assert given is not None
    assert known is not None
    assert given.classes == ("Oak",)
    assert np.flatnonzero(given.index >= 0).tolist() == [1, 8]
    assert known.index[[1, 2, 7, 8]].tolist() == [0, 1, 0, 1]
    assert int((known.index >= 0).sum()) == 4
    (scene.directory / "areas" / f"{key}.geojson").unlink()
    gone = hand_labels(scene, patch_grid(scene, Cut.of(SIZE, area="a0123456789ab")))
    assert gone is not None
    assert gone.classes == ("Ash", "Oak"), "without its area a cut is as the scene"


def test_an_area_is_of_one_scene_and_others_are_taken_whole(tmp_path: Path) -> None:
    engine = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    scene, other = (add_scene(engine.library, name, height=160, width=192) for name in ("t-1", "t-2"))
    key = keep_area(scene, ground(40.5, 20, 95.5, 60))
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(SIZE, area=key))
    assert engine.twin(recipe, other.id) == engine.recipe(other, "spectral", cut=Cut.of(SIZE))
    assert engine.twin(recipe, scene.id) == recipe
    keep_area(other, ground(40.5, 20, 95.5, 60))
    same = replace(recipe, scene_id=other.id)
    engine.encode_now(other, same)
    assert engine.twin(recipe, other.id) == same, "there it is encoded in this very area alone"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("points", [False, True])
def test_vectors_of_others_are_cut_by_an_area_too(tmp_path: Path, points: bool) -> None:
    engine = Engine(Config(root=tmp_path / "data", model_cache=tmp_path / "models"), lanes={})
    places = [shapely.Point(*centre(row)) for row in range(ROWS)] if points else None
    scene = ingest([plain(tmp_path / "f.parquet", shapes=places)], engine.library)
    # It reaches a little into the squares of rows 1 and 7, and holds the centres of rows 0 and 6 alone.
    key = keep_area(scene, region_of(shapely.box(9.995, 49.975, 10.011, 50.005)))
    recipe = engine.recipe(scene, first_encoder(scene), cut=Cut.of(8, area=key))
    assert engine.encode_now(scene, recipe).patch_ids.tolist() == ([0, 6] if points else [0, 1, 6, 7])
    assert engine.forecast(scene, recipe).patches == (2 if points else 4)


def test_what_lies_outside_is_one_shape_with_a_hole(scene: Scene) -> None:
    grid = patch_grid(scene, Cut.of(SIZE, area=keep_area(scene, ground(70, 40, 90, 90))))
    windows = outside_windows(scene, grid)
    # All of 160 × 192 pixels but the patches of rows 1 and 2 in column 2.
    assert sum((bottom - top) * (right - left) for top, left, bottom, right in windows) == 160 * 192 - 2 * SIZE**2
    assert (32, 0, 64, 64) in windows
    shape = outside_shape(scene, grid)
    assert shape.geom_type == "Polygon"
    assert len(shape.interiors) == 1
    half = patch_grid(scene, Cut.of(SIZE, SIZE // 2, area=grid.cut.area))
    covered = np.zeros((160, 192), np.int64)
    for patch in np.flatnonzero(inside_area(scene, half)):
        top, left, size, _ = half.window(int(patch))
        covered[top : top + size, left : left + size] = 1
    for top, left, bottom, right in outside_windows(scene, half):
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all(), "each pixel lies in a patch of the area or in one window outside"
    assert outside_windows(scene, patch_grid(scene, Cut.of(SIZE))) == []
    assert outside_shape(scene, patch_grid(scene, Cut.of(SIZE))).is_empty
