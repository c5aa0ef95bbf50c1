"""What light of land, water and snow looks like in Sentinel-2's bands, and how far pixels are from mixtures of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
_LIGHTS = np.array(
    [
        [100, 61, 31, 26, 23, 20, 17, 15, 3, 2],  # clear water under haze
        [98, 100, 56, 51, 27, 27, 24, 20, 5, 3],  # water
        [89, 100, 78, 79, 38, 37, 34, 22, 6, 4],  # turbid water
        [91, 97, 58, 100, 71, 72, 57, 46, 11, 9],  # water with plants
        [9, 11, 6, 16, 65, 95, 100, 98, 28, 13],  # dense plants
        [20, 32, 20, 42, 85, 97, 100, 100, 60, 32],  # plants over ground
        [20, 28, 40, 46, 56, 62, 66, 70, 100, 75],  # dry grass and ground
        [33, 41, 49, 54, 59, 63, 67, 67, 100, 92],  # bare soil
        [100, 99, 98, 97, 96, 93, 90, 88, 12, 10],  # snow
    ]
).T / 100  # fmt: skip
"""Shares of the brightest band, of which light is mixed: water, dense plants and soil as corners of real pixels of
Level-1C and Level-2A, the rest as spectra of them are known."""
_FEWEST = 16


def strangeness(light: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return how far most pixels are from any mixture of known lights, three in four, as a share of their length.

    Args:
        light: shape (bands, pixels), in any unit.
        order: names of the bands. Of too few pixels 0 is returned.
    """
    pixels = light[[order.index(band) for band in _BANDS]].astype(np.float64)
    pixels = pixels[:, (pixels > 0).all(axis=0)]
    if pixels.shape[1] < _FEWEST:
        return 0.0
    pixels = pixels[:, :: max(1, pixels.shape[1] // 500)]
    pixels /= np.linalg.norm(pixels, axis=0)
    nearest = np.ones(pixels.shape[1])
    for lights, unmix in _mixtures():
        shares = unmix @ pixels
        apart = np.linalg.norm(pixels - lights @ shares, axis=0)
        nearest = np.where((shares >= 0).all(axis=0), np.minimum(nearest, apart), nearest)
    return float(np.percentile(nearest, 75))


@lru_cache(maxsize=1)
def _mixtures() -> Sequence[tuple[NDArray[np.float64], NDArray[np.floating[Any]]]]:
    """Return lights of each mixture, shape (bands, lights), and what gives their shares: hardly a pixel has more."""
    every = range(_LIGHTS.shape[1])
    chosen = [_LIGHTS[:, some] for count in range(1, 5) for some in combinations(every, count)]
    return [(lights, np.linalg.pinv(lights)) for lights in chosen]
