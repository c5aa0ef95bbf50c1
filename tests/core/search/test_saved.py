"""Searches kept with a scene: what comes back under the same cut and another, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from core.errors import PatchError, SceneError, SettingsError
from core.scenes.cut import Cut
from core.scenes.patches import PatchGrid, PatchRef, patch_grid
from core.scenes.regions.map_region import MapRegion
from core.scenes.scene import Scene
from core.search.examples import AreaExample, Evidence, PatchExample, VectorExample
from core.search.saved import (
    MOST_SAVED,
    SEARCHES_FILE,
    GridOf,
    delete_search,
    load_evidence,
    save_evidence,
    saved_searches,
)
from tests.fakes import place_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return place_scene(tmp_path, height=256, width=256)


def cut(scene: Scene, size: int = 64) -> GridOf:
    grids: dict[str, PatchGrid] = {scene.id: patch_grid(scene, Cut.of(size))}
    return grids.get


def evidence(name: str = "Lakes") -> Evidence:
    good, bad = PatchRef("place-1", 5), PatchRef("place-1", 15)
    area = AreaExample(area=MapRegion(shape=shapely.box(9, 45, 9.01, 45.01)), title="<b>")
    chip = VectorExample(vector=(0.5, -1.0), fingerprint="f", good=False)
    return Evidence(examples=(PatchExample(ref=good), area, PatchExample(ref=bad, good=False), chip), name=name)


def test_what_is_kept_comes_back(scene: Scene) -> None:
    save_evidence(scene, evidence(), cut(scene))
    save_evidence(scene, evidence("bogs"), cut(scene))
    assert saved_searches(scene) == ("bogs", "Lakes")
    found = load_evidence(scene, "Lakes", cut(scene))
    assert (found.evidence, found.moved, found.lost) == (evidence(), 0, 0)
    before = (scene.directory / SEARCHES_FILE).stat()
    save_evidence(scene, evidence(), cut(scene))
    assert (scene.directory / SEARCHES_FILE).stat() == before, "the same again changes nothing"
    delete_search(scene, "Lakes")
    delete_search(scene, "Lakes")
    assert saved_searches(scene) == ("bogs",)


def test_weights_are_kept_and_searches_of_before_have_none(scene: Scene) -> None:
    heavy = evidence()
    save_evidence(scene, heavy, cut(scene))
    assert "weight" not in (scene.directory / SEARCHES_FILE).read_text(), "as it was written before there were weights"
    heavy = replace(heavy, examples=tuple(replace(one, weight=0.5 + at) for at, one in enumerate(heavy.examples)))
    save_evidence(scene, heavy, cut(scene))
    assert load_evidence(scene, "Lakes", cut(scene)).evidence == heavy


def test_it_holds_when_the_scene_is_cut_otherwise(scene: Scene) -> None:
    save_evidence(scene, evidence(), cut(scene))
    found = load_evidence(scene, "Lakes", cut(scene, 128))
    marks = {one.ref.patch: one.good for one in found.evidence.examples if isinstance(one, PatchExample)}
    assert marks == {0: True, 3: False}
    assert (found.moved, found.lost) == (2, 0)
    assert load_evidence(scene, "Lakes", {}.get).lost == 2, "its scene is gone"


def test_of_windows_that_have_become_one_patch_the_latest_mark_counts(scene: Scene) -> None:
    both = Evidence.of([PatchRef(scene.id, 0)], [PatchRef(scene.id, 1)], name="Both")
    save_evidence(scene, both, cut(scene))
    found = load_evidence(scene, "Both", cut(scene, 128)).evidence
    assert found.examples == (PatchExample(ref=PatchRef(scene.id, 0), good=False),)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"7", b'{"version": 1}', b'{"version": 1, "searches": []}', b'{"version": 1, "searches": {"a": 1}}'],
)
def test_a_damaged_file_is_told_and_not_overwritten(scene: Scene, content: bytes) -> None:
    path = scene.directory / SEARCHES_FILE
    path.write_bytes(content)
    with pytest.raises(SceneError, match=r"move searches\.json out of the folder"):
        save_evidence(scene, evidence(), cut(scene))
    assert path.read_bytes() == content


def test_another_version_is_told(scene: Scene) -> None:
    (scene.directory / SEARCHES_FILE).write_text(json.dumps({"version": 2, "searches": {}}))
    with pytest.raises(SceneError, match="are of version 2, and this app reads 1"):
        saved_searches(scene)


@pytest.mark.parametrize(
    "one",
    [
        {"good": 1, "scene": "s", "window": [0, 0, 64]},
        {"good": True},
        {"good": True, "scene": "../s"},
        {"good": True, "vector": [], "encoder": "f", "title": "t"},
        {"good": True, "area": {}, "title": "t"},
        7,
    ],
)
def test_a_damaged_example_is_told(scene: Scene, one: object) -> None:
    (scene.directory / SEARCHES_FILE).write_text(json.dumps({"version": 1, "searches": {"a": [one]}}))
    with pytest.raises(SceneError, match="its examples cannot be read"):
        load_evidence(scene, "a", cut(scene))


def test_what_cannot_be_kept_is_refused(scene: Scene) -> None:
    for name in ("", "  ", "a" * 61, "a\x00b"):
        with pytest.raises(SettingsError, match="give a name of 1 to 60 letters"):
            save_evidence(scene, evidence(name), cut(scene))
    with pytest.raises(SettingsError, match="it has no examples"):
        save_evidence(scene, Evidence(name="a"), cut(scene))
    with pytest.raises(SettingsError, match="is not there"):
        save_evidence(scene, Evidence.of([PatchRef("gone", 1)], name="a"), cut(scene))
    with pytest.raises(PatchError, match="patches 0 to 15"):
        save_evidence(scene, Evidence.of([PatchRef(scene.id, 99)], name="a"), cut(scene))
    assert saved_searches(scene) == ()
    searches = {f"a{number}": [] for number in range(MOST_SAVED)}
    (scene.directory / SEARCHES_FILE).write_text(json.dumps({"version": 1, "searches": searches}))
    with pytest.raises(SettingsError, match="200 searches already"):
        save_evidence(scene, evidence(), cut(scene))
    with pytest.raises(SettingsError, match="there is no search “b”; choose of “a0”"):
        load_evidence(scene, "b", cut(scene))


def test_a_full_disk_is_told(scene: Scene) -> None:
    gone = replace(scene, directory=scene.directory / "gone")
    with pytest.raises(SceneError, match="the disk refused it"):
        save_evidence(gone, evidence(), cut(scene))
