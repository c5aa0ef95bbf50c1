"""Fills that no tag declares, and bands that hold nothing: told from reflectance by pixels as the files hold them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.bands import BY_NAME
from core.ingest.bands.flat_ground import FlatGround, doubtful_bright, judge_flat
from core.ingest.bands.sampling import FEW_WINDOWS
from core.ingest.findings import finding
from core.ingest.grid.resample import NOT_LIGHT, NoData, PixelWindow
from core.ingest.grid.stack import BandRaster, Layer, marked
from core.scenes.quality import Finding

Numbers = NDArray[np.float64]

KNOWN_FILLS = (
    -10_000, -9_999, -32_768, -32_767, -999, -99_999, 32_767, 65_535, 2**31 - 1, 65_536 - 9_999, 65_536 - 10_000,
)  # fmt: skip
"""Numbers that products and programs write where they have none; the last two are negative ones in unsigned types."""

_FULL_LIGHT = (1.0, 10_000.0, 11_000.0)
"""Reflectance 1, at which cloud and snow are cut off."""
_NO_LIGHT = 30.0
"""Times the brightest of all else from which a number of many bands is no light; cloud over dark sea has less."""

_SIDE = 64
_NET = 5
_FEWEST = 8
"""Fewer pixels than this of one number are chance."""
_VARIED = 16
"""Land has at least so many different numbers; with fewer, no number stands apart from them."""
_SPARSE = 0.1
"""Numbers in the gap beside a fill, as a share of the fill itself."""
_DIM = 0.4
"""Light of neighbours in wavelength where a band is 0, as a share of their light elsewhere: darker is deep water."""
_INFRARED = 720.0
"""Beyond this wavelength, nanometres, water returns almost no light."""
_WIDE = 0.02
"""Share of a band's pixels from which a number that stands apart is a fill though no other band holds it."""
_BRIGHT_TOLD = 1e-3
"""Share of a band's pixels from which a number far above all others is told of, though it counts as light."""
_SOLID = 0.9
"""Share of the sides of a fill's pixels that touch another of its pixels; land as flat as that hides a fill."""
_CORNERS = ((0, 0), (0, -1), (-1, 0), (-1, -1))
_ALONE = 0.1
"""A band with less than this share of what the others hold would empty the scene; it counts as missing."""


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """What the bands of a scene hold and what they hold in place of something.

    Attributes:
        layers: bands that hold something.
        empty: what was left out because it holds nothing, by reason.
        marks: what marks missing pixels of each band, by name, beyond what tags declare.
        edge: number of a constant edge by band; a pixel that holds all of them is missing.
        findings: what was told, for the record.
    """

    layers: tuple[Layer, ...]
    empty: Mapping[str, list[str]]
    marks: dict[str, NoData]
    edge: dict[str, float]
    findings: tuple[Finding, ...]


@dataclass(kw_only=True)
class _Seen:
    """Numbers of a band as its file holds them.

    Attributes:
        valid: those that are not missing by statement.
        total: pixels looked at.
        endless: how many are no light by their size, such as −3.4e38, without a statement.
        sides: numbers along the top, bottom, left and right of the raster.
        corners: the number at each corner, where it fills ground there without a gap, else None.
        shape: height and width of the raster.
        every: numbers of all pixels looked at, NaN where missing by statement.
    """

    valid: Numbers
    total: int
    endless: dict[float, int] = field(default_factory=dict)
    sides: list[Numbers] = field(default_factory=list)
    corners: list[float | None] = field(default_factory=lambda: [None] * 4)
    shape: tuple[int, int] = (0, 0)
    every: Numbers = field(default_factory=lambda: np.empty(0))


