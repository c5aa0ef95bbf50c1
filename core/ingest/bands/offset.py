"""Whether 0.1 reflectance is in numbers, as in products since baseline 04.00: what is stated, and what pixels show.

Where neither tells, a person is asked: over bright land both readings look alike, and one of them is wrong by 0.1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.errors import ScaleError, SourceError
from core.ingest.bands.calibration import UNITS, Calibration, ReflectanceUnit, calibration
from core.ingest.bands.choices import scale_asked
from core.ingest.formats.product_metadata import OFFSET_BASELINE, OFFSET_SINCE, Hints
from core.scenes.quality import Basis

BandSamples = Mapping[str, NDArray[np.float32]]

IMPOSSIBLE = 700.0
"""Below this the offset would leave reflectance under −0.03, which hardly a pixel of land or water has."""
CONTRADICTED = 0.05
"""Share of a band's numbers under ``IMPOSSIBLE`` from which a stated offset is doubted."""
_BLACK = 850.0
"""Numbers under this are darker than the darkest that hold the offset, noise of dark water included."""
_FLOOR, _DEEPEST = (930.0, 1150.0), 1080.0
"""Between the first two lie the darkest numbers, water or shadow, of what holds the offset; those of an infrared band
lie below the third, and none below the first."""
_LIGHTS = (
    frozenset({"B04", "B05"}), frozenset({"B06", "B07", "B08", "B8A", "B09"}), frozenset({"B11"}), frozenset({"B12"}),
)  # fmt: skip
"""Bands that are dark over different things. Blue and green say nothing of an offset: haze lifts them as it does."""
_INFRARED = frozenset(band for lights in _LIGHTS[1:] for band in lights)
_CIRRUS = (960.0, 1150.0)
"""Between these lies the middle of B10 that holds the offset: hardly any of its light comes back through the air."""
_DARKEST = -3000.0
"""Below this no correction of the atmosphere goes, × 10,000."""
_LIFTED = (700.0, 1300.0)
"""Between these lies by how much × 10,000 numbers are brighter than others of the same light, where only they hold the
offset."""
_TOLD = 1e-4
"""Share of numbers below 0, which no product holds before its offset is taken off, from which it is off."""


def decide_offset(
    scale: str, samples: BandSamples, hints: Hints, evidence: str | None, *, integers: bool = True
) -> Calibration:
    """Decide whether 0.1 reflectance is to be taken off; zeros say nothing of it, for they stand for no data.

    Args:
        scale: a unit, as of ``UNITS``.
        samples: valid numbers of each band.
        hints: what the source says of itself.
        evidence: what tells the unit, a clause, or None.
        integers: True = the file's type holds whole numbers. Names of products go on with what programs make of them,
            and floats are made by programs, so that a statement of their product has to fit them.

    Raises:
        SourceError: when by what is stated there would be hardly any light.
        ScaleError: when nothing tells.
    """
    unit = UNITS[scale]
    canonical = {band: values[values != 0] * np.float32(unit.gain) for band, values in samples.items()}
    canonical = {band: values for band, values in canonical.items() if values.size}
    told = _told_by_statement(canonical, hints, integers=integers)
    told = told or _told_by_day(canonical, hints, integers=integers) or _told_by_pixels(canonical)
    if told is None:
        raise _undecided(unit, scale, canonical, stated_offset(hints))
    lifted, basis, because = told
    if evidence is not None:
        because = f"{evidence}; {because}"
    return calibration(unit.lifted or scale if lifted else scale, basis, because)


