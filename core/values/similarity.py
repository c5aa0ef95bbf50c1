"""How alike all patches are to the query."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.imagery.ramps import SIMILARITY_RAMP
from core.similarity.neighbours import similarities
from core.values.base import Asked, PatchSource, ScaleValue
from core.values.legend import Scale, ScaleLegend

_PATCH = re.compile(r"\d{1,9}")


@dataclass(frozen=True, kw_only=True)
class SimilarityValue(ScaleValue):
    """Cosine similarity to the query; its version is the query's patch id."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether there is a query among the patches."""
        return source.table.holds(asked.query)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return similarities, −1 to 1."""
        if asked.query is None or not source.table.holds(asked.query):
            return None
        return similarities(source.table.unit, int(source.table.positions(np.array([asked.query]))[0]))

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar: the lower quarter of patches looks alike, and the query itself does not count."""
        if values is None or len(values) < 3:
            return self.scale.legend(0.0, 1.0, about=self.about)
        low, high = float(np.quantile(values, 0.25)), float(np.partition(values, -2)[-2])
        return self.scale.legend(low if high > low else high - 0.01, high, about=self.about)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the query's patch id."""
        return "" if asked.query is None else str(asked.query)

    def read(self, version: str) -> Asked | None:
        """Return the query of an address."""
        return Asked(query=int(version)) if _PATCH.fullmatch(version) else None


SIMILARITY = SimilarityValue(
    name="similarity",
    title="similarity",
    about="Cosine similarity of the features to the query's",
    scale=Scale(title="Similarity", ramp=SIMILARITY_RAMP, low_word="unlike", high_word="alike"),
)
