"""The labels of a scene as a table: who gave them, when and from what view; changed, taken away, exported."""

from __future__ import annotations

import csv
import io

from core.export.formats import FORMATS
from core.features.recipe import Recipe
from core.scenes.labels import give_label
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.acts import RANDOM, SUGGESTED, redo, take, undo
from pages.ui.classify.label_table import _change, _drop, label_rows
from pages.ui.classify.offered import offered
from pages.ui.state import cache
from pages.ui.state.label_state import log_of
from pages.ui.state.session import Session
from tests.pages.ui.classify.conftest import given, opened


def test_labels_are_listed_with_who_when_and_from_what_view(recipe: Recipe, scene: Scene) -> None:
    visitor = Session(scene_id=scene.id)
    visitor.desk.who = "Ada"
    take(visitor, cache.scene_view(recipe, scene), 3, "Trees", offered(cache.scene_view(recipe, scene)))
    visitor.desk.at_random, visitor.desk.who = True, "<b>Bob</b>"
    take(visitor, cache.scene_view(recipe, scene), 1, "=1+1", ())
    app = opened(scene, "classify_labels")
    assert not app.exception
    frame = app.dataframe[0].value
    assert frame["Patch"].tolist() == [1, 3]
    assert frame["Given by"].tolist() == ["<b>Bob</b>", "Ada"]
    assert frame["From"].tolist() == [RANDOM, SUGGESTED]
    assert frame["When (UTC)"].notna().all()
    assert "Longitude" in frame


def test_labels_leave_as_files_whose_cells_do_not_run(recipe: Recipe, scene: Scene) -> None:
    give_label(scene, patch_grid(scene), [3], "=cmd|' /C calc'!A0", who="@SUM(A1)", view="+map")
    known = cache.scene_view(recipe, scene)
    text = FORMATS["csv"].encode(label_rows(known, log_of(known))).decode()
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["label"], row["who"], row["view"]) == ("'=cmd|' /C calc'!A0", "'@SUM(A1)", "'+map")
    assert row["patch_id"] == "3"
    assert row["when"].endswith("Z")


def test_labels_are_changed_and_taken_away_and_both_are_undone(recipe: Recipe, scene: Scene) -> None:
    give_label(scene, patch_grid(scene), [1, 2, 3], "Water")
    visitor, known = Session(scene_id=scene.id), cache.scene_view(recipe, scene)
    _drop(visitor, known, known.table.patch_ids[[1, 2]])
    assert given(scene) == {3: "Water"}
    assert "Undo brings them back" in visitor.classified
    undo(known, visitor.tell)
    assert given(scene) == {1: "Water", 2: "Water", 3: "Water"}
    redo(known, visitor.tell)
    assert visitor.classified.startswith("Done again")
    assert given(scene) == {3: "Water"}
    _change(visitor, known, known.table.patch_ids[[3]], ())
    assert given(scene) == {3: "Water"}, "no class is chosen, so nothing changes"
