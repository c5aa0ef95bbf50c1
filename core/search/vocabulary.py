"""The words for land that a search box knows: a table to read, of nouns and adjectives. What they find is ``words``.

A noun names classes that encoders are taught (EuroSAT, Dynamic World, CORINE, LCCS and the like, and Sentinel-2's scene
classification), and what its light is like where no class is known. An adjective narrows a noun, or stands alone.

Indices are of mean reflectance. Their thresholds are those usual for Sentinel-2: open water has NDWI above 0 (McFeeters
1996), snow NDSI above 0.4 (Dozier 1989; the scene classification of ESA), green plants NDVI above about 0.4. Sparse
plants have NDVI of 0.2 to 0.5 and dense ones from 0.6 on (U.S. Geological Survey, “NDVI, the Foundation for Remote
Sensing Phenology”). Forest is the darkest of green land, because crowns shade one another (Huang and others 2008,
“Dynamics of national forests assessed using the Landsat record”): in EuroSAT its red edge, B05, reflects 0.06 to 0.08,
that of pasture and crops 0.10 to 0.23, seen from the top of the atmosphere. There towns differ inside a patch in blue
by 0.12 to 0.43 of its mean, and forest, pasture and herbs by 0.02 to 0.14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LightName = Literal["NDVI", "NDWI", "NDBI", "NDSI", "brightness", "red edge", "near infrared", "unevenness"]

LIGHT_BANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"NDVI": ("B08", "B04"), "NDWI": ("B03", "B08"), "NDBI": ("B11", "B08"), "NDSI": ("B03", "B11")}
)
"""Bands a, b of the indices (a − b) / (a + b) that words speak of."""

SINGLE_BANDS: Mapping[str, str] = MappingProxyType({"red edge": "B05", "near infrared": "B08"})
"""Bands whose mean reflectance words speak of."""

UNEVEN_BAND = "B02"
"""Unevenness is the deviation of this band inside a patch over its mean; roofs and streets differ most in blue."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """A soft condition on light.

    Attributes:
        name: an index, ``brightness``, a band or ``unevenness``.
        none: the value at which it is not met at all.
        full: the value from which it is met; below ``none`` for “at most”.
    """

    name: LightName
    none: float
    full: float

    @property
    def middle(self) -> float:
        """The value at which it is half met, which words name."""
        return (self.none + self.full) / 2


@dataclass(frozen=True, kw_only=True)
class Noun:
    """A kind of land.

    Attributes:
        word: what it is called in answers.
        synonyms: other words for it, in the singular.
        classes: names of classes that mean it: a class counts whose name has all words of one of these, in whatever
            number; after ``=``, whose name is just that.
        light: what it looks like; all of it has to hold.
    """

    word: str
    synonyms: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    light: tuple[Light, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Adjective:
    """What narrows a noun.

    Attributes:
        word: what it is called in answers.
        synonyms: other words for it.
        light: the condition where it stands alone; None where it is relative then too.
        relative: what is compared among the patches that the noun fits; None where it is absolute.
        high: relative only: True = the brighter or greener half counts, False = the other.
    """

    word: str
    synonyms: tuple[str, ...] = ()
    light: Light | None = None
    relative: LightName | None = None
    high: bool = True


def _above(name: LightName, none: float, full: float) -> Light:
    """Return a condition; where ``full`` lies below ``none`` it is one of “below”."""
    return Light(name=name, none=none, full=full)


_WATER = (_above("NDWI", 0.0, 0.2),)
_BARREN = (_above("NDVI", 0.35, 0.2), _above("NDWI", 0.0, -0.1))
_BUILT = (
    _above("NDVI", 0.45, 0.25), _above("NDBI", -0.15, 0.0), _above("NDWI", 0.05, -0.05),
    _above("unevenness", 0.08, 0.14),
)  # fmt: skip
_NO_FOREST = _above("red edge", 0.08, 0.11)
_FOREST = (
    _above("NDVI", 0.35, 0.55), _above("brightness", 0.13, 0.09), _above("red edge", 0.115, 0.085),
    _above("near infrared", 0.37, 0.3),
)  # fmt: skip

NOUNS: tuple[Noun, ...] = (
    Noun(
        word="water", synonyms=("open water", "surface water"),
        classes=("water", "sea", "lake", "river", "ocean", "reservoir"), light=_WATER,
    ),
    Noun(
        word="lake", synonyms=("pond", "reservoir", "lagoon"),
        classes=("lake", "=water", "reservoir", "inland water", "water body"), light=_WATER,
    ),
    Noun(
        word="sea", synonyms=("ocean", "bay", "fjord"),
        classes=("sea", "ocean", "=water", "marine water", "water body"), light=_WATER,
    ),
    Noun(
        word="river", synonyms=("stream", "canal", "creek", "watercourse"),
        classes=("river", "water course", "watercourse", "stream", "canal"),
        light=(_above("NDWI", -0.25, 0.0), _above("NDVI", 0.6, 0.35)),
    ),
    Noun(
        word="forest", synonyms=("wood", "woodland", "tree", "jungle", "rainforest", "grove"),
        classes=("forest", "=tree", "=wood", "woodland", "tree cover"),
        light=_FOREST,
    ),
    Noun(
        word="grass", synonyms=("grassland", "meadow", "pasture", "prairie", "savanna", "steppe", "lawn"),
        classes=("grass", "grassland", "pasture", "meadow", "herbaceous vegetation"),
        light=(_above("NDVI", 0.25, 0.45), _above("NDWI", -0.2, -0.35), _NO_FOREST),
    ),
    Noun(
        word="crops", synonyms=("cropland", "field", "farmland", "agriculture", "arable land", "farm"),
        classes=("crop", "cropland", "arable", "agricultural", "cultivated"),
        light=(_above("NDWI", -0.1, -0.25), _NO_FOREST),
    ),
    Noun(
        word="orchard", synonyms=("vineyard", "plantation", "olive grove", "permanent crop"),
        classes=("permanent crop", "orchard", "vineyard", "fruit tree", "olive", "plantation"),
        light=(_above("NDVI", 0.2, 0.4), _NO_FOREST),
    ),
    Noun(
        word="shrubs", synonyms=("scrub", "bush", "heath", "moor", "shrubland", "maquis"),
        classes=("shrub", "scrub", "moor", "heathland", "shrubland", "herbaceous vegetation"),
        light=(_above("NDVI", 0.15, 0.35), _above("NDVI", 0.75, 0.6)),
    ),
    Noun(
        word="vegetation", synonyms=("plant", "greenery"),
        classes=("vegetation", "forest", "tree", "pasture", "grass", "crop"), light=(_above("NDVI", 0.3, 0.5),),
    ),
    Noun(
        word="wetland", synonyms=("marsh", "swamp", "bog", "peat", "flooded vegetation", "mangrove", "fen"),
        classes=("wetland", "marsh", "bog", "peat", "mangrove", "flooded vegetation", "swamp"),
        # Dark, and between water and dry land: plants of marshes stand in it, and are withered half the year.
        light=(
            _above("NDWI", -0.45, -0.25), _above("NDWI", 0.3, 0.15), _above("NDVI", -0.15, 0.0),
            _above("red edge", 0.12, 0.09),
        ),
    ),
    Noun(
        word="bare soil", synonyms=("soil", "bare ground", "bare land", "barren land", "desert", "bare earth"),
        classes=("bare soil", "bare ground", "bare land", "=bare", "barren", "=soil", "desert", "sparse vegetation"),
        light=(*_BARREN, _above("NDBI", -0.05, 0.1), _above("red edge", 0.07, 0.1)),
    ),
    Noun(
        word="sand", synonyms=("beach", "dune"), classes=("sand", "beach", "dune"),
        light=(*_BARREN, _above("brightness", 0.15, 0.25)),
    ),
    Noun(
        word="rock", synonyms=("stone", "cliff", "quarry", "mine", "scree"),
        classes=("rock", "mineral extraction", "mine", "quarry"), light=_BARREN,
    ),
    Noun(
        word="town",
        synonyms=("city", "village", "urban", "built up", "built up land", "settlement", "house", "building",
                  "residential", "suburb"),
        classes=("residential", "built", "urban", "town", "settlement", "artificial"), light=_BUILT,
    ),
    Noun(
        word="industry", synonyms=("industrial", "factory", "warehouse", "port", "harbour", "harbor", "commercial"),
        classes=("industrial", "industry", "commercial", "port"), light=_BUILT,
    ),
    Noun(
        word="roofs", synonyms=("rooftop",), classes=("industrial", "residential", "built", "urban fabric"),
        light=_BUILT,
    ),
    Noun(
        word="road", synonyms=("highway", "street", "motorway", "railway", "runway", "airport"),
        classes=("highway", "road", "rail", "airport", "transport"),
        light=(_above("NDVI", 0.6, 0.35), _above("NDWI", 0.05, -0.05)),
    ),
    Noun(
        word="snow", synonyms=("ice", "glacier", "snow and ice"), classes=("snow", "ice", "glacier"),
        light=(_above("NDSI", 0.2, 0.5), _above("brightness", 0.2, 0.4)),
    ),
    Noun(
        word="clouds", synonyms=("cloudy", "overcast"),
        classes=("cloud medium probability", "cloud high probability", "=cloud"),
        light=(_above("brightness", 0.25, 0.4), _above("NDSI", 0.4, 0.2), _above("NDVI", 0.4, 0.2)),
    ),
    Noun(
        word="cloud shadow", synonyms=("shadow", "shade"), classes=("shadow",),
        light=(_above("brightness", 0.08, 0.04), _above("NDWI", 0.2, 0.0)),
    ),
)  # fmt: skip
"""Kinds of land."""

SEVERAL_KINDS = ("mixed water and land", "mixed land")
"""What clusters are called, perhaps with more behind it, whose patches show several kinds of land."""

ADJECTIVES: tuple[Adjective, ...] = (
    Adjective(
        word="dense", synonyms=("thick", "closed", "lush", "green"), light=_above("NDVI", 0.5, 0.75), relative="NDVI"
    ),
    Adjective(
        word="sparse",
        synonyms=("thin", "open", "scattered"),
        light=_above("NDVI", 0.55, 0.35),
        relative="NDVI",
        high=False,
    ),
    Adjective(word="dry", synonyms=("arid", "parched", "withered", "brown"), light=_above("NDBI", -0.15, 0.05)),
    Adjective(word="wet", synonyms=("moist", "damp", "flooded", "humid"), light=_above("NDBI", -0.1, -0.3)),
    Adjective(word="bare", synonyms=("barren", "naked", "fallow", "ploughed"), light=_above("NDVI", 0.35, 0.2)),
    Adjective(word="bright", synonyms=("light", "white", "shiny", "pale", "turbid"), relative="brightness"),
    Adjective(word="dark", synonyms=("black", "dim", "deep", "clear"), relative="brightness", high=False),
)
"""What narrows a kind of land."""
