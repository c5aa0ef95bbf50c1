"""Colours of classes and clusters, as ``#rrggbb``; ramps of numbers are ``core.imagery.ramps``."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

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
deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009), which a test checks."""

FURTHER_COLOURS = ("#743888", "#1074EC", "#9C4C9C", "#3810B0", "#601074")
"""For classes of people's own where EuroSAT's colours are taken; these differ from all by at least 0.065 likewise."""

SNOW_COLOUR, BARE_COLOUR = "#E8F1F5", "#D9BE94"
"""Snow and bare land of classes of people's own; EuroSAT has neither."""

LAND_COLOURS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b"), colours)
    for words, colours in (
        (r"snow|ice|glaciers?|schnee|eis|neige|glace|nieve|hielo|neve|gelo", (SNOW_COLOUR,)),
        (r"wetlands?|marsh(?:es)?|swamps?|bogs?|fens?|peat\w*|mangroves?|flooded vegetation|saltmarsh(?:es)?|mires?|"
         r"moor|feuchtgebiete?|marais|humedal(?:es)?|zones? humides?", ("Pasture", FURTHER_COLOURS[4])),
        (r"rivers?|streams?|canals?|fluss|flüsse|bach|rivières?|ríos?|rios?|fiumi?", ("River", "SeaLake")),
        (r"water|waters|waterbod\w*|sea|ocean|lakes?|ponds?|reservoirs?|lagoons?|wasser\w*|gewässer|see|meer|eaux?|"
         r"lacs?|mer|agua|água|lagos?|mar|acqua|lagh?[io]", ("SeaLake", "River", FURTHER_COLOURS[1])),
        (r"shrub\w*|scrub\w*|bush\w*|heath\w*|maquis|matorral|gebüsch|heide", ("HerbaceousVegetation", "Pasture")),
        (r"orchards?|vineyards?|vines?|olives?|plantations?|permanent crops?|fruit\w*|reben|vignes?|vergers?|viñedos?",
         ("PermanentCrop",)),
        (r"trees?|forests?|wood(?:s|land|lands)?|broadleaved|conifer\w*|deciduous|evergreen|w[aä]ld(?:er)?|laubwald|"
         r"nadelwald|bäume|forêts?|arbres?|bosques?|florestas?|bosch?[io]", ("Forest", "HerbaceousVegetation")),
        (r"grass\w*|meadows?|pastures?|herbaceous\w*|rangelands?|prairies?|savannah?s?|lawns?|gras\w*|wiesen?|weiden?|"
         r"grünland|herbe|pastos?|pastizal(?:es)?|prat[io]", ("Pasture", "HerbaceousVegetation")),
        (r"crops?|cropland|croplands|arable\w*|agricultur\w*|cultivated\w*|farm\w*|fields?|wheat|maize|corn|barley|"
         r"rapeseed|soy\w*|rice|potato(?:es)?|cereals?|acker\w*|äcker|weizen|mais|cultures?|cultivos?|cultura\w*",
         ("AnnualCrop", "PermanentCrop")),
        (r"roads?|highways?|railways?|stra(?:ß|ss)en?|routes?|carreteras?", ("Highway",)),
        (r"industr\w*", ("Industrial",)),
        (r"built\w*|urban\w*|buildings?|houses?|residential|artificial\w*|settlements?|cit(?:y|ies)|towns?|impervious\w*|"
         r"siedlung\w*|städte|bebau\w*|bâti\w*|villes?|urbano|edific\w*", ("Residential", "Industrial", "Highway")),
        (r"bare\w*|barren|sand\w*|deserts?|rocks?|soils?|beach(?:es)?|dunes?|boden|fels\w*|sol nu|suelo|solo|roca",
         (BARE_COLOUR, "PermanentCrop")),
    )
)  # fmt: skip
"""What names of classes say of land, and colours or classes of such that suit it, best first: water blue, trees dark
green, as maps of land cover have it. The first that a name holds counts."""

_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_NOT = re.compile(r"\b(?:no|non|not|without|other|former|burnt?|kein\w*|ohne)\b")
"""Words by which a name says that it is something else."""

_GOLDEN = 0.618033988749895
"""Of a turn of hues: each lies in the widest gap between those before."""

UNKNOWN_COLOUR = "#A8A6A1"
"""Patches without a class or a value."""


