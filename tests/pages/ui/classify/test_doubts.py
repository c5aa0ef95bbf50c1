"""Labels that may be wrong: listed with the reason, kept or changed by one click, and not doubted again."""

from __future__ import annotations

import html

from core.classification.heads import teach
from core.classification.maps.choice import MapChoice, save_choice
from core.engine.class_map import labels_that_teach
from core.features.recipe import Recipe
from core.scenes.given.history import undo_labels
from core.scenes.labels import give_label, give_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.doubts import doubts_of, mixed_of
from pages.ui.state import cache
from pages.ui.state.engine import engine
from tests.pages.ui.classify.conftest import given, opened, words


def test_a_wrong_label_is_doubted_until_it_is_kept_or_changed(recipe: Recipe, scene: Scene) -> None:
    labels = {row * 7 + col: "Water" if col < 3 else "Crops" for row in range(6) for col in (0, 1, 5, 6)}
    wrong = 7 * 3 + 6
    give_labels(scene, patch_grid(scene), labels | {wrong: "Water"})
    app = opened(scene, "classify_doubts")
    assert not app.exception
    assert [one.patch_id for one in doubts_of(cache.scene_view(recipe, scene))] == [wrong]
    assert f"Patch {wrong} is labelled Water; by labels elsewhere it is Crops" in words(app).replace("&#59;", ";")
    app.button(key=f"doubt_keep_{wrong}").click().run()
    assert not app.exception
    assert doubts_of(cache.scene_view(recipe, scene)) == ()
    undo_labels(scene)
    app = opened(scene, "classify_doubts")
    app.button(key=f"doubt_change_{wrong}").click().run()
    assert given(scene) == labels
    assert doubts_of(cache.scene_view(recipe, scene)) == ()


def test_classes_that_contradict_one_another_are_named_with_what_to_do(recipe: Recipe, scene: Scene) -> None:
    """Ten labels, given without looking."""
    labels = {patch: ("Crops", "Meadow")[at % 2] for at, patch in enumerate((0, 1, 6, 13, 20, 22, 28, 34, 36, 41))}
    give_labels(scene, patch_grid(scene), labels)
    app = opened(scene, "classify_mixed_Crops_Meadow")
    assert not app.exception
    (pair,) = mixed_of(cache.scene_view(recipe, scene))
    said = html.unescape(app.warning[0].value)
    assert f"are not told apart: {pair.wrong} of {pair.tested} labels were taken for the other" in said
    assert "join classes that are one kind of land to you" in said
    save_choice(scene, MapChoice(below=0.95))
    assert "No patch gets a class, for none is 95 % likely to be of one." in words(opened(scene))
    changed = next(button for button in app.button if str(button.key).startswith("mixed_change_"))
    patch = int(str(changed.key).rpartition("_")[2])
    changed.click().run()
    assert given(scene)[patch] != labels[patch]


def test_few_labels_are_not_doubted(recipe: Recipe, scene: Scene) -> None:
    give_labels(scene, patch_grid(scene), {0: "Water", 6: "Crops", 13: "Water", 7: "Water"})
    assert doubts_of(cache.scene_view(recipe, scene)) == ()


def test_nothing_is_doubted_by_what_was_held_out_of_the_labels_before(recipe: Recipe, scene: Scene) -> None:
    labels = {row * 7 + col: "Water" if col < 3 else "Crops" for row in range(6) for col in (0, 1, 5, 6)}
    give_labels(scene, patch_grid(scene), labels | {7 * 3 + 6: "Water"})
    view = cache.scene_view(recipe, scene)
    known = labels_that_teach(view)
    assert known is not None
    save_choice(scene, MapChoice(head="forest"))
    engine().classifications.compared.put(recipe, view.labels.version, teach(known, "forest", settings=[5]))
    assert doubts_of(cache.scene_view(recipe, scene))
    give_label(scene, patch_grid(scene), [0], None)
    give_label(scene, patch_grid(scene), [41], "Crops")
    assert doubts_of(cache.scene_view(recipe, scene)) == ()
