"""The file of labels: who gave them, undone and done again, renamed, merged and coloured; old files as before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.scenes.given.annotations import LABELS_FILE, read_annotations
from core.scenes.given.classes import merge_classes
from core.scenes.given.history import (
    MOST_UNDONE,
    STEPS_FILE,
    change_annotations,
    redo_labels,
    undo_labels,
    undoable,
)
from core.scenes.given.transfer import transfer_labels
from core.scenes.labels import give_label, give_labels, hand_labels, hand_version
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.scenes import add_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path))


def given(scene: Scene) -> dict[str, list[int]]:
    found = hand_labels(scene, patch_grid(scene))
    if found is None:
        return {}
    names = [found.classes[number] if number >= 0 else None for number in found.index.tolist()]
    return {name: [at for at, one in enumerate(names) if one == name] for name in found.classes}


def colour(scene: Scene, colours: dict[str, str]) -> None:
    change_annotations(scene, "Colouring classes", lambda known: replace(known, colours=colours))


def test_who_when_and_from_what_view_are_kept_with_a_label(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed", who="Ada", view="map")
    give_label(scene, grid, [2], "Reed")
    facts = read_annotations(scene).facts
    assert (facts[grid.window(1)[:3]].who, facts[grid.window(1)[:3]].view) == ("Ada", "map")
    assert facts[grid.window(2)[:3]].when.endswith("Z")
    give_label(scene, grid, [1], None)
    assert list(read_annotations(scene).facts) == [grid.window(2)[:3]]


def test_a_file_of_the_version_before_reads_the_same_and_has_its_version(scene: Scene) -> None:
    content = json.dumps({"version": 1, "classes": {"Reed": [[0, 0, 64], [0, 64, 64]]}}).encode()
    (scene.directory / LABELS_FILE).write_bytes(content)
    assert given(scene) == {"Reed": [0, 1]}
    assert hand_version(scene) == hashlib.blake2b(content, digest_size=8).hexdigest()
    give_label(scene, patch_grid(scene), [0], "Reed", who="Ada")
    assert hand_version(scene) == hashlib.blake2b(content, digest_size=8).hexdigest(), "who gave it is no other label"
    assert json.loads((scene.directory / LABELS_FILE).read_bytes())["classes"] == json.loads(content)["classes"]


def test_changes_are_undone_and_done_again_in_their_order(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1, 2], "Reed", who="Ada")
    give_label(scene, grid, [2, 3], "Bog")
    give_labels(scene, grid, {4: "Bog", 5: "Fen"}, view="L.csv")
    assert undoable(scene) == ("labels for 2 patches", "")
    assert undo_labels(scene) == "labels for 2 patches"
    assert given(scene) == {"Bog": [2, 3], "Reed": [1]}
    assert undo_labels(scene) == "“Bog” for 2 patches"
    assert given(scene) == {"Reed": [1, 2]}
    assert read_annotations(scene).facts[grid.window(2)[:3]].who == "Ada", "who gave it comes back too"
    assert redo_labels(scene) == "“Bog” for 2 patches"
    assert given(scene) == {"Bog": [2, 3], "Reed": [1]}
    give_label(scene, grid, [9], "Reed")
    assert undoable(scene) == ("“Reed” for 1 patch", ""), "what was taken back is gone after another change"
    assert [undo_labels(scene) for _ in range(4)][-1] == ""
    assert given(scene) == {}


def test_labels_given_on_another_page_meanwhile_stay_where_that_is_wanted(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed", who="Ada")
    give_labels(scene, grid, {1: "Bog", 2: "Bog"}, view="L.csv", keep=True)
    assert given(scene) == {"Bog": [2], "Reed": [1]}
    assert read_annotations(scene).facts[grid.window(1)[:3]].who == "Ada"
    undo_labels(scene)
    assert given(scene) == {"Reed": [1]}
    give_labels(scene, grid, {1: "Bog"}, view="L.csv")
    assert given(scene) == {"Bog": [1]}


def test_undoing_leaves_alone_what_was_changed_otherwise_since(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1, 2], "Reed")
    whole = json.loads((scene.directory / LABELS_FILE).read_bytes())
    whole["classes"] = {"Bog": [list(grid.window(1)[:3])], "Reed": [list(grid.window(2)[:3])]}
    (scene.directory / LABELS_FILE).write_text(json.dumps(whole))  # As a version before would have written it.
    undo_labels(scene)
    assert given(scene) == {"Bog": [1]}


def test_classes_are_renamed_merged_and_coloured_and_all_of_it_can_be_undone(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed", who="Ada")
    give_label(scene, grid, [2], "Bog")
    give_label(scene, grid, [3], "Fen")
    colour(scene, {"Reed": "#112233"})
    before = hand_version(scene)
    merge_classes(scene, ["Reed"], " Reed  bed ")
    assert given(scene) == {"Bog": [2], "Fen": [3], "Reed bed": [1]}
    assert read_annotations(scene).facts[grid.window(1)[:3]].who == "Ada"
    found = hand_labels(scene, grid)
    assert found is not None
    assert found.colours == ("", "", "#112233")
    merge_classes(scene, ["Bog", "Fen"], "Mire")
    assert given(scene) == {"Mire": [2, 3], "Reed bed": [1]}
    undo_labels(scene)
    undo_labels(scene)
    assert given(scene) == {"Bog": [2], "Fen": [3], "Reed": [1]}
    assert hand_version(scene) == before
    undo_labels(scene)
    assert read_annotations(scene).colours == {}
    colour(scene, {"Reed": "#112233"})
    colour(scene, {})
    assert read_annotations(scene).colours == {}
    undo_labels(scene)
    assert read_annotations(scene).colours == {"Reed": "#112233"}


def test_a_class_that_is_not_there_is_not_merged_and_nothing_changes(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed")
    give_label(scene, grid, [2], "Bog")
    content = (scene.directory / LABELS_FILE).read_bytes()
    with pytest.raises(SettingsError, match="there is no class “Fen”; choose one of those there are: “Bog”, “Reed”"):
        merge_classes(scene, ["Fen", "Bog"], "Bog")
    assert (scene.directory / LABELS_FILE).read_bytes() == content


def test_a_damaged_file_of_steps_loses_no_label(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed")
    (scene.directory / STEPS_FILE).write_text('{"steps": [7], "done": 1}')
    assert undo_labels(scene) == ""
    give_label(scene, grid, [2], "Reed")
    assert (given(scene), undoable(scene)[0]) == ({"Reed": [1, 2]}, "“Reed” for 1 patch")


def test_so_many_steps_are_kept_and_no_more(scene: Scene) -> None:
    grid = patch_grid(scene)
    for number in range(MOST_UNDONE + 3):
        give_label(scene, grid, [0], f"class {number % 2}")
    assert sum(undo_labels(scene) != "" for _ in range(MOST_UNDONE + 3)) == MOST_UNDONE


def test_another_reading_keeps_who_gave_a_label_and_its_colour(tmp_path: Path) -> None:
    library = Library(tmp_path)
    old, new = add_scene(library, "old-1"), add_scene(library, "new-1")
    give_label(old, patch_grid(old), [1], "Reed", who="Ada")
    colour(old, {"Reed": "#112233"})
    transfer_labels(old, new)
    assert read_annotations(new) == read_annotations(old)
