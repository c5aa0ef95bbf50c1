"""How much of a patch can be seen, and how much ground it covers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.imagery.ramps import Ramp
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale, ScaleLegend
from core.values.source import PatchSource

SEEN_RAMP = Ramp(((0.0, "#8f2d12"), (0.5, "#d99a3d"), (0.9, "#a9b48c"), (1.0, "#1f5a44")))
"""Brown where little can be seen, green where all can."""

AREA_RAMP = Ramp(((0.0, "#eee7db"), (1.0, "#134a8e")))


@dataclass(frozen=True, kw_only=True)
class CoverageValue(ScaleValue):
    """A number of each patch that its source knows without its pixels; it filters, and says nothing of land."""

    listed: bool = False

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the source knows it."""
        return self.numbers(source) is not None

    def leads(self, source: PatchSource) -> bool:
        """Return False: it says nothing of land."""
        return False

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return what the source knows."""
        return self.numbers(source)

    @abstractmethod
    def numbers(self, source: PatchSource) -> FloatArray | None:
        """Return float32 of shape (N,), NaN = unknown; None when nothing is known."""


@dataclass(frozen=True, kw_only=True)
class ValidValue(CoverageValue):
    """The share of a patch's pixels that hold data."""

    def numbers(self, source: PatchSource) -> FloatArray | None:
        """Return shares, 0 to 1."""
        return source.valid_fraction()


@dataclass(frozen=True, kw_only=True)
class ClearValue(CoverageValue):
    """The share of a patch's pixels that are neither cloud nor its shadow, by the product's own map."""

    def numbers(self, source: PatchSource) -> FloatArray | None:
        """Return shares, 0 to 1."""
        return source.clear_fraction()


@dataclass(frozen=True, kw_only=True)
class AreaValue(CoverageValue):
    """The ground of a patch's pixels that hold data, in hectares."""

    def numbers(self, source: PatchSource) -> FloatArray | None:
        """Return hectares."""
        return source.hectares()

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar from the smallest to the largest patch."""
        known = np.zeros(1, np.float32) if values is None else values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        return self.scale.legend(low, high if high > low else low + 1, about=self.about)


VALID = ValidValue(
    name="valid",
    title="valid share",
    about="Share of a patch's pixels that hold data",
    scale=Scale(title="Valid", ramp=SEEN_RAMP, low_word="no data", high_word="whole"),
)
CLEAR = ClearValue(
    name="clear",
    title="clear share",
    about="Share of a patch's pixels that are neither cloud nor its shadow, by the product's scene classification",
    scale=Scale(title="Clear", ramp=SEEN_RAMP, low_word="clouded", high_word="clear"),
)
AREA = AreaValue(
    name="area",
    title="area",
    about="Ground of a patch's pixels that hold data, in hectares",
    scale=Scale(title="Hectares", ramp=AREA_RAMP, low_word="small", high_word="large"),
)
