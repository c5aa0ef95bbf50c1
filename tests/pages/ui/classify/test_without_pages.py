"""The command and the script that panels of the Classify page offer print what those panels draw."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from core.__main__ import main
from core.classification.figures import compared_figures, curve_figures, doubt_figures, validation_figures
from core.classification.label_log import RANDOM, SUGGESTED
from core.classification.validation import compare
from core.engine.class_map import labels_that_teach
from core.engine.snippets import classify_command, classify_script
from core.features.recipe import Recipe
from core.scenes.given.history import confirm_labels
from core.scenes.labels import give_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.doubts import doubts_of
from pages.ui.classify.learning import curves
from pages.ui.state import cache
from tests.pages.ui.classify.conftest import opened

OPTIONS = ("--compare", "--curve", "--doubts")
WRONG, KEPT = 7 * 3 + 6, 7 * 1 + 0


@pytest.fixture
def labelled(scene: Scene) -> Scene:
    """All patches labelled, half at random and half by suggestion, not in their order; two are wrong."""
    grid = patch_grid(scene)
    wrong = {WRONG: "Water", KEPT: "Crops"}
    for view, odd in ((RANDOM, 1), (SUGGESTED, 0)):
        ids = [at for at in range(42) if at % 2 == odd]
        give_labels(scene, grid, {at: wrong.get(at, "Water" if at % 7 < 3 else "Crops") for at in ids}, view=view)
    confirm_labels(scene, [grid.window(KEPT)[:3]])
    return scene


def printed(told: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told[told.index("{") :])
    return found


def test_what_is_printed_is_what_the_page_draws(
    recipe: Recipe, labelled: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("core.classification.models.TREES", 20)  # As many on either side, and sooner grown.
    known = cache.scene_view(recipe, labelled)
    taught, teaching = known.taught(), labels_that_teach(known)
    assert taught is not None
    assert teaching is not None
    figures = validation_figures(taught.validation)
    doubts, grown = doubt_figures(doubts_of(known)), curve_figures(curves(known))
    assert [one["patch_id"] for one in doubts] == [WRONG], "the other was looked at and kept"
    assert set(grown) == {SUGGESTED, RANDOM}
    assert figures["confusion"]["counts"] != [[0, 0], [0, 0]]
    assert figures["reliability"]
    expected = {
        **figures,
        "doubtful_labels": doubts,
        "learning_curve": grown,
        "compared": compared_figures(compare(teaching)),
    }
    capsys.readouterr()
    for command in classify_command(recipe, "logistic", *OPTIONS).split(" && "):
        assert main(shlex.split(command)[3:]) == 0
    said = printed(capsys.readouterr().out)
    assert {name: said[name] for name in expected} == expected
    exec(compile(classify_script(recipe, "logistic", "--curve"), "snippet", "exec"), {})
    again = printed(capsys.readouterr().out)
    assert again == {name: one for name, one in said.items() if name not in {"doubtful_labels", "compared"}}


def test_panels_show_the_command(recipe: Recipe, labelled: Scene) -> None:
    app = opened(labelled, "classify_learning", "classify_doubts")
    assert not app.exception
    shown = [block.value for block in app.code]
    for options in ((), ("--curve",), ("--doubts",), ("--compare",)):
        head = cache.scene_view(recipe, labelled).choice.head
        assert classify_command(recipe, head, *options) in shown
        assert classify_script(recipe, head, *options).strip() in shown
