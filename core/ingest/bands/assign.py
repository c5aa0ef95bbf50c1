"""What bands are called, in every kind of input: by choice, by description, by file name, or by their pixels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, BY_NAME, fill_source
from core.errors import BandsError
from core.ingest.bands.names import (
    band_of_file,
    bands_by_wavelength,
    common_band,
    lights_beside_numbers,
    names_other_layer,
    names_positions,
    names_spread,
    parse_band,
    product_names,
    stated_resolution,
)
from core.ingest.bands.order import COUNTED, NAMELESS, tell_order
from core.ingest.grid.georeference import safe_crs
from core.ingest.grid.stack import Layer
from core.ingest.messages import clean_name
from core.ingest.settings import SKIP
from core.scenes.geobox import pixel_metres
from core.scenes.quality import Basis, Finding

_NUMBER = re.compile(r"(?<![A-Za-z0-9])b(?:and[ _-]?)?0*(\d{1,2})(?![A-Za-z0-9])", re.IGNORECASE)
_COUNTED = re.compile(r"(?<![A-Za-z])band[ _-]?0*(\d{1,2})$", re.IGNORECASE)
_DIMENSION = re.compile(r"(?:a|e|f|v|emb(?:edding)?|dim|feat(?:ure)?)[ _-]?(\d{1,4})", re.IGNORECASE)
_FEWEST_DIMENSIONS = 32
NO_BAND = "their names are those of no Sentinel-2 band"
"""Why bands and rasters are left out that are not told by their names."""
_INDEX = re.compile(
    r"(?<![A-Za-z0-9])(?:NDVI|NDWI|NDMI|NDBI|NDSI|NDRE|EVI2?|SAVI|MSAVI|NBR|LAI|FAPAR|GNDVI)(?![A-Za-z])", re.I
)
"""Indices that people keep as series of dates."""
_STATISTIC = re.compile(
    r"(?<![A-Za-z])(?:min(?:imum)?|max(?:imum)?|mean|median|mode|sigma(?!\d)|std(?:dev)?|sd|var(?:iance)?|range|count|sum|"
    r"p(?:ct|erc(?:entile)?)?_?\d{1,2}|q\d{1,2}|skew(?:ness)?|kurtosis|amplitude|phase|slope|trend)(?![A-Za-z])",
    re.IGNORECASE,
)
_WATER = re.compile(r"(?<![A-Za-z0-9])(?:rhow[n]?|rho_?w|Rw)_?(?=B?\d)|water[ _-]?leaving", re.IGNORECASE)
"""What C2RCC, ACOLITE and Polymer call reflectance of light that leaves water."""
_PER_STERADIAN = re.compile(r"(?<![A-Za-z0-9])Rrs_?(?=B?\d)|remote[ _-]?sensing[ _-]?reflectance", re.IGNORECASE)
MIN_BANDS = 3
"""Fewer optical bands than this tell too little of land."""


class OtherNames(Protocol):
    """Names of bands of another satellite, as ``formats.other_sensors`` knows them."""

    @property
    def title(self) -> str:
        """The satellite in words."""

    @property
    def numbers(self) -> Mapping[str, str]:
        """Band of Sentinel-2 by the number that the other satellite gives it, written as ``B05``."""

    @property
    def common(self) -> Mapping[str, str]:
        """The same by common name where it differs."""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Bands of a source with their names.

    Attributes:
        layers: one a band, names distinct, in product order.
        ignored: files and bands left out, in words, by the reason, a clause.
        finding: how the names were found.
    """

    layers: tuple[Layer, ...]
    ignored: Mapping[str, list[str]]
    finding: Finding


def name_bands(
    layers: Sequence[Layer],
    chosen: tuple[str, ...] | None,
    pixels: Callable[[Sequence[Layer]], NDArray[np.float32]],
    other: OtherNames | None = None,
) -> Naming:
    """Name the bands of a source.

    Args:
        layers: its bands as its files hold them, files sorted by name.
        chosen: a person's names in that order, or None.
        pixels: draws valid pixels, shape (bands, pixels), of nameless bands of one raster.
        other: what the numbers and names mean that another satellite gives its bands, or None.

    Raises:
        BandsError: when the choice does not fit, or too few bands can be named.
    """
    if chosen is not None:
        return _by_choice(layers, chosen)
    named, ignored, by = _by_text(layers, other)
    if other is not None:
        return _by_wavelength(named, ignored, other)
    if not named and (stack := _only_stack(layers)):
        _refuse_vectors(stack[0].source.descriptions)
        beside = [layer.title for layer in layers if layer.source is not stack[0].source]
        return replace(_by_pixels(stack, pixels(stack)), ignored={NO_BAND: beside})
    _refuse_counted_files(layers)
    distinct, duplicates = _distinct(named)
    ordered = _check_enough(distinct)
    because = f"named by {' and '.join(sorted(by))}"
    left_out = {NO_BAND: ignored, "a finer copy of the same band is there": duplicates}
    _refuse_per_steradian(ordered)
    basis: Basis = "read"
    if water := _called(ordered, _WATER):
        said = f"of light that leaves water (“{clean_name(water, 40)}”), which is no reflectance of land"
        basis, because = "warning", f"{because}; by their names they are reflectance {said}"
    return Naming(layers=ordered, ignored=left_out, finding=_finding(_bands(ordered), basis, because))


