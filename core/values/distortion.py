"""How badly the layout of the plot places each patch."""

from __future__ import annotations

from dataclasses import dataclass

from core.bands import FloatArray
from core.imagery.ramps import Ramp
from core.projection.address import layout_name, named_layout
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale
from core.values.source import PatchSource

DISTORTION_RAMP = Ramp(((0.0, "#8fa3ad"), (0.1, "#b3ac98"), (0.25, "#d99a3d"), (0.5, "#8f2d12")))
"""Slate for points in their place, amber to brown for points that are not; 0.5 is what chance gives."""


@dataclass(frozen=True, kw_only=True)
class DistortionValue(ScaleValue):
    """Distortion of a layout, once it is measured; its version is the layout's name."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the layout has been measured."""
        return asked.layout is not None and source.distortion(asked.layout) is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return distortions, 0 = in place, about 0.5 = at random."""
        return None if asked.layout is None else source.distortion(asked.layout)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the layout's name."""
        return "" if asked.layout is None else layout_name(asked.layout)

    def read(self, version: str) -> Asked | None:
        """Return the layout of an address."""
        layout = named_layout(version)
        return None if layout is None else Asked(layout=layout)


DISTORTION = DistortionValue(
    name="distortion",
    title="distortion",
    about="How far a patch's neighbours in the plot are from its neighbours among the features",
    scale=Scale(title="Distortion", ramp=DISTORTION_RAMP, low_word="in place", high_word="misplaced"),
)
