"""How unfamiliar patches are to the encoder."""

from __future__ import annotations

from dataclasses import dataclass

from core.bands import FloatArray
from core.imagery.ramps import Ramp
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale
from core.values.source import PatchSource

UNFAMILIAR_RAMP = Ramp(((0.0, "#8fa3ad"), (85.0, "#a9a89d"), (95.0, "#d99a3d"), (100.0, "#8f2d12")))
"""Slate for land as it was trained on, amber to brown for land that is unfamiliar to the encoder."""


@dataclass(frozen=True, kw_only=True)
class NoveltyValue(ScaleValue):
    """Percentiles of distance from the training; addresses call it ``unfamiliar``."""

    exported: bool = True

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether it is known what the encoder was trained on."""
        return source.novelty() is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return percentiles, 0 to 100."""
        return source.novelty()


UNFAMILIAR = NoveltyValue(
    name="unfamiliar",
    title="unfamiliarity",
    about="How many of 100 patches like those that the encoder learned from are less unfamiliar",
    scale=Scale(
        title="Unfamiliar", ramp=UNFAMILIAR_RAMP, low_word="as trained on", high_word="like nothing learned", digits=0
    ),
)
