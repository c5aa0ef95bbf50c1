"""Maps of land cover that many people have: how they are named, and what their codes mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MapProduct:
    """A published map.

    Attributes:
        title: what it is called.
        stated: what names of files and tags say when they speak of it.
        legends: what its codes may mean, name and colour ``#rrggbb`` by code; a name that is empty means no class.
    """

    title: str
    stated: re.Pattern[str]
    legends: tuple[Mapping[int, tuple[str, str]], ...]

    def legend(self, codes: Collection[int]) -> Mapping[int, tuple[str, str]]:
        """Return the legend that knows most of some codes."""
        return max(self.legends, key=lambda legend: len(legend.keys() & set(codes)))


_WORLD_COVER = {
    0: ("", ""), 10: ("Tree cover", "#006400"), 20: ("Shrubland", "#ffbb22"), 30: ("Grassland", "#ffff4c"),
    40: ("Cropland", "#f096ff"), 50: ("Built-up", "#fa0000"), 60: ("Bare or sparse vegetation", "#b4b4b4"),
    70: ("Snow and ice", "#f0f0f0"), 80: ("Permanent water bodies", "#0064c8"),
    90: ("Herbaceous wetland", "#0096a0"), 95: ("Mangroves", "#00cf75"), 100: ("Moss and lichen", "#fae6a0"),
}  # fmt: skip
"""ESA WorldCover, product user manual 2.0, table 3."""

_DYNAMIC_WORLD = {
    0: ("Water", "#419bdf"), 1: ("Trees", "#397d49"), 2: ("Grass", "#88b053"), 3: ("Flooded vegetation", "#7a87c6"),
    4: ("Crops", "#e49635"), 5: ("Shrub and scrub", "#dfc35a"), 6: ("Built", "#c4281b"), 7: ("Bare", "#a59b8f"),
    8: ("Snow and ice", "#b39fe1"),
}  # fmt: skip
"""Brown et al. (2022), “Dynamic World, near real-time global 10 m land use land cover mapping”, table 1."""

_CORINE = {
    111: ("Continuous urban fabric", "#e6004d"), 112: ("Discontinuous urban fabric", "#ff0000"),
    121: ("Industrial or commercial units", "#cc4df2"), 122: ("Road and rail networks", "#cc0000"),
    123: ("Port areas", "#e6cccc"), 124: ("Airports", "#e6cce6"), 131: ("Mineral extraction sites", "#a600cc"),
    132: ("Dump sites", "#a64d00"), 133: ("Construction sites", "#ff4dff"), 141: ("Green urban areas", "#ffa6ff"),
    142: ("Sport and leisure facilities", "#ffe6ff"), 211: ("Non-irrigated arable land", "#ffffa8"),
    212: ("Permanently irrigated land", "#ffff00"), 213: ("Rice fields", "#e6e600"), 221: ("Vineyards", "#e68000"),
    222: ("Fruit trees and berry plantations", "#f2a64d"), 223: ("Olive groves", "#e6a600"),
    231: ("Pastures", "#e6e64d"), 241: ("Annual crops with permanent crops", "#ffe6a6"),
    242: ("Complex cultivation patterns", "#ffe64d"), 243: ("Agriculture with natural vegetation", "#e6cc4d"),
    244: ("Agro-forestry areas", "#f2cca6"), 311: ("Broad-leaved forest", "#80ff00"),
    312: ("Coniferous forest", "#00a600"), 313: ("Mixed forest", "#4dff00"), 321: ("Natural grasslands", "#ccf24d"),
    322: ("Moors and heathland", "#a6ff80"), 323: ("Sclerophyllous vegetation", "#a6e64d"),
    324: ("Transitional woodland-shrub", "#a6f200"), 331: ("Beaches, dunes, sands", "#e6e6e6"),
    332: ("Bare rocks", "#cccccc"), 333: ("Sparsely vegetated areas", "#ccffcc"), 334: ("Burnt areas", "#000000"),
    335: ("Glaciers and perpetual snow", "#a6e6cc"), 411: ("Inland marshes", "#a6a6ff"),
    412: ("Peat bogs", "#4d4dff"), 421: ("Salt marshes", "#ccccff"), 422: ("Salines", "#e6e6ff"),
    423: ("Intertidal flats", "#a6a6e6"), 511: ("Water courses", "#00ccf2"), 512: ("Water bodies", "#80f2e6"),
    521: ("Coastal lagoons", "#00ffa6"), 522: ("Estuaries", "#a6ffe6"), 523: ("Sea and ocean", "#e6f2ff"),
}  # fmt: skip
"""CORINE Land Cover, level 3 (Copernicus Land Monitoring Service, nomenclature guidelines)."""

_NO_CORINE = dict.fromkeys((48, 128, 255, -128, 990, 995, 999), ("", ""))
"""Codes of CORINE rasters for no data and what is unclassified."""

PRODUCTS = (
    MapProduct(title="ESA WorldCover", stated=re.compile(r"world[ _-]?cover", re.IGNORECASE), legends=(_WORLD_COVER,)),
    MapProduct(
        title="Dynamic World", stated=re.compile(r"dynamic[ _-]?world", re.IGNORECASE), legends=(_DYNAMIC_WORLD,)
    ),
    MapProduct(
        title="CORINE Land Cover",
        stated=re.compile(r"corine|(?<![A-Za-z])CLC[ _-]?(?:19|20)\d\d", re.IGNORECASE),
        legends=(dict(enumerate(_CORINE.values(), 1)) | _NO_CORINE, _CORINE | _NO_CORINE),
    ),
)
"""The maps that are known by name; never by their numbers alone."""


def stated_product(texts: Collection[str]) -> MapProduct | None:
    """Return the map that names of files and tags speak of; None when they speak of none, or of several."""
    found = [product for product in PRODUCTS if any(product.stated.search(text) for text in texts)]
    return found[0] if len(found) == 1 else None
