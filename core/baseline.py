"""The plain spectrum of patches, from the band means and deviations that lie beside their features: no pixels are read.

It is what every encoder is shown beside. ``core.encoders.spectral`` makes nearly the same of the pixels themselves.
"""

from __future__ import annotations

import numpy as np

from core.bands import INDICES, FloatArray
from core.encoders.spectral import shipped_table
from core.explain import index_values


def plain_spectrum(band_mean: FloatArray, band_std: FloatArray) -> FloatArray:
    """Features of patches made of their band means, band deviations and three indices of the means.

    They are weighted by the constants of the ``spectral`` encoder, so that they never depend on the scene. That encoder
    also has the deviation of each index inside the patch, which means cannot tell; it counts as average here. A test
    holds the precision of the nearest 10 within 2 points of that encoder's.

    Args:
        band_mean: shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        band_std: shape (N, 13), standard deviation inside the patch, likewise.

    Returns:
        float32 of shape (N, 32).

    Raises:
        EncoderError: when the shipped constants are damaged.
    """
    table = shipped_table()
    indices = [index_values(band_mean, name) for name in INDICES]
    # Statistics are compared after a square root, so an average one is the square of the mean.
    average = np.square(table.mean[-len(INDICES) :])
    unknown = np.broadcast_to(average, (len(band_mean), len(INDICES)))
    return table.features(np.concatenate([band_mean, band_std, np.stack(indices, axis=1), unknown], axis=1))
