"""ENVI headers beside rasters: the names and wavelengths of their bands. Rasters in ENVI's own format are not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from core.ingest.bands.names import names_positions
from core.ingest.files import Member, Shelf
from core.ingest.formats.geotiff import RasterFile

_MOST_BYTES = 2**20
_FIELD = r"^\s*{}\s*=\s*\{{([^{{}}]*)\}}"
_UNITS = re.compile(r"^\s*wavelength units\s*=\s*(\w+)", re.IGNORECASE | re.MULTILINE)


def header_of(raster: RasterFile, members: Sequence[Member]) -> Member | None:
    """Return the ENVI header beside a raster, or None."""
    names = {f"{raster.name}.hdr", str(PurePosixPath(raster.name).with_suffix(".hdr"))}
    return next((member for member in members if member.name in names and member.size <= _MOST_BYTES), None)


def named_beside(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster with the names, or else the wavelengths, that a header beside it gives its nameless bands.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    header = None if any(raster.descriptions) else header_of(raster, members)
    if header is None:
        return raster
    text = shelf.path(header).read_text(encoding="utf-8", errors="replace")
    names, lights = _entries(text, "band names"), _entries(text, "wavelength")
    units = _UNITS.search(text)
    unit = "µm" if units and units[1].lower().startswith(("micro", "um")) else "nm"
    named = len(names) == raster.count and not (names_positions(names) and len(lights) == raster.count)
    texts = names if named else [f"{light} {unit}" for light in lights]
    return replace(raster, descriptions=tuple(texts)) if len(texts) == raster.count else raster


def _entries(text: str, field: str) -> list[str]:
    found = re.search(_FIELD.format(field), text, re.IGNORECASE | re.MULTILINE)
    return [" ".join(part.split())[:200] for part in found[1].split(",")] if found else []
