"""Encoders side by side: the columns, what they share, what is said of each, and what one that is not ready says."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.config import Config
from core.encoders.registry import FORMER, default_encoder
from core.encoders.spectral import SPECTRAL
from core.engine.operations import Engine
from core.evaluation.report.card import Section
from core.evaluation.report.store import FEATURES
from core.evaluation.retrieval import share
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.features.table import patch_table
from core.jobs.executor import JobCall
from core.jobs.lanes import Lane
from core.jobs.worker import JobOutcome
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.similarity.neighbours import nearest_patches
from pages.ui.common.escape import plain
from pages.ui.explore.comparison import steadiness
from pages.ui.explore.gallery import SHARED_COLOURS, letters
from pages.ui.state.encoder_answers import another
from pages.ui.state.engine import replace_engine
from pages.ui.state.session import Session
from tests import onnx_models
from tests.fakes import ChanceEncoder, ThreadWorker
from tests.pages.conftest import banded, encode, small_scene, visit

QUERY = 17


def encoded_by_chance(engine: Engine, scene: Scene) -> Recipe:
    recipe = engine.recipe(scene, default_encoder())
    encode_scene(scene, ChanceEncoder(engine.spec(default_encoder())), recipe, engine.store)
    return recipe


def columns(app: AppTest) -> list[dict[str, Any]]:
    """What each gallery of the page was given to draw, from left to right."""
    drawn = [element.proto for element in app.get("bidi_component")]
    return [json.loads(one.json) for one in drawn if one.component_name == "landlike_gallery"]


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.error, app.warning, app.info, app.caption)
    return "\n".join(element.value for kind in kinds for element in kind)


def compared(*encoders: str) -> AppTest:
    app = visit(encoder=SPECTRAL, q=str(QUERY), compare=";".join(encoders))
    assert not app.exception
    return app


def measured(engine: Engine, recipe: Recipe, kept: list[float]) -> None:
    engine.reports.put(recipe, FEATURES, [], {"kept": np.array(kept, np.float32)})


def test_answers_stand_side_by_side_with_what_they_share(engine: Engine) -> None:
    scene = small_scene(engine)
    recipes = [encode(engine, scene, SPECTRAL), encoded_by_chance(engine, scene)]
    measured(engine, recipes[0], [0.9] * 100)
    measured(engine, recipes[1], [0.2] * 100)
    app = compared(default_encoder())
    touching, answers = patch_grid(scene, recipes[0].cut).touching(QUERY), []
    for recipe, column in zip(recipes, columns(app), strict=True):
        table = patch_table(engine.features(recipe))
        near = nearest_patches(table.unit, table.patch_ids, QUERY, 20, scene="s", exclude=touching).ids.tolist()
        assert [item["id"] for item in column["items"]] == [QUERY, *near]
        answers.append(near)
    marks = [
        {item["id"]: (item["shared"], item["sharedColour"]) for item in column["items"] if item["shared"]}
        for column in columns(app)
    ]
    assert marks[0] == marks[1], "the same letter and colour in each"
    assert set(marks[0]) == set(answers[0]) & set(answers[1])
    assert len({letter for letter, _ in marks[0].values()}) == len(marks[0]) > 0
    shared = len(set(answers[0][:10]) & set(answers[1][:10]))
    title = engine.spec(default_encoder()).title
    assert f"Of the 10 nearest, Spectral statistics and {title} share **{shared}**." in words(app)
    assert "On a grid shifted by 8 pixels, **Spectral statistics** keeps most of 10 neighbours: " in words(app)
    assert default_encoder() in app.query_params["compare"]
    assert [job.kind for job in engine.jobs.jobs()] == ["project"], "what is measured is not measured again"


def test_it_begins_and_ends_by_a_click_and_plot_and_map_show_the_column_that_was_chosen(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene, SPECTRAL)
    encoded_by_chance(engine, scene)
    app = visit(encoder=SPECTRAL, q=str(QUERY))
    app.button(key="compare").click().run()
    assert default_encoder() in app.query_params["compare"]
    own, other = ([item["id"] for item in column["items"]][1:] for column in columns(app))
    assert plotted(app) == own
    assert "not measured yet" in words(app)
    assert "trust" in [job.kind for job in engine.jobs.jobs()], "it is being measured"
    app.button(key="outline_1").click().run()
    assert plotted(app) == other != own
    app.button(key="uncompare_1").click().run()
    assert not app.exception
    assert "compare" not in app.query_params
    assert plotted(app) == own


def plotted(app: AppTest) -> list[int]:
    (plot,) = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "landlike_plot"]
    found: list[int] = [one["id"] if isinstance(one, dict) else one for one in json.loads(plot.json)["neighbours"]]
    return found


def test_an_encoder_that_has_not_encoded_the_scene_says_what_it_takes_and_begins_when_asked(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene, SPECTRAL)
    app = compared(default_encoder())
    recipe = engine.recipe(scene, default_encoder())
    assert "**42 patches** · how long is not known yet · " in words(app)
    assert [job.kind for job in engine.jobs.jobs() if job.kind == "encode"] == []
    app.button(key=f"encode_{recipe.key}").click().run()
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "encode"]
    assert engine.jobs.payload(job.id)["recipe"] == recipe.to_dict()
    assert len(columns(app)) == 1, "the other answer stays"
    app.button(key=f"stop_{recipe.key}").click().run()
    assert "Stopped; what was done so far is kept." in words(app)
    assert app.button(key=f"encode_{recipe.key}").label == "Go on"
    assert len(columns(app)) == 1


class Failing(ThreadWorker):
    """Ends all work at once, without success."""

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        ended: Future[JobOutcome] = Future()
        ended.set_result(JobOutcome(state="failed", message="Storing the features: the disk is full; free some."))
        return ended


def test_one_that_fails_says_why_in_its_column_and_leaves_the_others(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene, SPECTRAL)
    working = Engine(engine.config, {"encode": Lane(executor=Failing)})
    replace_engine(working)
    working.start()
    app = compared(default_encoder())
    key = f"encode_{working.recipe(scene, default_encoder()).key}"
    app.button(key=key).click().run()
    (job,) = [job for job in working.jobs.jobs() if job.kind == "encode"]
    working.jobs.wait(job.id, 10)
    app.run()
    assert [error.value for error in app.error] == [plain("Storing the features: the disk is full; free some.")]
    assert app.button(key=key).label == "Try again"
    assert len(columns(app)) == 1, "the other answer stays"
    working.close()


def test_names_of_a_link_that_are_not_on_offer_are_not_looked_for(engine: Engine) -> None:
    encode(engine, small_scene(engine), SPECTRAL)
    app = compared("/etc", "eurosat-ms-resnet50", "spectral", "one too many")
    assert "It is not among the encoders here; choose another one." in words(app).replace("&#59;", ";").replace(
        "&#46;", "."
    )
    assert app.button(key="get_eurosat-ms-resnet50").label == "Get it"
    assert len(columns(app)) == 1


def test_the_next_to_compare_with_is_one_that_has_encoded_the_scene(engine: Engine) -> None:
    scene = small_scene(engine)
    recipe = encode(engine, scene, SPECTRAL)
    assert another(scene, recipe, [SPECTRAL]) == default_encoder()
    assert another(scene, recipe, [default_encoder()]) == SPECTRAL
    assert another(scene, recipe, [default_encoder(), SPECTRAL]) == FORMER
    assert another(scene, recipe, [default_encoder(), SPECTRAL, FORMER]) == "eurosat-ms-resnet50"
    assert another(scene, recipe, [default_encoder(), SPECTRAL, FORMER, "eurosat-ms-resnet50"]) == ""


def test_an_encoder_of_which_the_scene_has_no_band_says_so_in_its_column(engine: Engine, tmp_path: Path) -> None:
    stated = onnx_models.STATED | {"bands": ["B01", "B09", "B10"], "title": "Three of the air"}
    models = (str(onnx_models.write(tmp_path, stated=stated)),)
    replace_engine(Engine(Config(root=tmp_path, model_cache=tmp_path / "models", models=models), lanes={}))
    colours = ("B02", "B03", "B04")
    scene = small_scene(engine, bands=colours, pixels=banded()[0][:3])
    encode(engine, scene, SPECTRAL)
    app = compared("tiny")
    said = plain("the scene has none of the 3 bands that it reads, B01, B09, B10; choose another encoder.")
    assert said in words(app)
    assert not [button for button in app.button if str(button.key).startswith("encode_")]
    assert len(columns(app)) == 1, "the other answer stays"
    app = visit(encoder="tiny")
    assert not app.exception
    assert said in words(app)


@pytest.mark.parametrize(
    ("kept", "start"),
    [
        ({"A": 0.8, "B": 0.4}, "On a grid shifted by 8 pixels, **A** keeps most of 10 neighbours: A 8.0 ("),
        ({"A": 0.4, "B": 0.8}, "On a grid shifted by 8 pixels, **B** keeps most of 10 neighbours: B 8.0 ("),
        (
            {"A": 0.5, "B": 0.52},
            "On a grid shifted by 8 pixels, neither clearly keeps more of 10 neighbours: B 5.2 (",
        ),
        ({"A": 0.5, "B": 0.5, "C": 0.1}, "On a grid shifted by 8 pixels, none clearly keeps more of"),
        ({"A": 0.5}, "On a grid shifted by 8 pixels, A keeps 5.0 ("),
        ({"A": None, "B": None}, "What a grid shifted by 8 pixels changes: A and B not measured yet."),
        (
            {"A": "Not measured: the scene is too small."},
            "What a grid shifted by 8 pixels changes cannot be measured: the",
        ),
        ({}, ""),
    ],
)
def test_whose_neighbours_stay_is_said_only_where_the_intervals_are_apart(kept: dict[str, Any], start: str) -> None:
    shares = {name: share(np.full(100, one)) if isinstance(one, float) else one for name, one in kept.items()}
    assert steadiness(shares).startswith(start)
    assert bool(start) == bool(steadiness(shares))


def test_a_report_that_could_not_measure_the_shift_says_why(engine: Engine) -> None:
    scene = small_scene(engine)
    recipe, reason = encode(engine, scene, SPECTRAL), "Not measured: the scene is too small to shift its grid."
    engine.reports.put(recipe, FEATURES, [Section(name="stability", title="", sentences=(reason,), measured=False)], {})
    assert steadiness({"A": engine.reports.kept_under_shift(recipe)}).endswith("too small to shift its grid&#46;")


def test_letters_go_on_after_z() -> None:
    found = [letters(number) for number in range(800)]
    assert found[:2] + found[25:28] + found[701:703] == ["A", "B", "Z", "AA", "AB", "ZZ", "AAA"]
    assert len(set(found)) == 800
    assert len(set(SHARED_COLOURS)) == len(SHARED_COLOURS)


def test_links_keep_the_encoders_and_no_more_than_there_is_room_for() -> None:
    visitor = Session()
    visitor.follow({"scene": "s", "compare": "a,b;;c;a;d", "q": "3"})
    assert visitor.compared == ("a,b", "c")
    assert visitor.link("c")["compare"] == "a,b", "the chosen encoder stands first anyway"
    other = Session()
    other.follow(visitor.link("x"))
    assert other.compared == visitor.compared
    other.outlined = "c"
    other.revisit({"scene": "s"})
    assert (other.compared, other.outlined) == ((), "")
