"""The search bar and the kinds of examples, on the page: places, areas, pictures, patches of other scenes."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.encoders.registry import default_encoder
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.ingest.settings import IngestSettings
from core.jobs.lanes import Lane
from core.scenes.patches import PatchRef
from core.search.by_examples import rank
from core.search.chips import ChipExample
from core.search.coordinates import Spot
from core.search.examples import AreaExample, PatchExample, VectorExample
from core.search.filters import Filters
from pages.ui.search.drawing import take_area
from pages.ui.search.picture import LIKE
from pages.ui.state import cache
from pages.ui.state.engine import replace_engine
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from tests.fakes import ThreadWorker
from tests.pages.conftest import encode, small_scene, visit
from tests.pages.test_explore import data_of, map_of, sees_nothing_wrong, texts


def session(app: AppTest) -> Session:
    found: Session = app.session_state["landlike"]
    return found


def corners_of(recipe: Recipe, ids: list[int]) -> list[list[float]]:
    """A box, as (lat, lon) corners, around the centres of patches and no others."""
    places = cache.view_of_key(recipe.key).places
    assert places is not None
    (west, south), (east, north) = places[ids].min(axis=0) - 0.001, places[ids].max(axis=0) + 0.001
    return [[south, west], [south, east], [north, east], [north, west]]


def test_a_place_is_asked_about_and_one_outside_is_answered_in_a_sentence(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    places = cache.view_of_key(recipe.key).places
    assert places is not None
    spot = Spot(lon=places[16, 0], lat=places[16, 1])
    app = visit()
    app.text_input(key="words").set_value(f"{spot.lat}, {spot.lon}").run()
    sees_nothing_wrong(app)
    assert session(app).asking == PatchRef("small-1", 16)
    assert f"{spot.title}: patch 16." in html.unescape(texts(app))
    assert app.text_input(key="words").value == ""
    app.text_input(key="words").set_value("10, 10").run()
    sees_nothing_wrong(app)
    assert "km south" in texts(app)
    assert "the scene reaches from 51." in html.unescape(texts(app))
    assert app.text_input(key="words").value == "10, 10", "what was typed is not lost"
    assert session(app).asking == PatchRef("small-1", 16), "and neither is what was asked"
    session(app).exemplify(PatchRef("small-1", 20), 1)
    app.text_input(key="words").set_value(f"{places[30, 0]} E {places[30, 1]} N").run()
    assert session(app).question("small-1") == Question("small-1", (16, 20, 30)), (
        "it joins the examples that are listed"
    )
    app.text_input(key="words").set_value("dense vegetation").run()
    assert session(app).question("small-1").words == "dense vegetation"


def _clicked() -> None:
    """The bar, and under it what a click does that draws the views alone."""
    import streamlit as st

    from core.scenes.patches import PatchRef
    from pages.ui.search.bar import keep_bar, search_bar
    from pages.ui.state.engine import engine
    from pages.ui.state.session import current

    scene = engine().library.get("small-1")
    search_bar(current(), engine().recipe(scene, st.session_state.encoder))
    if st.session_state.pop("click", False):
        current().ask(PatchRef("small-1", 16))
    keep_bar(current(), scene.id)


def test_the_bar_forgets_its_words_as_soon_as_a_patch_is_asked_about(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = AppTest.from_function(_clicked, default_timeout=60)
    app.session_state.encoder = default_encoder()
    app.run()
    app.text_input(key="words").set_value("lake").run()
    assert (app.text_input(key="words").value, session(app).asking) == ("lake", Question("small-1", words="lake"))
    session(app).found = "of the words"
    app.run()
    assert app.caption[0].value == "of the words"
    app.session_state.click = True
    app.run()
    assert (app.text_input(key="words").value, len(app.caption)) == ("", 0)
    session(app).back()
    app.run()
    assert app.text_input(key="words").value == "lake"


def test_an_area_is_an_example_or_a_condition_in_all_views(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(scene="small-1")
    inside = [8, 9, 15, 16]
    corners = corners_of(recipe, inside)
    assert take_area(session(app), "small-1", {"corners": corners, "as": "ask"}) == ""
    app.run()
    sees_nothing_wrong(app)
    strip, marks = data_of(app, "landlike_evidence"), map_of(app)["marks"]
    (area,) = strip["others"]
    assert (area["count"], area["good"], area["kind"]) == ("×4", True, "area")
    assert "4 patches" in area["title"]
    assert [one["good"] for one in marks["areas"]] == [True]
    assert len(marks["areas"][0]["rings"][0]) == 5
    found = [item["id"] for item in data_of(app, "landlike_gallery")["items"]]
    assert len(found) == 20
    assert data_of(app, "landlike_plot")["told"].startswith("20 patches like 1 example, similarity ")
    assert not set(found) & set(inside)
    take_area(session(app), "small-1", {"corners": corners_of(recipe, [37, 38, 39]), "as": "filter"})
    app.run()
    sees_nothing_wrong(app)
    assert sorted(item["id"] for item in data_of(app, "landlike_gallery")["items"]) == [37, 38, 39]
    assert "in the drawn area" in texts(app)
    assert Filters.parse(session(app).filters)
    app.button(key="condition_drop_place").click().run()
    assert len(data_of(app, "landlike_gallery")["items"]) == 20
    crossed = [corners[0], corners[2], corners[1], corners[3]]
    assert "crosses itself" in take_area(session(app), "small-1", {"corners": crossed, "as": "ask"})


def test_a_condition_on_the_score_holds_with_a_histogram_to_brush(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(scene="small-1", q="16", where=json.dumps([{"value": "score", "low": 0.9, "high": None}]))
    sees_nothing_wrong(app)
    view = cache.view_of_key(recipe.key)
    score = view.ranking(Question("small-1", (16,))).rounded
    ids = {item["id"] for item in data_of(app, "landlike_gallery")["items"]}
    assert ids - {16} <= set(np.flatnonzero(score >= 0.9).tolist())
    assert f"{int((score >= 0.9).sum())} patches" in texts(app)
    app.selectbox(key="filter_by").set_value("score").run()
    sees_nothing_wrong(app)
    brush = data_of(app, "landlike_brush")
    assert (brush["title"], brush["low"], sum(brush["counts"])) == ("Cosine similarity", 0.9, 42)


def test_all_kinds_of_examples_rank_together_are_kept_and_opened_again(engine: Engine) -> None:
    here = encode(engine, small_scene(engine))
    there = encode(engine, small_scene(engine, "small-2", name="Second"))
    view = cache.view_of_key(here.key)
    vector = tuple(view.table.unit[30].tolist())
    chip = engine.chips.keep(VectorExample(vector=vector, fingerprint=here.fingerprint, title="Marsh"), 64)
    app = visit(scene="small-1", like="16", unlike="4")
    take_area(session(app), "small-1", {"corners": corners_of(here, [8, 9]), "as": "bad"})
    session(app).having("small-1", chip)
    session(app).having("small-1", PatchExample(ref=PatchRef("small-2", 23)))
    app.run()
    sees_nothing_wrong(app)
    asked = session(app).question("small-1")
    assert "most like 3 examples, unlike 2" in texts(app)
    assert [one["kind"] for one in data_of(app, "landlike_evidence")["others"]] == ["area", "picture", "scene"]
    assert "“Second”" in data_of(app, "landlike_evidence")["others"][2]["title"]
    plain = Question("small-1", (16, 30, 23), (4, 8, 9))  # The second scene has the pixels of the first.
    wanted = rank(view.evidence(plain), view.space()).score
    np.testing.assert_allclose(view.ranking(asked).score, wanted, atol=1e-5)
    assert engine.encoded(there)
    digest = view.also(asked)
    np.testing.assert_array_equal(view.scores((16,), (4,), digest), view.ranking(asked).score)
    assert view.scores((16,), (4,), "0" * 12) is None
    session(app).colour = "similarity"
    app.run()
    assert data_of(app, "landlike_plot")["values"].endswith(f"/similarity-16n4n{digest}.bin")
    app.text_input(key="search_name").set_value("Marsh").run()
    app.button(key="search_keep").click().run()
    assert "is kept" in texts(app)
    replace_engine(Engine(engine.config))  # As after a restart.
    cache.forget()
    app = visit(scene="small-1")
    app.button(key="search_open_0").click().run()
    sees_nothing_wrong(app)
    assert session(app).question("small-1") == asked


def test_what_a_picture_of_fewer_bands_is_compared_by_is_said(engine: Engine) -> None:
    here = encode(engine, small_scene(engine))
    vector = tuple(cache.view_of_key(here.key).table.unit[30].tolist())
    rgb = ("B02", "B03", "B04")
    chip = engine.chips.keep(VectorExample(vector=vector, fingerprint=here.fingerprint, bands=rgb), 64)
    app = visit(scene="small-1", q="16")
    session(app).having("small-1", chip, fresh=True)
    app.run()
    sees_nothing_wrong(app)
    assert "compared only by B02, B03 and B04, which both sides have" in texts(app)


def test_a_query_goes_along_to_another_scene(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    encode(engine, small_scene(engine, "small-2", name="Second"))
    app = visit(scene="small-1", q="16")
    app.button(key="by_picture").click().run()
    sees_nothing_wrong(app)
    assert app.selectbox(key="other_scene").options == ["Second"]
    app.button(key="take_along").click().run()
    app.run()
    sees_nothing_wrong(app)
    assert session(app).scene_id == "small-2"
    assert session(app).question("small-2") == Question("small-2", others=(PatchExample(ref=PatchRef("small-1", 16)),))
    assert data_of(app, "landlike_gallery")["items"][0]["id"] == 16, "the scenes have the same pixels"


@pytest.mark.usefixtures("here")
def test_a_picture_is_encoded_by_a_worker_and_becomes_an_example(engine: Engine, tmp_path: Path) -> None:
    recipe = encode(engine, small_scene(engine), encoder="spectral")
    working = Engine(engine.config, {name: Lane(executor=ThreadWorker) for name in ("scene", "encode")})
    replace_engine(working)
    working.jobs.start()
    app = visit(scene="small-1", encoder="spectral")
    colours = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "field <b>.png")
    job = working.submit_chip([tmp_path / "field <b>.png"], recipe)
    session(app).work[LIKE] = job.id
    assert working.jobs.wait(job.id, 60).state == "done"
    app.run()
    sees_nothing_wrong(app)
    (one,) = session(app).question("small-1").others
    assert isinstance(one, ChipExample)
    assert (one.good, one.title) == (True, "field <b>")
    assert "only roughly reflectance" in texts(app)
    assert "only roughly reflectance" in data_of(app, "landlike_evidence")["others"][0]["title"]
    assert len(data_of(app, "landlike_gallery")["items"]) == 20
    (tmp_path / "tiny.png").write_bytes(b"")
    failed = working.submit_chip([tmp_path / "tiny.png"], recipe, IngestSettings())
    session(app).work[LIKE] = failed.id
    assert working.jobs.wait(failed.id, 60).state == "failed"
    app.run()
    sees_nothing_wrong(app)
    assert "tiny.png" in html.unescape(texts(app))
    assert session(app).question("small-1").others == (one,), "nothing is lost"
    app = visit(scene="small-1", also=f"+~{one.chip}", encoder=default_encoder())
    assert not app.exception


def test_patches_that_were_seen_can_be_left_out_and_come_back(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1")
    assert app.button(key="seen_out").disabled, "places to start from are no finds"
    session(app).ask(PatchRef("small-1", 16))
    app.run()
    first = [item["id"] for item in data_of(app, "landlike_gallery")["items"]]
    assert app.button(key="seen_out").label == f"Leave out the {len(first) - 1} patches found so far"
    app.button(key="seen_out").click().run()
    sees_nothing_wrong(app)
    second = [item["id"] for item in data_of(app, "landlike_gallery")["items"]]
    assert set(first) & set(second) == {16}, "the query itself stays"
    assert f"{len(first) - 1} patches found before are left out" in html.unescape(texts(app))
    app.run()
    assert [item["id"] for item in data_of(app, "landlike_gallery")["items"]] == second, "a list stays as it is"
    session(app).limit(0.0)
    app.run()
    items = [item["id"] for item in data_of(app, "landlike_gallery")["items"]]
    assert app.button(key="seen_out").label == f"Leave out the {len({*items} - {*first, 16})} patches found since"
    session(app).limit(None)
    app.button(key="seen_reset").click().run()
    assert [item["id"] for item in data_of(app, "landlike_gallery")["items"]] == first


def test_a_selection_is_asked_about_as_a_whole(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", sel="7.9.11")
    app.button(key="like_these").click().run()
    sees_nothing_wrong(app)
    assert session(app).question("small-1") == Question("small-1", (7, 9, 11))
    assert not session(app).selection


@pytest.mark.parametrize("also", ["+@9_9_9.1_9_9.1_9.1", "+s-gone:3"])
def test_examples_that_are_not_here_are_told_and_nothing_breaks(engine: Engine, also: str) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", also=also)
    assert not app.exception
    assert not app.error
    assert len(app.warning) == 1
    assert len(data_of(app, "landlike_evidence")["others"]) == 1, "so that it can be taken away"
    assert isinstance(session(app).question("small-1").others[0], AreaExample | PatchExample | ChipExample)
