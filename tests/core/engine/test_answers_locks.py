"""Locks of answers that did not come to be."""

from __future__ import annotations

import pytest

from core.engine.answers import Answers


def test_no_lock_stays_of_an_answer_that_could_not_be_made() -> None:
    answers = Answers()

    def fail() -> None:
        raise ValueError("no")

    for key in range(5):
        with pytest.raises(ValueError, match="no"):
            answers.get(key, fail)
    assert not answers._locks
    assert answers.get(0, lambda: 7) == 7
