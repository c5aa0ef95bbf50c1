"""Labelling patches by hand on the Explore page: what can be labelled, and where the labels are seen afterwards."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from core.encoders.registry import matching_encoder
from core.engine.operations import Engine
from core.evaluation.benchmark import BASELINE
from core.evaluation.report.scene import report_on_scene
from core.evaluation.report.store import FEATURES, HAND_LABELLED
from core.export.tables import labels_csv
from core.features.recipe import Recipe
from core.scenes import kept
from core.scenes.labels import LabelSet, give_label, hand_labels, hand_version
from core.scenes.location import bounds_lonlat
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.training.request import TrainingRequest
from core.values.base import NOTHING_ASKED
from core.values.legend import ClassLegend
from core.values.palette import CLASS_COLOURS
from core.values.registry import choices
from pages.ui.explore.colouring import colouring
from pages.ui.explore.labelling import INTRO, meant
from pages.ui.explore.map import MOST_SWATCHES, Overlay, _swatches, value_overlay
from pages.ui.http.pictures import PICTURE_ROUTES, overlay_url
from pages.ui.http.points import POINT_ROUTES, values_url
from pages.ui.state import cache
from tests.asgi import ask
from tests.mapped import pixels_of, tile_at
from tests.pages.conftest import CLASSES, encode, small_scene, visit
from tests.pages.test_explore import data_of, sees_nothing_wrong, texts


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return small_scene(engine)


@pytest.fixture
def recipe(engine: Engine, scene: Scene) -> Recipe:
    return encode(engine, scene, BASELINE)


def values(url: str) -> np.ndarray:
    answer = ask(Starlette(routes=POINT_ROUTES), url)
    assert answer.status == 200, answer.body
    return np.frombuffer(answer.body, "<f4")


def given(scene: Scene) -> dict[str, list[int]]:
    found = hand_labels(scene, patch_grid(scene))
    if found is None:
        return {}
    return {name: np.flatnonzero(found.index == number).tolist() for number, name in enumerate(found.classes)}


def label_here(app: AppTest, name: str, what: int = 0) -> AppTest:
    """Choose patches and a class in the panel, and press the button."""
    radio = next(radio for radio in app.radio if str(radio.key).startswith("label_what"))
    radio.set_value(radio.options[what]).run()
    app.selectbox(key="label_class").set_value(name).run()
    return app.button(key="label_give").click().run()


def htmls(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_without_a_choice_the_panel_says_what_to_do(recipe: Recipe) -> None:
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    assert INTRO in texts(app)
    assert not [radio for radio in app.radio if not str(radio.key).startswith("layout_")]


def test_a_query_and_its_neighbours_are_labelled_and_seen_in_all_views(scene: Scene, recipe: Recipe) -> None:
    app = visit(encoder=BASELINE, q="16")
    neighbours = data_of(app, "landlike_plot")["neighbours"]
    assert app.button(key="label_give").disabled, "no class is chosen yet"
    app = label_here(app, "Forest", what=1)
    sees_nothing_wrong(app)
    assert given(scene) == {"Forest": sorted([16, *neighbours])}
    assert "21 patches labelled Forest" in texts(app)
    plot, gallery = data_of(app, "landlike_plot"), data_of(app, "landlike_gallery")
    version = hand_version(scene)
    assert plot["legend"]["names"] == ["Forest"]
    assert plot["legend"]["colours"] == [CLASS_COLOURS["Forest"]]
    assert np.flatnonzero(values(plot["values"]) == 0).tolist() == given(scene)["Forest"]
    assert plot["values"] == values_url(recipe, f"hand-{version}")
    assert plot["classes"]["url"] == values_url(recipe, f"label-{version}")
    assert {item["label"] for item in gallery["items"]} == {"Forest"}
    assert app.toggle(key="overlay").value


def test_a_new_label_takes_the_place_of_the_old_and_can_be_taken_away(scene: Scene, recipe: Recipe) -> None:
    app = label_here(visit(encoder=BASELINE, q="16"), "Forest")
    app = label_here(app, "River")
    assert given(scene) == {"River": [16]}
    app.button(key="label_drop").click().run()
    sees_nothing_wrong(app)
    assert given(scene) == {}
    assert "The labels of 1 patch are gone" in texts(app)
    assert "Colour by your labels" not in app.selectbox(key="colour").options
    assert data_of(app, "landlike_plot")["classes"]["url"] == values_url(recipe, "class")


def test_a_click_before_the_page_has_caught_up_labels_what_the_form_shows(scene: Scene, recipe: Recipe) -> None:
    app = label_here(visit(encoder=BASELINE, q="16"), "Forest")
    neighbours = data_of(app, "landlike_plot")["neighbours"]
    radio = next(radio for radio in app.radio if str(radio.key).startswith("label_what"))
    radio.set_value(radio.options[1])
    app.selectbox(key="label_class").set_value("River")
    app.button(key="label_give").click().run()
    sees_nothing_wrong(app)
    assert given(scene) == {"River": sorted([16, *neighbours])}


def test_what_several_examples_found_is_not_called_like_one_of_them(scene: Scene, recipe: Recipe) -> None:
    app = visit(scene=scene.id, encoder=BASELINE, like="16.20", unlike="3")
    radio = next(radio for radio in app.radio if str(radio.key).startswith("label_what"))
    assert radio.options == ["The 2 patches given as good examples", "The 20 patches found"]
    found = data_of(app, "landlike_plot")["neighbours"]
    label_here(app, "River", what=1)
    assert given(scene) == {"River": sorted(found)}


def test_a_selection_is_what_is_meant_first(scene: Scene, recipe: Recipe) -> None:
    give_label(scene, patch_grid(scene), [4, 9], "River")
    app = visit(encoder=BASELINE, q="16")
    app.button(key="label_show").click().run()
    assert data_of(app, "landlike_plot")["selection"] == [4, 9]
    label_here(app, "Forest")
    assert given(scene) == {"Forest": [4, 9]}


def test_classes_are_known_however_they_are_written() -> None:
    known = ["AnnualCrop", "Wet meadow"]
    assert meant("annual crop", known) == "AnnualCrop"
    assert meant(" WET MEADOW ", known) == "Wet meadow"
    assert meant("Wet meadows", known) == "Wet meadows"


def test_names_of_classes_are_text_everywhere(scene: Scene, recipe: Recipe) -> None:
    give_label(scene, patch_grid(scene), [3, 5], "<img src=x> `b` ${c}")
    app = visit(encoder=BASELINE, q="3")
    sees_nothing_wrong(app)
    assert "<img" not in htmls(app)
    assert "&lt;img src=x&gt;" in htmls(app)
    assert "<img" not in texts(app)


def test_the_scene_one_comes_from_is_chosen_to_teach_with_and_not_the_newest(engine: Engine) -> None:
    older = small_scene(engine, "older-1", name="Older", created="2000-01-01T00:00:00+00:00")
    newer = small_scene(engine, "newer-1", name="Newer", created="2030-01-01T00:00:00+00:00")
    for one in (older, newer):
        give_label(one, patch_grid(one), [1, 2], "Bog")
    encode(engine, older, BASELINE)
    app = visit(scene=older.id, encoder=BASELINE, q="1")
    app.button(key="label_teach").click().run()
    assert app.multiselect[0].value == [f"hand-{older.id}"]


def test_labelling_a_selection_unmarks_it_so_that_its_colour_is_seen(scene: Scene, recipe: Recipe) -> None:
    give_label(scene, patch_grid(scene), [4, 9], "River")
    app = visit(encoder=BASELINE)
    app.button(key="label_show").click().run()
    label_here(app, "Forest")
    assert data_of(app, "landlike_plot")["selection"] == []
    assert "2 patches labelled Forest" in texts(app)


def test_a_disk_that_refuses_is_one_sentence_in_the_panel(
    scene: Scene, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    app = visit(encoder=BASELINE, q="16")
    monkeypatch.setattr(kept, "write_atomically", full)
    app = label_here(app, "Forest")
    sees_nothing_wrong(app)
    assert "the disk refused it" in texts(app)
    assert given(scene) == {}


def test_labels_of_another_version_are_not_served(scene: Scene, recipe: Recipe) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1], "Forest")
    old = [values_url(recipe, f"{what}-{hand_version(scene)}") for what in ("hand", "label", "class")]
    names = [f"{what}-{hand_version(scene)}" for what in ("hand", "labels")]
    pictures = [overlay_url(recipe.key, name).format(z=0, x=0, y=0) for name in names]
    assert {ask(Starlette(routes=PICTURE_ROUTES), picture).status for picture in pictures} == {200}
    give_label(scene, grid, [2], "Forest")
    assert {ask(Starlette(routes=POINT_ROUTES), url).status for url in old} == {404}
    assert {ask(Starlette(routes=PICTURE_ROUTES), picture).status for picture in pictures} == {404}


def test_the_map_shows_them_where_they_lie(scene: Scene, recipe: Recipe) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, range(grid.count), "Forest")
    give_label(scene, grid, range(21), None)
    bounds = bounds_lonlat(scene)
    assert bounds is not None
    shown = given_on_map(recipe)
    assert shown is not None
    assert shown.legend == ClassLegend(names=("Forest",), colours=(CLASS_COLOURS["Forest"],))
    assert shown.counts == [21]
    west, south, east, north = bounds
    x, y = tile_at((west + east) / 2, (south + north) / 2, 12)
    drawn = pixels_of(ask(Starlette(routes=PICTURE_ROUTES), shown.url.format(z=12, x=x, y=y)).body)
    coloured = drawn[..., 3] > 0
    assert coloured.any()
    assert {tuple(pixel) for pixel in drawn[coloured][:, :3]} == {(0x2C, 0x5F, 0x45)}
    everything = tiles_of(scene, grid, recipe, 12)
    assert 0.4 < coloured.sum() / everything < 0.6, "half of the patches are labelled"


def given_on_map(recipe: Recipe) -> Overlay | None:
    """What the map shows of the labels that people gave."""
    view = cache.scene_view(recipe)
    return value_overlay(view, colouring(view, "hand", NOTHING_ASKED))


def tiles_of(scene: Scene, grid: Any, recipe: Recipe, zoom: int) -> int:
    """Pixels coloured when all patches are labelled."""
    give_label(scene, grid, range(grid.count), "Forest")
    shown, bounds = given_on_map(recipe), bounds_lonlat(scene)
    assert shown is not None
    assert bounds is not None
    west, south, east, north = bounds
    x, y = tile_at((west + east) / 2, (south + north) / 2, zoom)
    return int(
        (pixels_of(ask(Starlette(routes=PICTURE_ROUTES), shown.url.format(z=zoom, x=x, y=y)).body)[..., 3] > 0).sum()
    )


def test_many_classes_do_not_cover_the_map() -> None:
    many = ClassLegend(names=tuple(f"class {number}" for number in range(31)), colours=("#000000",) * 31)
    listed = _swatches(many, [*range(1, 31), 0])
    assert listed[1] == {"title": "class 1", "swatch": "#000000", "count": "2"}
    assert len(listed) == MOST_SWATCHES + 1
    assert listed[-1] == {"title": f"and {30 - MOST_SWATCHES} more"}


def test_labels_can_be_taken_away_as_a_table(scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [8, 3], "=1+1")
    found = hand_labels(scene, grid)
    assert found is not None
    rows = list(csv.DictReader(io.StringIO(labels_csv(scene, grid, found))))
    assert [(row["patch_id"], row["row"], row["col"], row["label"]) for row in rows] == [
        ("3", "0", "3", "'=1+1"), ("8", "1", "1", "'=1+1"),
    ]  # fmt: skip
    assert all(float(row["lon"]) and float(row["lat"]) for row in rows)


def test_a_class_has_one_colour_whatever_is_on_show(scene: Scene, recipe: Recipe) -> None:
    give_label(scene, patch_grid(scene), [0], "Bog")
    by_class = visit(encoder=BASELINE)
    by_class.selectbox(key="colour").set_value("class").run()
    classes = data_of(by_class, "landlike_plot")["legend"]["colours"]
    by_class.selectbox(key="colour").set_value("hand").run()
    bog = data_of(by_class, "landlike_plot")["legend"]["colours"]
    assert len({*classes, *bog}) == len(CLASSES) + 1
    pictures = data_of(visit(encoder=BASELINE, q="0"), "landlike_gallery")["items"]
    assert pictures[0]["label"] == "Bog"
    assert [pictures[0]["colour"]] == bog


def reported(engine: Engine, recipe: Recipe) -> None:
    def load() -> Any:
        return matching_encoder(recipe.encoder, recipe.fingerprint, engine.config)

    report_on_scene(engine.config.root, recipe, None, load)


def test_trust_judges_by_them_anew_when_they_change(engine: Engine, scene: Scene, recipe: Recipe) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, range(0, 42, 7), "Water")
    give_label(scene, grid, range(6, 42, 7), "Green")
    reported(engine, recipe)
    first = hand_version(scene)
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    shown = htmls(app)
    assert "Do neighbours share the labels that people gave by hand?" in shown
    assert "labelled because they look alike make these numbers too good" in shown
    assert "all 12 labelled patches" in shown
    give_label(scene, grid, [1], "Water")
    assert "gave by hand" not in htmls(visit(encoder=BASELINE)), "numbers of other labels are not shown"
    before = engine.submit_trust(recipe, None).id
    reported(engine, recipe)
    assert engine.reports.get(recipe, HAND_LABELLED + first) is None
    assert "all 13 labelled patches" in htmls(visit(encoder=BASELINE))
    give_label(scene, grid, [1], None)
    assert engine.submit_trust(recipe, None).id != before
    assert engine.reports.get(recipe, FEATURES) is not None


def test_where_there_is_no_truth_only_they_are_spoken_of(engine: Engine) -> None:
    scene = small_scene(engine, truth=False)
    recipe = encode(engine, scene, BASELINE)
    grid = patch_grid(scene)
    give_label(scene, grid, range(0, 42, 7), "Water")
    reported(engine, recipe)
    few = htmls(visit(encoder=BASELINE))
    assert "6 patches with a class are too few to measure by" in few
    assert "the patches have no classes" in few
    give_label(scene, grid, range(6, 42, 7), "Green")
    reported(engine, recipe)
    enough = htmls(visit(encoder=BASELINE))
    assert "Neighbours here share the class" in enough
    assert "the patches have no classes" not in enough


def test_they_are_offered_to_learn_from(engine: Engine, scene: Scene, recipe: Recipe) -> None:
    give_label(scene, patch_grid(scene), [1, 2], "Bog")
    app = visit(encoder=BASELINE, q="1")
    app.button(key="label_teach").click().run()
    assert not app.exception
    chosen = app.multiselect[0]
    assert next(one for one in app.expander if "Teach" in one.label).proto.expanded
    assert chosen.value == [f"hand-{scene.id}"]
    assert chosen.options == ["Small scene: your labels", "Small scene"]
    assert "Two classes or more are needed" in texts(app)
    give_label(scene, patch_grid(scene), [3, 4], "Fen")
    app.run()
    app.text_input(key="teach_title").set_value("Mires").run()
    app.button(key="teach_start").click().run()
    assert not app.exception
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "train"]
    assert engine.jobs.payload(job.id)["sets"] == [{"scene_id": scene.id, "by": "hand"}]


def test_other_labels_are_another_training(engine: Engine, scene: Scene) -> None:
    grid = patch_grid(scene)
    give_label(scene, grid, [1, 2], "Bog")
    mires = LabelSet(scene_id=scene.id, by="hand")
    asked = TrainingRequest(sets=(mires,), base="scratch", freeze=False, epochs=1, title="Mires")
    first = engine.trainings.submit(asked)
    assert engine.trainings.submit(asked).id == first.id
    give_label(scene, grid, [3], "Bog")
    assert engine.trainings.submit(asked).id != first.id


def test_a_scene_without_labels_has_none_to_show(engine: Engine) -> None:
    bare = small_scene(engine, truth=False)
    recipe = encode(engine, bare, BASELINE)
    app = visit(encoder=BASELINE, q="3")
    sees_nothing_wrong(app)
    assert given_on_map(recipe) is None
    assert cache.scene_view(recipe).labels.shown is None
    assert data_of(app, "landlike_plot")["classes"] is None
    assert "hand" not in choices(cache.scene_view(recipe), NOTHING_ASKED)
