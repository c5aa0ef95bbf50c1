"""Where all is known, accuracy is counted; what a sample estimates lies about it as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from core.classification.areas.estimation import AreaStratum, JudgedUnit, estimate_accuracy
from core.classification.areas.known_truth import true_accuracy


def test_accuracy_is_counted_by_land() -> None:
    found = true_accuracy(["a", "a", "b", "abstained", "b"], ["a", "b", "b", "b", None], np.array([1.0, 2, 3, 4, 5]))
    assert found.overall is not None
    assert found.overall.value == pytest.approx(4 / 6)
    assert found.overall.low == found.overall.high == found.overall.value
    assert found.areas["b"] is not None
    assert found.areas["b"].value == pytest.approx(9)
    assert found.producers["b"] is not None
    assert found.producers["b"].value == pytest.approx(3 / 9)
    assert found.mapped == {"a": 3, "b": 3}
    assert found.not_judged == 1
    assert found.judged == {"all": 4}


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    truth = random.choice(["a", "b", "c"], 3000, p=[0.6, 0.3, 0.1])
    mapped = np.where(random.random(3000) < 0.85, truth, random.choice(["a", "b", "c"], 3000))
    exact = true_accuracy(mapped.tolist(), truth.tolist(), np.ones(3000))
    rows = {name: np.flatnonzero(mapped == name) for name in "abc"}
    strata = [AreaStratum(name=name, hectares=float(len(at)), units=len(at)) for name, at in rows.items()]
    held = []
    for _ in range(60):
        drawn = np.concatenate([random.choice(at, 60, replace=False) for at in rows.values()])
        sample = [JudgedUnit(stratum=mapped[at], mapped=mapped[at], reference=truth[at]) for at in drawn]
        found = estimate_accuracy(sample, strata)
        pairs = [(found.overall, exact.overall), *((found.areas[name], exact.areas[name]) for name in "abc")]
        held += [
            one.low <= right.value <= one.high
            for one, right in pairs
            if one and right and one.low is not None and one.high is not None
        ]
    assert len(held) == 240
    assert 0.88 <= np.mean(held) <= 0.99
