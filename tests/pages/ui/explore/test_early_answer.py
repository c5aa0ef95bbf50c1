"""What is told early of a patch is what the page then draws, and nobody else is told it."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from core.encoders.registry import default_encoder
from core.encoders.spectral import SPECTRAL
from core.engine.operations import Engine
from core.scenes.patches import PatchRef
from pages.ui.http.early import EARLY_ROUTES
from pages.ui.state.early import early_answers
from tests.asgi import Answer, ask
from tests.pages.conftest import encode, small_scene, visit
from tests.pages.test_explore import data_of, map_of

APP = Starlette(routes=EARLY_ROUTES)
ASKED = 17
LIKE_IT = json.dumps([{"value": "score", "low": 0.3, "high": None}])


def early(app: AppTest, patch: int | str = ASKED) -> Answer:
    """What the plot's script is answered."""
    return ask(APP, data_of(app, "landlike_plot")["early"].replace("{id}", str(patch)))


def told_and_drawn(app: AppTest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is told early of a patch, and the same parts of what the page draws once it was asked about."""
    before = repr(vars(app.session_state["landlike"]))
    answer = early(app)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert repr(vars(app.session_state["landlike"])) == before, "the session is as it was"
    told: dict[str, Any] = json.loads(answer.body)
    app.session_state["landlike"].ask(PatchRef("small-1", ASKED))
    app.run()
    assert not app.exception
    plot, shown = data_of(app, "landlike_plot"), map_of(app)
    gallery = None if told["gallery"] is None else data_of(app, "landlike_gallery")
    return told, {
        "plot": {name: plot[name] for name in told["plot"]},
        "gallery": gallery and {name: gallery[name] for name in told["gallery"]},
        "map": {
            "marks": shown["marks"],
            "tell": {name: shown["patches"]["tell"][name] for name in told["map"]["tell"]},
        },
    }


@pytest.mark.parametrize(
    "link",
    [
        {"q": "3", "k": "5", "above": "0.2"},
        {"q": "3", "where": LIKE_IT},
        {"like": "16.30", "unlike": "4", "sel": "1-4"},
        {"sel": "1-4", "colour": "similarity"},
        {"list": "table"},
    ],
)
def test_what_is_told_early_is_what_the_page_draws(engine: Engine, link: dict[str, str]) -> None:
    encode(engine, small_scene(engine))
    told, drawn = told_and_drawn(visit(scene="small-1", **link))
    assert told == drawn
    assert len(told["plot"]["neighbours"]) >= 5
    assert (told["gallery"] is None) == (link.get("list") == "table")


def test_only_a_run_of_the_page_tells_what_several_encoders_answer_and_what_is_asked_already(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    encode(engine, scene, SPECTRAL)
    app = visit(scene="small-1", q=str(ASKED))
    assert [early(app, patch).status for patch in (ASKED, 3, 99_999)] == [204, 200, 204]
    assert [early(app, patch).status for patch in ("-1", "3e1", "..%2f3")] == [400, 400, 404]
    compared = visit(scene="small-1", encoder=SPECTRAL, q="3", compare=default_encoder())
    assert data_of(compared, "landlike_plot")["early"] is None


def test_a_token_is_of_one_visitor_and_ends_with_the_session(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    one, other = visit(scene="small-1"), visit(scene="small-1", k="5")
    assert len(json.loads(early(one).body)["plot"]["neighbours"]) == 20
    assert len(json.loads(early(other).body)["plot"]["neighbours"]) == 5
    token = one.session_state["landlike"].early.token
    assert early_answers(token) is not None
    assert early_answers(token[:-1]) is None
    address = data_of(one, "landlike_plot")["early"].replace("{id}", "3")
    del one
    gc.collect()
    assert early_answers(token) is None
    assert ask(APP, address).status == 404
