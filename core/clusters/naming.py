"""Names in words for clusters of patches, from their light alone: the vocabulary of searches, read backwards.

A cluster is called what the vocabulary calls most of its patches, “open water” or “sparse vegetation”, then what sets
it apart from other clusters, as “bright red edge”. Where no kind of land has most of its patches, or land differs much
inside them, it is “mixed land”. So what a cluster is called is what a search for those words finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.search.light import PatchLight
from core.search.vocabulary import ADJECTIVES, NOUNS, SEVERAL_KINDS, Light, LightName

MOST = 0.6
"""Share of a cluster's patches from which it is called what they are."""

MIXED_LAND, MIXED_WATER = 0.3, 0.35
"""Deviation of near infrared inside patches over its mean, from which a patch shows several kinds of land, or is not
all water. Patches of 640 m of EuroSAT's pure classes have 0.05 to 0.23, of its rivers 0.59 and of its towns 0.31."""

SHORE = (0.15, 0.85)
"""Shares of patches of water between which a cluster is of both."""

STANDS_OUT = 1.0
"""Deviations of single patches that the mean of a cluster lies off that of all others, from which that is said."""

TELLS_APART = 0.25
"""The same between clusters of one name, from which it tells them apart."""

_SURE = 0.5
_WATER, _TOWN, _OTHER = "open water", "uneven or built-up land", ""
_BOTH, _MIXED = SEVERAL_KINDS


def _light(word: str) -> tuple[Light, ...]:
    """Return what the vocabulary says of the light of a word."""
    noun = next((one for one in NOUNS if one.word == word), None)
    adjective = next((one for one in ADJECTIVES if one.word == word), None)
    if noun is not None:
        return noun.light
    return () if adjective is None or adjective.light is None else (adjective.light,)


_KINDS: tuple[tuple[str, tuple[Light, ...], tuple[LightName, ...]], ...] = (
    ("snow", _light("snow"), ("NDSI", "brightness")),
    ("clouds", _light("clouds"), ("NDSI", "NDVI", "brightness")),
    (_WATER, _light("water"), ("NDWI",)),
    (_TOWN, _light("town"), ("NDVI", "NDBI", "unevenness")),
    ("forest", _light("forest"), ("NDVI", "red edge")),
    ("dense vegetation", _light("dense"), ("NDVI",)),
    ("moderate vegetation", _light("vegetation"), ("NDVI",)),
    ("bare soil", _light("bare soil"), ("NDVI", "NDWI", "NDBI")),
    ("bare land", _light("bare"), ("NDVI",)),
    ("sparse vegetation", _light("sparse"), ("NDVI",)),
)
"""Kinds of land, the first that fits counts: its name, its light, and what has to be known to tell it."""

_PLANTS = ("dense vegetation", "moderate vegetation", "bare land", "sparse vegetation")
"""Kinds told by NDVI alone, which say how green land is."""

_GREEN = (*_PLANTS, "forest", "bare soil")
"""Kinds of which one passes into the next without a border."""


@dataclass(frozen=True, kw_only=True)
class _Trait:
    """What may set a cluster apart.

    Attributes:
        name: a quantity of ``PatchLight``, a band, or ``inside``: how near infrared differs inside patches.
        low: what it is called where there is little of it.
        high: what it is called where there is much.
    """

    name: str
    low: str
    high: str


_TRAITS = (
    _Trait(name="red edge", low="dark red edge", high="bright red edge"),
    _Trait(name="near infrared", low="dark near infrared", high="bright near infrared"),
    _Trait(name="NDBI", low="wet", high="dry"),
    _Trait(name="brightness", low="dark", high="bright"),
    _Trait(name="unevenness", low="even", high="uneven"),
    _Trait(name="NDVI", low="less green", high="greener"),
    _Trait(name="NDWI", low="less wet", high="wetter"),
)
_OF_WATER = ("brightness", "unevenness", "near infrared", "red edge")
"""What can set water apart, the first two before it has to: its indices say little but that it is water."""


