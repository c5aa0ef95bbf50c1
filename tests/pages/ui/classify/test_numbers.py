"""What is said of a learned number: how right it is on land that was held out, and what its intervals hold there."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
from streamlit.testing.v1 import AppTest

from core.classification.numbers.regression import teach_values
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.scene import Scene
from pages.ui.classify.numbers import how_right
from tests.pages.ui.classify.conftest import opened


def test_what_intervals_hold_is_said_of_numbers_that_did_not_set_their_width() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(60, 8)).astype(np.float32)
    wanted = vectors[:, 0] + 0.3 * random.normal(size=60)
    model = teach_values(vectors, np.arange(60), dict(enumerate(wanted.tolist())), blocks=np.arange(60) // 6)
    tested, _, held = how_right(model)
    assert tested == "Learned from 60 patches, tested on held-out blocks of land, 10 in all."
    share = f"{100 * model.covered.value:.0f} % ({100 * model.covered.low:.0f}–{100 * model.covered.high:.0f})"
    assert held == (
        f"90 % intervals reach {model.half_width:.3g} to each side; of held-out numbers, which did not set the width, "
        f"{share} lie inside."
    )
    assert how_right(replace(model, held_apart=False))[-1].startswith("Measured by a former version")
    before = how_right(replace(model, blocks=None))
    assert before[2] == f"90 % intervals reach {model.half_width:.3g} to each side."


def brought(scene: Scene, text: str) -> AppTest:
    """The page with a table of numbers."""
    app = opened(scene)
    place = next(one for one in app.file_uploader if one.label == "A file of numbers")
    return place.upload("V.csv", text.encode(), "text/csv").run()


def test_only_columns_of_numbers_can_be_learned(engine: Engine, recipe: Recipe, scene: Scene) -> None:
    app = brought(scene, "patch_id,crop,height,cover\n1,Maize,2.5,10\n2,Wheat,1.5,20\n")
    assert not app.exception
    [column] = [box for box in app.selectbox if box.label == "Column with the number"]
    assert (column.options, column.value) == (["height", "cover"], None)
    assert app.button(key="numbers_go").disabled
    column.set_value("cover").run()
    app.button(key="numbers_go").click().run()
    (job,) = engine.jobs.jobs()
    assert {name: engine.jobs.payload(job.id)[name] for name in ("column", "layer")} == {"column": "cover", "layer": ""}


def test_texts_alone_are_refused_with_the_reason(recipe: Recipe, scene: Scene) -> None:
    app = brought(scene, "patch_id,crop\n1,Maize\n2,Wheat\n")
    assert not app.exception
    assert "numbers_go" not in [button.key for button in app.button]
    assert "none of its columns holds numbers: “crop” has “Maize”" in html.unescape(app.error[0].value)
