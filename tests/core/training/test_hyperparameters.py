"""Hyperparameters under the names of today and those of the version before."""

from __future__ import annotations

import json
from pathlib import Path

from core.encoders.registry import ENTRIES, SHIPPED
from core.training.hyperparameters import Hyperparameters


def test_former_names_are_those_that_the_card_of_the_shipped_model_has() -> None:
    card = json.loads((Path(ENTRIES[SHIPPED].reference) / "card.json").read_text(encoding="utf-8"))
    former = json.loads(json.dumps(Hyperparameters().in_former_names()))
    assert list(former.items()) == list(card["settings"].items()), "names, values and their order"


def test_lists_of_a_payload_count_as_tuples() -> None:
    changed = Hyperparameters().with_changes({"crops": [0.5, 1.0], "milestones": [0.5], "epochs": 3})
    assert (changed.crops, changed.milestones, changed.epochs) == ((0.5, 1.0), (0.5,), 3)
