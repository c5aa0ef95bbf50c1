"""How alike all patches are to the query."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from core.bands import FloatArray
from core.imagery.ramps import SIMILARITY_RAMP
from core.similarity.neighbours import similarities
from core.similarity.scores import step_digits
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale, ScaleLegend
from core.values.source import PatchSource

_PATCH = re.compile(r"\d{1,9}")
_EXAMPLES = re.compile(r"(\d{1,9}(?:\.\d{1,9})*)?n(\d{1,9}(?:\.\d{1,9})*)?(?:n([0-9a-f]{12}))?")
"""Good examples, ``n`` and bad ones, in an address; then perhaps ``n`` and what further ones are called."""

_STEPS = 5
"""Parts of the bar that its numbers tell apart."""


@dataclass(frozen=True, kw_only=True)
class SimilarityValue(ScaleValue):
    """Cosine similarity to the query, or the score by examples; its version is the query's patch id, or theirs."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether there is a query among the patches, or examples that can be ranked by."""
        if asked.like or asked.unlike or asked.also:
            return source.scores(asked.like, asked.unlike, asked.also) is not None
        return source.table.holds(asked.query)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return similarities, −1 to 1, or scores by examples."""
        if asked.like or asked.unlike or asked.also:
            return source.scores(asked.like, asked.unlike, asked.also)
        if asked.query is None or not source.table.holds(asked.query):
            return None
        return similarities(source.table.unit, int(source.table.positions(np.array([asked.query]))[0]))

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar: the lower quarter of patches looks alike, and the query itself does not count."""
        if values is None or len(values) < 3:
            return self.scale.legend(0.0, 1.0, about=self.about)
        low, high = float(np.quantile(values, 0.25)), float(np.partition(values, -2)[-2])
        low = low if high > low else high - 0.01
        scale = replace(self.scale, digits=step_digits((high - low) / _STEPS, least=2))
        return scale.legend(low, high, about=self.about)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the query's patch id, or those of the examples."""
        if asked.like or asked.unlike or asked.also:
            examples = "n".join(".".join(map(str, ids)) for ids in (asked.like, asked.unlike))
            return f"{examples}n{asked.also}" if asked.also else examples
        return "" if asked.query is None else str(asked.query)

    def read(self, version: str) -> Asked | None:
        """Return the query or the examples of an address."""
        examples = _EXAMPLES.fullmatch(version)
        if examples is not None:
            like, unlike = (tuple(map(int, ids.split("."))) if ids else () for ids in examples.groups()[:2])
            also = examples[3] or ""
            return Asked(like=like, unlike=unlike, also=also) if like or unlike or also else None
        return Asked(query=int(version)) if _PATCH.fullmatch(version) else None


SIMILARITY = SimilarityValue(
    name="similarity",
    title="similarity",
    about="Cosine similarity of the features to the query's",
    scale=Scale(title="Similarity", ramp=SIMILARITY_RAMP, low_word="unlike", high_word="alike"),
)