def _called(layers: Sequence[Layer], pattern: re.Pattern[str]) -> str:
    """Return the first name of a band, or of its file, in which a pattern is; empty where it is in none."""
    texts = (text for layer in layers for text in (layer.source.descriptions[layer.index - 1], _stem(layer)))
    return next((text for text in texts if pattern.search(text)), "")


def _refuse_per_steradian(layers: Sequence[Layer]) -> None:
    """Refuse remote-sensing reflectance, which is that of water for each steradian, a third of reflectance.

    Raises:
        BandsError: naming a band.
    """
    if called := _called(layers, _PER_STERADIAN):
        found = f"a band is called “{clean_name(called, 40)}”, remote-sensing reflectance of water per steradian"
        remedy = "export surface reflectance (rhos), or water-leaving reflectance (rhow), which is π times as much"
        raise BandsError(found=found, remedy=remedy)


def _only_stack(layers: Sequence[Layer]) -> list[Layer]:
    """Return the bands of the only raster, or of the only one of several bands; none where several may be the scene."""
    sources: dict[int, list[Layer]] = {}
    for layer in layers:
        sources.setdefault(id(layer.source), []).append(layer)
    if len(sources) == 1:
        return list(layers)
    stacks = [group for group in sources.values() if len(group) > 1]
    return stacks[0] if len(stacks) == 1 and len(stacks[0]) >= MIN_BANDS else []


def _bands(layers: Sequence[Layer]) -> list[str]:
    return [layer.band for layer in layers]


def _finding(bands: Sequence[str], basis: Basis, because: str) -> Finding:
    return Finding(topic="bands", value=", ".join(bands), basis=basis, because=because, override="bands")


def _by_choice(layers: Sequence[Layer], chosen: tuple[str, ...]) -> Naming:
    if len(chosen) != len(layers):
        found = f"it has {len(layers)} bands and the settings name {len(chosen)}"
        raise BandsError(found=found, remedy=f"name every band in order, {SKIP} for those to leave out")
    pairs = list(zip(layers, chosen, strict=True))
    named = _check_enough([replace(layer, band=band) for layer, band in pairs if band != SKIP])
    skipped = [layer.title for layer, band in pairs if band == SKIP]
    line = _finding(_bands(named), "chosen", "named under “How to read files”")
    return Naming(layers=named, ignored={"left out under “How to read files”": skipped}, finding=line)


def _refuse_vectors(texts: Sequence[str]) -> None:
    """Refuse a raster whose bands are called as the numbers of a vector are, as AlphaEarth's annual layers.

    Raises:
        BandsError: saying so.
    """
    numbered = [_DIMENSION.fullmatch(text.strip()) for text in texts]
    counts = [int(one[1]) for one in numbered if one]
    if len(texts) == len(counts) >= _FEWEST_DIMENSIONS and np.all(np.diff(counts) == 1):
        called = f"“{clean_name(texts[0], 40)}” to “{clean_name(texts[-1], 40)}”"
        found = f"its {len(texts)} bands, {called}, are numbers of a vector for each pixel and no light"
        raise BandsError(found=found, remedy="give vectors as a Parquet file with a row a place")


def _by_pixels(layers: Sequence[Layer], pixels: NDArray[np.float32]) -> Naming:
    source = layers[0].source
    sides = pixel_metres(source.geobox) if source.geobox.placed and safe_crs(source.geobox.crs) else None
    metres = None if sides is None else sides[0]
    texts = source.descriptions
    called = f"“{clean_name(texts[0], 40)}” to “{clean_name(texts[-1], 40)}”"
    nameless = f"are called {called}, which are no names of Sentinel-2 bands" if any(texts) else NAMELESS
    nameless = f"{COUNTED}, {called}" if names_positions(texts) else nameless
    _refuse_layers_of_one(source.name, len(layers), nameless)
    _refuse_statistics(texts)
    order = tell_order(pixels, source.name.rsplit("/", 1)[-1], metres, nameless)
    basis: Basis = "read" if order.title.startswith("order of") else "decided"
    named = [replace(layer, band=band) for layer, band in zip(layers, order.bands, strict=True)]
    finding = _finding(order.bands, basis, f"{order.title}: {order.because}")
    return Naming(layers=_check_enough(named), ignored={}, finding=finding)


