"""The truth of a scene: a map that is added comes before what came with the scene, and can be taken away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import SceneError, SettingsError
from core.projection.labels import TRUTH, labels_version
from core.scenes.cut import Cut
from core.scenes.labels import give_label, hand_labels, hand_version, merged, patch_labels, scene_labels
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.scenes.truth import (
    OWN,
    TruthMap,
    add_truth_map,
    carry_truth_map,
    drop_truth_map,
    leave_unasked,
    map_version,
    pixel_counts,
    truth_of,
)
from tests.scenes import add_scene, write_truth

KNOWN = TruthMap(file="", source="map.tif", classes=("water", "forest"), colours=("#0000ff", ""), covered=0.75)


def quarters() -> np.ndarray:
    """Nothing in the north-west, water in the north-east, forest in the south; 128 × 128."""
    truth = np.full((128, 128), 2, np.uint16)
    truth[:64, :64], truth[:64, 64:] = 0, 1
    return truth


def scene_with_map(tmp_path: Path, known: TruthMap = KNOWN, truth: np.ndarray | None = None) -> Scene:
    own = np.ones((128, 128), np.uint16)
    scene = add_scene(Library(tmp_path), height=128, width=128, truth=own, classes=("Own",))
    write_truth(tmp_path / "raster.tif", quarters() if truth is None else truth)
    add_truth_map(scene, tmp_path / "raster.tif", known)
    return scene


def test_an_added_map_comes_before_what_came_with_the_scene_until_it_is_taken_away(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path)
    grid = patch_grid(scene, Cut.of(64))
    labels = patch_labels(scene, grid)
    assert labels is not None
    assert labels.classes == ("water", "forest")
    assert labels.index.tolist() == [-1, 0, 1, 1]
    assert labels.colours == ("#0000ff", "")
    own = patch_labels(scene, grid, own=True)
    assert own is not None
    assert own.classes == ("Own",)
    drop_truth_map(scene)
    truth = truth_of(scene)
    assert truth is not None
    assert truth.version == OWN
    assert not list(scene.directory.glob("truth-map*"))


def test_a_patch_of_which_less_than_half_is_known_has_no_class(tmp_path: Path) -> None:
    truth = np.zeros((128, 128), np.uint16)
    truth[:31, :64], truth[:32, 64:] = 1, 1
    scene = scene_with_map(tmp_path, truth=truth)
    labels = patch_labels(scene, patch_grid(scene, Cut.of(64)))
    assert labels is not None
    assert labels.index.tolist() == [-1, 0, -1, -1]
    assert labels.purity[1] == 0.5


def test_counts_are_those_of_pixels(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path)
    truth = truth_of(scene)
    assert truth is not None
    counts = pixel_counts(truth, patch_grid(scene, Cut.of(64, 32)))
    assert counts.tolist()[1] == [2048, 2048, 0]
    assert counts.tolist()[4] == [1024, 1024, 2048]
    assert (counts.sum(axis=1) == 4096).all()


def test_each_map_has_a_version_that_labels_and_layouts_go_by(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path)
    first = map_version(scene)
    leave_unasked(scene, ["WATER"])
    second = map_version(scene)
    assert truth_of(scene).not_asked == ("water",)  # type: ignore[union-attr]
    with pytest.raises(SettingsError, match=r"no such class; choose of water, forest"):
        leave_unasked(scene, ["sea"])
    grid = patch_grid(scene, Cut.of(64))
    states = {scene_labels(scene, grid, "", None, added).state for added in ("", first, second)}
    layouts = labels_version(scene)
    drop_truth_map(scene)
    assert len({first, second, layouts} | states) == 5 + 1 - (layouts in states)
    assert labels_version(scene) == TRUTH
    assert map_version(scene) == ""
    with pytest.raises(SceneError, match="no map was added"):
        leave_unasked(scene, [])


def test_labels_by_hand_count_more_and_keep_the_colours_of_the_map(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path)
    grid = patch_grid(scene, Cut.of(64))
    give_label(scene, grid, [0, 1], "mud")
    shown = merged(hand_labels(scene, grid), patch_labels(scene, grid))
    assert shown is not None
    assert shown.classes == ("water", "forest", "mud")
    assert shown.colours == ("#0000ff", "", "")
    assert shown.index.tolist() == [2, 2, 1, 1]
    assert scene_labels(scene, grid, hand_version(scene), None).state == hand_version(scene)


def test_another_reading_of_the_same_pixels_keeps_the_map(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path)
    again = add_scene(Library(tmp_path), "t-2", height=128, width=128)
    smaller = add_scene(Library(tmp_path), "t-3", height=100, width=128)
    assert carry_truth_map(scene, again) is True
    assert truth_of(again).classes == ("water", "forest")  # type: ignore[union-attr]
    assert carry_truth_map(scene, again) is None
    assert carry_truth_map(scene, smaller) is False
    assert truth_of(smaller) is None


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "file": "../x.tif", "classes": ["a"]}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    scene = scene_with_map(tmp_path)
    (scene.directory / "truth-map.json").write_text(text)
    truth = truth_of(scene)
    assert truth is not None
    assert truth.version == OWN


def test_a_missing_raster_is_one_sentence(tmp_path: Path) -> None:
    scene = scene_with_map(tmp_path, replace(KNOWN, classes=("a", "b")))
    next(scene.directory.glob("truth-map-*.tif")).unlink()
    with pytest.raises(SceneError, match="its map of classes is missing or damaged; add the map again"):
        patch_labels(scene, patch_grid(scene, Cut.of(64)))
