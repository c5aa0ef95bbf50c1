"""The Trust panel and the marks of unfamiliar patches, without a browser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from core.encoders.registry import matching_encoder
from core.engine.operations import Engine
from core.evaluation.band_statistics import statistics_of_bands
from core.evaluation.benchmark import BASELINE
from core.evaluation.novelty import NOVEL_ABOVE, calibrate_novelty
from core.evaluation.novelty_causes import NoveltyCause
from core.evaluation.report.card import Section, Sheet
from core.evaluation.report.scene import report_on_scene
from core.features import recipe as features
from core.features.recipe import Recipe
from core.jobs.queue import Job
from core.projection.address import layout_name
from core.projection.settings import ProjectionSettings
from core.scenes.patches import patch_grid
from pages.ui.explore import trust
from pages.ui.explore.novelty_banner import fraction, with_remedies
from pages.ui.explore.novelty_marks import MOST_DIAMONDS, WORDS, diamonds, diamonds_legend
from pages.ui.explore.trust import section_html
from pages.ui.http.points import POINT_ROUTES, values_url
from pages.ui.state import cache
from tests.asgi import ask
from tests.pages.conftest import banded, encode, small_scene, visit
from tests.pages.test_explore import data_of, map_of, sees_nothing_wrong, texts

SETTINGS = ProjectionSettings()


@pytest.fixture
def recipe(engine: Engine) -> Recipe:
    return encode(engine, small_scene(engine), BASELINE)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel is open, which nobody can click here."""
    monkeypatch.setattr(trust, "_seen", lambda *, key, data, on_seen_change: on_seen_change())


def measured(engine: Engine, recipe: Recipe) -> None:
    """The report of a scene and of a layout of it, in the store."""
    engine.layouts.put(recipe, SETTINGS.key, np.random.default_rng(0).random((42, 2)).astype(np.float32))

    def load() -> Any:
        return matching_encoder(recipe.encoder, recipe.fingerprint, engine.config)

    report_on_scene(engine.config.root, recipe, SETTINGS, load)


