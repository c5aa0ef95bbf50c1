"""Where answers are shaky: how much of each patch's neighbourhood stays when the grid is shifted."""

from __future__ import annotations

from dataclasses import dataclass

from core.bands import FloatArray
from core.evaluation.grid_shift import COMPARED, SHIFT, STABILITY_KEY
from core.imagery.ramps import Ramp
from core.values.base import NOTHING_ASKED, Asked, ScaleValue
from core.values.legend import Scale
from core.values.source import PatchSource

STABILITY_RAMP = Ramp(((0.0, "#8f2d12"), (0.35, "#d99a3d"), (0.7, "#a9a89d"), (1.0, "#5f7f8f")))
"""Brown where the answer is another with the next grid, slate where it stays."""


@dataclass(frozen=True, kw_only=True)
class StabilityValue(ScaleValue):
    """The share of its nearest that a patch keeps; a worker measures it when it is first wanted."""

    exported: bool = True

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return True: where it cannot be measured, choosing it tells why."""
        return True

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return shares, 0 to 1; None while they are not measured."""
        return source.stability()

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return how it is measured."""
        return STABILITY_KEY

    def read(self, version: str) -> Asked | None:
        """Return nothing to ask for, for figures as they are measured now."""
        return NOTHING_ASKED if version in {"", STABILITY_KEY} else None


STABILITY = StabilityValue(
    name="stability",
    title="stability",
    about=(
        f"The share of a patch's {COMPARED} nearest that stay when the grid of patches moves by {SHIFT} pixels; "
        "grey where there is no room to move it"
    ),
    scale=Scale(title="Stability", ramp=STABILITY_RAMP, low_word="shaky", high_word="stays"),
)
