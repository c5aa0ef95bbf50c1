"""What the numbers of a file mean: digital numbers with or without offset, reflectance, or portal exports.

What tags state is applied as stated. Otherwise the unit is decided over all bands of a kind, then whether an offset of
0.1 reflectance is in; whole numbers and floats follow the same rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.formats.product_metadata import OFFSET_BASELINE, OFFSET_DATE, Hints
from core.ingest.grid.stack import Scaling
from core.scenes.quality import Basis, Finding

BandSamples = Mapping[str, NDArray[np.float32]]

HIGHEST = 100_000.0
"""Numbers beyond this mean reflectance on no scale that is known; 65,535 is the most that portals write."""

_REMEDY = "choose the scale in the ingest settings or export 16-bit reflectance"

PORTAL_STEP = 6.5535
"""Reflectance steps of 1/10 000 written × 65 535 are this far apart."""

_OFFSET = 1000.0
"""What products since baseline 04.00 add, in reflectance × 10,000."""
_IMPOSSIBLE = 700.0
"""Below this the offset would leave reflectance under −0.03, which hardly a pixel of land or water has."""
_CONTRADICTED = 0.05
"""Share of a band's numbers under ``_IMPOSSIBLE`` from which a stated offset cannot be in them any more."""
_UNALIKE = 6.0
"""No two neighbours in wavelength differ so much over most of a scene; the same light in two units does."""
_NEIGHBOURS = (
    ("B01", "B02"), ("B02", "B03"), ("B03", "B04"), ("B06", "B07"), ("B07", "B08"), ("B08", "B8A"), ("B11", "B12"),
)  # fmt: skip
_BRIGHTEST = 1.3
"""No scene reflects more in the middle of any band; snow under a low sun comes near."""
_DARK, _DIM = 300.0, 800.0
"""Numbers × 10,000 of a scene that hardly reach the first are of dark water, or of another unit; up to the second they
may be either."""
_VISIBLE = ("B01", "B02", "B03", "B04")
"""Bands in which bright land may have no dark pixel."""
_NEVER_BRIGHT = ("B01", "B02", "B03")
"""Bands in which haze lifts the darkest pixels, so that these say nothing of an offset."""


@dataclass(frozen=True, kw_only=True)
class _Unit:
    """One way to write reflectance: words for it with and without the offset, and the factor to × 10,000."""

    title: str
    gain: float
    lifted: str | None
    lifted_title: str = ""