def class_colours(names: Sequence[str], stated: Sequence[str] = ()) -> list[str]:
    """Return a colour for each class: the fixed one where there is one, else one that suits what its name says it is.

    Names that say nothing of land have colours that are not taken yet, in turn, those of water last.

    Args:
        names: of the classes.
        stated: colours that a map gives them, which go before, empty where it gives none; or nothing.
    """
    found = {name: colour for name, colour in zip(names, stated, strict=True) if colour} if stated else {}
    found |= {name: CLASS_COLOURS[name] for name in names if name in CLASS_COLOURS and name not in found}
    taken = {colour.upper() for colour in found.values()}
    plain = []
    for name in dict.fromkeys(name for name in names if name not in found):
        suiting = (CLASS_COLOURS.get(colour, colour) for colour in _suiting(name))
        colour = next((colour for colour in suiting if colour.upper() not in taken), "")
        if colour:
            found[name] = colour
            taken.add(colour.upper())
        else:
            plain.append(name)
    watery = {CLASS_COLOURS.get(colour, colour) for colour in CLUSTER_COLOURS["open water"]}
    free = [colour for colour in (*CLASS_COLOURS.values(), *FURTHER_COLOURS) if colour.upper() not in taken]
    free.sort(key=lambda colour: colour in watery)
    for name in plain:
        found[name] = free.pop(0) if free else further_colour(found.values())
    return [found[name] for name in names]


def _suiting(name: str) -> tuple[str, ...]:
    """Return colours that suit what the name of a class says it is, the best first; none where it says nothing."""
    words = _CAMEL.sub(" ", name).replace("_", " ").casefold()
    if _NOT.search(words):
        return ()
    return next((colours for pattern, colours in LAND_COLOURS if pattern.search(words)), ())


def further_colour(taken: Collection[str]) -> str:
    """Return a colour for one class more: the first of ours that is not taken, else a hue between those there are."""
    used = {colour.casefold() for colour in taken}
    for colour in (*CLASS_COLOURS.values(), *FURTHER_COLOURS):
        if colour.casefold() not in used:
            return colour
    hue = len(taken) * _GOLDEN % 1.0
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.45, 0.6))
    return f"#{red:02X}{green:02X}{blue:02X}"


CLUSTER_COLOURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "open water": ("SeaLake", "River", FURTHER_COLOURS[1]),
        "mixed water and land": ("River", "Pasture"),
        "forest": ("Forest",),
        "dense vegetation": ("Pasture", "HerbaceousVegetation"),
        "moderate vegetation": ("HerbaceousVegetation", "Pasture"),
        "mixed land, moderate vegetation": ("HerbaceousVegetation", "Pasture"),
        "sparse vegetation": ("AnnualCrop", "PermanentCrop"),
        "bare soil": ("PermanentCrop", "AnnualCrop"),
        "bare land": ("AnnualCrop", "PermanentCrop"),
        "uneven or built-up land": ("Residential", "Industrial"),
        "clouds": ("Highway",),
    }
)
"""Colours, or classes of such, that suit a kind of land, best first."""


def colours_by_kind(kinds: Sequence[str]) -> list[str]:
    """Return different colours for clusters of kinds of land: those that suit them, as long as they are free.

    Args:
        kinds: of each, as of ``CLUSTER_COLOURS``; one that is not among them takes what is left.
    """
    found: list[str] = []
    for kind in kinds:
        suiting = (CLASS_COLOURS.get(name, name) for name in CLUSTER_COLOURS.get(kind, ()))
        found.append(next((colour for colour in suiting if colour not in found), ""))
    watery = {CLASS_COLOURS.get(name, name) for name in CLUSTER_COLOURS["open water"]}
    free = [colour for colour in cluster_colours(2 * len(kinds) + len(CLASS_COLOURS)) if colour not in found]
    free.sort(key=lambda colour: colour in watery)  # What is not water is blue only where nothing else is left.
    return [colour or free.pop(0) for colour in found]


def cluster_colours(count: int) -> list[str]:
    """Return different colours for clusters, in the order that keeps the first few farthest apart."""
    order = (9, 0, 5, 7, 8, 1, 4, 6, 2, 3)
    palette = list(CLASS_COLOURS.values())
    found = [palette[place] for place in order]
    while len(found) < count:
        found.append(further_colour(found))
    return found[:count]
