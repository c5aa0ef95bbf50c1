"""What numbers mean: the units reflectance is written in, and calibrations made of them. Deciding is ``scale``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.scenes.quality import Basis, Finding

LIFT = 1000.0
"""What products since baseline 04.00 add, in reflectance × 10,000."""
REMEDY = "choose the scale under “How to read files” or export 16-bit reflectance"


@dataclass(frozen=True, kw_only=True)
class ReflectanceUnit:
    """One way to write reflectance: words for it with and without the offset, and the factor to × 10,000."""

    title: str
    gain: float
    lifted: str | None
    lifted_title: str = ""


UNITS: Mapping[str, ReflectanceUnit] = MappingProxyType(
    {
        "dn": ReflectanceUnit(
            title="reflectance × 10,000", gain=1.0, lifted="dn+1000", lifted_title="reflectance × 10,000 + 1000"
        ),
        "unit": ReflectanceUnit(
            title="reflectance 0 to 1", gain=10_000.0, lifted="unit+0.1", lifted_title="reflectance 0 to 1, + 0.1"
        ),
        "1000": ReflectanceUnit(
            title="reflectance × 1,000", gain=10.0, lifted="1000+100", lifted_title="reflectance × 1,000 + 100"
        ),
        "100": ReflectanceUnit(
            title="reflectance in percent", gain=100.0, lifted="100+10", lifted_title="reflectance in percent, + 10"
        ),
        "65535": ReflectanceUnit(title="reflectance × 65,535", gain=10_000 / 65_535, lifted=None),
        "255": ReflectanceUnit(title="reflectance × 255", gain=10_000 / 255, lifted=None),
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


def calibration(scale: str, basis: Basis, because: str) -> Calibration:
    """Return the calibration of a known scale with its finding."""
    for name, unit in UNITS.items():
        if scale in (name, unit.lifted):
            lifted = scale == unit.lifted
            findings = (scale_finding(unit.lifted_title if lifted else unit.title, basis, because),)
            offset = -LIFT / unit.gain if lifted else 0.0
            return Calibration(scale=scale, gain=unit.gain, offset=offset, findings=findings)
    raise KeyError(scale)


def scale_title(scale: str) -> str:
    """Return a scale in words."""
    name = next(name for name, unit in UNITS.items() if scale in (name, unit.lifted))
    return UNITS[name].title if scale == name else UNITS[name].lifted_title


def scale_of(value: str) -> str | None:
    """Return the scale that a line of the record names, or None where it names none of ``UNITS``."""
    named = {unit.title: name for name, unit in UNITS.items()}
    lifted = {unit.lifted_title: unit.lifted for unit in UNITS.values() if unit.lifted}
    return named.get(value) or lifted.get(value)


def scale_finding(value: str, basis: Basis, because: str) -> Finding:
    """Return the line of the record on the scale."""
    return Finding(topic="scale", value=value, basis=basis, because=because, override="scale")
