from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.similarity.overlap import overlap, shared_patches

ANSWERS = st.lists(st.lists(st.integers(0, 12), unique=True, max_size=8), min_size=1, max_size=3)


def test_patches_of_two_answers_are_numbered_as_they_are_met() -> None:
    answers = [np.array([5, 3, 9, 1]), np.array([9, 7, 5]), np.array([7, 2])]
    assert shared_patches(answers) == {5: 0, 9: 1, 7: 2}
    assert overlap(answers[0], answers[1], 10) == 2
    assert overlap(answers[0], answers[1], 2) == 0, "of the two nearest of each"
    assert overlap(answers[0], answers[1], 3) == 2


@given(ANSWERS)
def test_shared_is_what_two_sets_hold(lists: list[list[int]]) -> None:
    found = shared_patches([np.array(one, dtype=np.int64) for one in lists])
    sets = [set(one) for one in lists]
    pairs = [one & other for place, one in enumerate(sets) for other in sets[place + 1 :]]
    assert set(found) == set().union(*pairs)
    assert sorted(found.values()) == list(range(len(found)))
