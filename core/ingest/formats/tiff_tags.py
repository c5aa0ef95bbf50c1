"""A TIFF's first directory, read without GDAL: is all of it there, is it placed, and the descriptions of bands.

GDAL passes over tags that a cut file lost; its view without overviews shows no descriptions, and numbers of chance for
the transform of a file that has none. Classic TIFF and BigTIFF (TIFF 6.0, section 2; GeoTIFF 1.1, section 7; tag 42112
is GDAL_METADATA).
"""

from __future__ import annotations

import html
import re
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.ingest.bands.packing import PACKING_ITEMS
from core.ingest.bands.texts import BAND_ITEMS
from core.ingest.formats.snap.dimap import DIMAP_TAG, MAX_DIMAP, DimapBands, read_dimap

_METADATA, _NO_DATA = 42112, 42113
_PIXEL_SCALE, _TIE_POINTS, _TRANSFORMATION = 33550, 33922, 34264
_MAX_ENTRIES = 4096
_MAX_TEXT = 4 * 2**20
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type of tag."""
_ITEM = re.compile(r"<Item ([^<>]{0,200})>([^<>]{0,500})</Item>")
_NAME = re.compile(r'name="([^"]{1,100})"')
_SAMPLE = re.compile(r'sample="(\d{1,5})"')


@dataclass(frozen=True, kw_only=True)
class TiffDirectory:
    """The first directory of a TIFF.

    Attributes:
        complete: False = a value lies beyond the end of the file.
        placed: True = it holds an affine (not only control points).
        descriptions: text of bands that have one, by 1-based band.
        items: what an item of metadata calls bands, by 1-based band.
        packing: items of metadata that state scale and offset, by 1-based band and name.
        dimap: what SNAP says of the bands.
        no_data: the no-data value as the text that it is in the file, empty where there is none.
    """

    complete: bool
    placed: bool
    descriptions: dict[int, str]
    items: dict[int, str] = field(default_factory=dict)
    packing: dict[int, dict[str, str]] = field(default_factory=dict)
    dimap: DimapBands = field(default_factory=DimapBands)
    no_data: str = ""


def read_directory(path: Path) -> TiffDirectory:
    """Read the first directory; one that makes no sense counts as incomplete."""
    try:
        with path.open("rb") as file:
            places = _places(file)
            size = path.stat().st_size
            complete = all(start + length <= size for start, length in places.values())
            text = _text(file, places, _METADATA)
            dimap = read_dimap(_text(file, places, DIMAP_TAG, MAX_DIMAP))
            no_data = _text(file, places, _NO_DATA).partition("\0")[0].strip()
    except (OSError, struct.error, ValueError, OverflowError):
        return TiffDirectory(complete=False, placed=False, descriptions={})
    placed = _TRANSFORMATION in places or {_PIXEL_SCALE, _TIE_POINTS} <= places.keys()
    naming = _by_band(text, BAND_ITEMS)
    return TiffDirectory(
        complete=complete,
        placed=placed,
        descriptions=_descriptions(text),
        items={band: next(items[key] for key in BAND_ITEMS if key in items) for band, items in naming.items()},
        packing=_by_band(text, PACKING_ITEMS),
        dimap=dimap,
        no_data=no_data,
    )


def _text(file: BinaryIO, places: dict[int, tuple[int, int]], tag: int, most: int = _MAX_TEXT) -> str:
    start, length = places.get(tag, (0, 0))
    file.seek(start)
    return file.read(min(length, most)).decode("utf-8", errors="replace")


def _places(file: BinaryIO) -> dict[int, tuple[int, int]]:
    """Return offset and length in bytes of the values of each tag.

    Raises:
        struct.error: when the file ends before the directory does.
    """
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    word, inline = ("Q", 8) if big else ("L", 4)
    start = struct.unpack(order + word, head[8:16] if big else head[4:8])[0]
    file.seek(start)
    count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
    first = file.tell()
    length = struct.calcsize(order + "HH" + word + word)
    places = {}
    for number in range(min(count, _MAX_ENTRIES)):
        tag, kind, values, value = struct.unpack(order + "HH" + word + word, file.read(length))
        size = values * _SIZES.get(kind, 1)
        places[tag] = (value, size) if size > inline else (first + number * length + length - inline, size)
    return places


def _descriptions(text: str) -> dict[int, str]:
    found = {}
    for attributes, value in _ITEM.findall(text):
        sample = _SAMPLE.search(attributes)
        if sample and 'role="description"' in attributes:
            found[int(sample.group(1)) + 1] = html.unescape(value).strip()
    return found


def _by_band(text: str, wanted: Collection[str]) -> dict[int, dict[str, str]]:
    """Return items of metadata of these names, given in small letters, by band and name."""
    found: dict[int, dict[str, str]] = {}
    for attributes, value in _ITEM.findall(text):
        sample, name = _SAMPLE.search(attributes), _NAME.search(attributes)
        if sample and name and (key := name.group(1).lower()) in wanted:
            found.setdefault(int(sample.group(1)) + 1, {})[key] = html.unescape(value).strip()
    return found
