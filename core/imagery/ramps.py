"""Colour ramps: stops and look-up tables. Which values get which ramp is decided where they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
LEVELS = 256


@dataclass(frozen=True)
class Ramp:
    """Colours along a range of values, interpolated evenly to the eye (in OKLab).

    Attributes:
        stops: (value, ``#rrggbb``) in ascending order of value; the first and last are the ends of the range.
    """

    stops: tuple[tuple[float, str], ...]

    @property
    def low(self) -> float:
        """Value of the first colour."""
        return self.stops[0][0]

    @property
    def high(self) -> float:
        """Value of the last colour."""
        return self.stops[-1][0]

    def table(self) -> ByteArray:
        """Colours of ``LEVELS`` values spread evenly from ``low`` to ``high``, uint8 of shape (LEVELS, 3)."""
        return _table(self)


@lru_cache(maxsize=64)
def _table(ramp: Ramp) -> ByteArray:
    values = np.array([value for value, _ in ramp.stops])
    lab = oklab(np.array([_rgb(colour) for _, colour in ramp.stops], dtype=np.float64))
    wanted = np.linspace(ramp.low, ramp.high, LEVELS)
    table = srgb(np.stack([np.interp(wanted, values, lab[:, axis]) for axis in range(3)], axis=1))
    table.flags.writeable = False
    return table


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


# Source of both matrices and the cube root: B. Ottosson, "A perceptual color space for image processing" (2020).
_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab (lightness 0 to 1, a, b) of sRGB colours 0 to 255, shape (N, 3)."""
    code = rgb / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def srgb(lab: NDArray[np.float64]) -> ByteArray:
    """Colours in sRGB, 0 to 255, shape (N, 3), of OKLab; the inverse of ``oklab``, clipped to what screens show."""
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    code = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    codes: ByteArray = np.rint(code * 255).astype(np.uint8)
    return codes


NDVI_RAMP = Ramp(
    (
        (-0.3, "#46607f"), (-0.05, "#a9b6bd"), (0.05, "#f1e7d0"), (0.2, "#ddcf92"), (0.4, "#a9b961"),
        (0.6, "#659647"), (0.8, "#26683a"), (0.9, "#0f472c"),
    )
)  # fmt: skip
"""Slate for water, sand for bare soil, ever darker green for denser plants: above 0.05 lightness alone tells."""

SIMILARITY_RAMP = Ramp(
    ((0.0, "#2a1a55"), (0.25, "#2c5090"), (0.5, "#1d8a93"), (0.75, "#6fbf6b"), (1.0, "#f6e75a")),
)
"""Dark violet to light yellow, of nearly even steps in lightness."""
