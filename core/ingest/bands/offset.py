"""Whether 0.1 reflectance is in numbers, as in products since baseline 04.00: what is stated, and what pixels show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.bands.calibration import UNITS, Calibration, calibration
from core.ingest.formats.product_metadata import OFFSET_BASELINE, OFFSET_DATE, Hints
from core.scenes.quality import Basis

BandSamples = Mapping[str, NDArray[np.float32]]

IMPOSSIBLE = 700.0
"""Below this the offset would leave reflectance under −0.03, which hardly a pixel of land or water has."""
CONTRADICTED = 0.05
"""Share of a band's numbers under ``IMPOSSIBLE`` from which a stated offset is doubted."""
_VISIBLE = ("B01", "B02", "B03", "B04")
"""Bands in which bright land may have no dark pixel."""
_NEVER_BRIGHT = ("B01", "B02", "B03")
"""Bands in which haze lifts the darkest pixels, so that these say nothing of an offset."""


def decide_offset(scale: str, samples: BandSamples, hints: Hints, evidence: str | None) -> Calibration:
    """Decide whether 0.1 reflectance is to be taken off; zeros say nothing of it, for they stand for no data.

    Raises:
        SourceError: when by what is stated there would be hardly any light.
    """
    unit = UNITS[scale]
    canonical = {band: values[values != 0] * np.float32(unit.gain) for band, values in samples.items()}
    canonical = {band: values for band, values in canonical.items() if values.size}
    lifted, basis, because = _is_lifted(canonical, hints)
    if evidence is not None:
        because = f"{evidence}; {because}"
    return calibration(unit.lifted or scale if lifted else scale, basis, because)


def _is_lifted(samples: BandSamples, hints: Hints) -> tuple[bool, Basis, str]:
    """Return whether the offset is in numbers × 10,000, how that is known, and the evidence."""
    stated = stated_offset(hints)
    if stated:
        return True, *_doubt(samples, stated)
    below = {band: float(np.mean(numbers < 950)) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    if below[darkest] > 0.01:
        because = f"{below[darkest]:.0%} of {darkest} lie below 950 ÷ 10,000, so no offset of 0.1 is in"
        return False, "decided", because
    return _is_lifted_without_statement(samples, hints)


def _doubt(samples: BandSamples, stated: str) -> tuple[Basis, str]:
    """Return what pixels say of an offset that is stated; it counts, unless there would be hardly any light.

    Raises:
        SourceError: when in a third of the bands most pixels would be darker than nothing.
    """
    below = {band: float(np.mean(numbers < IMPOSSIBLE)) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    void = [band for band, share in below.items() if share > 0.5 and band != "B10"]
    if len(void) > len(below) / 3:
        found = f"{stated}, by which most of {', '.join(void)} would be darker than nothing"
        raise SourceError(
            found=found, remedy="choose the scale in the ingest settings: dn where the offset is off already"
        )
    if below[darkest] > CONTRADICTED:
        return "warning", f"{stated}, although {below[darkest]:.0%} of {darkest} come out below −0.03"
    return "read", f"{stated}, and hardly a number lies below {IMPOSSIBLE:.0f}"


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


def stated_offset(hints: Hints) -> str | None:
    """Return the statement that numbers hold 0.1 reflectance more, as a clause, or None."""
    if hints.offset is not None:
        return f"{hints.offset.where.removesuffix(' says so')} states an offset" if hints.offset.value != "0" else None
    if hints.plain is None and hints.baseline is not None and float(hints.baseline.value) >= OFFSET_BASELINE:
        return f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    return None
