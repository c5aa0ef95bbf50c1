"""Classes of patches, by the truth and by hand: what is given, changed, taken away, kept and refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import PatchError, SceneError, SettingsError, TrainingError
from core.scenes import kept
from core.scenes.cut import Cut
from core.scenes.given.annotations import LABELS_FILE, MOST_CLASSES
from core.scenes.given.classes import LONGEST_NAME
from core.scenes.labels import (
    PatchLabels,
    carry_labels,
    covered_by_labels,
    give_label,
    hand_labels,
    hand_version,
    labels_elsewhere,
    merged,
    needed_labels,
    patch_labels,
)
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.scenes import add_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """4 × 5 patches without a truth."""
    return add_scene(Library(tmp_path))


def given(scene: Scene, size: int = 64, stride: int | None = None) -> dict[str, list[int]]:
    """Patches by the class they were given."""
    found = hand_labels(scene, patch_grid(scene, Cut.of(size, stride)))
    if found is None:
        return {}
    return {name: np.flatnonzero(found.index == number).tolist() for number, name in enumerate(found.classes)}


def test_the_truth_gives_the_commonest_class_with_its_share(tmp_path: Path) -> None:
    truth = np.zeros((256, 320), dtype=np.uint16)
    truth[:64, :48] = 2
    truth[:64, 48:64] = 1
    truth[64:128, :64] = 1
    scene = add_scene(Library(tmp_path), truth=truth, classes=("Forest", "River"))
    labels = patch_labels(scene, patch_grid(scene))
    assert labels is not None
    assert labels.index[[0, 1, 5]].tolist() == [1, -1, 0]
    np.testing.assert_allclose(labels.purity[[0, 1, 5]], [0.75, 0, 1])


def test_labels_are_given_changed_and_taken_away(scene: Scene) -> None:
    grid = patch_grid(scene)
    assert (given(scene), hand_version(scene)) == ({}, "")
    give_label(scene, grid, [3, 7, 7], "  Wet   meadow ")
    give_label(scene, grid, [8], "Reed")
    assert given(scene) == {"Wet meadow": [3, 7], "Reed": [8]}
    give_label(scene, grid, [7, 12], "Reed")
    assert given(scene) == {"Wet meadow": [3], "Reed": [7, 8, 12]}
    give_label(scene, grid, [3, 5], None)
    assert given(scene) == {"Reed": [7, 8, 12]}
    give_label(scene, grid, [7, 8, 12], None)
    assert (given(scene), hand_version(scene)) == ({}, "")


def test_labels_belong_to_the_patches_they_were_given_to(scene: Scene) -> None:
    give_label(scene, patch_grid(scene), [6], "Reed")
    assert given(scene, 32) == {}, "no patch of half the side was labelled"
    assert given(scene, 64, 32) == {"Reed": [2 * 9 + 2]}, "row 1, column 1 is row 2, column 2 at half the stride"
    give_label(scene, patch_grid(scene, Cut.of(64, 32)), [1], "Bog")
    assert given(scene) == {"Reed": [6]}, "a patch between those of the grid is none of them"


def test_patches_that_were_moved_inwards_have_the_labels_of_their_place(tmp_path: Path) -> None:
    truth = np.zeros((100, 150), dtype=np.uint16)
    truth[36:, 86:] = 1
    truth[:64, :64] = 2
    scene = add_scene(Library(tmp_path), "edge-1", height=100, width=150, truth=truth, classes=("Marsh", "Dune"))
    for cut, last in ((Cut.of(64, edge="cover"), 5), (Cut.of(64, 32, edge="cover"), 11)):
        grid = patch_grid(scene, cut)
        found = patch_labels(scene, grid)
        assert found is not None
        assert (found.index[0], found.purity[0]) == (1, 1)
        assert (found.index[last], found.purity[last]) == (0, 1), "the last patch begins at row 36 and column 86"
        give_label(scene, grid, [last], "Reed")
        again = hand_labels(scene, grid)
        assert again is not None
        assert np.flatnonzero(again.index >= 0).tolist() == [last]


@pytest.mark.parametrize("cut", [Cut.of(32), Cut.of(64, 32), Cut.of(96), Cut.of(60, 44, edge="cover")])
def test_labels_are_carried_over_to_patches_that_lie_there(scene: Scene, cut: Cut) -> None:
    before, grid = patch_grid(scene), patch_grid(scene, cut)
    give_label(scene, before, [0, 1, 5, 6, 7], "Reed")
    give_label(scene, before, [8, 9, 13, 14], "Bog")
    painted = np.zeros((256, 320), dtype=np.uint16)
    for number, ids in ((1, [0, 1, 5, 6, 7]), (2, [8, 9, 13, 14])):
        for patch_id in ids:
            row, col, size, _ = before.window(patch_id)
            if grid.patch_of_window(row, col, size) is None:
                painted[row : row + size, col : col + size] = number
    own = {grid.patch_of_window(*before.window(patch_id)[:3]) for patch_id in (0, 1, 5, 6, 7, 8, 9, 13, 14)} - {None}
    expected: dict[str, list[int]] = {}
    for patch_id in sorted(set(range(grid.count)) - own):
        row, col, size, _ = grid.window(patch_id)
        shares = [(painted[row : row + size, col : col + size] == number).mean() for number in (1, 2)]
        if max(shares) >= 0.8:
            expected.setdefault(("Reed", "Bog")[int(np.argmax(shares))], []).append(patch_id)
    assert covered_by_labels(scene, grid) == expected
    assert labels_elsewhere(scene, grid) == 9 - len(own)
    assert carry_labels(scene, grid) == sum(map(len, expected.values()))
    assert covered_by_labels(scene, grid) == {}, "they have labels of their own now"
    assert given(scene)["Reed"] == [0, 1, 5, 6, 7], "and those given before are as they were"


def test_without_labels_there_are_none_elsewhere(scene: Scene) -> None:
    assert labels_elsewhere(scene, patch_grid(scene)) == 0
    assert covered_by_labels(scene, patch_grid(scene)) == {}


def test_a_version_tells_labels_from_any_others(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Reed")
    first = hand_version(scene)
    give_label(scene, grid, [1], "Bog")
    assert hand_version(scene) not in {"", first}
    give_label(scene, grid, [1], "Reed")
    assert hand_version(scene) == first


def test_by_hand_goes_before_the_truth() -> None:
    truth = PatchLabels(
        classes=("Forest", "River"),
        index=np.array([0, 1, -1, 1], np.int16),
        purity=np.array([1, 0.5, 0, 1], np.float32),
    )
    by_hand = PatchLabels(
        classes=("Bog", "River"),
        index=np.array([-1, 0, 1, -1], np.int16),
        purity=np.array([0, 1, 1, 0], np.float32),
    )
    both = merged(by_hand, truth)
    assert both is not None
    assert both.classes == ("Forest", "River", "Bog")
    assert both.index.tolist() == [0, 2, 1, 1]
    assert both.purity.tolist() == [1, 1, 1, 1]
    assert merged(None, truth) is truth
    assert merged(by_hand, None) is by_hand
    assert merged(None, None) is None


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "bell\x07", "two\x00"])
def test_names_that_cannot_be_shown_are_refused(scene: Scene, name: str) -> None:
    with pytest.raises(SettingsError, match="give a name of 1 to 60 letters"):
        give_label(scene, patch_grid(scene), [0], name)
    assert given(scene) == {}


@pytest.mark.parametrize("name", ["No class", "no  CLASS"])
def test_the_word_for_patches_without_a_class_is_no_class(scene: Scene, name: str) -> None:
    with pytest.raises(SettingsError, match="means patches without a class; give another name"):
        give_label(scene, patch_grid(scene), [0], name)


def test_more_classes_than_can_be_told_apart_are_refused(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [0], "Reed")
    whole = json.loads((scene.directory / LABELS_FILE).read_text())
    whole["classes"] = {f"class {number}": [[64, 64 * number, 64]] for number in range(MOST_CLASSES)}
    (scene.directory / LABELS_FILE).write_text(json.dumps(whole))
    with pytest.raises(SettingsError, match="there are 200 classes already; use one of them"):
        give_label(scene, grid, [0], "one more")
    give_label(scene, grid, [0], "class 7")
    assert given(scene)["class 7"] == [0]


def test_patches_that_are_not_there_are_refused(scene: Scene) -> None:
    with pytest.raises(PatchError, match="0 to 19"):
        give_label(scene, patch_grid(scene), [19, 20], "Reed")
    assert given(scene) == {}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"classes": 3}', b'{"classes": {"a": [[1]]}}', b"\xff", b"[" * 100_000]
)
def test_damaged_labels_are_none_and_are_not_written_over(scene: Scene, content: bytes) -> None:
    (scene.directory / LABELS_FILE).write_bytes(content)
    assert (given(scene), hand_version(scene)) == ({}, "")
    with pytest.raises(SceneError, match=r"given before cannot be read; move labels\.json out"):
        give_label(scene, patch_grid(scene), [0], "Reed")
    assert (scene.directory / LABELS_FILE).read_bytes() == content


def test_a_full_disk_is_a_sentence_and_loses_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [0], "Reed")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(kept, "write_atomically", full)
    with pytest.raises(SceneError, match="No space left on device"):
        give_label(scene, grid, [1], "Reed")
    assert given(scene) == {"Reed": [0]}


def test_they_go_with_their_scene(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library)
    give_label(scene, patch_grid(scene), [0], "Reed")
    assert given(library.rename(scene.id, "Another name")) == {"Reed": [0]}
    library.delete(scene.id)
    assert given(add_scene(library)) == {}


def test_what_needs_labels_takes_the_truth_first_and_says_when_there_are_none(tmp_path: Path) -> None:
    library = Library(tmp_path)
    mapped = add_scene(library, "mapped-1", truth=np.ones((256, 320), np.uint16), classes=("Land",))
    plain = add_scene(library, "plain-1")
    grid = patch_grid(plain)
    with pytest.raises(TrainingError, match="its patches have no labels; give patches in folders named by class, or"):
        needed_labels("Learning", plain, grid)
    with pytest.raises(TrainingError, match="nobody has labelled its patches by hand"):
        needed_labels("Learning", mapped, grid, "hand")
    for scene in (mapped, plain):
        give_label(scene, grid, [2], "Reed")
    assert needed_labels("Learning", mapped, grid).classes == ("Land",)
    assert needed_labels("Learning", mapped, grid, "hand").classes == ("Reed",)
    assert needed_labels("Learning", plain, grid).classes == ("Reed",)
    assert needed_labels("Learning", replace(plain, name="Other"), grid).index[2] == 0