@pytest.fixture
def strange(engine: Engine, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The patches of the last two columns, the brightest, are unlike what the encoder was trained on."""
    made = engine.features(recipe)
    known = np.flatnonzero(np.arange(42) % 7 < 5)
    random = np.random.default_rng(0)
    bands = ("B02", "B04", "B08", "B12")
    statistics = statistics_of_bands(made.band_mean, made.band_std, bands)[random.choice(known, 600)]
    statistics *= random.normal(1, 0.01, statistics.shape).astype(np.float32)
    path = tmp_path / "familiar.npz"
    calibrate_novelty(statistics, bands).save(path)
    monkeypatch.setattr(features, "companion", lambda *_: path)
    return [patch for patch in range(42) if patch % 7 >= 5]


def htmls(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_nothing_is_measured_until_the_panel_is_opened(engine: Engine, recipe: Recipe) -> None:
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    assert "Measuring begins…" in texts(app)
    assert not [job for job in engine.jobs.jobs() if job.kind == "trust"]


def test_what_no_section_looks_at_is_said_under_the_verdict(engine: Engine, recipe: Recipe) -> None:
    """Land under cloud was said to hold without a word on that."""
    measured(engine, recipe)
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    clouds = "Clouds were not looked for: no map of them came with the scene."
    assert clouds in [one.value for one in app.caption], "it lacks no band of this encoder"
    path = engine.library.directory(recipe.scene_id) / "quality.json"
    record = json.loads(path.read_text())
    line = {"topic": "cloud", "value": "7 %", "basis": "stated", "because": "its product says so", "override": None}
    path.write_text(json.dumps(record | {"findings": [*record["findings"], line]}))
    app.run()
    assert clouds not in texts(app)


@pytest.mark.usefixtures("opened")
def test_opening_the_panel_measures_once_and_can_be_stopped(engine: Engine, recipe: Recipe) -> None:
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    app.run()
    assert [job.state for job in engine.jobs.jobs() if job.kind == "trust"] == ["queued"]
    app.button(key="stop_trust").click().run()
    app.run()
    assert [job.state for job in engine.jobs.jobs() if job.kind == "trust"] == ["cancelled"]
    app.button(key="trust_again").click().run()
    assert [job.state for job in engine.jobs.jobs() if job.kind == "trust"] == ["queued"]


def test_stopping_is_seen_to_be_heard(engine: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Stopped(Job):
        stopping: bool = True

    monkeypatch.setattr(trust, "_seen", lambda *, key, data, on_seen_change: on_seen_change())
    visit(encoder=BASELINE)
    job = next(job for job in engine.jobs.jobs() if job.kind == "trust")
    fields, get = {name: getattr(job, name) for name in Job.__dataclass_fields__}, engine.jobs.get
    for one, label in ((Job(**fields), "Stop"), (Stopped(**fields | {"stopping": True}), "Stopping…")):
        monkeypatch.setattr(engine.jobs, "get", lambda asked, one=one: one if asked == job.id else get(asked))
        app = visit(encoder=BASELINE)
        sees_nothing_wrong(app)
        button = app.run().button(key="stop_trust")
        assert (button.label, button.disabled) == (label, label == "Stopping…")


def test_of_one_patch_there_is_no_plot_to_wait_for(engine: Engine) -> None:
    pixels, _ = banded(1, 1)
    recipe = encode(engine, small_scene(engine, truth=False, pixels=pixels, height=64, width=64), BASELINE)
    report_on_scene(
        engine.config.root, recipe, None,
        lambda: matching_encoder(recipe.encoder, recipe.fingerprint, engine.config),
    )  # fmt: skip
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    assert trust.WAITING not in texts(app)
    assert htmls(app).count("Not measured: 1 patch is too few.") == 2, "hubs, and the plot"
    assert "give them some with Label above" in htmls(app)


def test_what_is_measured_stands_there_in_the_order_of_a_report(engine: Engine, recipe: Recipe) -> None:
    measured(engine, recipe)
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    shown = htmls(app)
    places = [shown.index(words) for words in (
        "ll-verdict", "neighbours are of the same class", "It was not trained", "when the grid moves", ">Hubs<",
        "nearest by features",
    )]  # fmt: skip
    assert places == sorted(places)
    assert shown.index("<details>") < shown.index("Neighbours here share the class"), "what is behind it is folded"
    assert "&lt;b&gt;my&lt;/b&gt; `class` ${x}" in shown, "names of classes are text"
    assert not [job for job in engine.jobs.jobs() if job.kind == "trust"]


def test_misplaced_points_can_be_shown_and_the_plot_coloured_by_distortion(engine: Engine, recipe: Recipe) -> None:
    measured(engine, recipe)
    app = visit(encoder=BASELINE)
    assert "Colour by distortion" in app.selectbox(key="colour").options
    app.button(key="trust_colour_layout").click().run()
    plot = data_of(app, "landlike_plot")
    assert plot["legend"]["title"] == "Distortion"
    assert plot["values"] == values_url(recipe, f"distortion-{layout_name(SETTINGS)}")
    found = np.frombuffer(ask(Starlette(routes=POINT_ROUTES), plot["values"]).body, "<f4")
    np.testing.assert_array_equal(found, engine.reports.values(recipe, SETTINGS.key, "distortion"))
    app.button(key="trust_show_layout").click().run()
    assert data_of(app, "landlike_plot")["selection"] == np.flatnonzero(found > 0.25).tolist()


def test_distortion_is_no_choice_while_it_is_not_measured(engine: Engine, recipe: Recipe) -> None:
    app = visit(encoder=BASELINE)
    assert "Colour by distortion" not in app.selectbox(key="colour").options
    assert "Colour by unfamiliarity" not in app.selectbox(key="colour").options
    assert ask(Starlette(routes=POINT_ROUTES), values_url(recipe, f"distortion-{layout_name(SETTINGS)}")).status == 404
    assert ask(Starlette(routes=POINT_ROUTES), values_url(recipe, "unfamiliar")).status == 404
    plot = data_of(app, "landlike_plot")
    assert plot["strange"] is None
    assert not any(item["mark"] for item in data_of(app, "landlike_gallery")["items"])


def test_unfamiliar_patches_are_marked_in_all_views(engine: Engine, recipe: Recipe, strange: list[int]) -> None:
    measured(engine, recipe)
    app = visit(encoder=BASELINE, q=str(strange[0]), marks="on")
    sees_nothing_wrong(app)
    assert sorted(cache.scene_view(recipe).novel_patches().tolist()) == strange
    plot = data_of(app, "landlike_plot")
    percent = np.frombuffer(ask(Starlette(routes=POINT_ROUTES), plot["strange"]).body, "<f4")
    assert np.flatnonzero(percent > plot["unfamiliar"]).tolist() == strange
    assert plot["unfamiliar"] == NOVEL_ABOVE
    items = data_of(app, "landlike_gallery")["items"]
    assert {item["id"] for item in items if item["mark"]} == set(strange) & {item["id"] for item in items}
    assert "Unfamiliar" in items[0]["alt"]
    assert "12 patches are unfamiliar, farther from that" in htmls(app)
    app.button(key="trust_colour_familiar").click().run()
    legend = data_of(app, "landlike_plot")["legend"]
    assert (legend["title"], legend["digits"]) == ("Unfamiliar", 0)
    app.button(key="trust_show_familiar").click().run()
    assert data_of(app, "landlike_plot")["selection"] == strange


def test_much_unfamiliar_land_is_told_by_a_banner_and_marked_when_a_person_wants_it(
    engine: Engine, recipe: Recipe, strange: list[int]
) -> None:
    app = visit(encoder=BASELINE, q=str(strange[0]))
    sees_nothing_wrong(app)
    assert "<b>A quarter of this scene is" in htmls(app), "12 of 42"
    assert WORDS in htmls(app), "the word is explained where it stands"

    def marked() -> list[bool]:
        items = data_of(app, "landlike_gallery")["items"]
        shown = map_of(app)
        return [data_of(app, "landlike_plot")["marked"], any(item["mark"] for item in items), bool(shown["strangers"])]

    assert marked() == [False] * 3
    assert "marks" not in app.query_params
    app.toggle(key="marks").set_value(True).run()
    assert marked() == [True] * 3
    assert app.query_params["marks"] == "on"
    app.button(key="novelty_close").click().run()
    assert "A quarter of this scene" not in htmls(app)
    app.toggle(key="marks").set_value(False).run()
    assert marked() == [False] * 3


def test_the_remedy_of_a_cause_is_a_button_where_it_can_be_done(
    engine: Engine, recipe: Recipe, strange: list[int]
) -> None:
    measured(engine, recipe)
    app = visit(encoder=BASELINE)
    sees_nothing_wrong(app)
    assert "Level unknown" in htmls(app)
    there = {"novelty_remedy", "trust_remedy_read"}
    assert not there & {button.key for button in app.button}, "its files were not kept, so it cannot be read again"
    origin = engine.library.directory(recipe.scene_id) / "origin"
    origin.mkdir()
    (origin / "field.tif").write_bytes(b"II*")
    app.run()
    assert {app.button(key=key).label for key in there} == {"Read it differently"}


def test_every_remedy_is_offered_once_whatever_is_named_first(engine: Engine) -> None:
    scene = small_scene(engine)
    named = [
        NoveltyCause(name="level", sentence="L2A: converted."),
        NoveltyCause(name="pixels", sentence="14 m pixels: resample to 10 m.", remedy="resample"),
        NoveltyCause(name="bands", sentence="1 band is missing.", remedy="encoder"),
        NoveltyCause(name="season", sentence="Winter.", remedy="date"),
        NoveltyCause(name="sensor", sentence="Another sensor.", remedy="encoder"),
    ]
    assert [one.name for one in with_remedies(scene, named)] == ["bands", "season"]
    (scene.directory / "origin").mkdir()
    (scene.directory / "origin" / "field.tif").write_bytes(b"II*")
    assert [one.name for one in with_remedies(scene, named)] == ["pixels", "bands", "season"]


def test_a_share_is_told_in_words() -> None:
    told = {share: fraction(share) for share in (0.15, 0.49, 0.8, 0.99, 1.0)}
    assert list(told.values()) == ["A sixth", "Half", "Four fifths", "Nearly all", "All"]


def test_a_damaged_file_of_the_training_marks_nothing(
    engine: Engine, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "familiar.npz"
    path.write_bytes(b"PK")
    monkeypatch.setattr(features, "companion", lambda *_: path)
    sees_nothing_wrong(visit(encoder=BASELINE))
    assert cache.scene_view(recipe).novelty() is None


def test_diamonds_lie_in_the_middle_of_their_patches(engine: Engine) -> None:
    scene = small_scene(engine)
    grid = patch_grid(scene)
    lat, lon = np.moveaxis(np.array(diamonds(scene, grid, np.array([0, 1]))), 2, 0)
    assert lat.shape == (2, 4)
    metres = (np.ptp(lat, axis=1) * 111_200, np.ptp(lon, axis=1) * 111_200 * np.cos(np.deg2rad(lat.mean())))
    np.testing.assert_allclose(metres, 320, atol=15)
    assert (lon[1].mean() - lon[0].mean()) * 111_200 * np.cos(np.deg2rad(lat.mean())) == pytest.approx(640, abs=20)
    assert diamonds(scene, grid, np.empty(0, np.int64)) == []
    assert diamonds_legend(0) == []
    assert f"{MOST_DIAMONDS} shown" in diamonds_legend(MOST_DIAMONDS + 1)[0]["title"]


def test_whatever_a_file_says_is_text_in_the_panel() -> None:
    sheet = Sheet(title="<i>t</i>", head=("<b>h</b>",), rows=(("<script>",),))
    shown = section_html(Section(name="labels", title="<u>", sentences=("<img>", "<p>"), sheets=(sheet,)))
    for tag in ("<i>", "<b>", "<script>", "<u>", "<img>"):
        assert tag not in shown
