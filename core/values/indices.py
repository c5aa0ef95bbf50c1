"""Indices of plants, water and built-up land, from the means of bands."""

from __future__ import annotations

from dataclasses import dataclass

from core.bands import INDICES, FloatArray
from core.imagery.ramps import NDVI_RAMP, Ramp
from core.similarity.explain import index_values, indices_of
from core.values.base import Asked, ScaleValue
from core.values.legend import Scale
from core.values.source import PatchSource

NDWI_RAMP = Ramp(
    ((-0.8, "#8a5a2b"), (-0.5, "#c49a62"), (-0.2, "#e9ddc3"), (0.0, "#cfdfe6"), (0.3, "#6fa6d0"), (0.6, "#134a8e"))
)
"""Earth for land, blue for open water; paper between."""

NDBI_RAMP = Ramp(((-0.6, "#1f5a44"), (-0.3, "#7fae8f"), (-0.05, "#eee7db"), (0.1, "#cf9a86"), (0.35, "#7a1f3d")))
"""Green for plants and water, wine red for what is built up or bare; paper between."""


@dataclass(frozen=True, kw_only=True)
class IndexValue(ScaleValue):
    """A normalised difference of two bands.

    Attributes:
        index: of ``core.bands.INDICES``.
    """

    index: str
    exported: bool = True

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the scene has both bands itself."""
        return self.index in indices_of(source.scene.bands)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray:
        """Return the index, −1 to 1."""
        return index_values(source.table.band_mean, self.index)


def _about(index: str) -> str:
    first, second = INDICES[index]
    return f"({first} − {second}) / ({first} + {second})"


NDVI = IndexValue(
    name="ndvi", title="NDVI (plants)", about=_about("NDVI"), index="NDVI",
    scale=Scale(title="NDVI", ramp=NDVI_RAMP, low_word="bare or water", high_word="dense green"),
)  # fmt: skip
NDWI = IndexValue(
    name="ndwi", title="NDWI (water)", about=_about("NDWI"), index="NDWI",
    scale=Scale(title="NDWI", ramp=NDWI_RAMP, low_word="dry land", high_word="open water"),
)  # fmt: skip
NDBI = IndexValue(
    name="ndbi", title="NDBI (built-up)", about=_about("NDBI"), index="NDBI",
    scale=Scale(title="NDBI", ramp=NDBI_RAMP, low_word="plants or water", high_word="built-up or bare"),
)  # fmt: skip
