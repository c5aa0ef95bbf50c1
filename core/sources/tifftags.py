"""Band descriptions straight from a TIFF's own tag; GDAL's view without overviews does not show them.

Only the first directory of a classic TIFF or BigTIFF is looked at (TIFF 6.0, section 2; tag 42112 is GDAL_METADATA).
"""

from __future__ import annotations

import html
import re
import struct
from pathlib import Path
from typing import BinaryIO

_TAG = 42112
_MAX_ENTRIES = 4096
_MAX_TEXT = 4 * 2**20
_ITEM = re.compile(r"<Item ([^<>]{0,200})>([^<>]{0,500})</Item>")
_SAMPLE = re.compile(r'sample="(\d{1,5})"')


def band_descriptions(path: Path) -> dict[int, str]:
    """Descriptions by 1-based band; empty when there are none or the directory is odd."""
    try:
        with path.open("rb") as file:
            text = _metadata(file)
    except (OSError, struct.error, ValueError):
        return {}
    found = {}
    for attributes, value in _ITEM.findall(text):
        sample = _SAMPLE.search(attributes)
        if sample and 'role="description"' in attributes:
            found[int(sample.group(1)) + 1] = html.unescape(value).strip()
    return found


def _metadata(file: BinaryIO) -> str:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    start = struct.unpack(order + ("Q" if big else "L"), head[8:16] if big else head[4:8])[0]
    file.seek(start)
    count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
    entry = 20 if big else 12
    table = file.read(entry * min(count, _MAX_ENTRIES))
    for begin in range(0, len(table) - entry + 1, entry):
        tag, _, length = struct.unpack(order + ("HHQ" if big else "HHL"), table[begin : begin + (12 if big else 8)])
        if tag == _TAG:
            value = table[begin + (12 if big else 8) : begin + entry]
            if length > len(value):
                file.seek(struct.unpack(order + ("Q" if big else "L"), value)[0])
                value = file.read(min(length, _MAX_TEXT))
            return value[:length].decode("utf-8", errors="replace")
    return ""
