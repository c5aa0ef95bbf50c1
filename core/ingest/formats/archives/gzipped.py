"""Single files packed by gzip, such as the arrays of eo-learn: unpacked when they are asked for, under their names."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError, SourceTooLargeError
from core.ingest.files import Member, Shelf, natural_key
from core.ingest.formats.archives.shelf import unpack_at_most
from core.ingest.formats.geotiff import read_head
from core.ingest.messages import damaged, errors_about
from core.ingest.sandbox.limits import MAX_ARRAY_BYTES, MAX_ZIP_RATIO

_PACKED = re.compile(r"\.(npy|tiff?|jp2|img|nc)\.gz$", re.IGNORECASE)
_SIGNATURE = b"\x1f\x8b"
_FREE_BYTES = 64 * 2**20
"""So much may come out of however little: masks of one number are packed to a thousandth."""


def is_packed_file(name: str) -> bool:
    """Tell whether a file is called as one file of pixels that gzip packed, and no archive of several."""
    return _PACKED.search(name) is not None


def with_unpacked(shelf: Shelf, scratch: Path) -> Shelf:
    """Return a shelf whose files packed by gzip are handed out unpacked; the same shelf where there are none."""
    packed = [member.number for member in shelf.members if is_packed_file(member.name)]
    return GzipShelf(shelf, scratch, packed) if packed else shelf


class GzipShelf:
    """Files of a shelf, some of them unpacked and called without their ``.gz``.

    Args:
        shelf: the files.
        scratch: where they are unpacked.
        packed: numbers of those that are.
    """

    def __init__(self, shelf: Shelf, scratch: Path, packed: Sequence[int]) -> None:
        self._shelf, self._scratch, self._packed = shelf, scratch, frozenset(packed)
        self._held = {member.number: member for member in shelf.members}
        named = [
            replace(member, name=member.name[: -len(".gz")]) if member.number in self._packed else member
            for member in shelf.members
        ]
        self._members = tuple(sorted(named, key=lambda member: natural_key(member.name)))

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count; sizes are those of the packed files."""
        return self._members

    def path(self, member: Member) -> Path:
        """Give a file's content, unpacked; what is not packed by gzip in spite of its name is given as it is.

        Raises:
            SourceError: when it is damaged.
            SourceTooLargeError: when it unpacks to more than an array may hold, or to very many times its size.
        """
        path = self._shelf.path(self._held[member.number])
        if member.number not in self._packed or read_head(path, 2) != _SIGNATURE:
            return path
        target = self._target(member)
        if not target.exists():
            with errors_about(member.name):
                try:
                    _unpack(path, target)
                except SourceError:
                    target.unlink(missing_ok=True)
                    raise
        return target

    def release(self, member: Member) -> None:
        """Delete what was unpacked of one file."""
        self._target(member).unlink(missing_ok=True)
        self._shelf.release(self._held[member.number])

    def _target(self, member: Member) -> Path:
        return self._scratch / f"gz-{member.number:06d}"


def _unpack(path: Path, target: Path) -> None:
    most = min(MAX_ARRAY_BYTES, max(_FREE_BYTES, MAX_ZIP_RATIO * path.stat().st_size))
    try:
        with gzip.open(path) as packed:
            written = unpack_at_most(packed, target, most)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise damaged() from error
    if written > most:
        found = f"it unpacks to more than {most / 2**20:,.0f} MB, which is more than allowed"
        raise SourceTooLargeError(found=found, remedy="unpack it and add its files")
