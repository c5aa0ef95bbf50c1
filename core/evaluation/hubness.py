"""Hubs: patches that are among the nearest of very many others, whatever is asked. Who is near is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.scenes.patches import IntArray

LOPSIDED = 1.4
"""Skewness above which a few patches are taken to crowd into very many answers; a rule of thumb of ours."""


@dataclass(frozen=True, kw_only=True)
class Hubness:
    """How evenly patches occur among the nearest of others.

    Attributes:
        k: how many nearest of each patch were looked at.
        counts: int64 of shape (N,), among the k nearest of how many patches each one is; k on average.
        skewness: third standardised moment of ``counts``: 0 = even to both sides, above ``LOPSIDED`` = some are hubs.
        in_no_list: share of patches that are among the nearest of none, 0 to 1.
        top: int64, rows of the patches with the largest counts, largest first, at most 10.
    """

    k: int
    counts: IntArray
    skewness: float
    in_no_list: float
    top: IntArray


def hubness(neighbours: NDArray[np.integer], *, most: int = 10) -> Hubness:
    """Count who occurs among whose nearest.

    Source: M. Radovanović, A. Nanopoulos and M. Ivanović, "Hubs in space" (JMLR 11, 2010), k-occurrences and their
    skewness.

    Args:
        neighbours: shape (N, k), rows of the k nearest of each row, itself not among them.
        most: how many of the largest to name.
    """
    total, k = neighbours.shape
    counts = np.bincount(neighbours.ravel(), minlength=total).astype(np.int64)
    away = counts - counts.mean() if total else counts.astype(np.float64)
    spread = float(np.sqrt(np.mean(away**2))) if total else 0.0
    return Hubness(
        k=k,
        counts=counts,
        skewness=float(np.mean(away**3)) / spread**3 if spread > 0 else 0.0,
        in_no_list=float(np.mean(counts == 0)) if total else 0.0,
        top=np.argsort(-counts, kind="stable")[:most].astype(np.int64),
    )
