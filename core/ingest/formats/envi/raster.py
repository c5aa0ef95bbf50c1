"""Rasters in ENVI's own format: plain numbers in one file, and a header beside it that says how they lie.

GDAL reads them by a header of our own writing, in which nothing is left but sizes, types, place and names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError
from core.ingest.files import ENVI_SUFFIX, RASTER_SUFFIXES, Member, Shelf
from core.ingest.formats.envi.esri import esri_as_envi
from core.ingest.formats.envi.header import HEADER_BYTES, EnviHeader, header_names, header_text, parse_header
from core.ingest.messages import damaged, errors_about

_BYTES = {"1": 1, "2": 2, "3": 4, "4": 4, "5": 8, "6": 8, "9": 16, "12": 2, "13": 4, "14": 8, "15": 8}
"""Bytes a number by the code of its type; 6 and 9 are complex numbers, which are refused once they are open."""
_KEPT = ("samples", "lines", "bands", "header offset", "data type", "interleave", "byte order", "data ignore value")
OTHER_SUFFIXES = (RASTER_SUFFIXES - {ENVI_SUFFIX}) | {
    ".hdr", ".xml", ".prj", ".qpj", ".txt", ".csv", ".json", ".stx", ".sta", ".enp", ".clr", ".blw", ".bpw", ".bqw",
    ".ovr", ".qml", ".dbf", ".shp", ".shx", ".cpg", ".tfw", ".tifw", ".tiffw", ".wld", ".jpw", ".jgw", ".pgw", ".pngw",
    ".j2w", ".jp2w", ".sld", ".kml", ".log", ".pdf", ".html", ".met", ".md5",
}  # fmt: skip
"""Files of these endings are something else, whatever lies beside them."""
_KEPT_LISTS = ("map info", "projection info", "coordinate system string")


def with_headers(shelf: Shelf) -> Shelf:
    """Return a shelf that gives a header to each raster in ENVI's own format, and marks it as a raster."""
    by_name = {member.name: member for member in shelf.members}
    headers = {}
    for member in shelf.members:
        beside = next((by_name[name] for name in sorted(header_names(member.name)) if name in by_name), None)
        if beside is None or member.suffix in OTHER_SUFFIXES or beside.size > HEADER_BYTES:
            continue
        text = header_text(beside, shelf)
        told = text if text.startswith("ENVI") else esri_as_envi(text, member.size)
        if told is not None:
            headers[member.number] = told
    return EnviShelf(shelf, headers) if headers else shelf


class EnviShelf:
    """A shelf with rasters in ENVI's own format on it."""

    def __init__(self, shelf: Shelf, headers: Mapping[int, str]) -> None:
        self._shelf, self._headers = shelf, headers
        marked = (replace(member, in_envi=member.number in headers) for member in shelf.members)
        self._members = tuple(marked)

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._members

    def path(self, member: Member) -> Path:
        """Return the path of a file; beside that of a raster lies a header of ours.

        Raises:
            SourceError: when the file does not hold what its header says.
        """
        path = self._shelf.path(member)
        text = self._headers.get(member.number)
        if text is not None and not our_header(path).exists():
            with errors_about(member.name):
                our_header(path).write_text(_checked(text, member.size), encoding="utf-8")
        return path

    def release(self, member: Member) -> None:
        """Say that a file is not needed any more."""
        self._shelf.release(member)


def our_header(path: Path) -> Path:
    """Return where the header of a raster lies that has a numbered path, which has no ending."""
    return path.with_suffix(".hdr")


def _checked(text: str, size: int) -> str:
    """Return a header of our own for a raster of so many bytes.

    Raises:
        SourceError: when it makes no sense, or the raster is too short for it.
    """
    plain = parse_header(text, 0).fields
    numbers = {name: plain.get(name, "0") for name in ("samples", "lines", "bands", "header offset")}
    kind = plain.get("data type", "")
    if not all(number.isdecimal() and len(number) < 10 for number in numbers.values()) or kind not in _BYTES:
        found = "its header does not say how its pixels lie"
        raise SourceError(found=found, remedy="export the bands as GeoTIFF")
    if plain.get("file compression", "0") != "0":
        raise SourceError(found="its pixels are packed", remedy="export the bands as GeoTIFF")
    samples, lines, bands, offset = (int(number) for number in numbers.values())
    if not samples * lines * bands or offset + samples * lines * bands * _BYTES[kind] > size:
        raise damaged()
    return _written(parse_header(text, bands), plain, bands)


def _written(header: EnviHeader, plain: Mapping[str, str], bands: int) -> str:
    lines = ["ENVI", "file type = ENVI Standard"]
    lines += [f"{name} = {plain[name]}" for name in _KEPT if plain.get(name)]
    lines += [f"{name} = {{{plain[name]}}}" for name in _KEPT_LISTS if plain.get(name)]
    if len(header.texts) == bands:
        lines.append(f"band names = {{{', '.join(text.replace(',', ' ') for text in header.texts)}}}")
    if len(header.scaling) == bands and all(header.scaling):
        for position, name in enumerate(("gain", "offset")):
            values = ", ".join(repr(pair[position]) for pair in header.scaling if pair is not None)
            lines.append(f"data {name} values = {{{values}}}")
    return "\n".join([*lines, ""])
