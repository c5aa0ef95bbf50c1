"""What numbers mean by the metadata of the product that they are of: a quantification value, and an offset a band."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.bands.calibration import Calibration, calibration, scale_finding
from core.ingest.bands.offset import CONTRADICTED, stated_offset
from core.ingest.formats.product_metadata import Hints, Quantity
from core.scenes.quality import Basis

_USUAL: Mapping[tuple[float, float], str] = {
    (10_000.0, 0.0): "dn", (10_000.0, -1000.0): "dn+1000", (1000.0, 0.0): "1000", (1000.0, -100.0): "1000+100",
}  # fmt: skip
"""Scales that have a name, by quantification value and offset."""
_NEVER = -0.03
"""Hardly a pixel of land or water has less reflectance."""
_LIFT = 0.1
"""What products since baseline 04.00 add where their metadata list no offset."""


def as_product_states(samples: Mapping[str, NDArray[np.float32]], hints: Hints, quantity: Quantity) -> Calibration:
    """Return what numbers mean as their product states it; pixels may only doubt it.

    Args:
        samples: valid numbers of each band.
        hints: what else the product says of itself.
        quantity: its statement.

    Raises:
        SourceError: when by it there would be hardly any light in a third of the bands.
    """
    offsets = {band: quantity.offsets.get(band, 0.0) for band in samples}
    where = quantity.where
    if not quantity.offsets and (said := stated_offset(hints)):
        offsets = dict.fromkeys(samples, -_LIFT * quantity.value)
        where = f"{where}; {said}"
    basis, because = _doubt(samples, offsets, quantity.value, where)
    gain = 10_000 / quantity.value
    usual = _USUAL.get((quantity.value, next(iter(offsets.values()))))
    if usual is not None and len(set(offsets.values())) == 1:
        return calibration(usual, basis, because)
    first = next(iter(offsets.values()))
    line = scale_finding(f"(number + offset) ÷ {quantity.value:g}, {_said(offsets)}", basis, because)
    by_band = {band: (gain, offset) for band, offset in offsets.items()}
    return Calibration(scale="dn", gain=gain, offset=first, findings=(line,), by_band=by_band)


def _doubt(
    samples: Mapping[str, NDArray[np.float32]], offsets: Mapping[str, float], value: float, where: str
) -> tuple[Basis, str]:
    """Return what pixels say of a statement; it counts, unless most of many bands would be darker than nothing.

    Raises:
        SourceError: when they would.
    """
    below = {}
    for band, numbers in samples.items():
        light = (numbers[numbers != 0] + offsets[band]) / value
        below[band] = float(np.mean(light < _NEVER)) if light.size else 0.0
    darkest = max(below, key=lambda band: below[band])
    void = [band for band, share in below.items() if share > 0.5 and band != "B10"]
    if len(void) > len(below) / 3:
        found = f"its metadata state {_said(offsets)}, by which most of {', '.join(void)} would be darker than nothing"
        remedy = "choose the scale under “How to read files”: dn where the offset is off already"
        raise SourceError(found=found, remedy=remedy)
    if below[darkest] > CONTRADICTED:
        return "warning", f"{where}, although {below[darkest]:.0%} of {darkest} come out below −0.03"
    return "read", where


def _said(offsets: Mapping[str, float]) -> str:
    """Say offsets, once where all bands have the same."""
    groups: dict[float, list[str]] = {}
    for band, offset in offsets.items():
        groups.setdefault(offset, []).append(band)
    if len(groups) == 1:
        return f"offset {next(iter(groups)):g}"
    return "; ".join(f"offset {offset:g} in {', '.join(bands)}" for offset, bands in groups.items())
