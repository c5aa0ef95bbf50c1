"""Colours of classes and clusters, as ``#rrggbb``; ramps of numbers are ``core.imagery.ramps``."""

from __future__ import annotations

import colorsys
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

_GOLDEN = 0.618033988749895
"""Of a turn of hues: each lies in the widest gap between those before."""

UNKNOWN_COLOUR = "#A8A6A1"
"""Patches without a class or a value."""


def class_colours(names: Sequence[str], stated: Sequence[str] = ()) -> list[str]:
    """Return a colour for each class: the fixed one where there is one, else colours not yet taken, in turn.

    Args:
        names: of the classes.
        stated: colours that a map gives them, which go before, empty where it gives none; or nothing.
    """
    if stated:
        rest = iter(class_colours([name for name, colour in zip(names, stated, strict=True) if not colour]))
        return [colour or next(rest) for colour in stated]
    free = [colour for name, colour in CLASS_COLOURS.items() if name not in names] + list(FURTHER_COLOURS)
    unknown = [name for name in names if name not in CLASS_COLOURS]
    return [CLASS_COLOURS.get(name) or free[unknown.index(name) % len(free)] for name in names]


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
