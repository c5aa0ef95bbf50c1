"""What the numbers of each patch of a collection mean: patches may state different things, and some hold the offset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.bands.calibration import UNITS, Calibration, scale_finding
from core.ingest.bands.offset import lifted, stated_offset
from core.ingest.bands.patch_offsets import cirrus_holds_offset, may_hold_offset, spectrum
from core.ingest.bands.scale import BandNumbers, calibrate
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.product_metadata import OFFSET_SINCE, Hint, Hints, date_in, offset_hints
from core.ingest.grid.stack import Scaling
from core.ingest.messages import clean_name
from core.scenes.quality import Finding

_FEWEST = 16
"""Valid pixels below which a patch is not compared with others."""
_WRONG = 0.02
"""Share of patches that may be told otherwise by their pixels than by their dates."""


@dataclass(frozen=True, kw_only=True)
class PatchStatement:
    """What a patch states of its numbers, in which others may differ.

    Attributes:
        lifted: whether they hold the offset of 0.1, by its tags, its name or its date; None = it does not say.
        scaling: scale and offset that its tags state of each band, or None.
    """

    lifted: bool | None
    scaling: tuple[Scaling | None, ...]


@dataclass(frozen=True, kw_only=True)
class PatchNumbers:
    """Some numbers of a patch.

    Attributes:
        raster: the patch, which may be closed.
        name: what people call it.
        bands: valid numbers by band, in product order.
        scaling: what tags state of these bands, by band.
    """

    raster: RasterFile
    name: str
    bands: Mapping[str, NDArray[np.float32]]
    scaling: Mapping[str, Scaling | None]


@dataclass(frozen=True, kw_only=True)
class PatchScales:
    """What numbers of patches mean.

    Attributes:
        by_statement: by what a patch states of them.
        by_date: True = where it states nothing else, its date tells whether they hold the offset.
        findings: how it was decided.
    """

    by_statement: Mapping[PatchStatement, Calibration]
    findings: tuple[Finding, ...]
    by_date: bool = False

    def of(self, raster: RasterFile, name: str) -> Calibration:
        """Return what the numbers of a patch mean.

        Raises:
            SourceError: when it states of them what no patch that was looked at does.
        """
        found = self.by_statement.get(_statement(raster, name, by_date=self.by_date))
        if found is None:
            unlike = "its tags or its name state a scale or an offset that none of the patches looked at has"
            raise SourceError(found=unlike, remedy="open it by itself")
        return found


def patch_scales(patches: Sequence[PatchNumbers], *, chosen: str, integers: bool, hints: Hints) -> PatchScales:
    """Decide what numbers of patches mean, by what each states, and by pixels.

    Args:
        patches: those that are looked at.
        chosen: a person's choice, or ``auto``.
        integers: True = the type of the files holds whole numbers.
        hints: what the source says of itself; of an offset, what it says of all patches.

    Raises:
        SourceError: when no meaning fits, or some hold the offset and nothing but pixels tells which.
        ScaleError: when several meanings fit.
    """
    found = _decided(patches, chosen=chosen, integers=integers, hints=hints, by_date=False)
    if chosen != "auto":
        return found
    silent = [one for one in patches if _statement(one.raster, one.name).lifted is None]
    if any(hint is not None for hint in (hints.baseline, hints.offset, hints.plain)):
        return found
    spectra = {place: each for place, one in enumerate(silent) if (each := _spectrum(one, found)) is not None}
    compared = [silent[place] for place in spectra]
    cirrus = [_middle_of_cirrus(one, found) for one in compared if "B10" in one.bands]
    held = cirrus_holds_offset(np.array(cirrus)) if cirrus else None
    held = may_hold_offset(list(spectra.values())) if held is None else held
    if held is None:
        return found
    if not _dates_agree(silent, compared, held, np.stack(list(spectra.values()))):
        raise _some_hold_it(compared, held)
    return _decided(patches, chosen=chosen, integers=integers, hints=hints, by_date=True)


def _statement(raster: RasterFile, name: str, *, by_date: bool = False) -> PatchStatement:
    told = offset_hints([name], raster.tags)
    held = None if told.baseline is None and told.offset is None else stated_offset(told) is not None
    if held is None and by_date and (date := date_in(name)) is not None:
        held = date >= OFFSET_SINCE
    return PatchStatement(lifted=held, scaling=raster.scaling)


def _decided(
    patches: Sequence[PatchNumbers], *, chosen: str, integers: bool, hints: Hints, by_date: bool
) -> PatchScales:
    """Decide for all patches that state the same at once."""
    groups: dict[PatchStatement, list[PatchNumbers]] = {}
    for one in patches:
        groups.setdefault(_statement(one.raster, one.name, by_date=by_date), []).append(one)
    largest = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    scales = {
        stated: calibrate(
            _numbers(group, integers=integers), chosen=chosen, hints=_hints(hints, group[0], stated, by_date=by_date)
        )
        for stated, group in largest
    }
    return PatchScales(by_statement=scales, by_date=by_date, findings=_said(scales, groups))


def _hints(hints: Hints, one: PatchNumbers, stated: PatchStatement, *, by_date: bool) -> Hints:
    """Return what is said of patches that state the same."""
    told = offset_hints([one.name], one.raster.tags)
    if told.baseline is not None or told.offset is not None:
        return replace(hints, baseline=told.baseline, offset=told.offset)
    if by_date and stated.lifted is not None:
        where = f"the date of each, {'on or after' if stated.lifted else 'before'} {OFFSET_SINCE},"
        return replace(hints, offset=Hint(value="-1000" if stated.lifted else "0", where=where))
    return hints


def _numbers(group: Sequence[PatchNumbers], *, integers: bool) -> dict[str, BandNumbers]:
    first = group[0]
    return {
        band: BandNumbers(
            values=np.concatenate([one.bands[band] for one in group]), integers=integers, scaling=first.scaling[band]
        )
        for band in first.bands
    }


def _said(scales: Mapping[PatchStatement, Calibration], groups: Mapping[PatchStatement, list[PatchNumbers]]) -> tuple[
    Finding, ...
]:  # fmt: skip
    """Return the lines of the record; where patches differ, one that says how many mean what."""
    lines = [line for scale in scales.values() for line in scale.findings]
    rest = [line for line in lines if line.topic != "scale"]
    said = [(len(groups[stated]), line) for stated, scale in scales.items() for line in scale.findings[:1]]
    counts: Counter[str] = Counter()
    for count, line in said:
        counts[line.value] += count
    if len(counts) < 2:
        return (said[0][1], *dict.fromkeys(rest))
    looked = sum(count for count, _ in said)
    value = "; ".join(f"{count:,} of {looked:,} looked at: {title}" for title, count in counts.items())
    reasons = "; ".join(dict.fromkeys(f"{line.value}: {line.because}" for _, line in said))
    return (scale_finding(value, "warning", f"its patches differ. {reasons}"), *dict.fromkeys(rest))


def _spectrum(one: PatchNumbers, scales: PatchScales) -> NDArray[np.float64] | None:
    """Return dark end and middle × 10,000 of each band, nothing taken off; None where they are too few or scaled."""
    scale = scales.of(one.raster, one.name)
    bands = {band: numbers for band, numbers in one.bands.items() if band != "B10"}
    unit = next((name for name, unit in UNITS.items() if scale.scale in (name, unit.lifted)), None)
    if unit is None or UNITS[unit].lifted is None or any(one.scaling.values()):
        return None
    if min(numbers.size for numbers in bands.values()) < _FEWEST:
        return None
    return spectrum(np.stack([numbers * np.float32(scale.of(band)[0]) for band, numbers in bands.items()]))


def _middle_of_cirrus(one: PatchNumbers, scales: PatchScales) -> float:
    return float(np.median(one.bands["B10"])) * scales.of(one.raster, one.name).of("B10")[0]


def _dates_agree(
    silent: Sequence[PatchNumbers],
    compared: Sequence[PatchNumbers],
    held: NDArray[np.bool_],
    spectra: NDArray[np.float64],
) -> bool:
    """Tell whether all patches are dated, those that hold the offset since there is one, and the others before."""
    dates = [date_in(one.name) for one in silent]
    if None in dates:
        return False
    late = np.array([(date_in(one.name) or "") >= OFFSET_SINCE for one in compared])
    if not late.any() or late.all():
        return False
    apart = np.median(spectra[late, 0], axis=0) - np.median(spectra[~late, 0], axis=0)
    wrong = max(np.mean(~held[late]), np.mean(held[~late]) / 5)
    return bool(wrong <= _WRONG and lifted(np.asarray([np.median(apart)])).all())


def _some_hold_it(patches: Sequence[PatchNumbers], held: NDArray[np.bool_]) -> SourceError:
    """Return why patches are refused of which some hold the offset, naming one of each kind."""
    with_it, without = (
        next(clean_name(one.name, 80) for one, is_held in zip(patches, held, strict=True) if bool(is_held) is wanted)
        for wanted in (True, False)
    )
    found = (
        f"some of its patches hold the offset of 0.1 and others do not: of {len(held):,} looked at, "
        f"{int(held.sum()):,} such as “{with_it}” are as the others, such as “{without}”, but 0.1 brighter in all bands"
    )
    remedy = "open those of each kind by themselves, or choose the scale where you know that it is one for all"
    return SourceError(found=found, remedy=remedy)
