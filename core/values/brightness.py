"""Mean brightness: how much light patches return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.imagery.ramps import Ramp
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale, ScaleLegend
from core.values.source import PatchSource

VISIBLE = ("B02", "B03", "B04")

BRIGHTNESS_RAMP = Ramp(((0.0, "#1c2430"), (0.06, "#4b4a63"), (0.12, "#8c6a74"), (0.2, "#d09a78"), (0.35, "#fbeecb")))
"""Night blue for water and shadow, sand to cream for bare soil, roofs and cloud; lightness alone tells."""


def bands_of(there: Sequence[str]) -> tuple[str, ...]:
    """Return the bands that count of those that a scene has: those of ``VISIBLE``, else all."""
    return tuple(band for band in VISIBLE if band in there) or tuple(there)


def mean_brightness(band_mean: FloatArray, there: Sequence[str]) -> FloatArray:
    """Return the mean reflectance of the bands that count, float32 of shape (N,), 0 = black.

    Args:
        band_mean: float32 of shape (N, 13).
        there: the bands that the scene has, at least one.
    """
    columns = [BAND_NAMES.index(band) for band in bands_of(there)]
    found: FloatArray = band_mean[:, columns].mean(axis=1, dtype=np.float64).astype(np.float32)
    return found


@dataclass(frozen=True, kw_only=True)
class BrightnessValue(ScaleValue):
    """Mean reflectance of the visible bands."""

    exported: bool = True

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the scene has bands: a file of vectors may have none."""
        return bool(source.scene.bands)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray:
        """Return mean reflectance, 0 = black."""
        return mean_brightness(source.table.band_mean, source.scene.bands)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar, which names the bands."""
        bands = ", ".join(bands_of(source.scene.bands))
        return replace(self.scale, title=f"Brightness ({bands})").legend(about=f"Mean reflectance of {bands}")


BRIGHTNESS = BrightnessValue(
    name="brightness",
    title="mean brightness",
    about=f"Mean reflectance of {', '.join(VISIBLE)}, or of the bands that a scene has",
    scale=Scale(title="Brightness", ramp=BRIGHTNESS_RAMP, low_word="dark", high_word="bright"),
)