def name_clusters(index: NDArray[np.int16], light: PatchLight, given: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of clusters, no two alike whatever their case, in the order of their numbers.

    Args:
        index: the cluster of each patch, int16 of shape (N,), −1 = of none.
        light: of the same patches.
        given: names by number that people gave, which stay as they are.
    """
    count = int(index.max(initial=-1)) + 1
    kinds = kinds_of_clusters(index, light)
    traits = _traits(index, light, kinds)
    said: list[list[str]] = [[] for _ in range(count)]
    for number, kind in enumerate(kinds):
        best = _most_telling(traits, number, kind)
        if best is not None:
            said[number].append(best)
    names = [", ".join([kind, *more]) for kind, more in zip(kinds, said, strict=True)]
    _tell_apart(names, kinds, traits, set(given))
    return _unique([given.get(number, name[:1].upper() + name[1:]) for number, name in enumerate(names)], set(given))


def kinds_of_clusters(index: NDArray[np.int16], light: PatchLight) -> tuple[str, ...]:
    """Return what kind of land each cluster is, in small letters, of which several may be alike; arguments as above."""
    return tuple(_kind_of(light.of(index == number)) for number in range(int(index.max(initial=-1)) + 1))


def _kind_of(light: PatchLight) -> str:
    """Return what a cluster is called by the light of its patches, in small letters."""
    kinds = _patch_kinds(light)
    if kinds is None:
        return "land"
    names, counts = np.unique(kinds, return_counts=True)
    shares: dict[str, float] = dict(zip(names.tolist(), (counts / len(kinds)).tolist(), strict=True))
    inside, water = _inside(light), shares.get(_WATER, 0.0)
    if water > SHORE[1] and (inside is None or inside < MIXED_WATER):
        return _WATER
    if water >= SHORE[0]:
        return _BOTH
    leading = max(shares, key=shares.__getitem__)
    one_kind = shares[leading] >= MOST and leading != _OTHER
    even = inside is None or inside < MIXED_LAND
    if one_kind and (even or leading == _TOWN):
        return leading
    plants = _patch_kinds(light.mean_of_all(), _PLANTS)
    green = "" if plants is None else str(plants[0])
    if green and even and sum(shares.get(name, 0.0) for name in _GREEN) >= MOST:
        return green
    return f"{_MIXED}, {green}" if green else _MIXED


def _patch_kinds(light: PatchLight, only: Sequence[str] = ()) -> NDArray[np.str_] | None:
    """Return the kind of land of each patch, empty = of none; None where none can be told by the bands there are."""
    wanted = [kind for kind in _KINDS if not only or kind[0] in only]
    found = np.full(len(light.mean), _OTHER, dtype="U32")
    told = False
    for name, conditions, needed in reversed(wanted):
        if any(light.values(one) is None for one in needed):
            continue
        fit = light.fit(conditions)
        if fit is not None:
            told = True
            found[fit.score >= _SURE] = name
    return found if told else None


def _inside(light: PatchLight) -> float | None:
    """Return how much near infrared differs inside the middle patch, as a share of its mean; None = not known."""
    near = light.band("B08")
    if near is None or light.deviation is None:
        return None
    return float(np.median(light.deviation[:, BAND_NAMES.index("B08")] / np.maximum(near, 1e-4)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """A trait of all clusters.

    Attributes:
        trait: which.
        mean: of each cluster, float64 of shape (clusters,).
        spread: of single patches inside clusters, above 0.
        rest: mean of all patches of other clusters of land, or of water, likewise; NaN where there are none.
    """

    trait: _Trait
    mean: NDArray[np.float64]
    spread: float
    rest: NDArray[np.float64]

    def word(self, high: bool) -> str:
        """Return what it is called."""
        return self.trait.high if high else self.trait.low


def _traits(index: NDArray[np.int16], light: PatchLight, kinds: Sequence[str]) -> list[_Measured]:
    """Return what can be measured of clusters; water is compared with water and land with land."""
    count, sizes = len(kinds), np.bincount(index[index >= 0], minlength=len(kinds))
    wet = np.array([kind == _WATER for kind in kinds], bool)
    found = []
    for trait in _TRAITS:
        values = light.values(trait.name)  # type: ignore[arg-type]
        if values is None or not count:
            continue
        known = values[index >= 0].astype(np.float64)
        owner = index[index >= 0]
        mean = np.bincount(owner, known, count) / sizes
        spread = float(np.sqrt(np.mean((known - mean[owner]) ** 2)))
        rest = np.full(count, np.nan)
        for number in range(count):
            others = (wet == wet[number]) & (np.arange(count) != number)
            if others.any():
                rest[number] = np.average(mean[others], weights=sizes[others])
        found.append(_Measured(trait=trait, mean=mean, spread=max(spread, 1e-6), rest=rest))
    return found


def _of_kind(traits: Sequence[_Measured], kind: str) -> list[_Measured]:
    """Return the traits that can set a cluster of a kind apart: not what its kind is told by."""
    if kind == _WATER:
        return [one for one in traits if one.trait.name in _OF_WATER[:2]]
    told = next(({one.name for one in conditions} for name, conditions, _ in _KINDS if name == kind), {"NDVI"})
    return [one for one in traits if one.trait.name not in {*told, "NDWI"}]


def _most_telling(traits: Sequence[_Measured], number: int, kind: str) -> str | None:
    """Return what sets a cluster most apart from all others of land, or of water; None where nothing does much."""
    if kind.startswith(SEVERAL_KINDS):
        return None
    best, word = STANDS_OUT, None
    usable = _of_kind(traits, kind)
    for one in sorted(usable, key=lambda one: one.trait.name == "unevenness"):
        off = (one.mean[number] - one.rest[number]) / one.spread
        if abs(off) >= best and (word is None or one.trait.name != "unevenness"):
            best, word = abs(off), one.word(bool(off > 0))
    return word


def _tell_apart(names: list[str], kinds: Sequence[str], traits: Sequence[_Measured], given: set[int]) -> None:
    """Add to names that are alike what tells their clusters apart, best first, as long as something does."""
    for _ in range(len(_TRAITS)):
        alike: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            if number not in given:
                alike.setdefault(name, []).append(number)
        several = [numbers for numbers in alike.values() if len(numbers) > 1]
        divided = [_divided(numbers, names, kinds, traits) for numbers in several]
        if not any(divided):
            return


def _divided(numbers: list[int], names: list[str], kinds: Sequence[str], traits: Sequence[_Measured]) -> bool:
    """Divide clusters of one name in two by the trait that does it best; False where none does."""
    kind = kinds[numbers[0]]
    usable = traits if kind != _WATER else [one for one in traits if one.trait.name in _OF_WATER]
    best, cut, chosen = TELLS_APART, 0.0, None
    for one in usable:
        if one.trait.low in names[numbers[0]] or one.trait.high in names[numbers[0]].split(", "):
            continue
        ordered = np.sort(one.mean[numbers])
        gaps = np.diff(ordered)
        widest = int(gaps.argmax())
        if gaps[widest] / one.spread > best:
            best, cut, chosen = gaps[widest] / one.spread, float(ordered[widest : widest + 2].mean()), one
    if chosen is None:
        return False
    for number in numbers:
        names[number] += f", {chosen.word(bool(chosen.mean[number] > cut))}"
    return True


def _unique(names: list[str], given: set[int]) -> tuple[str, ...]:
    """Return names of which those that are still alike are numbered; those that people gave stay."""
    taken = {names[number].casefold() for number in given}
    for number, name in enumerate(names):
        if number in given:
            continue
        again, free = 1, name
        while free.casefold() in taken:
            again += 1
            free = f"{name} {again}"
        taken.add(free.casefold())
        names[number] = free
    return tuple(names)
