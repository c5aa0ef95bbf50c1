"""Principal components of many long vectors, quickly and reproducibly; what they are used for lives elsewhere."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray

SAMPLE_ROWS = 4096
"""Rows the axes are estimated from; their error falls with the sample, not with the number of all rows."""

_OVERSAMPLING = 10
_POWER_ITERATIONS = 1


def principal_axes(vectors: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean and leading principal axes, estimated from a regular subsample of ``SAMPLE_ROWS`` rows.

    The randomised range finder with power iterations of Halko, Martinsson and Tropp (2011, algorithms 4.4 and 5.1),
    from a fixed seed. The sign of each axis makes its largest entry positive, so equal input gives equal axes.

    Args:
        vectors: float32 of shape (N, D), finite, N ≥ 1.
        count: wanted axes, at least 1; fewer come back where N or D has fewer.

    Returns:
        Mean of shape (D,) and orthonormal axes of shape (D, min(count, N, D)), of falling variance; float32.
    """
    sample = vectors[regular_sample(len(vectors), SAMPLE_ROWS)]
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = sample - mean
    kept = min(count, *centred.shape)
    width = min(kept + _OVERSAMPLING, *centred.shape)
    probe = np.random.default_rng(0).standard_normal((centred.shape[1], width), dtype=np.float32)
    for _ in range(1 + _POWER_ITERATIONS):
        probe = np.linalg.qr(centred.T @ (centred @ probe))[0]
    within = centred @ probe
    axes = (probe @ np.linalg.eigh(within.T @ within)[1])[:, ::-1][:, :kept]
    largest = np.abs(axes).argmax(axis=0)
    signs = np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)
    return mean, np.ascontiguousarray(axes * signs, dtype=np.float32)


def regular_sample(total: int, wanted: int) -> slice | np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the positions of at most ``wanted`` rows spread evenly over ``total``."""
    if total <= wanted:
        return slice(None)
    return np.linspace(0, total - 1, wanted).astype(np.int64)


def along_axes(vectors: FloatArray, mean: FloatArray, axes: FloatArray) -> FloatArray:
    """Return (vectors − mean) · axes, float32 of shape (N, axes), without a centred copy of the vectors."""
    coordinates: FloatArray = vectors @ axes
    coordinates -= mean @ axes
    return coordinates
