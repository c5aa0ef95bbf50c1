"""Hyperparameters under the names of today and those of the version before."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.encoders.registry import ENTRIES, FORMER, SHIPPED
from core.training.base_model import FROM_SCRATCH, suited
from core.training.hyperparameters import Hyperparameters


def settings_of_card(encoder: str) -> dict[str, Any]:
    card = json.loads((Path(ENTRIES[encoder].reference) / "card.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = card["settings"]
    return found


def test_former_names_are_those_that_the_card_of_the_former_model_has() -> None:
    former = json.loads(json.dumps(Hyperparameters().in_former_names()))
    assert list(former.items()) == list(settings_of_card(FORMER).items()), "names, values and their order"


def test_the_shipped_model_was_trained_as_its_recipe_says() -> None:
    recipe = json.loads(json.dumps(asdict(suited(FROM_SCRATCH, freeze=False))))
    assert settings_of_card(SHIPPED) == recipe


def test_what_earlier_files_do_not_know_is_left_out_of_their_settings() -> None:
    chosen = suited(FROM_SCRATCH, freeze=False)
    assert asdict(chosen).keys() - chosen.before_air().keys() == {"air_jitter"}
    assert chosen.before_air().keys() - chosen.before_validation().keys() == {"patience"}


def test_lists_of_a_payload_count_as_tuples() -> None:
    changed = Hyperparameters().with_changes({"crops": [0.5, 1.0], "milestones": [0.5], "epochs": 3})
    assert (changed.crops, changed.milestones, changed.epochs) == ((0.5, 1.0), (0.5,), 3)
