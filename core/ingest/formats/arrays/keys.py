"""Arrays beside an array of pixels, in an ``.npz`` or a folder: which is the scene, its dates, and names of bands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import BandsError, SourceError
from core.ingest.bands.names import parse_band
from core.ingest.files import Member, SourceFiles
from core.ingest.formats.arrays.numpy_header import read_header
from core.ingest.formats.product_metadata import date_in, dates_in
from core.ingest.sandbox.limits import MAX_BANDS

_KEYS = ("bands", "reflectance", "data", "s2", "image", "images", "img", "x", "arr_0")
"""What people call an array of pixels, in small letters, the best first."""
_TEXTS = frozenset({".json", ".csv", ".txt", ".geojson"})
_TIMES = re.compile(r"date|time|day", re.IGNORECASE)
_MOST_BYTES = 2**20
_SHOWN = 4


def may_be_scene(path: Path) -> bool:
    """Tell whether an array has the axes and the type of pixels of several bands; False when it cannot be read."""
    if fields_of(path):
        return True
    try:
        shape, _, dtype, _ = read_header(path)
    except SourceError:
        return False
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize == 1 or len(shape) not in (3, 4):
        return False
    return any(3 <= length <= MAX_BANDS for length in (shape[-1], shape[-3]))


def fields_of(path: Path) -> tuple[str, ...]:
    """Return the names of the bands of an array whose pixels hold a number a band; empty for any other."""
    try:
        shape, _, dtype, _ = read_header(path)
    except SourceError:
        return ()
    names = dtype.names or ()
    plain = all(dtype[name].kind in "iuf" and dtype[name].shape == () for name in names)
    there = len(shape) == 2 and min(shape) > 0 and plain and 3 <= len(names) <= MAX_BANDS
    return names if there and any(parse_band(name) is not None for name in names) else ()


def array_of_scene(files: SourceFiles, arrays: Sequence[Member]) -> list[Member]:
    """Return the arrays that hold pixels: one, or several of different dates by their names.

    Raises:
        BandsError: when several may be the scene.
    """
    found = [member for member in arrays if may_be_scene(files.shelf.path(member))]
    if len(found) < 2:
        return found or list(arrays[:1])
    dates = [date_in(member.name) for member in found]
    if None not in dates and len(set(dates)) == len(dates):
        return found
    best = [member for key in _KEYS for member in found if member.stem.lower() == key]
    if best:
        return best[:1]
    shown = ", ".join(f"“{member.base}”" for member in found[:_SHOWN])
    raise BandsError(found=f"it holds {len(found)} arrays that may be a scene, {shown}", remedy="open one of them")


def dates_beside(files: SourceFiles, scene: Member, times: int) -> tuple[tuple[str, ...], Member] | None:
    """Return the dates of the first axis of an array, and the file that states them; None when none does.

    They are stated by an array of so many dates, by a text beside it that names just so many, or by its own name. Two
    dates may be the ends of a time instead, so that a text of two has to be called after dates.
    """
    for member in files.others([scene]):
        if member.size > _MOST_BYTES or (times == 2 and not _TIMES.search(member.stem)):
            continue
        dates = _dates_of(files.shelf.path(member), member)
        if len(dates) == times:
            return dates, member
    named = dates_in(scene.stem)
    return (named, scene) if len(named) == times > 2 else None


def names_beside(files: SourceFiles, scene: Member, count: int) -> tuple[tuple[str, ...], Member] | None:
    """Return the texts of the bands of an array as another array states them, and that array; None when none does."""
    for member in files.others([scene]):
        if member.suffix == ".npy" and member.size <= _MOST_BYTES:
            texts = _texts_of(files.shelf.path(member))
            if len(texts) == count and all(parse_band(text) is not None for text in texts):
                return texts, member
    return None


def _dates_of(path: Path, member: Member) -> tuple[str, ...]:
    if member.suffix == ".npy":
        return tuple(date for text in _texts_of(path) for date in dates_in(text)[:1])
    if member.suffix not in _TEXTS:
        return ()
    text = path.read_text(encoding="utf-8", errors="replace")
    if member.suffix in (".json", ".geojson"):
        try:
            text = "\n".join(_leaves(json.loads(text)))
        except (ValueError, RecursionError):
            return ()
    return dates_in(text)


def _leaves(value: object) -> list[str]:
    """Return the texts and numbers in a document, keys of objects left out, as they follow each other."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [str(value)]


def _texts_of(path: Path) -> tuple[str, ...]:
    """Return the values of a short array of texts, dates or whole numbers; empty for any other.

    Nothing is unpickled.
    """
    try:
        shape, _, dtype, _ = read_header(path)
    except SourceError:
        return ()
    if len(shape) != 1 or dtype.hasobject or dtype.kind not in "USMiu":
        return ()
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        return ()
    if dtype.kind == "S":
        values = np.char.decode(values, "latin-1")
    return tuple(re.sub(r"[^\x20-\x7e]", "", str(value)) for value in values)