def find_gaps(layers: Sequence[Layer], chosen: float | None, *, few: bool = False) -> Gaps:
    """Look at pixels all over each band and tell what stands for no data.

    Args:
        layers: named bands.
        chosen: a person's own no-data value, which is then the only one, or None.
        few: True = fewer pixels do, for the source states what stands for no data.
    """
    seen = {layer.band: _look(layer, chosen, FEW_WINDOWS if few else _NET) for layer in layers}
    packed = {layer.band for layer in layers if zero_means_light(layer)}
    fills = {} if chosen is not None else {band: _fills(band, seen, packed) for band in seen}
    fills, bright = shared_or_wide(fills, {band: one.valid for band, one in seen.items()})
    marks = {band: NoData(values=tuple(fills.get(band, ()))) for band in seen}
    left = {band: _without(one.valid, marks[band]) for band, one in seen.items()}
    shares = {band: left[band].size / max(1, one.total) for band, one in seen.items()}
    empty: dict[str, list[str]] = {}
    kept = []
    for layer in layers:
        because = _useless(layer, chosen, marks[layer.band], left, shares)
        if because is None:
            kept.append(layer)
        else:
            empty.setdefault(because, []).append(f"{layer.band} ({layer.title})")
    flat = None if chosen is not None else _flat_ground(kept, {layer.band: seen[layer.band] for layer in kept}, fills)
    edge = {} if flat is None or flat.doubt else dict(flat.numbers)
    unsure = {} if edge else {layer.band: bright.get(layer.band, ()) for layer in kept}
    told = {
        layer.band: (*(fill for fill in fills.get(layer.band, ()) if fill), *seen[layer.band].endless) for layer in kept
    }
    lines = [*fills_said(told), *([] if flat is None else [flat.said]), *doubtful_bright(unsure)]
    return Gaps(
        layers=tuple(kept),
        empty=empty,
        marks={layer.band: marks[layer.band] for layer in kept},
        edge=edge,
        findings=tuple(lines),
    )


def standing_apart(numbers: Numbers) -> tuple[float, ...]:
    """Return numbers that no tag declares and that are no reflectance: repeated, at an end, and far from all others.

    A band of nothing but a number that programs write where they have none holds nothing.
    """
    found: list[float] = []
    rest = numbers
    if numbers.size and float(numbers[0]) in KNOWN_FILLS and bool((numbers == numbers[0]).all()):
        return (float(numbers[0]),)
    while rest.size > 2 * _FEWEST and len(found) < 4:
        ends = [float(rest.min()), float(rest.max())]
        fill = next((value for value in ends if _apart(value, rest)), None)
        if fill is None:
            break
        found.append(fill)
        rest = rest[rest != fill]
    return tuple(found)


def _apart(value: float, numbers: Numbers) -> bool:
    others = numbers[numbers != value]
    count = numbers.size - others.size
    known = value in KNOWN_FILLS
    far = known and others.size > 0 and (value < min(0.0, others.min()) or value > 2 * others.max())
    few = 1 if far else 2 * _FEWEST
    if count < (1 if far else max(_FEWEST, 2e-4 * numbers.size)) or others.size < few:
        return False
    if not far and np.unique(others).size < _VARIED:
        return False
    low, middle, high = (float(np.percentile(others, share)) for share in (1, 50, 99))
    spread = max(high - low, 1e-6 * abs(middle))
    if not known and not (value < min(0.0, low) - 0.25 * abs(middle) or value > high + spread):
        return False
    near = int((np.abs(others - value) < (0.1 if known else 0.5) * spread).sum())
    return bool(near < _SPARSE * count)


def shared_or_wide(
    fills: Mapping[str, tuple[float, ...]], numbers: Mapping[str, Numbers]
) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
    """Part numbers that stand apart into those that are no data, and those that may be cloud, snow or a boat.

    What is no fill that programs are known to write has to be the same in half of the bands, or to hold much of one.
    Above all others it has to be the same in half of the bands, and so far above that nothing is as bright.

    Args:
        fills: of each band, as of ``standing_apart``.
        numbers: of the pixels of each band.

    Returns:
        Of each band those that are no data, and those far above all others that are many and may be light.
    """
    kept, bright = {}, {}
    for band, values in fills.items():
        sure = tuple(value for value in values if _sure(value, band, fills, numbers))
        kept[band] = sure
        high = (value for value in values if value not in sure and value > 0)
        bright[band] = tuple(value for value in high if float(np.mean(numbers[band] == value)) > _BRIGHT_TOLD)
    return kept, bright


