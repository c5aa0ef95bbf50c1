"""In which unit reflectance is written, decided by the numbers of all bands of one unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import ScaleError, SourceError
from core.ingest.bands.calibration import REMEDY, Calibration, calibration
from core.ingest.bands.choices import scale_asked
from core.ingest.bands.offset import BandSamples, decide_offset, lifted_by_pixels
from core.ingest.formats.product_metadata import Hints

HIGHEST = 100_000.0
"""Numbers beyond this mean reflectance on no scale that is known; 65,535 is the most that portals write."""

PORTAL_STEP = 6.5535
"""Reflectance steps of 1/10 000 written × 65 535 are this far apart."""

_MANY, _ON_STEPS = 200, 0.9
"""Different numbers from which steps tell the unit, and the share of them that then lies on steps."""
_BRIGHTEST = 1.3
"""No scene reflects more in the middle of any band; snow under a low sun comes near."""
_DARK, _DIM = 300.0, 1050.0
"""Numbers × 10,000 of a scene that hardly reach the first are of dark water, or of another unit; up to the second they
may be either."""
_LEAVES = 2.0
"""Light of leaves in the near infrared, as a multiple of the visible, which no dark rock has."""
_BELOW = -0.12
"""The tenth part of no band of light lies as far below nothing, as a share of the brightest."""
_AT_ENDS = 0.01
"""Share of each band at one lowest and at one highest number, which only stretching band by band gives."""
_ROCK = 450.0
"""Dark rock × 10,000 is brighter than this in its brightest band."""


_BEFORE = "export reflectance or digital numbers from before that, or choose the scale under “How to read files”"


def high_number(values: NDArray[np.float32]) -> float:
    """Return the number that 98 % of a band do not exceed; 0 of an empty one."""
    return float(np.percentile(values, 98)) if values.size else 0.0


def fractional(values: NDArray[np.float32]) -> bool:
    """Tell whether most numbers are no whole ones."""
    return bool(np.mean(values != np.rint(values)) > 0.5) if values.size else False


def decide_scale(samples: BandSamples, *, integers: bool, hints: Hints) -> Calibration:
    """Decide what numbers of one unit mean.

    Args:
        samples: valid numbers of each named band.
        integers: True = the file's type holds whole numbers.
        hints: what the source says of itself.

    Raises:
        SourceError: when no meaning fits.
    """
    high = max(high_number(numbers) for numbers in samples.values())
    if not 0 < high < HIGHEST:
        found = f"98 % of its numbers are at most {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=REMEDY)
    _refuse_standardised(samples, high)
    return _doubted(_decided_unit(samples, high, integers=integers, hints=hints), samples)


def _decided_unit(samples: BandSamples, high: float, *, integers: bool, hints: Hints) -> Calibration:
    """Decide by the highest numbers and the middles of bands; errors as of ``decide_scale``."""
    middles = {band: float(np.median(numbers)) for band, numbers in samples.items() if band != "B10"}
    if not integers and high <= 3 and _of_one(middles):
        return decide_offset("unit", samples, hints, f"98 % of the numbers are at most {high:.3g}", integers=False)
    if not integers and high <= 80 and _percent(samples, middles, high):
        evidence = f"98 % of the numbers are at most {high:.3g}, and they hold fractions"
        return decide_offset("100", samples, hints, evidence, integers=False)
    if integers and hints.portal is not None:
        return calibration("65535", "read", hints.portal.where)
    if high <= 3 or (not integers and high <= 255) or max(float(numbers.max()) for numbers in samples.values()) <= 255:
        found = f"its numbers reach only {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=REMEDY)
    return _of_thousands(samples, high, hints, integers=integers)


def _refuse_standardised(samples: BandSamples, high: float) -> None:
    """Refuse numbers that were standardised or stretched band by band, whose reflectance is lost.

    Raises:
        SourceError: saying by what it is seen.
    """
    bands = [numbers for band, numbers in samples.items() if band != "B10" and numbers.size]
    below = [numbers for numbers in bands if np.percentile(numbers, 10) < _BELOW * high]
    if len(below) >= 3 and 3 * len(below) >= 2 * len(bands):
        found = f"{len(below)} of its bands lie far below zero, as standardised numbers do, whose reflectance is lost"
        raise SourceError(found=found, remedy=_BEFORE)
    ends = _common_ends(bands)
    if ends is not None and all(np.mean(numbers == end) >= _AT_ENDS for numbers in bands for end in ends):
        found = f"all its bands run from {ends[0]:g} to {ends[1]:g}, stretched one by one, so that reflectance is lost"
        raise SourceError(found=found, remedy=_BEFORE)


def _common_ends(bands: Sequence[NDArray[np.float32]]) -> tuple[float, float] | None:
    """Return the lowest and the highest number that all bands have; None where these differ."""
    ends = {(float(numbers.min()), float(numbers.max())) for numbers in bands}
    return ends.pop() if len(bands) >= 3 and len(ends) == 1 else None


def _doubted(found: Calibration, samples: BandSamples) -> Calibration:
    """Return a calibration as unsure, where all bands have the same ends: they may have been stretched one by one."""
    ends = _common_ends([numbers for band, numbers in samples.items() if band != "B10" and numbers.size])
    if ends is None:
        return found
    doubt = f"all bands run from {ends[0]:g} to {ends[1]:g}: were they stretched one by one, reflectance is lost"
    lines = (
        replace(line, basis="warning", because=f"{line.because}; {doubt}") if line.topic == "scale" else line
        for line in found.findings
    )
    return replace(found, findings=tuple(lines))


def _of_thousands(samples: BandSamples, high: float, hints: Hints, *, integers: bool) -> Calibration:
    """Decide for numbers beyond 255: reflectance × 65,535, × 1,000 or × 10,000.

    Raises:
        SourceError: when so dark a scene may be either of the last two.
    """
    portal = _portal(samples, high)
    if portal is not None:
        return calibration("65535", "decided", portal)
    thousand = _thousand(samples, high)
    if thousand is not None:
        return decide_offset("1000", samples, hints, thousand, integers=integers)
    known = _is_product(hints) or lifted_by_pixels(samples) is not None
    if high <= _DIM and not known and (high < _DARK or not _is_water(samples)):
        raise _either(samples, high)
    return decide_offset("dn", samples, hints, None, integers=integers)


def _is_product(hints: Hints) -> bool:
    """Tell whether a source states what only numbers × 10,000 have: a baseline, an offset of theirs, or a product."""
    return any(hint is not None for hint in (hints.baseline, hints.offset, hints.plain))


def _either(samples: BandSamples, high: float) -> ScaleError:
    """Return the question which of two units is right."""
    band = max(samples, key=lambda name: float(np.median(samples[name])))
    middle = float(np.median(samples[band]))
    found = f"98 % of its numbers are at most {high:.4g}: reflectance × 1,000, or dark water or rock × 10,000"
    return scale_asked(found, band, {"1000": middle / 1000, "dn": middle / 10_000})


def _is_water(samples: BandSamples) -> bool:
    """Tell whether bands are far darker in the near infrared than in the visible: water is, snow × 1,000 is not."""
    near = [float(np.median(samples[band])) for band in ("B07", "B08", "B8A") if band in samples]
    visible = [float(np.median(samples[band])) for band in ("B01", "B02", "B03", "B04") if band in samples]
    return bool(near and visible) and max(near) < 0.4 * max(visible)


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
    if not all(fractional(values) for values in samples.values()) or min(middles.values(), default=0) >= 25:
        return False
    infrared = [middles[band] for band in ("B07", "B08", "B8A") if band in middles]
    visible = [middles[band] for band in ("B01", "B02", "B03", "B04") if band in middles]
    if not infrared or not visible:
        return high <= 25
    return high <= 12 or max(infrared) >= 0.7 * max(visible)


def _thousand(samples: BandSamples, high: float) -> str | None:
    """Return the evidence for reflectance × 1,000, or None.

    Taken for reflectance × 10,000, plants would be far too dark in the near infrared, where their leaves shine; and
    what is dark otherwise, water and shadow, is not the brighter the longer the wave. Dark rock may be.
    """
    if high > 800:
        return None
    visible = [float(np.median(samples[band])) for band in ("B01", "B02", "B03", "B04") if band in samples]
    near = [float(np.median(samples[band])) for band in ("B07", "B08", "B8A") if band in samples]
    infrared = [*near, *(float(np.median(samples[band])) for band in ("B11",) if band in samples)]
    if not visible or not infrared or max(infrared) < 1.5 * float(np.median(visible)) or max(infrared) < 80:
        return None
    if max(near, default=0.0) < _LEAVES * float(np.median(visible)) and high > _ROCK:
        return None
    return f"98 % of the numbers are at most {high:.3g} and the infrared is the brightest, as over land × 1,000"


def _share_on_steps(values: Collection[NDArray[np.float32]]) -> float | None:
    """Return the share of different numbers on steps of 65,535 / 10,000; None where they are too few to tell by."""
    numbers = np.unique(np.concatenate(list(values)))
    numbers = numbers[(numbers > 0) & (numbers < 65_000)]
    near = np.rint(np.rint(numbers / PORTAL_STEP) * PORTAL_STEP) == numbers
    return float(near.mean()) if len(numbers) >= _MANY else None


def on_steps(numbers: NDArray[np.float32]) -> bool | None:
    """Tell whether the numbers of a band are reflectance × 65,535 by their steps; None where they are too few."""
    share = _share_on_steps([numbers])
    return None if share is None else share > _ON_STEPS


def _portal(samples: BandSamples, high: float) -> str | None:
    """Return the evidence for reflectance × 65 535, or None."""
    share = _share_on_steps(list(samples.values()))
    if share is not None and share > _ON_STEPS:
        return f"{share:.0%} of the numbers lie on steps of 65,535 / 10,000"
    middle = max(float(np.median(values)) for values in samples.values())
    if middle > 13_000 or high > 24_000:
        return f"the brightest band has a median of {middle:,.0f}, impossible for reflectance × 10,000"
    return None
