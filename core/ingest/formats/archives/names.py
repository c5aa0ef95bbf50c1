"""Names of archives and of what lies in them: how they end, what they mean in letters, and which are not safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.files import is_noise
from core.ingest.formats.archives.gzipped import is_packed_file
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_MEMBER_BYTES, MAX_SOURCE_BYTES

ZIP_SUFFIXES = frozenset({".zip"})
TAR_SUFFIXES = frozenset({".tar", ".tgz", ".tbz2", ".txz"})
PACKED_TAR_SUFFIXES = frozenset({".tar.gz", ".tar.bz2", ".tar.xz"})
PACK_AGAIN = "pack only the band files or the class folders into one plain zip"
_LONGEST = 1000
"""Letters of a name that are shown."""

_NESTED = re.compile(r"\.(zip|7z|rar|tar|tgz|tbz2|txz|gz|bz2|xz|zst)$", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
_SHARP_S = 0xE1
"""ß in code page 437, á in Windows-1252."""
_WINDOWS_BELOW = frozenset({0x92, 0x96, 0x97, 0x9C, 0x9E, 0x9F})
"""Apostrophe, dashes, œ, ž and Ÿ in Windows-1252; Æ, û, ù, £, ₧ and ƒ in code page 437, which names hold less often."""
_CYRILLIC = frozenset({*range(0x80, 0xB0), *range(0xE0, 0xF2), 0xFC})
"""Letters of Cyrillic and № in code page 866."""
_WINDOWS_CYRILLIC = frozenset({*range(0xC0, 0x100), 0xA8, 0xB8, 0xB9})
"""The same in Windows-1251."""
_BEYOND_ASCII, _WORD = re.compile(rb"[\x80-\xff]+"), 4
"""Letters beyond ASCII, of which so many beside each other are a word."""


def is_archive_name(name: str) -> bool:
    """Tell whether a file is called as an archive of several files."""
    return name.lower().endswith(tuple(ZIP_SUFFIXES | TAR_SUFFIXES | PACKED_TAR_SUFFIXES))


def without_ending(name: str) -> str:
    """Return the name of an archive without what says that it is one."""
    packed = name.lower().endswith(tuple(PACKED_TAR_SUFFIXES))
    return name.rsplit(".", 2 if packed else 1)[0] or name


def shown_name(text: str) -> str:
    """Return the name of a member as it is shown: with forward slashes, and nothing in front of it."""
    return unicodedata.normalize("NFC", text).replace("\\", "/").removeprefix("./")[:_LONGEST]


def page_of_names(raws: Iterable[bytes]) -> str:
    """Return the code page of names that are not UTF-8, decided on all of them: DOS's 437 or 866, Windows-1251 or 1252.

    Letters with accents lie from 0x80 to 0xA5 in 437, and ß at 0xE1; in Windows-1252 they lie from 0xC0 on, with a few
    such as Œ and ž below. Such letters stand alone, those of Cyrillic words beside each other.
    """
    seen: set[int] = set()
    in_words = letters = 0
    for raw in raws:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            seen.update(byte for byte in raw if byte >= 0x80)
            runs = [len(run) for run in _BEYOND_ASCII.findall(raw)]
            letters += sum(runs)
            in_words += sum(run for run in runs if run >= _WORD)
    if letters and 2 * in_words >= letters and seen <= _CYRILLIC:
        return "cp866"
    if letters and 2 * in_words >= letters and seen <= _WINDOWS_CYRILLIC:
        return "cp1251"
    if any(byte >= 0xC0 and byte != _SHARP_S for byte in seen):
        return "cp1252"
    return "cp437" if any(byte <= 0xA5 and byte not in _WINDOWS_BELOW for byte in seen) else "cp1252"


def decoded(raw: bytes, page: str) -> str:
    """Return a name as it was meant: it may be UTF-8 where nothing says so, else it is of a code page."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(page, "replace")


def check_name(name: str, what: str, *, nested: bool) -> None:
    """Refuse a member that is called as a file outside of its archive, or as another archive.

    Args:
        name: as the archive has it.
        what: zip or tar.
        nested: True = zips and tars may lie in it.

    Raises:
        UnsafeSourceError: saying which.
    """
    shown = f"“{clean_name(name, 60)}”"
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or _DRIVE.match(name):
        raise UnsafeSourceError(found=f"the {what} names a file outside of itself, {shown}", remedy=PACK_AGAIN)
    archive = None if is_packed_file(name) else _NESTED.search(name)
    if archive and not (nested and is_archive_name(name)) and not is_noise(shown_name(name)):
        raise UnsafeSourceError(found=f"the {what} holds another archive, {shown}", remedy=PACK_AGAIN)


def check_sizes(sizes: Sequence[int], what: str) -> None:
    """Refuse an archive of nothing, or of too much.

    Args:
        sizes: bytes of each file in it.
        what: zip or tar.

    Raises:
        SourceError: when there is none.
        SourceTooLargeError: with what was found.
    """
    if not sizes:
        raise SourceError(found=f"the {what} holds no files", remedy=PACK_AGAIN)
    if len(sizes) > MAX_COLLECTION_FILES:
        found = f"the {what} holds {len(sizes):,} files, more than the {MAX_COLLECTION_FILES:,} allowed"
        remedy = "split it into several, or save a Zarr again with larger chunks"
        raise SourceTooLargeError(found=found, remedy=remedy)
    if sum(sizes) > MAX_SOURCE_BYTES or max(sizes) > MAX_MEMBER_BYTES:
        found = f"unpacked it takes {sum(sizes) / 2**30:,.0f} GB, more than allowed"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out first")