def _sure(value: float, band: str, fills: Mapping[str, tuple[float, ...]], numbers: Mapping[str, Numbers]) -> bool:
    if value == 0 or value in KNOWN_FILLS:
        return True
    shared = 2 * sum(value in others for others in fills.values()) >= len(fills)
    if value < 0:
        return shared or float(np.mean(numbers[band] == value)) > _WIDE
    land = numbers[band][~np.isin(numbers[band], fills[band])]
    if value in _FULL_LIGHT or not shared:
        return False
    return value > _NO_LIGHT * float(np.percentile(land, 99))


def zero_means_light(layer: Layer) -> bool:
    """Tell whether tags state that 0 is a number like others: what it stands for is brighter than nothing."""
    scaling = layer.source.scaling[layer.index - 1]
    return scaling is not None and scaling[1] > 0 and layer.source.nodata[layer.index - 1] != 0


def _fills(band: str, seen: Mapping[str, _Seen], packed: Collection[str]) -> tuple[float, ...]:
    """Return the fills of a band; 0 is one where no number is near it, and other bands hold zeros too or see land."""
    numbers = seen[band].valid
    fills = standing_apart(numbers)
    if band == "B10" or band in packed:
        return fills
    zeros = {name: float(np.mean(one.valid == 0)) if one.valid.size else 0.0 for name, one in seen.items()}
    share = zeros.pop(band)
    zeros.pop("B10", None)
    others = numbers[(numbers != 0) & ~np.isin(numbers, fills)]
    if not 0 < share < 1 or others.size < 2 * _FEWEST or np.unique(others).size < _VARIED:
        return fills
    near = float(np.mean(np.abs(numbers[numbers != 0]) < 0.05 * abs(float(np.median(others))))) * (1 - share)
    if near >= _SPARSE * share:
        return fills
    shared = [other for other in zeros.values() if other < 1]
    if shared and float(np.percentile(shared, 25)) > 0.3 * share:
        return (*fills, 0.0)
    return (*fills, 0.0) if share * numbers.size >= _FEWEST and _lit_beside(band, seen) else fills


def _lit_beside(band: str, seen: Mapping[str, _Seen]) -> bool:
    """Tell whether neighbours in wavelength see land where a band is 0, so that it is no dark water.

    Water is dark in the infrared only, so visible bands say nothing of a band there.
    """
    alike = [name for name, one in seen.items() if one.shape == seen[band].shape and name not in (band, "B10")]
    if BY_NAME[band].wavelength > _INFRARED:
        alike = [name for name in alike if BY_NAME[name].wavelength > _INFRARED]
    alike.sort(key=lambda name: abs(BY_NAME[name].wavelength - BY_NAME[band].wavelength))
    zero, ratios = seen[band].every == 0, []
    for name in alike[:3]:
        light = seen[name].every
        usable = np.isfinite(light) & (light != 0) & (np.abs(light) < NOT_LIGHT)
        if np.any(usable & zero) and np.any(usable & ~zero):
            ratios.append(float(np.median(light[usable & zero])) / max(float(np.median(light[usable & ~zero])), 1e-9))
    return bool(ratios) and min(ratios) > _DIM


def _useless(
    layer: Layer, chosen: float | None, mark: NoData, left: Mapping[str, Numbers], shares: Mapping[str, float]
) -> str | None:
    """Return why a band is as good as missing, a clause, or None."""
    band = layer.band
    others = [share for name, share in shares.items() if name != band and share > 0]
    nothing = not np.any(left[band] != 0)
    if nothing and (not others or not _holds_something(layer, marked(layer, chosen, mark))):
        return "it holds no data, so the band counts as missing"
    if not others:
        return None
    if shares[band] < _ALONE * float(np.median(others)):
        return f"it holds data in {shares[band]:.1%} of its pixels only, so the band counts as missing"
    if nothing or band == "B10" or left[band].size <= 1000 or np.unique(left[band]).size > 1:
        return None
    varied = float(np.median([np.unique(numbers[:4096]).size for name, numbers in left.items() if name != band]))
    return f"all its pixels are {left[band][0]:g}, so the band counts as missing" if varied > 16 else None


