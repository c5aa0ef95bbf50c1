"""What is said of a learned number: how right it is on land that was held out, and what its intervals hold there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.classification.numbers.regression import teach_values
from pages.ui.classify.numbers import how_right


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
    before = how_right(replace(model, blocks=None))
    assert before[2] == f"90 % intervals reach {model.half_width:.3g} to each side."
