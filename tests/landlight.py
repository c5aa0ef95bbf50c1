"""Band statistics of made-up land under made-up air, and what becomes of any when they are damaged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.bands import BAND_NAMES, BY_NAME, FloatArray
from core.evaluation.land_light import at_top_of_atmosphere

Statistics = tuple[np.ndarray, np.ndarray]
"""Means and deviations of 13 bands, each of shape (N, 13)."""

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


def moved(**places: str) -> Callable[[np.ndarray, np.ndarray], Statistics]:
    """Bands that hold what others should."""
    order = [BAND_NAMES.index(places.get(name, name)) for name in BAND_NAMES]
    return lambda mean, std: (mean[:, order], std[:, order])


def sheet(*spectrum: float) -> Callable[[np.ndarray, np.ndarray], Statistics]:
    def made(mean: np.ndarray, std: np.ndarray) -> Statistics:
        random = np.random.default_rng(0)
        flat = np.array(spectrum if len(spectrum) > 1 else spectrum * len(BAND_NAMES)) * random.normal(
            1, 0.02, mean.shape
        )
        return flat, 0.05 * flat

    return made


def shifted(mean: np.ndarray, std: np.ndarray) -> Statistics:
    """The bands of a sensor that sees everything 30 nm further into the red."""
    kept = [place for place, name in enumerate(BAND_NAMES) if name not in {"B09", "B10"}]
    lengths = np.array([BY_NAME[BAND_NAMES[place]].wavelength for place in kept])
    out = [mean.copy(), std.copy()]
    for one, values in zip(out, (mean, std), strict=True):
        one[:, kept] = [np.interp(lengths + 30, lengths, row) for row in values[:, kept]]
    return out[0], out[1]


DAMAGED: dict[str, Callable[[np.ndarray, np.ndarray], Statistics]] = {
    "ten times too bright": lambda mean, std: (10 * mean, 10 * std),
    "ten times too dark": lambda mean, std: (mean / 10, std / 10),
    "offset left in": lambda mean, std: (mean + 0.1, std),
    "65,535 for 10,000": lambda mean, std: (6.5535 * mean, 6.5535 * std),
    "8 bits stretched": lambda mean, std: (np.minimum(3.64 * mean, 1), 3.64 * std),
    "red and blue exchanged": moved(B02="B04", B04="B02"),
    "red and near infrared exchanged": moved(B04="B08", B08="B04"),
    "bands reversed": moved(**dict(zip(BAND_NAMES, BAND_NAMES[::-1], strict=True))),
    "narrow near infrared last": moved(B8A="B09", B09="B11", B11="B12", B12="B8A"),
    "one band copied": moved(**dict.fromkeys(BAND_NAMES, "B03")),
    "bands of Landsat copied": moved(B05="B04", B06="B04", B07="B8A", B08="B8A"),
    "light of other wavelengths": shifted,
    "cloud": sheet(0.51, 0.5, 0.49, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.33, 0.05, 0.35, 0.28),
    "snow": sheet(0.85, 0.84, 0.83, 0.83, 0.82, 0.8, 0.78, 0.75, 0.73, 0.35, 0.01, 0.12, 0.1),
    "white sheet": sheet(0.5),
    "dark sheet": sheet(0.02),
    "darker sheet": sheet(0.004),
}