_UNITS: Mapping[str, _Unit] = MappingProxyType(
    {
        "dn": _Unit(
            title="reflectance × 10,000", gain=1.0, lifted="dn+1000", lifted_title="reflectance × 10,000 + 1000"
        ),
        "unit": _Unit(
            title="reflectance 0 to 1", gain=10_000.0, lifted="unit+0.1", lifted_title="reflectance 0 to 1, + 0.1"
        ),
        "1000": _Unit(
            title="reflectance × 1,000", gain=10.0, lifted="1000+100", lifted_title="reflectance × 1,000 + 100"
        ),
        "100": _Unit(
            title="reflectance in percent", gain=100.0, lifted="100+10", lifted_title="reflectance in percent, + 10"
        ),
        "65535": _Unit(title="reflectance × 65,535", gain=10_000 / 65_535, lifted=None),
    }
)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Canonical number = (number + offset) × gain.

    Attributes:
        scale: one of ``settings.SCALE_NAMES`` but ``auto``; that of most bands where they differ.
        gain: factor.
        offset: added first.
        findings: how it was decided.
        by_band: gain and offset of bands whose numbers mean something else.
    """

    scale: str
    gain: float
    offset: float
    findings: tuple[Finding, ...]
    by_band: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, band: str) -> tuple[float, float]:
        """Return gain and offset of a band."""
        return self.by_band.get(band, (self.gain, self.offset))

    def canonical(self, band: str, number: float) -> float:
        """Return reflectance × 10,000 of a number of a band, neither rounded nor clipped."""
        gain, offset = self.of(band)
        return (number + offset) * gain

    def original(self, band: str, canonical: float) -> float:
        """Return the number of a band that means so much reflectance × 10,000."""
        gain, offset = self.of(band)
        return canonical / gain - offset


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


def calibration(scale: str, basis: Basis, because: str) -> Calibration:
    """Return the calibration of a known scale with its finding."""
    for name, unit in _UNITS.items():
        if scale in (name, unit.lifted):
            lifted = scale == unit.lifted
            findings = (_finding(unit.lifted_title if lifted else unit.title, basis, because),)
            offset = -_OFFSET / unit.gain if lifted else 0.0
            return Calibration(scale=scale, gain=unit.gain, offset=offset, findings=findings)
    raise KeyError(scale)


def _finding(value: str, basis: Basis, because: str) -> Finding:
    return Finding(topic="scale", value=value, basis=basis, because=because, override="scale")


def calibrate(bands: Mapping[str, BandNumbers], *, chosen: str, hints: Hints) -> Calibration:
    """Decide what the numbers of each band mean, which may differ from file to file.

    Args:
        bands: in product order.
        chosen: a person's choice, or ``auto``.
        hints: what the source says of itself.

    Raises:
        SourceError: when no meaning fits, or the units of bands contradict each other.
    """
    if chosen != "auto":
        return calibration(chosen, "chosen", "chosen in the ingest settings")
    stated = {band: numbers for band, numbers in bands.items() if numbers.scaling is not None}
    parts = [_as_stated(stated, hints)] if stated else []
    covered = [tuple(stated)] if stated else []
    for names in _alike({band: numbers for band, numbers in bands.items() if band not in stated}):
        samples = {band: bands[band].values for band in names}
        parts.append(decide_scale(samples, integers=bands[names[0]].integers, chosen="auto", hints=hints))
        covered.append(names)
    whole = _joined(parts, covered)
    _refuse_units_that_differ(bands, whole)
    return whole


def _alike(bands: Mapping[str, BandNumbers]) -> list[tuple[str, ...]]:
    """Part bands without a statement into those that share a unit, by type, by steps and by size."""
    keys: dict[str, tuple[bool, str]] = {}
    high = {band: _high(numbers.values) for band, numbers in bands.items()}
    for band, numbers in bands.items():
        kind = "plain"
        if numbers.integers and _on_steps([numbers.values]) is not None:
            kind = "portal"
        elif not numbers.integers and high[band] <= 3 and _fractional(numbers.values):
            others = [high[other] for other in bands if other != "B10" and not bands[other].integers]
            kind = "small" if max(others, default=0) > 30 and high[band] > 0 else "plain"
        keys[band] = numbers.integers, kind
    sources: dict[int, list[str]] = {}
    for band, numbers in bands.items():
        sources.setdefault(numbers.source, []).append(band)
    for members in sources.values():
        own = [keys[band] for band in members]
        for band in members:
            keys[band] = max(set(own), key=own.count)
    groups: dict[tuple[bool, str], list[str]] = {}
    for band in bands:
        groups.setdefault(keys[band], []).append(band)
    return [tuple(names) for names in groups.values()]


def _high(values: NDArray[np.float32]) -> float:
    return float(np.percentile(values, 98)) if values.size else 0.0


def _fractional(values: NDArray[np.float32]) -> bool:
    return bool(np.mean(values != np.rint(values)) > 0.5) if values.size else False


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
    line = _finding("; ".join(values), "warning", f"its files differ in unit. {'; '.join(reasons)}")
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


def _as_stated(bands: Mapping[str, BandNumbers], hints: Hints) -> Calibration:
    """Apply scale and offset as the tags of each band state them.

    Raises:
        SourceError: when what comes out is no reflectance.
    """
    pairs = {band: numbers.scaling for band, numbers in bands.items() if numbers.scaling is not None}
    measured = {
        band: bands[band].values * np.float32(scale) + np.float32(offset) for band, (scale, offset) in pairs.items()
    }
    high = max(_high(values) for values in measured.values())
    said = _said(pairs)
    if not 0.003 < high < HIGHEST:
        found = f"the tags of its bands say {said}, by which 98 % of its numbers are at most {high:.4g}, no reflectance"
        raise SourceError(found=found, remedy=_REMEDY)
    factor, unit = (10_000.0, "reflectance") if high <= 3 else (100.0, "percent") if high <= 200 else (1.0, "dn")
    by_band = {band: (scale * factor, offset / scale) for band, (scale, offset) in pairs.items()}
    below = {band: float(np.mean(values * factor < _IMPOSSIBLE - _OFFSET)) for band, values in measured.items()}
    darkest = max(below, key=lambda band: below[band])
    because = "the tags of its bands state it"
    basis: Basis = "read"
    if below[darkest] > 0.5:
        found = f"the tags of its bands say {said}, by which {below[darkest]:.0%} of {darkest} is darker than nothing"
        raise SourceError(found=found, remedy="choose the scale in the ingest settings")
    if below[darkest] > _CONTRADICTED:
        basis, because = "warning", f"{because}, although {below[darkest]:.0%} of {darkest} come out below −0.03"
    other = _stated(hints)
    if other and all(offset == 0 for _, offset in pairs.values()):
        basis, because = "warning", f"{because}, although {other}; what the tags of the pixels say counts"
    gain, offset = next(iter(by_band.values()))
    name = "dn" if unit == "dn" else "unit"
    line = _finding(f"number × scale + offset, {said}", basis, because)
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


def decide_scale(samples: BandSamples, *, integers: bool, chosen: str, hints: Hints) -> Calibration:
    """Decide what numbers of one unit mean.

    Args:
        samples: valid numbers of each named band.
        integers: True = the file's type holds whole numbers.
        chosen: a person's choice, or ``auto``.
        hints: what the source says of itself.

    Raises:
        SourceError: when no meaning fits.
    """
    if chosen != "auto":
        return calibration(chosen, "chosen", "chosen in the ingest settings")
    high = max(_high(numbers) for numbers in samples.values())
    if not 0 < high < HIGHEST:
        found = f"98 % of its numbers are at most {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=_REMEDY)
    middles = {band: float(np.median(numbers)) for band, numbers in samples.items() if band != "B10"}
    if not integers and high <= 3 and _of_one(middles):
        return _offset("unit", samples, hints, f"98 % of the numbers are at most {high:.3g}")
    if not integers and high <= 80 and _percent(samples, middles, high):
        return _offset("100", samples, hints, f"98 % of the numbers are at most {high:.3g}, and they hold fractions")
    if high <= 3 or (not integers and high <= 255) or max(float(numbers.max()) for numbers in samples.values()) <= 255:
        found = f"its numbers reach only {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=_REMEDY)
    if integers and hints.portal is not None:
        return calibration("65535", "read", hints.portal.where)
    return _of_thousands(samples, high, hints)


def _of_thousands(samples: BandSamples, high: float, hints: Hints) -> Calibration:
    """Decide for numbers beyond 255: reflectance × 65,535, × 1,000 or × 10,000.

    Raises:
        SourceError: when so dark a scene may be either of the last two.
    """
    portal = _portal(samples, high)
    if portal is not None:
        return calibration("65535", "decided", portal)
    thousand = _thousand(samples, high)
    if thousand is not None:
        return _offset("1000", samples, hints, thousand)
    if high < _DARK:
        found = f"98 % of its numbers are at most {high:.4g}: reflectance × 1,000, or dark water × 10,000"
        raise SourceError(found=found, remedy="choose the scale in the ingest settings")
    plain = _offset("dn", samples, hints, None)
    if high > _DIM or plain.findings[0].basis in {"read", "warning"}:
        return plain
    because = f"{plain.findings[0].because}; so dark a scene may also be bright land × 1,000"
    return calibration(plain.scale, "assumed", because)


def _of_one(middles: Mapping[str, float]) -> bool:
    """Tell whether medians of bands can be reflectance 0 to 1.

    What is bright in the visible, snow or cloud, is so in the near infrared; water in percent is not.
    """
    if max(middles.values(), default=0) > _BRIGHTEST:
        return False
    infrared = [middles[band] for band in ("B07", "B08", "B8A") if band in middles]
    visible = [middles[band] for band in ("B01", "B02", "B03", "B04") if band in middles]
    return not infrared or not visible or max(visible) < 0.4 or max(infrared) > 0.3 * max(visible)


def _percent(samples: BandSamples, middles: Mapping[str, float], high: float) -> bool:
    """Tell whether numbers up to 80 look like percent of light.

    They hold fractions, not all bands are bright, and land is not far brighter in the visible than in the infrared, as
    water × 1,000 would be.
    """
    if not all(_fractional(values) for values in samples.values()) or min(middles.values(), default=0) >= 25:
        return False
    infrared = [middles[band] for band in ("B07", "B08", "B8A") if band in middles]
    visible = [middles[band] for band in ("B01", "B02", "B03", "B04") if band in middles]
    if not infrared or not visible:
        return high <= 25
    return high <= 12 or max(infrared) >= 0.7 * max(visible)


def _thousand(samples: BandSamples, high: float) -> str | None:
    """Return the evidence for reflectance × 1,000, or None.

    Taken for reflectance × 10,000, land so dark would have to be water or deep shadow, which grows darker with
    wavelength; plants and soil are brightest in the infrared.
    """
    if high > 800:
        return None
    visible = [float(np.median(samples[band])) for band in ("B01", "B02", "B03", "B04") if band in samples]
    infrared = [float(np.median(samples[band])) for band in ("B07", "B08", "B8A", "B11") if band in samples]
    if not visible or not infrared or max(infrared) < 1.5 * float(np.median(visible)) or max(infrared) < 80:
        return None
    return f"98 % of the numbers are at most {high:.3g} and the infrared is the brightest, as over land × 1,000"


def _on_steps(values: Collection[NDArray[np.float32]]) -> float | None:
    """Return the share of numbers on steps of 65,535 / 10,000 where that tells the unit, or None."""
    numbers = np.unique(np.concatenate(list(values)))
    numbers = numbers[(numbers > 0) & (numbers < 65_000)]
    on_steps = np.rint(np.rint(numbers / PORTAL_STEP) * PORTAL_STEP) == numbers
    return float(on_steps.mean()) if len(numbers) >= 200 and on_steps.mean() > 0.9 else None


def _portal(samples: BandSamples, high: float) -> str | None:
    """Return the evidence for reflectance × 65 535, or None."""
    share = _on_steps(list(samples.values()))
    if share is not None:
        return f"{share:.0%} of the numbers lie on steps of 65,535 / 10,000"
    middle = max(float(np.median(values)) for values in samples.values())
    if middle > 13_000 or high > 24_000:
        return f"the brightest band has a median of {middle:,.0f}, impossible for reflectance × 10,000"
    return None


def _offset(scale: str, samples: BandSamples, hints: Hints, evidence: str | None) -> Calibration:
    """Decide whether 0.1 reflectance is to be taken off; zeros say nothing of it, for they stand for no data."""
    unit = _UNITS[scale]
    canonical = {band: values[values != 0] * np.float32(unit.gain) for band, values in samples.items()}
    canonical = {band: values for band, values in canonical.items() if values.size}
    lifted, basis, because = _is_lifted(canonical, hints)
    if evidence is not None:
        because = f"{evidence}; {because}"
    return calibration(unit.lifted or scale if lifted else scale, basis, because)


def _is_lifted(samples: BandSamples, hints: Hints) -> tuple[bool, Basis, str]:
    """Return whether the offset is in numbers × 10,000, how that is known, and the evidence."""
    stated = _stated(hints)
    limit, most = (_IMPOSSIBLE, _CONTRADICTED) if stated else (950.0, 0.01)
    below = {band: float(np.mean(numbers < limit)) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    if below[darkest] > most:
        because = f"{below[darkest]:.0%} of {darkest} lie below {limit:.0f} ÷ 10,000, so no offset of 0.1 is in"
        if stated:
            return False, "warning", f"{because}, although {stated}"
        return False, "decided", because
    if stated:
        return True, "read", f"{stated}, and hardly a number lies below {_IMPOSSIBLE:.0f}"
    return _is_lifted_without_statement(samples, hints)


def _is_lifted_without_statement(samples: BandSamples, hints: Hints) -> tuple[bool, Basis, str]:
    if hints.offset is not None:
        return False, "read", f"{hints.offset.where.removesuffix(' says so')} states that no offset is in"
    if hints.baseline is not None:
        return False, "read", f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    if hints.plain is not None:
        return False, "read", f"{hints.plain.where} names {hints.plain.value}, whose numbers hold no offset"
    low = {band: float(np.percentile(numbers, 0.1)) for band, numbers in samples.items()}
    darkest = min(low, key=lambda band: low[band])
    sure: Basis = "assumed" if darkest in _VISIBLE or low[darkest] > 1250 else "decided"
    if hints.date is not None and hints.date.value >= OFFSET_DATE:
        return True, sure, f"it was taken after {OFFSET_DATE}, and hardly a number lies below 950 ÷ 10,000"
    if low[darkest] <= 1250 and darkest not in _NEVER_BRIGHT:
        because = f"the darkest numbers, in {darkest}, are {low[darkest]:.0f} ÷ 10,000, and hardly one lies below 950"
        return True, sure, because
    because = f"nothing speaks of an offset; the darkest numbers, in {darkest}, are {low[darkest]:.0f} ÷ 10,000"
    return False, "assumed", because


def _stated(hints: Hints) -> str | None:
    """Return the statement that numbers hold 0.1 reflectance more, as a clause, or None."""
    if hints.offset is not None:
        return f"{hints.offset.where.removesuffix(' says so')} states an offset" if hints.offset.value != "0" else None
    if hints.plain is None and hints.baseline is not None and float(hints.baseline.value) >= OFFSET_BASELINE:
        return f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    return None
