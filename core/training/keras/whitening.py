"""Linear maps that make features comparable: principal axes divided by a power of their variance."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray

LEAST_VARIANCE = 1e-3
"""Share of the largest variance that every axis counts as having, at least."""


def whitening_axes(
    values: FloatArray, *, power: float, count: int | None = None, floor: float = LEAST_VARIANCE
) -> tuple[FloatArray, FloatArray]:
    """Return mean and scaled principal axes of values.

    Args:
        values: shape (N, D).
        power: each axis is divided by its variance to the power of this; ¼ is half-way to white, ½ all the way.
        count: axes of the largest variances to return; None = all.
        floor: share of the largest variance that every axis counts as having, at least.

    Returns:
        Mean, shape (D,), and axes as columns, shape (D, count); their signs are such that the largest element of each
        is positive.
    """
    mean = values.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov((values - mean).T.astype(np.float64)))
    variances, axes = variances[::-1], axes[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(axes))])
    scaled = axes * np.maximum(variances, variances[0] * floor) ** -power
    return mean, scaled[:, :count]
