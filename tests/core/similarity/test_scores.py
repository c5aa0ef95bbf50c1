"""Scores as they are written: those that differ look so."""

from __future__ import annotations

import pytest

from core.similarity.scores import score_digits, score_texts, step_digits


@pytest.mark.parametrize(
    ("scores", "digits"),
    [
        ([], 2),
        ([0.91, 0.88, 0.88], 2),
        ([0.9996, 0.9995, 0.9991], 4),
        ([1.0, 0.9996, 0.9], 4),
        ([1.0, 1.0], 2),
        ([0.99999994, 0.84837], 2),
        ([0.8312, 0.8309], 4),
        ([0.9999999, 0.9999998], 5),
    ],
)
def test_similarities_have_as_many_digits_as_tell_them_apart(scores: list[float], digits: int) -> None:
    assert score_digits(scores) == digits


def test_negative_scores_have_a_true_minus() -> None:
    assert score_texts([0.5, -0.25]) == ["0.50", "−0.25"]
    assert score_texts([0.9996, 0.9991]) == ["0.9996", "0.9991"]
    assert score_texts([-0.000001]) == ["0.00"]


@pytest.mark.parametrize(("low", "high", "digits"), [(-1, 1, 3), (0.95, 1, 4), (0.9999, 1, 5), (0, 40, 3), (1, 1, 5)])
def test_each_step_of_a_slider_changes_what_is_read(low: float, high: float, digits: int) -> None:
    step = (high - low) / 400
    assert step_digits(step) == digits
