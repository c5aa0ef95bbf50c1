"""Band statistics of made-up land under made-up air, for tests that need no real pixels."""

from __future__ import annotations

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.evaluation.land_light import at_top_of_atmosphere

# Reflectance at the ground in product order; B09 as measured, after the vapour has taken its part.
_PLANTS = (0.02, 0.03, 0.06, 0.04, 0.09, 0.25, 0.32, 0.34, 0.36, 0.10, 0.002, 0.18, 0.08)
_SOIL = (0.07, 0.09, 0.13, 0.18, 0.21, 0.24, 0.26, 0.28, 0.30, 0.09, 0.002, 0.36, 0.30)
_WATER = (0.02, 0.025, 0.03, 0.018, 0.014, 0.01, 0.009, 0.008, 0.007, 0.002, 0.001, 0.004, 0.003)
_TOWN = (0.10, 0.12, 0.14, 0.15, 0.17, 0.20, 0.22, 0.23, 0.24, 0.08, 0.002, 0.24, 0.20)


def land(count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return means and deviations of 13 bands, each of shape (count, 13), top-of-atmosphere reflectance."""
    random = np.random.default_rng(seed)
    kinds = np.log(np.array([_PLANTS, _SOIL, _WATER, _TOWN]))
    parts = random.dirichlet([0.4] * len(kinds), count)
    ground = np.exp(parts @ kinds + random.normal(0, 0.15, (count, 1)) + random.normal(0, 0.015, (count, 13)))
    contrast = np.exp(random.normal(-1.6, 0.35, (count, 1)) + random.normal(0, 0.1, (count, 13)))
    ground = ground.astype(np.float32)
    mean, std = at_top_of_atmosphere(ground, (ground * contrast).astype(np.float32), BAND_NAMES)
    return mean, std