def _refuse_statistics(texts: Sequence[str]) -> None:
    """Refuse a raster whose bands are called as statistics of something, and none of which names a band.

    Raises:
        BandsError: naming some of them.
    """
    found = [text.strip() for text in texts if _STATISTIC.search(text) or names_spread(text)]
    if 2 * len(set(found)) > len(texts):
        shown = ", ".join(f"“{clean_name(text, 30)}”" for text in found[:3])
        what = f"its {len(texts)} bands are called {shown} and so on, which are statistics and no bands of Sentinel-2"
        raise BandsError(found=what, remedy="open a composite of the bands themselves, one statistic at a time")


def _refuse_layers_of_one(name: str, count: int, nameless: str) -> None:
    """Refuse bands without names of a file that is called as one band or index: they may be its dates.

    Raises:
        BandsError: saying so.
    """
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    index = _INDEX.search(stem)
    one = index[0] if index else band_of_file(stem)
    if one is not None:
        found = f"by its name it holds {one} alone, and its {count} bands {nameless}, so they may be dates of it"
        raise BandsError(found=found, remedy="give the names of the bands in the order of the file, if bands they are")


def _by_wavelength(named: Sequence[Layer], ignored: list[str], other: OtherNames) -> Naming:
    """Name bands of another satellite by those of Sentinel-2 that see the same light."""
    ordered = _check_enough(_distinct(named)[0])
    there = _bands(ordered)
    moved = [f"{number} as {band}" for number, band in other.numbers.items() if band in there and band != number]
    because = f"it is {other.title}; bands whose wavelengths agree count as those of Sentinel-2, {', '.join(moved)}"
    left_out = {f"{other.title} has them, and Sentinel-2 has no band of their light": ignored}
    line = replace(_finding(there, "chosen", because), override="by_wavelength")
    return Naming(layers=ordered, ignored=left_out, finding=line)


def _by_text(layers: Sequence[Layer], other: OtherNames | None = None) -> tuple[list[Layer], list[str], set[str]]:
    """Name bands by description or file name; give the others in words, and which of the two did."""
    named, ignored, by = [], [], set()
    lit = _by_light(layers)
    alone = [_stem(layer) for layer in layers if layer.source.count == 1]
    meant = product_names([*(text for layer in layers for text in layer.source.descriptions), *alone])
    meant = meant if other is None else other.common
    lights = {id(layer.source): bands_by_wavelength(layer.source.descriptions) for layer in layers}
    for layer in layers:
        counted = names_positions(layer.source.descriptions)
        description = "" if counted else layer.source.descriptions[layer.index - 1]
        stem = _stem(layer)
        single = layer.source.count == 1
        apart = names_other_layer(description) or (single and names_other_layer(stem))
        band, origin = (None if apart else parse_band(description, meant)), "band description"
        if band is None and not apart and not counted:
            band, origin = lights[id(layer.source)][layer.index - 1], "wavelength"
        if band is None and single and not apart:
            band, origin = band_of_file(stem, meant), "file name"
        if band is not None and (id(layer.source), layer.index) in lit:
            band, origin = (
                lit[id(layer.source), layer.index],
                "the light that their names tell, for their numbers only count them",
            )
        if band is not None and other is not None and common_band(description, meant) is None:
            band = other.numbers.get(band)
        if layer.band in BAND_NAMES:
            band, origin = layer.band, "the metadata of the product"
        if band is None:
            ignored.append(layer.title)
        else:
            named.append(replace(layer, band=band))
            by.add(origin)
    return named, ignored, by


def _by_light(layers: Sequence[Layer]) -> dict[tuple[int, int], str]:
    """Return bands by the light that their texts name where these also count them, “B1 blue” to “B4 nir”.

    Raises:
        BandsError: when number and light contradict each other otherwise, as in names of another satellite's bands.
    """
    texts = [layer.source.descriptions[layer.index - 1] for layer in layers]
    texts = [
        text or (_stem(layer) if layer.source.count == 1 else "") for text, layer in zip(texts, layers, strict=True)
    ]
    pairs = lights_beside_numbers(texts)
    wrong = [(text, pair) for text, pair in zip(texts, pairs, strict=True) if pair]
    if not wrong:
        return {}
    numbers = [match[1] if (match := _NUMBER.search(text)) else "" for text in texts]
    if sorted(map(int, filter(str.isdigit, numbers))) == list(range(1, len(texts) + 1)):
        return {(id(layer.source), layer.index): pair[1] for layer, pair in zip(layers, pairs, strict=True) if pair}
    text, (number, light) = wrong[0]
    found = f"a band is called “{clean_name(text, 60)}”, and of {number} and {light} of Sentinel-2 it can be only one"
    raise BandsError(found=found, remedy="give the names of the bands in the order of the file")