def _holds_something(layer: Layer, mark: NoData) -> bool:
    """Tell whether any pixel of a band is a number other than 0; the whole of it is read for that."""
    box = layer.source.geobox
    rows = max(1, 2**22 // box.width)
    for top in range(0, box.height, rows):
        window = (top, 0, min(rows, box.height - top), box.width)
        numbers, missing = _numbers(layer.source, layer.index, window, mark)
        if np.any(numbers[~missing] != 0):
            return True
    return False


def _numbers(
    source: BandRaster, index: int, window: PixelWindow, mark: NoData
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    numbers = source.read([index], window)[0]
    missing = mark.found_in(numbers)
    own = source.read_missing(window)
    return numbers, missing if own is None else missing | own


def _look(layer: Layer, chosen: float | None, net: int) -> _Seen:
    box, mark = layer.source.geobox, marked(layer, chosen)
    seen = _Seen(valid=np.empty(0), total=0, shape=(box.height, box.width))
    valid: list[Numbers] = []
    every: list[Numbers] = []
    sides: list[list[Numbers]] = [[], [], [], []]
    for window in _net(box.height, box.width, net):
        raw, missing = _numbers(layer.source, layer.index, window, mark)
        numbers = np.asarray(raw, dtype=np.float64)
        endless = numbers[np.abs(numbers) >= NOT_LIGHT]
        undeclared = endless[np.isfinite(endless) & ~mark.stated_in(endless)]
        for value, count in zip(*np.unique(undeclared, return_counts=True), strict=True):
            seen.endless[float(value)] = seen.endless.get(float(value), 0) + int(count)
        valid.append(numbers[~missing])
        every.append(np.where(missing, np.nan, numbers).ravel())
        seen.total += numbers.size
        top, left, height, width = window
        for side, on, line in (
            (0, top == 0, numbers[0]),
            (1, top + height == box.height, numbers[-1]),
            (2, left == 0, numbers[:, 0]),
            (3, left + width == box.width, numbers[:, -1]),
        ):
            if on:
                sides[side].append(line)
        for corner, (row, col) in enumerate(_CORNERS):
            if top == (0 if row == 0 else box.height - height) and left == (0 if col == 0 else box.width - width):
                seen.corners[corner] = _solid(np.where(missing, np.nan, numbers), float(numbers[row, col]))
    seen.valid, seen.every = np.concatenate(valid), np.concatenate(every)
    seen.sides = [np.concatenate(lines) for lines in sides]
    return seen


def _net(height: int, width: int, net: int) -> Iterator[PixelWindow]:
    rows, cols = min(_SIDE, height), min(_SIDE, width)
    if height <= 4 * _SIDE and width <= 4 * _SIDE:
        yield 0, 0, height, width
        return
    for top in sorted(set(np.linspace(0, height - rows, net).astype(int).tolist())):
        for left in sorted(set(np.linspace(0, width - cols, net).astype(int).tolist())):
            yield top, left, rows, cols


def _without(numbers: Numbers, mark: NoData) -> Numbers:
    return numbers[~np.isin(numbers, mark.values)] if mark.values else numbers


def _solid(numbers: Numbers, value: float) -> float | None:
    """Return a number of a window if it fills ground without a gap, so that it is no light; else None.

    Where the rest is of flat pieces too, as a map of classes is, a flat piece says nothing.
    """
    same = numbers == value
    count = int(same.sum())
    if count < _FEWEST * _FEWEST or count < _WIDE * same.size or not abs(value) < NOT_LIGHT or _flat(numbers, ~same):
        return None
    beside = int((same[:, 1:] & same[:, :-1]).sum()) + int((same[1:] & same[:-1]).sum())
    return value if beside > 2 * _SOLID * (count - _FEWEST) else None


def _flat(numbers: Numbers, where: NDArray[np.bool_]) -> bool:
    """Tell whether pixels that lie beside one another in rows are mostly equal."""
    pairs = where[:, 1:] & where[:, :-1]
    return bool(pairs.any()) and float((numbers[:, 1:] == numbers[:, :-1])[pairs].mean()) > _SOLID


def _flat_ground(
    layers: Sequence[Layer], seen: Mapping[str, _Seen], fills: Mapping[str, Sequence[float]]
) -> FlatGround | None:
    """Return what is flat in every band but for B10 along a side or in a corner; what is no data goes before."""
    by_band, found = {layer.band: layer for layer in layers}, []
    valid, every = ({band: getattr(one, name) for band, one in seen.items()} for name in ("valid", "every"))
    for corner, numbers in (*_flat_sides(seen, fills), *_flat_corners(seen, fills)):
        one = judge_flat(numbers, by_band, valid, every, corner)
        if not one.doubt:
            return one
        found.append(one)
    return found[0] if found else None


def _flat_corners(
    seen: Mapping[str, _Seen], fills: Mapping[str, Sequence[float]]
) -> Iterator[tuple[tuple[int, int], dict[str, float]]]:
    """Give corners that a number a band fills, and the numbers; 0 is told otherwise."""
    for place, corner in enumerate(_CORNERS):
        edge = {band: one.corners[place] for band, one in seen.items()}
        found = {band: number for band, number in edge.items() if number and number not in fills[band]}
        land = [band for band in found if np.unique(seen[band].valid[:65_536]).size >= _VARIED]
        if len(land) >= 3 and all(band in land for band in seen if band != "B10"):
            yield corner, {band: found[band] for band in land}


def _flat_sides(
    seen: Mapping[str, _Seen], fills: Mapping[str, Sequence[float]]
) -> Iterator[tuple[tuple[int, int], dict[str, float]]]:
    """Give sides that a number a band fills, by their first corner, and the numbers; 0 is told otherwise."""
    for side, corner in enumerate(((0, 0), (-1, 0), (0, 0), (0, -1))):
        edge = {}
        for band, one in seen.items():
            line = one.sides[side]
            line = line[np.abs(line) < NOT_LIGHT]
            if line.size < 2 * _FEWEST or np.any(line != line[0]) or np.unique(one.valid[:65_536]).size < _VARIED:
                continue
            if line[0] not in {0, *fills[band]} and float(np.mean(one.valid == line[0])) < 0.9:
                edge[band] = float(line[0])
        if len(edge) >= 3 and len(edge) >= len([band for band in seen if band != "B10"]):
            yield corner, edge


def fills_said(fills: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Say which number stands for no data in which bands; empty when none does."""
    by_value: dict[float, list[str]] = {}
    for band, values in fills.items():
        for value in values:
            by_value.setdefault(value, []).append(band)
    if not by_value:
        return []
    said = "; ".join(f"{number:g} in {', '.join(bands)}" for number, bands in by_value.items())
    because = "no tag declares it; it is repeated and far from all other numbers, so pixels that hold it are no data"
    return [finding("fill", said, "decided", because, "nodata")]


def with_special(gaps: Gaps, special: Sequence[float], chosen: float | None) -> Gaps:
    """Return gaps with numbers that a product states to stand for no data in any band; a person's choice goes before.

    Args:
        gaps: as told by pixels.
        special: the numbers.
        chosen: a person's own no-data value, or None.
    """
    if not special or chosen is not None:
        return gaps
    marks = {
        band: replace(mark, values=(*mark.values, *(number for number in special if number not in mark.values)))
        for band, mark in gaps.marks.items()
    }
    return replace(gaps, marks=marks)


def with_limits(
    marks: Mapping[str, NoData],
    light: Mapping[str, tuple[float, float]],
    zero: Mapping[str, bool],
    top: Mapping[str, bool],
) -> dict[str, NoData]:
    """Return marks that also take out what is no light once the scale is known.

    Args:
        marks: by band.
        light: numbers of each band below and above which nothing is light.
        zero: by band, True = 0 is no light either.
        top: by band, True = 65535 is none: products write it where the sensor was dazzled, others where they have none.
    """
    limited = {}
    for band, mark in marks.items():
        more = [value for value, wanted in ((0.0, zero[band]), (65_535.0, top[band])) if wanted]
        values = (*mark.values, *(value for value in more if value not in mark.values))
        lowest, highest = light[band]
        limited[band] = replace(mark, lowest=lowest, highest=highest, values=values)
    return limited
