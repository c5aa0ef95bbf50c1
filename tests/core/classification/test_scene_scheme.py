"""The scheme of a scene: kept with its labels, changed with them in one step, undone, and kept for other scenes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.classification.scene_scheme import (
    ClassEdit,
    KeptSchemes,
    choose_scheme,
    edit_scheme,
    name_class,
    scheme_of_scene,
)
from core.classification.schemes import SCHEMES, LandClass, Scheme
from core.errors import SettingsError
from core.scenes.given.annotations import read_annotations
from core.scenes.given.history import confirm_labels, redo_labels, undo_labels
from core.scenes.labels import give_label, hand_labels, hand_version
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.scenes import add_scene

WORLD = SCHEMES["dynamicworld"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path))


def label(scene: Scene, ids: list[int], name: str) -> None:
    give_label(scene, patch_grid(scene), ids, name)


def edits(scheme: Scheme, **changes: LandClass | None) -> list[ClassEdit]:
    return [ClassEdit(before=one.name, after=changes.get(one.name, one)) for one in scheme.classes]


def test_a_scheme_that_was_chosen_stays_and_is_undone(scene: Scene) -> None:
    assert scheme_of_scene(scene) is None
    choose_scheme(scene, WORLD)
    assert scheme_of_scene(scene) == WORLD
    assert hand_version(scene) == "", "choosing classes labels nothing"
    label(scene, [1], "Trees")
    version = hand_version(scene)
    choose_scheme(scene, SCHEMES["corine1"])
    assert hand_version(scene) == version
    assert undo_labels(scene) == "classes of “CORINE, level 1”"
    assert scheme_of_scene(scene) == WORLD
    redo_labels(scene)
    assert scheme_of_scene(scene) == SCHEMES["corine1"]


def test_a_class_more_gets_a_code_a_colour_and_a_key_of_its_own(scene: Scene) -> None:
    found = name_class(scene, WORLD, "  Salt  marsh ")
    fresh = found.classes[-1]
    assert (fresh.name, fresh.code, fresh.key) == ("Salt marsh", 9, "0")
    assert fresh.colour not in {one.colour for one in WORLD.classes}
    assert scheme_of_scene(scene) == found
    with pytest.raises(SettingsError, match="there is a class “Salt marsh” already"):
        name_class(scene, found, "salt marsh")
    for number in range(30):
        found = name_class(scene, found, f"class {number}")
    assert len({one.colour for one in found.classes}) == len(found.classes)


def test_changes_of_classes_take_their_labels_along_and_are_one_step(scene: Scene) -> None:
    choose_scheme(scene, WORLD)
    label(scene, [1], "Water")
    label(scene, [2], "Trees")
    water, trees = WORLD.classes[:2]
    changed = edits(
        WORLD, Water=replace(trees, code=0, key="1"), Trees=replace(water, code=1, key="2", colour="#000001")
    )
    found = edit_scheme(scene, WORLD, changed, title="Mine")
    given = hand_labels(scene, patch_grid(scene))
    assert given is not None
    assert [given.classes[given.index[at]] for at in (1, 2)] == ["Trees", "Water"], "names can change places"
    assert read_annotations(scene).colours == {"Trees": "#397D49", "Water": "#000001"}
    assert scheme_of_scene(scene) == found
    assert found.title == "Mine"
    undo_labels(scene)
    given = hand_labels(scene, patch_grid(scene))
    assert given is not None
    assert [given.classes[given.index[at]] for at in (1, 2)] == ["Water", "Trees"]
    assert scheme_of_scene(scene) == WORLD
    assert read_annotations(scene).colours == {}


def test_what_would_lose_labels_or_make_two_things_one_is_refused_and_changes_nothing(scene: Scene) -> None:
    label(scene, [1], "Water")
    label(scene, [2], "Peat")
    before = read_annotations(scene)
    water, trees = WORLD.classes[:2]
    with pytest.raises(SettingsError, match="patches are labelled “Water”; join it to another class"):
        edit_scheme(scene, WORLD, edits(WORLD, Water=None))
    with pytest.raises(SettingsError, match="the code “1” occurs twice"):
        edit_scheme(scene, WORLD, edits(WORLD, Water=replace(water, code=1)))
    with pytest.raises(SettingsError, match="the name “Trees” occurs twice"):
        edit_scheme(scene, WORLD, edits(WORLD, Water=replace(water, name="Trees")))
    with pytest.raises(SettingsError, match="there are labels of a class “Peat” already"):
        edit_scheme(scene, WORLD, edits(WORLD, Water=replace(water, name="Peat")))
    assert read_annotations(scene) == before
    assert len(edit_scheme(scene, WORLD, edits(WORLD, Trees=None)).classes) == 8
    assert trees.name not in {one.name for one in (scheme_of_scene(scene) or WORLD).classes}


def test_a_label_that_was_kept_as_right_is_so_until_it_changes(scene: Scene) -> None:
    window = patch_grid(scene).window(1)[:3]
    label(scene, [1], "Water")
    confirm_labels(scene, [window, (9, 9, 64)])
    assert read_annotations(scene).confirmed == {window}, "what has no label is not kept as right"
    undo_labels(scene)
    assert read_annotations(scene).confirmed == frozenset()
    redo_labels(scene)
    label(scene, [1], "Trees")
    assert read_annotations(scene).confirmed == frozenset()
    undo_labels(scene)
    assert read_annotations(scene).confirmed == {window}


def test_schemes_are_kept_for_other_scenes(tmp_path: Path) -> None:
    kept = KeptSchemes(tmp_path)
    assert kept.all() == {}
    mine = replace(SCHEMES["corine1"], name="own", title="Peat <b>lands</b>")
    assert kept.save(mine) == "peat-b-lands-b"
    (tmp_path / "schemes" / "damaged.json").write_text("{")
    assert kept.all() == {"peat-b-lands-b": mine}
    with pytest.raises(SettingsError, match="has no letter or digit"):
        kept.save(replace(mine, title="***"))
    kept.delete("peat-b-lands-b")
    assert kept.all() == {}
