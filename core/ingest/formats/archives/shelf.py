"""What archives have in common: files that are copied out one by one, to numbered paths."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from core.ingest.files import Member, natural_key
from core.ingest.messages import damaged, errors_about

CHUNK_BYTES = 2**20


class ArchiveShelf(ABC):
    """Files of an archive that passed every check.

    Args:
        members: the files.
        scratch: where they are unpacked.
    """

    broken: ClassVar[tuple[type[Exception], ...]]
    """What reading an archive of this kind raises where it is damaged."""

    def __init__(self, members: Iterable[Member], scratch: Path) -> None:
        self._members = tuple(sorted(members, key=lambda member: natural_key(member.name)))
        self._scratch = scratch

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._members

    def path(self, member: Member) -> Path:
        """Unpack one file to a numbered path; one that is there already is kept.

        Raises:
            SourceError: when it does not unpack to what the archive says.
        """
        target = self._target(member)
        if not target.exists():
            try:
                self._unpack(member, target)
            except self.broken as error:
                target.unlink(missing_ok=True)
                with errors_about(member.name):
                    raise damaged() from error
        return target

    def release(self, member: Member) -> None:
        """Delete what was unpacked of one file."""
        self._target(member).unlink(missing_ok=True)

    def _target(self, member: Member) -> Path:
        return self._scratch / f"{member.number:06d}"

    @abstractmethod
    def _unpack(self, member: Member, target: Path) -> None:
        """Write one file; one of ``broken`` is raised where it is not as the archive says."""


class Readable(Protocol):
    """What gives bytes, so many at most at a time, and none at its end."""

    def read(self, size: int, /) -> bytes:
        """Return the next of them."""


def unpack_at_most(packed: Readable, target: Path, most: int) -> int:
    """Write what a packed file gives to a path; returns its bytes, or more than ``most`` where it gives more."""
    written = 0
    with target.open("wb") as file:
        while written <= most and (chunk := packed.read(CHUNK_BYTES)):
            written += len(chunk)
            file.write(chunk)
    return written
