"""Why patches are alike: the command that the panel offers writes what the panel draws."""

from __future__ import annotations

import html
import json
import shlex
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.bands import BAND_NAMES
from core.encoders.registry import SPECTRAL
from core.engine.operations import Engine
from tests.pages.conftest import MAIN, encode, small_scene
from tests.pages.test_explore import data_of, sees_nothing_wrong


@pytest.mark.parametrize(
    ("link", "titles"),
    [
        ({"q": "9"}, ["Neighbours", "Query"]),
        ({"like": "9.16", "unlike": "3"}, ["Neighbours", "Good examples"]),
        ({"words": "water"}, ["Whole scene", "Found"]),
        ({"sel": "3-5"}, ["Whole scene", "Selection"]),
        ({}, ["Whole scene"]),
    ],
)
def test_the_command_writes_what_is_drawn(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: dict[str, str], titles: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = encode(engine, small_scene(engine), SPECTRAL)
    app = AppTest.from_file(MAIN, default_timeout=30)
    for name, value in {"scene": recipe.scene_id, "encoder": SPECTRAL, **link}.items():
        app.query_params[name] = value
    app.session_state["why_spelled"] = True
    app.run()
    sees_nothing_wrong(app)
    drawn = data_of(app, "landlike_signature")["lines"]
    assert [one["title"] for one in drawn] == titles
    [command] = [block.value for block in app.code if "--what spectra" in block.value and "python -m" in block.value]
    words = shlex.split(command)
    assert main(words[3:]) == 0
    told = json.loads((tmp_path / words[-1]).read_text())
    assert [one["title"] for one in told["signatures"]] == titles
    for one, line in zip(told["signatures"], drawn, strict=True):
        assert list(one["mean"]) == list(BAND_NAMES)
        assert list(one["mean"].values()) == pytest.approx(line["mean"], abs=1e-4)
        assert list(one["standard_deviation"].values()) == pytest.approx(line["spread"], abs=1e-4)
    page = html.unescape("".join(one.proto.body for one in app.get("html")))
    for sentence in told["sentences"]:
        assert sentence in page
    assert bool(told["sentences"]) == ("Neighbours" in titles)
