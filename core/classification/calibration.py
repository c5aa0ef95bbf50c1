"""How far probabilities can be believed: the reliability diagram as data, and its one number, the calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.evaluation.retrieval import Share, share

CONFIDENCE_BINS = 10
"""Ranges of confidence of a reliability diagram, of equal width."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Patches of which a classifier is about equally sure.

    Attributes:
        low: least confidence of the range, 0 to 1.
        high: its greatest.
        confidence: mean over its patches; the middle of the range where there are none.
        right: share of its patches that are named rightly, with its interval; NaN where there are none.
    """

    low: float
    high: float
    confidence: float
    right: Share

    @property
    def count(self) -> int:
        """Patches in it."""
        return self.right.count


def reliability(
    confidence: FloatArray, right: NDArray[np.bool_], bins: int = CONFIDENCE_BINS
) -> tuple[ReliabilityBin, ...]:
    """Return a reliability diagram: how often a classifier is right, by how sure it is.

    Guo, Pleiss, Sun and Weinberger, “On Calibration of Modern Neural Networks”, 2017, section 2.

    Args:
        confidence: probability of the class that was named, 0 to 1, of shape (N,).
        right: whether that is the true class, bool of shape (N,).
        bins: ranges of equal width.
    """
    place = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins - 1e-9).astype(np.int64) - 1, 0, bins - 1)
    found = []
    for number in range(bins):
        there = place == number
        low, high = number / bins, (number + 1) / bins
        mean = float(confidence[there].mean()) if there.any() else (low + high) / 2
        found.append(ReliabilityBin(low=low, high=high, confidence=mean, right=share(right[there])))
    return tuple(found)


def calibration_error(confidence: FloatArray, right: NDArray[np.bool_], bins: int = CONFIDENCE_BINS) -> float:
    """Return the expected calibration error, 0 to 1: the mean gap between confidence and how often it is right.

    Ranges of confidence count by their patches (Guo et al. 2017, equation 3). NaN for no patches. Arguments as of
    ``reliability``.
    """
    filled = [one for one in reliability(confidence, right, bins) if one.count]
    total = sum(one.count for one in filled)
    return sum(one.count * abs(one.confidence - one.right.value) for one in filled) / total if total else float("nan")
