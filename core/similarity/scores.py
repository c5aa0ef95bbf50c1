"""How similarities and other scores are written: by as many digits as tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def score_digits(scores: Sequence[float], least: int = 2, most: int = 5) -> int:
    """Return how many digits similarities need, so that first and last differ and none below 1 reads as 1.

    What ``most`` digits would write as 1 is 1, such as the similarity of a patch to itself.

    Args:
        scores: best first; none = ``least``.
        least: digits at least.
        most: digits at most, where nothing tells them apart.
    """
    if not len(scores):
        return least
    first, last = float(scores[0]), float(scores[-1])
    near = max((one for one in map(float, scores) if round(one, most) < 1), default=0.0)
    for digits in range(least, most):
        if (f"{first:.{digits}f}" != f"{last:.{digits}f}" or first == last) and round(near, digits) < 1:
            return digits
    return most


def score_texts(scores: Sequence[float]) -> list[str]:
    """Return similarities as they are shown beside each other, best first: by as many digits as tell them apart."""
    digits = score_digits(scores)
    return [f"{one:z.{digits}f}".replace("-", "−") for one in scores]


def step_digits(step: float, least: int = 3, most: int = 5) -> int:
    """Return how many digits scores need that are chosen in steps, so that each step changes what is read."""
    return int(np.clip(np.ceil(-np.log10(max(step, 1e-12))), least, most))
