"""Band statistics: mean and deviation of some bands, which say nothing of texture and are known of every patch.

Encoders look past brightness, so that a cloud or a white sheet may give features like those of known land; its band
statistics tell. They also tell patches from one another: no two of different land have the same to the fifth digit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.scenes.scene import REFLECTANCE_SCALE

_BLOCK = 256


def statistics_of_pixels(pixels: NDArray[np.uint16]) -> FloatArray:
    """Return the band statistics of patches.

    Args:
        pixels: reflectance × 10 000 of shape (N, H, W, bands).

    Returns:
        float32 of shape (N, 2 · bands), reflectance: means, then standard deviations.
    """
    parts = [np.empty((0, 2 * pixels.shape[3]), np.float32)]
    for first in range(0, len(pixels), _BLOCK):
        values = pixels[first : first + _BLOCK].astype(np.float32) / np.float32(REFLECTANCE_SCALE)
        parts.append(np.concatenate([values.mean(axis=(1, 2)), values.std(axis=(1, 2))], axis=1))
    return np.concatenate(parts)


def statistics_of_bands(band_mean: FloatArray, band_std: FloatArray, bands: Sequence[str]) -> FloatArray:
    """Return the same from what is stored beside features.

    Args:
        band_mean: shape (N, 13), in the order of ``BAND_NAMES``.
        band_std: likewise.
        bands: which bands, in which order.
    """
    columns = [BAND_NAMES.index(name) for name in bands]
    return np.concatenate([band_mean[:, columns], band_std[:, columns]], axis=1).astype(np.float32)