def _refuse_counted_files(layers: Sequence[Layer]) -> None:
    """Refuse files that are only counted, “band_1” to “band_4”, for these are no numbers of Sentinel-2.

    Raises:
        BandsError: when they are.
    """
    stems = [_stem(layer) for layer in layers if layer.source.count == 1 and not layer.source.descriptions[0]]
    tails = sorted(int(match[1]) for stem in stems if (match := _COUNTED.search(stem)))
    if len(tails) == len(layers) >= MIN_BANDS and tails == list(range(1, len(tails) + 1)):
        found = f"its files are only counted, “band 1” to “band {len(tails)}”, and these are positions"
        raise BandsError(found=found, remedy="give the names of the bands in the order of the files")


def _stem(layer: Layer) -> str:
    return layer.source.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _distinct(layers: Sequence[Layer]) -> tuple[list[Layer], list[str]]:
    """Keep one layer a band, the finest; give the others in words.

    Raises:
        BandsError: when two files hold the same band equally fine, so that they are several scenes.
    """
    best: dict[str, Layer] = {}
    dropped = []
    for layer in sorted(layers, key=_fineness):
        if layer.band in best:
            _refuse_twins(best[layer.band], layer)
            dropped.append(layer.title)
        else:
            best[layer.band] = layer
    return list(best.values()), dropped


def _refuse_twins(kept: Layer, other: Layer) -> None:
    if kept.source is other.source:
        found = f"its bands {kept.index} and {other.index} are both called {kept.band}"
        raise BandsError(found=found, remedy="give the names of the bands in the order of the file")
    finer, coarser = _fineness(kept)[0], _fineness(other)[0]
    one, two = kept.source.geobox, other.source.geobox
    placed = one.placed and two.placed
    if placed and one.crs == two.crs and not one.overlaps(two):
        found = f"{kept.title} and {other.title} both hold {kept.band}, of land side by side and in pixels of two sizes"
        raise BandsError(found=found, remedy="export all tiles in one size of pixels, or open those of one size alone")
    if _fineness(kept) == _fineness(other) or (placed and coarser < 1.01 * finer):
        titles = kept.title, other.title
        if titles[0] == titles[1]:
            titles = clean_name(kept.source.name, 120), clean_name(other.source.name, 120)
        found = f"{titles[0]} and {titles[1]} both hold {kept.band}"
        raise BandsError(found=found, remedy="open one scene at a time, with one file a band")


def _fineness(layer: Layer) -> tuple[float, int]:
    """Return the pixel size first; what the name states where rasters say nothing of their place."""
    geobox = layer.source.geobox
    stated = stated_resolution(layer.source.name)
    return geobox.pixel_size if geobox.placed else float(stated or 0), -geobox.height * geobox.width


def _check_enough(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Put layers in product order.

    Raises:
        BandsError: when they are too few.
    """
    ordered = tuple(sorted(layers, key=lambda layer: BAND_NAMES.index(layer.band)))
    optical = [layer.band for layer in ordered if layer.band != "B10"]
    if len(optical) < MIN_BANDS:
        seen = f"only {', '.join(layer.band for layer in ordered)}" if ordered else "no Sentinel-2 band"
        found = f"{seen} could be told, and at least {MIN_BANDS} bands are needed"
        remedy = "add the other bands, or give the names of the bands in file order"
        raise BandsError(found=found, remedy=remedy)
    return ordered


def filling(bands: Sequence[str]) -> Finding | None:
    """Return what stands in for missing bands, in words; None when none is missing."""
    missing = [name for name in BAND_NAMES if name not in bands]
    if not missing:
        return None
    stand_ins = {name: fill_source(name, bands) for name in missing}
    value = ", ".join(f"{name} ← {other or 'zero'}" for name, other in stand_ins.items())
    worst = max(
        (abs(BY_NAME[name].wavelength - BY_NAME[other].wavelength) for name, other in stand_ins.items() if other),
        default=0.0,
    )
    return Finding(
        topic="missing bands",
        value=value,
        basis="warning" if worst > 150 else "assumed",
        because="where an encoder asks for one, the band nearest in wavelength stands in, and zero for B10",
    )
