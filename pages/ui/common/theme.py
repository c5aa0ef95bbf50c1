"""The colours and names that all views share: one accent, one class palette, one scale an index. No drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core.bands import class_title
from core.imagery.ramps import NDVI_RAMP, SIMILARITY_RAMP, Ramp

__all__ = ["ACCENT", "SCALES", "class_colours", "class_title", "group_colours"]

ACCENT = "#D1196F"
"""The one accent: the query, its neighbours, the selection, the primary button. No class and no index has it."""

CLASS_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "AnnualCrop": "#EFCD70",
        "Forest": "#2C5F45",
        "HerbaceousVegetation": "#99B80F",
        "Highway": "#7B7374",
        "Industrial": "#AB72C7",
        "Pasture": "#2EAF8A",
        "PermanentCrop": "#CC6B2C",
        "Residential": "#B20000",
        "River": "#81BEF1",
        "SeaLake": "#165DC4",
    }
)
"""EuroSAT's classes. Any two differ by at least 0.09 in OKLab for full colour vision and for simulated protanopia,
deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009); ``tests/pages/test_theme.py`` checks it."""

FURTHER_COLOURS = ("#743888", "#1074EC", "#9C4C9C", "#3810B0", "#601074")
"""For classes of people's own where EuroSAT's colours are taken; these differ from all by at least 0.065 likewise."""

UNKNOWN_COLOUR = "#A8A6A1"
"""Points without a class or a value."""


NDWI_RAMP = Ramp(
    ((-0.8, "#8a5a2b"), (-0.5, "#c49a62"), (-0.2, "#e9ddc3"), (0.0, "#cfdfe6"), (0.3, "#6fa6d0"), (0.6, "#134a8e"))
)
"""Earth for land, blue for open water; paper between."""

NDBI_RAMP = Ramp(((-0.6, "#1f5a44"), (-0.3, "#7fae8f"), (-0.05, "#eee7db"), (0.1, "#cf9a86"), (0.35, "#7a1f3d")))
"""Green for plants and water, wine red for what is built up or bare; paper between."""


DISTORTION_RAMP = Ramp(((0.0, "#8fa3ad"), (0.1, "#b3ac98"), (0.25, "#d99a3d"), (0.5, "#8f2d12")))
"""Slate for points in their place, amber to brown for points that are not; 0.5 is what chance gives."""

UNFAMILIAR_RAMP = Ramp(((0.0, "#8fa3ad"), (85.0, "#a9a89d"), (95.0, "#d99a3d"), (100.0, "#8f2d12")))
"""Slate for land as it was trained on, amber to brown for land that is strange to the encoder."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A colour bar.

    Attributes:
        title: what the numbers are.
        ramp: colours over the range; values beyond it look like its ends.
        low_word: what low values mean on land.
        high_word: what high values mean on land.
        digits: decimals of a value in words.
    """

    title: str
    ramp: Ramp
    low_word: str
    high_word: str
    digits: int = 2

    def colours(self, count: int = 16) -> list[str]:
        """``count`` evenly spaced colours, ``#rrggbb``, first to last."""
        table = self.ramp.table()
        chosen = table[[round(index * (len(table) - 1) / (count - 1)) for index in range(count)]]
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in chosen.tolist()]


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "ndvi": Scale(title="NDVI", ramp=NDVI_RAMP, low_word="bare or water", high_word="dense green"),
        "ndwi": Scale(title="NDWI", ramp=NDWI_RAMP, low_word="dry land", high_word="open water"),
        "ndbi": Scale(title="NDBI", ramp=NDBI_RAMP, low_word="plants or water", high_word="built-up or bare"),
        "similarity": Scale(title="Similarity", ramp=SIMILARITY_RAMP, low_word="unlike", high_word="alike"),
        "distortion": Scale(title="Distortion", ramp=DISTORTION_RAMP, low_word="in place", high_word="misplaced"),
        "unfamiliar": Scale(
            title="Unfamiliar", ramp=UNFAMILIAR_RAMP, low_word="as trained on", high_word="strange", digits=0
        ),
    }
)
"""Colour bars by what they colour."""


def class_colours(names: Sequence[str]) -> list[str]:
    """A colour for each class: the fixed one where there is one, else colours not yet taken, in turn."""
    free = [colour for name, colour in CLASS_COLOURS.items() if name not in names] + list(FURTHER_COLOURS)
    unknown = [name for name in names if name not in CLASS_COLOURS]
    return [CLASS_COLOURS.get(name) or free[unknown.index(name) % len(free)] for name in names]


def group_colours(count: int) -> list[str]:
    """Colours for groups that have no names, in the order that keeps the first few farthest apart."""
    order = (9, 0, 5, 7, 8, 1, 4, 6, 2, 3)
    palette = list(CLASS_COLOURS.values())
    return [palette[order[index % len(order)]] for index in range(count)]
