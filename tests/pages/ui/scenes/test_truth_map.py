"""The truth map of a scene on its card: what is said of it, what Trust does not ask about, and taking it away."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from core.engine.operations import Engine
from core.scenes.quality import Finding
from core.scenes.truth import Truth, TruthMap, add_truth_map, map_version, truth_of
from pages.ui.scenes.truth_map import known_words
from tests.scenes import add_scene, write_truth

PAGE = str(Path(__file__).resolve().parents[4] / "pages" / "open.py")
NASTY = "Salt <script>alert(1)</script> `marsh`"


def test_a_map_is_told_of_set_up_and_taken_away(engine: Engine, tmp_path: Path) -> None:
    scene = add_scene(engine.library, height=64, width=64)
    write_truth(tmp_path / "raster.tif", np.ones((64, 64), np.uint16))
    line = Finding(topic="place", value="laid pixel by pixel", basis="assumed", because="both are of one size")
    known = TruthMap(file="", source="map.tif", classes=("water", NASTY), covered=0.75, findings=(line,))
    add_truth_map(scene, tmp_path / "raster.tif", known)
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    shown = " ".join(one.value for one in app.markdown)
    assert "2 classes from “map.tif”, for 75 % of the scene: water, " in html.unescape(shown)
    assert "<script>" not in shown
    assert any("laid pixel by pixel" in one.proto.body for one in app.get("html"))
    (choice,) = app.multiselect
    before = map_version(scene)
    choice.select("water").run()
    assert not app.exception
    assert truth_of(scene).not_asked == ("water",)  # type: ignore[union-attr]
    assert map_version(scene) != before
    assert app.multiselect[0].value == ["water"]
    app.button(key=f"drop_truth_{scene.id}").click().run()
    assert not app.exception
    assert truth_of(scene) is None
    assert not app.multiselect


def test_many_classes_are_named_in_part_and_nearly_all_is_not_all() -> None:
    known = TruthMap(file="", source="m.tif", classes=tuple(f"c{n}" for n in range(20)), covered=0.996)
    said = known_words(Truth(path=Path(), classes=known.classes, added=known))
    assert said.startswith("20 classes from “m.tif”, for 99.6 % of the scene: c0, c1, ")
    assert said.endswith("c11 and 8 more.")
    assert known_words(Truth(path=Path(), classes=("a",))) == "1 class came with the scene: a."
