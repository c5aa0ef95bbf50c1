"""The learning curve on the page: of suggestions, beside random order where that was recorded, else of all labels."""

from __future__ import annotations

from core.features.recipe import Recipe
from core.scenes.labels import give_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.acts import RANDOM, SUGGESTED
from pages.ui.classify.learning import chart, curves
from pages.ui.classify.learning import words as told
from pages.ui.state import cache
from tests.pages.ui.classify.conftest import opened, words


def label(scene: Scene, columns: tuple[int, ...], view: str) -> None:
    labels = {row * 7 + col: "Water" if col < 3 else "Crops" for row in range(6) for col in columns}
    give_labels(scene, patch_grid(scene), labels, view=view)


def test_suggestions_stand_beside_random_order_where_both_were_recorded(recipe: Recipe, scene: Scene) -> None:
    label(scene, (0, 1, 5, 6), "L.csv")
    assert list(curves(cache.scene_view(recipe, scene))) == [""]
    label(scene, (0, 1, 5, 6), SUGGESTED)
    found = curves(cache.scene_view(recipe, scene))
    assert list(found) == [SUGGESTED]
    assert "label 20 patches with “At random” on" in told(found)
    label(scene, (1, 2, 3, 5), RANDOM)
    found = curves(cache.scene_view(recipe, scene))
    assert list(found) == [RANDOM], "labels given anew are of their latest view"
    assert {point.accuracy.count for points in found.values() for point in points} == {36}
    app = opened(scene, "classify_learning")
    assert not app.exception
    assert "Each label was tested" in words(app)
    assert chart(found).to_dict()["layer"]


def test_few_labels_have_no_curve_and_it_says_from_when(recipe: Recipe, scene: Scene) -> None:
    label(scene, (0, 5), SUGGESTED)
    app = opened(scene, "classify_learning")
    assert not app.exception
    assert "From 20 labels of two classes on" in words(app)
