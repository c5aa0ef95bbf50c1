"""ENVI headers: what they state of bands, and of how the pixels beside them lie. The rasters are ``raster``.

Fields are those of NV5 Geospatial's documentation of ENVI header files; they are searched as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from core.ingest.bands.names import bands_by_wavelength, names_positions, parse_band
from core.ingest.bands.packing import usable_scaling
from core.ingest.files import Member, Shelf
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.stack import Scaling

HEADER_BYTES = 2**20
_FIELD = re.compile(
    r"^[ \t]*([a-z][a-z ]{1,40}?)[ \t]*=[ \t]*(?:\{([^{}]*)\}|([^\r\n{}]*))", re.IGNORECASE | re.MULTILINE
)
_LONGEST_MICROMETRES = 20.0
"""Wavelengths of less than this are micrometres, where no unit is stated: in nanometres there is no such light."""
_LARGEST_GAIN = 0.001
"""Gains beyond this make radiance of numbers, and no reflectance."""
_TAGS = ("acquisition time", "sensor type")


@dataclass(frozen=True, kw_only=True)
class EnviHeader:
    """What a header states.

    Attributes:
        texts: what bands are called, by name, wavelength or both; empty where nothing says it.
        nodata: value that stands for no data, or None.
        scaling: scale and offset of each band; empty where none is stated.
        bad: 1-based bands that it marks as bad.
        tags: date and sensor, as tags of a raster.
        fields: all fields by name in small letters.
    """

    texts: tuple[str, ...] = ()
    nodata: float | None = None
    scaling: tuple[Scaling | None, ...] = ()
    bad: tuple[int, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def parse_header(text: str, count: int) -> EnviHeader:
    """Read a header of so many bands."""
    fields = {name.lower(): " ".join((inside or plain).split()) for name, inside, plain in _FIELD.findall(text)}
    flags = _entries(fields, "bbl")
    return EnviHeader(
        texts=_texts(fields, count),
        nodata=_number(fields.get("data ignore value", "")),
        scaling=_scaling(fields, count),
        bad=tuple(n for n, flag in enumerate(flags, 1) if _number(flag) == 0) if len(flags) == count else (),
        tags={name: fields[name][:200] for name in _TAGS if fields.get(name)},
        fields=fields,
    )


def _texts(fields: Mapping[str, str], count: int) -> tuple[str, ...]:
    """Return the names of bands with the wavelengths that agree with them; wavelengths alone where these tell more."""
    names, lights = _entries(fields, "band names"), _wavelengths(fields)
    lights = lights if len(lights) == count else []
    if len(names) != count or names_positions(names):
        return tuple(lights or names if len(lights or names) == count else ())
    if not lights or None in bands_by_wavelength(lights):
        return tuple(names)
    bands = bands_by_wavelength(lights)
    pairs = zip(names, lights, bands, strict=True)
    return tuple(f"{name} ({light})" if parse_band(name) == band else light for name, light, band in pairs)


def _wavelengths(fields: Mapping[str, str]) -> list[str]:
    lights, unit = _entries(fields, "wavelength"), fields.get("wavelength units", "").lower()
    numbers = [number for light in lights if (number := _number(light)) is not None]
    small = bool(numbers) and max(numbers) < _LONGEST_MICROMETRES
    micro = unit.startswith(("micro", "um", "µm")) or (small and not unit.startswith("nano"))
    return [f"{light} {'µm' if micro else 'nm'}" for light in lights]


def _scaling(fields: Mapping[str, str], count: int) -> tuple[Scaling | None, ...]:
    """Return what makes reflectance of numbers: gains and offsets of each band, or one factor for all."""
    for kind in ("data reflectance", "data"):
        gains = [_number(text) for text in _entries(fields, f"{kind} gain values")]
        offsets = [_number(text) for text in _entries(fields, f"{kind} offset values")] or [0.0] * count
        pairs = [
            (gain, offset)
            for gain, offset in zip(gains, offsets, strict=False)
            if gain is not None and offset is not None
        ]
        if len(pairs) == count and all(0 < gain <= _LARGEST_GAIN for gain, _ in pairs):
            return tuple(usable_scaling(*pair) for pair in pairs)
    factor = _number(fields.get("reflectance scale factor", ""))
    return (usable_scaling(1 / factor, 0),) * count if factor and factor > 0 else ()


def _entries(fields: Mapping[str, str], name: str) -> list[str]:
    return [part.strip()[:200] for part in fields[name].split(",")] if fields.get(name) else []


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def header_of(raster: RasterFile, members: Sequence[Member]) -> Member | None:
    """Return the ENVI header beside a raster, or None."""
    names = header_names(raster.name)
    return next((member for member in members if member.name in names and member.size <= HEADER_BYTES), None)


def header_names(name: str) -> frozenset[str]:
    """Return what the header of a raster may be called."""
    return frozenset({f"{name}.hdr", str(PurePosixPath(name).with_suffix(".hdr")), f"{name}.HDR"})


def headers_of(members: Sequence[Member]) -> list[Member]:
    """Return the headers of rasters in ENVI's own format among files."""
    names = {name for member in members if member.in_envi for name in header_names(member.name)}
    return [member for member in members if member.name in names]


def header_text(member: Member, shelf: Shelf) -> str:
    """Return the text of a header."""
    return shelf.path(member).read_text(encoding="utf-8", errors="replace")


def stated_in_header(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster with what a header beside it states of its bands and it does not.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    member = header_of(raster, members)
    if member is None:
        return raster
    header = parse_header(header_text(member, shelf), raster.count)
    nameless = not any(raster.descriptions) and len(header.texts) == raster.count
    stated = header.scaling or (None,) * raster.count
    told = replace(
        raster,
        descriptions=header.texts if nameless else raster.descriptions,
        nodata=tuple(header.nodata if value is None else value for value in raster.nodata),
        scaling=tuple(own or other for own, other in zip(raster.scaling, stated, strict=True)),
    )
    return replace(
        told,
        stated_by=raster.stated_by if told == raster else (*raster.stated_by, member.base),
        bad=header.bad,
        tags={**header.tags, **raster.tags},
    )
