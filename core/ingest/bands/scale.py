"""What the numbers of each band of a source mean: as chosen, as tags state, or decided; files may differ in unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import ScaleError, SourceError
from core.ingest.bands.calibration import LIFT, REMEDY, Calibration, calibration, scale_finding
from core.ingest.bands.offset import CONTRADICTED, IMPOSSIBLE, lifted, stated_offset
from core.ingest.bands.quantity import as_product_states
from core.ingest.bands.unit import HIGHEST, decide_scale, fractional, high_number, on_steps
from core.ingest.formats.product_metadata import Hint, Hints
from core.ingest.grid.stack import Scaling
from core.scenes.quality import Basis

_UNALIKE = 6.0
"""No two neighbours in wavelength differ so much over most of a scene; the same light in two units does."""
_NEIGHBOURS = (
    ("B01", "B02"), ("B02", "B03"), ("B03", "B04"), ("B06", "B07"), ("B07", "B08"), ("B08", "B8A"), ("B11", "B12"),
)  # fmt: skip

_SAME_LIGHT = (("B08", "B8A"), ("B07", "B08"))
"""Pairs of bands that see nearly the same light."""
_SAME_FILE = 60.0
"""By how much neighbours of ``_NEIGHBOURS`` in one file do not differ, whose program writes one unit as a rule."""
_NEXT = (("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"), 1000.0)
"""Bands in the order of their wavelengths, and by how much none of them differs from the next one."""


@dataclass(frozen=True, kw_only=True)
class BandNumbers:
    """What is known of a band's numbers.

    Attributes:
        values: some valid numbers.
        integers: True = the file's type holds whole numbers.
        scaling: what tags state, or None.
        source: identity of the raster it comes from; bands of one raster share a unit.
    """

    values: NDArray[np.float32]
    integers: bool
    scaling: Scaling | None = None
    source: int = 0


def calibrate(bands: Mapping[str, BandNumbers], *, chosen: str, hints: Hints, alike: str | None = None) -> Calibration:
    """Decide what the numbers of each band mean, which may differ from file to file.

    Args:
        bands: in product order.
        chosen: a person's choice, or ``auto``.
        hints: what the source says of itself.
        alike: the scale of all other dates of a series, which counts where pixels do not tell; None = not known.

    Raises:
        SourceError: when no meaning fits, or the units of bands contradict each other.
        ScaleError: when several fit.
    """
    if chosen != "auto":
        return calibration(chosen, "chosen", "chosen under “How to read files”")
    try:
        return _decided(bands, hints)
    except ScaleError:
        if alike is None:
            raise
        because = "the other dates of the series are written so, and its own pixels do not tell"
        return calibration(alike, "assumed", because)


def _decided(bands: Mapping[str, BandNumbers], hints: Hints) -> Calibration:
    """Decide by statements and pixels; errors as of ``calibrate``."""
    if hints.quantity is not None and all(numbers.integers for numbers in bands.values()):
        return as_product_states({band: numbers.values for band, numbers in bands.items()}, hints, hints.quantity)
    bands = _with_cirrus(bands)
    stated = {band: numbers for band, numbers in bands.items() if numbers.scaling is not None}
    parts = [_as_stated(stated, hints)] if stated else []
    covered = [tuple(stated)] if stated else []
    for names in _alike({band: numbers for band, numbers in bands.items() if band not in stated}):
        samples = {band: bands[band].values for band in names}
        integers = bands[names[0]].integers
        told = _as_others_state(stated, hints) if integers else hints
        parts.append(decide_scale(samples, integers=integers, hints=told))
        covered.append(names)
    whole = _joined(parts, covered)
    _refuse_units_that_differ(bands, whole)
    _refuse_offset_in_some(bands, whole)
    return whole


def _with_cirrus(bands: Mapping[str, BandNumbers]) -> Mapping[str, BandNumbers]:
    """Return bands with B10 scaled as the tags of all others state; so little light tells no unit by itself."""
    cirrus = bands.get("B10")
    others = {(numbers.scaling, numbers.integers) for band, numbers in bands.items() if band != "B10"}
    if cirrus is None or cirrus.scaling is not None or len(others) != 1:
        return bands
    scaling, integers = others.pop()
    return bands if integers != cirrus.integers else {**bands, "B10": replace(cirrus, scaling=scaling)}


def _as_others_state(stated: Mapping[str, BandNumbers], hints: Hints) -> Hints:
    """Return hints with the offset that tags of all other bands of whole numbers state, where nothing else does."""
    pairs = [numbers.scaling for numbers in stated.values() if numbers.scaling is not None and numbers.integers]
    lifted = all(abs(offset / scale + LIFT) < 1 and abs(scale * 10_000 - 1) < 0.01 for scale, offset in pairs)
    if not pairs or not lifted or hints.offset is not None or hints.plain is not None:
        return hints
    return replace(hints, offset=Hint(value=f"{-LIFT:.0f}", where="the tag of each other band"))


def _alike(bands: Mapping[str, BandNumbers]) -> list[tuple[str, ...]]:
    """Part bands without a statement into those that share a unit, by type, by steps and by size.

    Bands of one file do, unless they are farther apart than any light.
    """
    keys = _kinds(bands)
    sources: dict[int, list[str]] = {}
    for band, numbers in bands.items():
        sources.setdefault(numbers.source, []).append(band)
    for members in sources.values():
        own = [keys[band] for band in members]
        if len(set(own)) > 1 and _far_apart({band: bands[band] for band in members}, keys):
            continue
        for band in members:
            keys[band] = max(set(own), key=own.count)
    groups: dict[tuple[bool, str], list[str]] = {}
    for band in bands:
        groups.setdefault(keys[band], []).append(band)
    return [tuple(names) for names in groups.values()]


def _far_apart(bands: Mapping[str, BandNumbers], keys: Mapping[str, tuple[bool, str]]) -> bool:
    """Tell whether bands of one file that seem to differ in unit do so by more than light does from band to band."""
    bright = {band: float(np.percentile(one.values, 75)) for band, one in bands.items() if one.values.size >= 100}
    chain, most = [band for band in _NEXT[0] if band in bright], _NEXT[1]
    pairs = [*((*pair, _SAME_FILE) for pair in _NEIGHBOURS), *((*pair, most) for pair in pairwise(chain))]
    return any(
        max(bright[one], bright[other]) > factor * min(bright[one], bright[other]) > 0
        for one, other, factor in pairs
        if one in bright and other in bright and keys[one] != keys[other]
    )


def _kinds(bands: Mapping[str, BandNumbers]) -> dict[str, tuple[bool, str]]:
    """Return of each band whether it holds whole numbers, and what tells its unit apart from that of others.

    A band of few different numbers, such as B10, or the infrared over water, has the steps of most others.
    """
    high = {band: high_number(numbers.values) for band, numbers in bands.items()}
    steps = {band: on_steps(numbers.values) for band, numbers in bands.items() if numbers.integers}
    told = [one for one in steps.values() if one is not None]
    most = 2 * sum(told) > len(told)
    kinds = {}
    for band, numbers in bands.items():
        kind = "plain"
        if numbers.integers:
            kind = "portal" if steps[band] or (steps[band] is None and most) else "plain"
        elif high[band] <= 3 and fractional(numbers.values):
            others = [high[other] for other in bands if other != "B10" and not bands[other].integers]
            kind = "small" if max(others, default=0) > 30 and high[band] > 0 else "plain"
        kinds[band] = numbers.integers, kind
    return kinds


def _joined(parts: Sequence[Calibration], covered: Sequence[tuple[str, ...]]) -> Calibration:
    """Make one calibration of those of groups of bands; where units differ the record says which band has which."""
    first = max(range(len(parts)), key=lambda number: len(covered[number]))
    main = parts[first]
    if len(parts) == 1:
        return main
    by_band = dict(main.by_band)
    for part, names in zip(parts, covered, strict=True):
        by_band.update({band: part.of(band) for band in names if part is not main})
    lines = [line for part in parts for line in part.findings if line.topic != "scale"]
    values, reasons = [], []
    for part, names in zip(parts, covered, strict=True):
        line = next(line for line in part.findings if line.topic == "scale")
        values.append(f"{', '.join(names)}: {line.value}")
        reasons.append(f"{', '.join(names)}: {line.because}")
    same = len({part.scale for part in parts}) == 1 and not any(part.by_band for part in parts)
    if same:
        line = next(line for line in main.findings if line.topic == "scale")
        return replace(main, by_band=by_band, findings=(line, *lines))
    line = scale_finding("; ".join(values), "warning", f"its bands differ in unit. {'; '.join(reasons)}")
    return replace(main, by_band=by_band, findings=(line, *lines))


def _refuse_units_that_differ(bands: Mapping[str, BandNumbers], scale: Calibration) -> None:
    """Refuse bands of different files that see nearly the same light and yet differ as two units do.

    Raises:
        SourceError: naming both.
    """
    for one, other in _NEIGHBOURS:
        if one not in bands or other not in bands or bands[one].source == bands[other].source:
            continue
        if bands[one].values.size < 100 or bands[other].values.size < 100:
            continue
        bright = [scale.canonical(band, float(np.percentile(bands[band].values, 75))) for band in (one, other)]
        if min(bright) < 20 or max(bright) < _UNALIKE * min(bright):
            continue
        found = (
            f"{one} and {other} differ by a factor of {max(bright) / min(bright):.0f}, so their files differ in unit"
        )
        raise SourceError(found=found, remedy="export all bands in one unit, such as reflectance × 10,000")


def _refuse_offset_in_some(bands: Mapping[str, BandNumbers], scale: Calibration) -> None:
    """Refuse bands of different files of which some still hold the offset, by those that see the same light.

    Raises:
        SourceError: naming two of them.
    """
    for pair in _SAME_LIGHT:
        if any(band not in bands for band in pair) or len({bands[band].source for band in pair}) == 1:
            continue
        one, other = (bands[band].values for band in pair)
        if one.size != other.size or one.size < 100:
            continue
        (gain, offset), (gain_2, offset_2) = (scale.of(band) for band in pair)
        apart = np.median((one + offset) * gain - (other + offset_2) * gain_2)
        if lifted(np.abs(apart)):
            brighter, darker = pair if apart > 0 else pair[::-1]
            found = (
                f"{brighter} is by {abs(apart) / 10_000:.2f} brighter than {darker} in the middle, and both see nearly "
                "the same light, so some of its files hold the offset of 0.1 and others do not"
            )
            raise SourceError(found=found, remedy="export all bands in one way, or open those of one kind alone")


def _as_stated(bands: Mapping[str, BandNumbers], hints: Hints) -> Calibration:
    """Apply scale and offset as the tags of each band state them.

    Raises:
        SourceError: when what comes out is no reflectance.
    """
    pairs = {band: numbers.scaling for band, numbers in bands.items() if numbers.scaling is not None}
    measured = {
        band: bands[band].values * np.float32(scale) + np.float32(offset) for band, (scale, offset) in pairs.items()
    }
    high = max(high_number(values) for values in measured.values())
    said = _said(pairs)
    where = "the tags of its bands state it" if hints.packed is None else hints.packed.where
    if not 0.003 < high < HIGHEST:
        found = f"the tags of its bands say {said}, by which 98 % of its numbers are at most {high:.4g}, no reflectance"
        raise SourceError(found=found, remedy=REMEDY)
    factor, unit = (10_000.0, "reflectance") if high <= 3 else (100.0, "percent") if high <= 200 else (1.0, "dn")
    by_band = {band: (scale * factor, offset / scale) for band, (scale, offset) in pairs.items()}
    below = {band: float(np.mean(values * factor < IMPOSSIBLE - LIFT)) for band, values in measured.items()}
    darkest = max(below, key=lambda band: below[band])
    because = where
    basis: Basis = "read"
    if below[darkest] > 0.5:
        found = f"the tags of its bands say {said}, by which {below[darkest]:.0%} of {darkest} is darker than nothing"
        raise SourceError(found=found, remedy="choose the scale under “How to read files”")
    if below[darkest] > CONTRADICTED:
        basis, because = "warning", f"{because}, although {below[darkest]:.0%} of {darkest} come out below −0.03"
    other = stated_offset(hints)
    if other and all(offset == 0 for _, offset in pairs.values()):
        basis, because = "warning", f"{because}, although {other}; what the tags of the pixels say counts"
    gain, offset = next(iter(by_band.values()))
    name = "dn" if unit == "dn" else "unit"
    line = scale_finding(f"number × scale + offset, {said}", basis, because)
    return Calibration(scale=name, gain=gain, offset=offset, findings=(line,), by_band=by_band)


def _said(pairs: Mapping[str, Scaling]) -> str:
    """Say scale and offset, once where all bands have the same."""
    groups: dict[Scaling, list[str]] = {}
    for band, pair in pairs.items():
        groups.setdefault(pair, []).append(band)
    texts = {pair: f"scale {pair[0]:g} and offset {pair[1]:g}" for pair in groups}
    if len(groups) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{', '.join(names)}: {texts[pair]}" for pair, names in groups.items())
