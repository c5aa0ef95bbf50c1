"""A number that people gave some patches, such as a yield, predicted for all of them.

What learns it is ``core.classification.numbers``, above this; a source that can hands its answer in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from core.bands import FloatArray
from core.imagery.ramps import Ramp
from core.values.base import NOTHING_ASKED, Asked, ScaleValue
from core.values.legend import Scale, ScaleLegend
from core.values.source import LearnedValues, PatchSource

LEARNED_RAMP = Ramp(((0.0, "#f4ecd8"), (0.25, "#d9c27a"), (0.5, "#8fae58"), (0.75, "#33795a"), (1.0, "#153b4e")))
"""Sand to dark green-blue: lightness alone tells low from high."""

_VERSION = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class LearnedValue(ScaleValue):
    """The predicted number of each patch; the version is that of what was learned."""

    exported: bool = True

    def leads(self, source: PatchSource) -> bool:
        """Return False: it is shown when somebody asks for it."""
        return False

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether a number was learned, and the one that is asked for."""
        return self._found(source, asked) is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return predicted numbers, in their own unit; none on unfamiliar land."""
        found = self._found(source, asked)
        if found is None:
            return None
        numbers = np.asarray(found.predicted, np.float32)
        return numbers if found.unfamiliar is None else np.where(found.unfamiliar, np.float32(np.nan), numbers)

    def about_of(self, source: PatchSource) -> str:
        """Return how it is made, and how many patches have none."""
        left = _left_out(source.learned())
        why = "their land is unfamiliar to the encoder or unlike all that have a number"
        return f"{self.about}; {_patches(left)} none, for {why}" if left else self.about

    def note_of(self, source: PatchSource) -> str:
        """Return how many patches have no number."""
        left = _left_out(source.learned())
        return f"{_patches(left)} no number: unfamiliar land" if left else ""

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar over all but the extreme predictions, called as the number is."""
        found = source.learned()
        scale, about = self.scale if found is None else replace(self.scale, title=found.title), self.about_of(source)
        known = np.zeros(0, np.float32) if values is None else values[np.isfinite(values)]
        if not len(known):
            return scale.legend(about=about)
        low, high = np.quantile(known, [0.02, 0.98]).tolist()
        return scale.legend(low, high if high > low else low + 1e-6, about=about)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the version of what was learned."""
        found = None if asked.version else source.learned()
        return asked.version or ("" if found is None else found.version)

    def read(self, version: str) -> Asked | None:
        """Return which of the numbers learned an address asks for."""
        if not version:
            return NOTHING_ASKED
        return Asked(version=version) if _VERSION.fullmatch(version) else None

    @staticmethod
    def _found(source: PatchSource, asked: Asked) -> LearnedValues | None:
        found = source.learned()
        return found if found is not None and asked.version in (None, found.version) else None


def _left_out(found: LearnedValues | None) -> int:
    return 0 if found is None or found.unfamiliar is None else int(found.unfamiliar.sum())


def _patches(count: int) -> str:
    return "1 patch has" if count == 1 else f"{count:,} patches have"


LEARNED_NUMBER = LearnedValue(
    name="learned",
    title="predicted number",
    about="Predicted from the numbers that were given some patches on the Classify page",
    scale=Scale(title="Predicted", ramp=LEARNED_RAMP, low_word="low", high_word="high"),
)
