"""The table of a model card holds what the card says, and nothing where the card is odd."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pages.ui.models.figures import figure_table, land_remarks

MODELS = Path(__file__).parents[4] / "core/encoders/models"


def cells(table: str) -> list[list[str]]:
    rows = re.findall("<tr>(.*?)</tr>", table)
    return [[re.sub("<[^>]+>", "", cell) for cell in re.findall("<t[dh]>(.*?)</t[dh]>", row)] for row in rows]


def test_the_default_is_shown_beside_the_plain_spectrum_on_patches_and_on_land_it_was_not_taught() -> None:
    card = json.loads((MODELS / "landlike-2/card.json").read_text(encoding="utf-8"))
    head, *rows = cells(figure_table(card))
    assert head == ["Of 100", "This encoder", "Plain spectrum"]
    apart, land = card["apart"][0], card["land"][0]
    assert [row[2] for row in rows] == [
        f"{100 * one:.0f}"
        for one in (
            card["held_out"]["spectrum"]["linear"]["accuracy"], apart["spectrum"]["1"]["accuracy"],
            apart["spectrum"]["10"]["accuracy"], land["spectrum"],
        )
    ]  # fmt: skip
    assert (
        rows[-1][0]
        == "Land shared with the 10 nearest393 patches of Virginia&#x27;s barrier coast, land it was not taught"
    )
    assert rows[-1][1] == f"{100 * land['share']:.0f} ({100 * land['low']:.0f}–{100 * land['high']:.0f})"
    (remark,) = land_remarks(card)
    assert "the best possible is 90, chance 27" in remark.replace("&#44;", ",")


def test_what_a_training_went_on_from_stands_beside_it() -> None:
    share = {"patches": 40, "accuracy": 0.5, "low": 0.4, "high": 0.6}
    card = {
        "accuracy": {"random": share, "spatial": share | {"accuracy": 0.45}},
        "held_out": {"base": {"linear": share | {"accuracy": 0.3}}, "spectrum": {"linear": share | {"accuracy": 0.2}}},
        "verdict": {"against": "<b>Landlike</b>"},
    }
    assert cells(figure_table(card)) == [
        ["Of 100", "This encoder", "Plain spectrum", "&lt;b&gt;Landlike&lt;/b&gt;"],
        ["Classes named rightly40 patches held out at random", "50 (40–60)", "20", "30"],
        ["Classes named rightly40 patches in blocks of land held out whole", "45 (40–60)", "—", "—"],
    ]


@pytest.mark.parametrize(
    "card", [{}, {"accuracy": []}, {"accuracy": {"random": 3}}, {"apart": {}}, {"apart": [1]}, {"land": [{}]},
             {"accuracy": {"random": {"patches": "x", "accuracy": None, "low": 0, "high": 1}}}]
)  # fmt: skip
def test_an_odd_card_has_no_table(card: dict[str, Any]) -> None:
    assert figure_table(card) == ""
