"""What the numbers of a file mean: digital numbers with or without offset, reflectance, or portal exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.formats.product_metadata import OFFSET_BASELINE, OFFSET_DATE, Hints
from core.scenes.quality import Basis, Finding

BandSamples = Mapping[str, NDArray[np.float32]]

HIGHEST = 100_000.0
"""Numbers beyond this mean reflectance on no scale that is known; 65,535 is the most that portals write."""

_REMEDY = "choose the scale in the ingest settings or export 16-bit reflectance"

PORTAL_STEP = 6.5535
"""Reflectance steps of 1/10 000 written × 65 535 are this far apart."""

_TITLES = {
    "dn": "reflectance × 10,000",
    "dn+1000": "reflectance × 10,000 + 1000",
    "unit": "reflectance 0 to 1",
    "65535": "reflectance × 65,535",
}
_NUMBERS = {
    "dn": (1.0, 0.0),
    "dn+1000": (1.0, -1000.0),
    "unit": (10_000.0, 0.0),
    "65535": (10_000 / 65_535, 0.0),
}


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Canonical number = (number + offset) × gain.

    Attributes:
        scale: one of ``settings.SCALE_NAMES`` but ``auto``.
        gain: factor.
        offset: added first.
        findings: how it was decided.
    """

    scale: str
    gain: float
    offset: float
    findings: tuple[Finding, ...]


def calibration(scale: str, basis: Basis, because: str) -> Calibration:
    """Return the calibration of a known scale with its finding."""
    gain, offset = _NUMBERS[scale]
    findings = [Finding(topic="scale", value=_TITLES[scale], basis=basis, because=because, override="scale")]
    return Calibration(scale=scale, gain=gain, offset=offset, findings=tuple(findings))


def decide_scale(samples: BandSamples, *, integers: bool, chosen: str, hints: Hints) -> Calibration:
    """Decide what the numbers of a file mean.

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
    high = max(float(np.percentile(numbers, 98)) for numbers in samples.values())
    if not 0 < high < HIGHEST:
        found = f"98 % of its numbers are at most {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=_REMEDY)
    if not integers and high <= 3:
        return calibration("unit", "decided", f"98 % of the numbers are at most {high:.3g}")
    if high <= 3 or (not integers and high <= 255) or max(float(numbers.max()) for numbers in samples.values()) <= 255:
        found = f"its numbers reach only {high:.4g}, which fits no scale of reflectance"
        raise SourceError(found=found, remedy=_REMEDY)
    portal = _portal(samples, high)
    if portal is not None:
        return calibration("65535", "decided", portal)
    return _offset(samples, hints)


def _portal(samples: BandSamples, high: float) -> str | None:
    """Return the evidence for reflectance × 65 535, or None."""
    numbers = np.unique(np.concatenate(list(samples.values())))
    numbers = numbers[(numbers > 0) & (numbers < 65_000)]
    on_steps = np.rint(np.rint(numbers / PORTAL_STEP) * PORTAL_STEP) == numbers
    if len(numbers) >= 200 and on_steps.mean() > 0.9:
        return f"{on_steps.mean():.0%} of the numbers lie on steps of 65,535 / 10,000"
    middle = max(float(np.median(values)) for values in samples.values())
    if middle > 13_000 or high > 24_000:
        return f"the brightest band has a median of {middle:,.0f}, impossible for reflectance × 10,000"
    return None


def _offset(samples: BandSamples, hints: Hints) -> Calibration:
    """Decide for digital numbers whether 1000 is to be taken off."""
    stated = _stated(hints)
    below = {band: float(np.mean(numbers < (700 if stated else 950))) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    if below[darkest] > 0.01:
        because = f"{below[darkest]:.0%} of {darkest} lie below {700 if stated else 950}, so no offset of 1000 is in"
        if stated:
            because += f", although {stated}"
        return calibration("dn", "decided", because)
    if stated:
        return calibration("dn+1000", "read", f"{stated}, and hardly a number lies below 700")
    return _offset_without_statement(samples, hints)


def _offset_without_statement(samples: BandSamples, hints: Hints) -> Calibration:
    if hints.baseline is not None:
        return calibration("dn", "read", f"{hints.baseline.where} states processing baseline {hints.baseline.value}")
    low = {band: float(np.percentile(numbers, 0.1)) for band, numbers in samples.items()}
    darkest = min(low, key=lambda band: low[band])
    if hints.date is not None and hints.date.value >= OFFSET_DATE and not hints.offset:
        because = f"it was taken after {OFFSET_DATE}, and hardly a number lies below 950"
        return calibration("dn+1000", "decided", because)
    if low[darkest] <= 1250 and darkest not in {"B01", "B02", "B03"}:
        because = f"the darkest numbers, in {darkest}, are {low[darkest]:.0f}, and hardly one lies below 950"
        return calibration("dn+1000", "decided", because)
    because = f"nothing speaks of an offset; the darkest numbers, in {darkest}, are {low[darkest]:.0f}"
    return calibration("dn", "assumed", because)


def _stated(hints: Hints) -> str | None:
    """Return the statement that digital numbers hold 1000 more, as a clause, or None."""
    if hints.offset is not None:
        return f"{hints.offset.where.removesuffix(' says so')} states an offset" if hints.offset.value != "0" else None
    if hints.baseline is not None and float(hints.baseline.value) >= OFFSET_BASELINE:
        return f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    return None