def lifted(apart: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which differences × 10,000 of numbers of the same light are those of an offset that only one side holds."""
    result: NDArray[np.bool_] = (apart > _LIFTED[0]) & (apart < _LIFTED[1])
    return result


def lifted_by_pixels(samples: BandSamples) -> str | None:
    """Return that the darkest numbers × 10,000 are those of water or shadow with the offset in, a clause, or None."""
    samples = {band: numbers[numbers != 0] for band, numbers in samples.items() if np.any(numbers)}
    if not samples:
        return None
    floors = _floors(samples)
    if min(floors.values()) < _FLOOR[0] or any(float(np.mean(numbers < 950)) > 0.01 for numbers in samples.values()):
        return None
    if "B10" in samples and _CIRRUS[0] <= float(np.median(samples["B10"])) <= _CIRRUS[1]:
        return f"the middle of B10, where hardly any light returns, is {np.median(samples['B10']):.0f} ÷ 10,000"
    dark = [band for band, floor in floors.items() if band != "B10" and floor <= _FLOOR[1]]
    kinds = [lights for lights in _LIGHTS if lights.intersection(dark)]
    deepest = min((floors[band] for band in _INFRARED.intersection(dark)), default=_FLOOR[1])
    if len(kinds) < 2 or deepest > _DEEPEST:
        return None
    said = ", ".join(f"{floors[band]:.0f} in {band}" for band in dark if any(band in lights for lights in kinds))
    return f"the darkest numbers are {said} ÷ 10,000, and hardly one lies below 950"


def _told_by_statement(samples: BandSamples, hints: Hints, *, integers: bool) -> tuple[bool, Basis, str] | None:
    """Return whether the offset is in by what the source states, how sure that is, and the evidence; None = unknown."""
    stated = stated_offset(hints)
    if stated:
        off = _off_already(samples, integers=integers)
        if off is not None:
            return False, "warning", f"{stated}, although {off}, so the offset is off already"
        if integers or lifted_by_pixels(samples) is not None:
            return True, *_doubt(samples, stated)
        return None
    plain = _stated_plain(hints, samples)
    return None if plain is None else (False, "read", plain)


def _stated_plain(hints: Hints, samples: BandSamples) -> str | None:
    """Return the statement that no offset is in, a clause, or None; pixels that say so tell it better."""
    if hints.offset is not None:
        return f"{hints.offset.where.removesuffix(' says so')} states that no offset is in"
    if _black(samples) is not None:
        return None
    if hints.baseline is not None:
        return f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    if hints.plain is not None:
        return f"{hints.plain.where} names {hints.plain.value}, whose numbers hold no offset"
    return None


def _off_already(samples: BandSamples, *, integers: bool) -> str | None:
    """Return what speaks against an offset that is stated, a clause: numbers that no product holds with it; or None."""
    low = {band: float(np.mean((numbers < 0) & (numbers > _DARKEST))) for band, numbers in samples.items()}
    darkest = max(low, key=lambda band: low[band])
    if low[darkest] > _TOLD:
        return f"{low[darkest]:.2%} of {darkest} lie below 0, which numbers with it never do"
    if integers:
        return None
    below = {band: float(np.mean(numbers < IMPOSSIBLE)) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    if below[darkest] > CONTRADICTED:
        return f"{below[darkest]:.0%} of {darkest} would come out below −0.03 without it"
    return None


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
            found=found, remedy="choose the scale under “How to read files”: dn where the offset is off already"
        )
    if below[darkest] > CONTRADICTED:
        return "warning", f"{stated}, although {below[darkest]:.0%} of {darkest} come out below −0.03"
    return "read", f"{stated}, and hardly a number lies below {IMPOSSIBLE:.0f}"


def _told_by_pixels(samples: BandSamples) -> tuple[bool, Basis, str] | None:
    """Return whether the offset is in by what can be so dark and what cannot, and the evidence; None = unknown."""
    black = _black(samples)
    if black is not None:
        return False, "decided", black
    lifted = lifted_by_pixels(samples)
    return None if lifted is None else (True, "decided", lifted)


def _told_by_day(samples: BandSamples, hints: Hints, *, integers: bool) -> tuple[bool, Basis, str] | None:
    """Return that the offset is in by the day of ESA's own images, unless pixels are too dark; None = unknown."""
    below = max(float(np.mean(numbers < IMPOSSIBLE)) for numbers in samples.values()) if samples else 1.0
    if hints.since is None or not integers or below > CONTRADICTED:
        return None
    because = f"they are called as ESA's images of {hints.since}, all of which hold it since {OFFSET_SINCE}"
    return True, "decided", because


def _black(samples: BandSamples) -> str | None:
    """Return that numbers are too dark to hold the offset, a clause, or None."""
    below = {band: float(np.mean(numbers < 950)) for band, numbers in samples.items()}
    darkest = max(below, key=lambda band: below[band])
    if below[darkest] <= 0.01 or min(_floors(samples).values()) >= _BLACK:
        return None
    return f"{below[darkest]:.0%} of {darkest} lie below 950 ÷ 10,000, so no offset of 0.1 is in"


def _floors(samples: BandSamples) -> dict[str, float]:
    return {band: float(np.percentile(numbers, 0.1)) for band, numbers in samples.items()}


def _undecided(unit: ReflectanceUnit, scale: str, samples: BandSamples, stated: str | None) -> ScaleError:
    """Return the question which of two readings is right, with what each would make of a band."""
    band = next((name for name in ("B04", "B08", "B8A") if name in samples), next(iter(samples)))
    middle = float(np.median(samples[band])) / 10_000
    said = f"{stated}, and its floats may hold it or not" if stated else "neither names nor tags state it"
    found = f"it may hold an offset of 0.1 or not: {said}, and it has no pixel so dark that it tells"
    return scale_asked(found, band, {scale: middle, unit.lifted or scale: middle - 0.1})


def stated_offset(hints: Hints) -> str | None:
    """Return the statement that numbers hold 0.1 reflectance more, as a clause, or None."""
    if hints.offset is not None:
        return f"{hints.offset.where.removesuffix(' says so')} states an offset" if hints.offset.value != "0" else None
    if hints.plain is None and hints.baseline is not None and float(hints.baseline.value) >= OFFSET_BASELINE:
        return f"{hints.baseline.where} states processing baseline {hints.baseline.value}"
    return None
