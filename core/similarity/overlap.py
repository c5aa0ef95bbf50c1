"""What several answers to one question share: the same patch asked about with several encoders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.scenes.patches import IntArray


def shared_patches(answers: Sequence[IntArray]) -> dict[int, int]:
    """Return the patches that two answers or more hold, each with a number of its own.

    Args:
        answers: patch ids of each answer, best first, int64; no id twice in one.

    Returns:
        From patch id to number: 0, 1, … in the order in which a reader meets them, who goes through the first answer,
        then the second.
    """
    times = Counter(patch for answer in answers for patch in answer.tolist())
    met = dict.fromkeys(patch for answer in answers for patch in answer.tolist() if times[patch] > 1)
    return {patch: number for number, patch in enumerate(met)}


def overlap(one: IntArray, other: IntArray, nearest: int) -> int:
    """Return how many of the first ``nearest`` patches of two answers are the same; answers as ``shared_patches``."""
    return len(np.intersect1d(one[:nearest], other[:nearest]))
