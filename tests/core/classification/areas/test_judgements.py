"""A judged sample beside the scene: drawn, judged, put off, kept, and what it tells."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import ABSTAINED
from core.classification.areas.judgements import (
    JUDGEMENTS,
    JudgedSample,
    drop_sample,
    load_sample,
    sample_of,
    save_sample,
    told_by,
)
from core.errors import SceneError, SettingsError
from core.scenes.library import Library
from core.scenes.scene import Scene
from tests.scenes import add_scene


def patches(count: int = 40) -> ClassifiedPatches:
    """Half water, the rest wood, the last four without a class."""
    names = np.array(["Water" if row % 2 else "Wood" for row in range(count)], dtype=object)
    names[-4:] = ABSTAINED
    return ClassifiedPatches(
        name="map",
        ids=np.arange(100, 100 + count),
        classes=names,
        probability=np.full(count, 0.9),
        shapes=np.full(count, None, dtype=object),
    )


def drawn(size: int = 20) -> JudgedSample:
    return sample_of(patches(), [2.5] * 40, size=size, seed=3, cut="64", map_version="v1")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path), "scene-1", height=64, width=64, pixels=np.ones((13, 64, 64), np.uint16))


def test_a_sample_holds_patches_of_each_class_and_all_hectares() -> None:
    sample = drawn()
    assert len(sample.patches) == 20
    assert {one.mapped for one in sample.patches} == {"Water", "Wood", ABSTAINED}
    assert sum(one.hectares for one in sample.strata) == pytest.approx(100)
    assert drawn().patches == sample.patches, "the same seed draws the same"


def test_judging_goes_patch_by_patch_and_can_be_put_off_and_taken_back() -> None:
    sample = drawn()
    first, second = sample.patches[:2]
    later = sample.put_off(first.patch)
    assert later.next == second
    assert later.patches[-1] == first
    judged = sample.with_reference(first.patch, " Water ")
    assert (judged.judged, judged.next) == (1, second)
    assert judged.patches[0].reference == "Water"
    assert judged.with_reference(first.patch, None) == sample
    with pytest.raises(SettingsError, match="has no name"):
        sample.with_reference(first.patch, "  ")


def test_a_sample_judged_whole_tells_areas_and_one_judged_in_part_of_no_class_does_not() -> None:
    sample = drawn()
    assert told_by(sample) is None
    for one in sample.patches:
        sample = sample.with_reference(one.patch, "Wood" if one.mapped == ABSTAINED else one.mapped)
    found = told_by(sample)
    assert found is not None
    assert found.overall is not None
    assert found.overall.value == 1
    wood = found.areas["Wood"]
    assert wood is not None
    assert wood.value == pytest.approx(2.5 * 22), "18 mapped as wood, and 4 without a class that are wood"


def test_a_sample_is_kept_beside_the_scene_for_each_way_of_cutting(scene: Scene) -> None:
    sample = drawn().with_reference(drawn().patches[0].patch, "Water")
    assert load_sample(scene, "64") is None
    save_sample(scene, sample)
    assert load_sample(scene, "64") == sample
    assert load_sample(scene, "32") is None
    drop_sample(scene, "64")
    assert load_sample(scene, "64") is None


@pytest.mark.parametrize("content", [b"", b"[]", json.dumps({"version": 2, "samples": {}}).encode(), b'{"version":1}'])
def test_a_damaged_file_holds_no_sample_and_is_not_written_over(scene: Scene, content: bytes) -> None:
    (scene.directory / JUDGEMENTS).write_bytes(content)
    assert load_sample(scene, "64") is None
    with pytest.raises(SceneError, match=r"judged before cannot be read; move judgements\.json out of"):
        save_sample(scene, drawn())
    assert (scene.directory / JUDGEMENTS).read_bytes() == content


def test_a_map_of_the_same_version_that_says_otherwise_is_not_the_one_it_was_drawn_from() -> None:
    sample = drawn()
    mapped = dict(zip(patches().ids.tolist(), patches().classes.tolist(), strict=True))
    assert sample.drawn_from("v1", mapped)
    assert not sample.drawn_from("v2", mapped)
    other = mapped | {sample.patches[0].patch: "Heath"}
    assert not sample.drawn_from("v1", other), "labels of the same version map otherwise by features of another encoder"
