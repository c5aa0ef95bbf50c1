"""The files a source consists of, under numbered paths of our own; those inside a zip are ``archive``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

RASTER_SUFFIXES = frozenset({".tif", ".tiff", ".jp2", ".png", ".jpg", ".jpeg"})
ARRAY_SUFFIXES = frozenset({".npy"})
TABLE_SUFFIXES = frozenset({".csv"})
METADATA_SUFFIXES = frozenset({".xml"})
_NOISE = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a source.

    Attributes:
        number: position in the source; the only part of it that ever becomes a path.
        name: relative name with forward slashes, as the person has it; shown, never opened.
        size: bytes, unpacked.
    """

    number: int
    name: str
    size: int

    @property
    def suffix(self) -> str:
        """Ending of the name, in lower case, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """Name without folders and ending."""
        return PurePosixPath(self.name).stem

    @property
    def folder(self) -> str:
        """Name of the folder it lies in directly, empty at the top."""
        return PurePosixPath(self.name).parent.name

    @property
    def is_noise(self) -> bool:
        """True for what file managers leave behind."""
        return _NOISE.search(self.name) is not None


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts ``a2`` before ``a10``."""
    parts = (part for part in _DIGITS.split(name.lower()) if part)
    return tuple((0, int(part)) if part.isascii() and part.isdigit() else (1, part) for part in parts)


class Shelf(Protocol):
    """Hands out the files of a source."""

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""

    def path(self, member: Member) -> Path:
        """A file's content at a numbered path of ours.

        Raises:
            SourceError: when it cannot be unpacked.
        """

    def release(self, member: Member) -> None:
        """Say that a file is not needed any more."""


class FileShelf:
    """Files that the parent linked under numbers."""

    def __init__(self, paths: Sequence[Path], names: Sequence[str]) -> None:
        self._paths = tuple(paths)
        members = [
            Member(number=number, name=name, size=path.stat().st_size)
            for number, (path, name) in enumerate(zip(paths, names, strict=True))
        ]
        self._members = tuple(sorted(members, key=lambda member: natural_key(member.name)))

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._members

    def path(self, member: Member) -> Path:
        """The numbered link."""
        return self._paths[member.number]

    def release(self, member: Member) -> None:
        """Nothing to let go: the file is the person's."""
