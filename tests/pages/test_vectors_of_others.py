"""A file of vectors on the pages: everything that can be shown without pixels is, and the rest says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.engine.operations import Engine
from core.features.given import given_recipe
from core.ingest.boundary import ingest
from core.scenes.scene import Scene
from pages.ui.explore.given_panel import degrees_words
from pages.ui.explore.views import NO_PICTURES
from tests.embeddings import ROWS, plain
from tests.pages.conftest import visit
from tests.pages.test_explore import data_of

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def given(engine: Engine, tmp_path: Path) -> Scene:
    path = plain(
        tmp_path / "foreign.parquet", label=["wood", "field"] * (ROWS // 2), height=np.arange(ROWS) % 7 + 0.5,
        date=["2020-05-01", "2021-05-01", "2022-05-01"] * (ROWS // 3),
    )  # fmt: skip
    scene = ingest([path], engine.library)
    engine.encode_now(scene, given_recipe(scene))
    return scene


def texts(app: AppTest) -> str:
    elements = [*app.caption, *app.markdown, *app.info, *app.warning, *app.get("html")]
    return "\n".join(str(getattr(one, "value", None) or getattr(one.proto, "body", "")) for one in elements)


def items(app: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(app, "landlike_gallery")["items"]
    return found


def test_explore_shows_places_dates_and_values(given: Scene) -> None:
    app = visit(scene=given.id, q="7")
    assert not app.exception
    assert NO_PICTURES in texts(app)
    cards = items(app)
    assert cards[0]["where"] == "49.98, 10.02"
    assert cards[0]["when"] == "2021-05-01"
    assert {cards[1]["id"], cards[2]["id"]} == {6, 8}
    assert degrees_words(10.02, 49.98) in cards[0]["alt"]
    table = texts(app)
    for words in ("height", "49.980° N, 10.020° E", "no reflectance to compare"):
        assert words in table
    keys = {box.key for box in app.selectbox}
    assert "rendering" not in keys
    assert "encoder" not in keys
    colours = next(box for box in app.selectbox if box.key == "colour")
    assert {"Colour by height", "Colour by date"} <= set(colours.options)
    assert "Colour by mean brightness" not in colours.options


def test_an_encoder_chosen_for_others_does_not_matter(given: Scene) -> None:
    app = visit(scene=given.id, encoder="spectral")
    assert not app.exception
    assert not app.error
    assert app.query_params["encoder"] in ("spectral", ["spectral"])
    assert json.dumps(items(app))


@pytest.mark.parametrize("page", ["classify.py", "open.py", "models.py"])
def test_other_pages_take_it(given: Scene, page: str) -> None:
    app = visit(scene=given.id).switch_page(page).run()
    assert not app.exception
    assert not app.error


def test_it_is_read_again_by_a_form_without_pixels(given: Scene, engine: Engine, tmp_path: Path) -> None:
    engine.library.keep_origin(given.id, [tmp_path / "foreign.parquet"])
    app = visit(scene=given.id).switch_page("open.py").run()
    next(one for one in app.button if one.key == f"again_{given.id}").click().run()
    assert not app.exception
    keys = {one.key for one in app.text_input}
    assert {f"reread_{given.id}_vector", f"reread_{given.id}_model", f"reread_{given.id}_crs"} <= keys
    assert f"reread_{given.id}_bands" not in keys
