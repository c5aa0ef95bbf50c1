"""Opening a source: the files inside its one archive, and archives in it, or those that came as they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from core.errors import SourceError, SourceTooLargeError
from core.ingest.files import FileShelf, Member, Shelf, natural_key
from core.ingest.formats.archives.gzipped import with_unpacked
from core.ingest.formats.archives.names import is_archive_name, without_ending
from core.ingest.formats.archives.tarred import TarShelf, is_tar
from core.ingest.formats.archives.zipped import SIGNATURES, ZipShelf
from core.ingest.formats.geotiff import read_head
from core.ingest.formats.safe.layout import holds_product_metadata
from core.ingest.messages import errors_about
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_SOURCE_BYTES

_MOST_NESTED = 12
"""Archives of a product each that may come together."""
BESIDE_SUFFIXES = frozenset({".json"})
"""How files end that may come beside an archive and belong to what is in it, as the request that it answers does."""


def open_shelf(paths: Sequence[Path], names: Sequence[str], scratch: Path) -> Shelf:
    """Give the files of a source: those inside its one archive, else those that the parent linked.

    Args:
        paths: numbered links.
        names: what people call them.
        scratch: where archives are unpacked.

    Raises:
        SourceError: when an archive cannot be used, or comes together with other files.
    """
    shelf: Shelf | None = _archive(paths[0], scratch) if len(paths) == 1 else FileShelf(paths, names)
    if shelf is None:
        return with_unpacked(FileShelf(paths, names), scratch)
    inner = [member for member in shelf.members if is_archive_name(member.name) and not member.is_noise]
    if not inner:
        return with_unpacked(shelf, scratch)
    if (joined := _with_archives(shelf, inner, scratch)) is not None:
        return joined
    if len(paths) == 1:  # Says which of its files is an archive.
        return with_unpacked(_archive(paths[0], scratch, nested=False) or shelf, scratch)
    kind = "zip" if all(member.suffix == ".zip" for member in inner) else "archive"
    if len(inner) == sum(not member.is_noise for member in shelf.members):
        raise SourceError(found=f"it holds {len(inner)} {kind}s", remedy=f"open each {kind} on its own")
    article = "a zip" if kind == "zip" else "an archive"
    raise SourceError(found=f"{article} comes together with other files", remedy=f"open the {kind} on its own")


def _archive(path: Path, scratch: Path, *, nested: bool = True) -> ZipShelf | TarShelf | None:
    """Return what is in an archive, by its first bytes; None for a file that is none. Errors are those of its shelf."""
    if read_head(path, 4) in SIGNATURES:
        return ZipShelf(path, scratch, nested=nested)
    return TarShelf(path, scratch, nested=nested) if is_tar(path) else None


def _with_archives(shelf: Shelf, inner: Sequence[Member], scratch: Path) -> Shelf | None:
    """Return the files of archives among others as lying in folders of their names; None where they may not lie there.

    Products come so from portals, once nested, and the answer to a request beside the request.
    """
    kept = [member for member in shelf.members if not member.is_noise and member not in inner]
    answer = len(inner) == 1 and bool(kept) and all(member.suffix in BESIDE_SUFFIXES for member in kept)
    if len(inner) > _MOST_NESTED:
        return None
    parts: list[tuple[str, Shelf]] = [("", shelf)]
    for number, member in enumerate(inner):
        folder = scratch / f"archive-{number:02d}"
        folder.mkdir(exist_ok=True)
        with errors_about(member.base):
            held = _archive(shelf.path(member), folder, nested=False)
        if held is None or not (answer or holds_product_metadata([one.name for one in held.members])):
            return None
        parts.append((_folder(member), held))
    return with_unpacked(JoinedShelf(parts, without={member.number for member in inner}), scratch)


def _folder(member: Member) -> str:
    path = PurePosixPath(member.name)
    return f"{path.with_name(without_ending(path.name))}/"


class JoinedShelf:
    """Files of several shelves as one source.

    Args:
        parts: shelves with what goes before the names of their files.
        without: numbers of files of the first that are left out.

    Raises:
        SourceTooLargeError: when all together are too large.
    """

    def __init__(self, parts: Sequence[tuple[str, Shelf]], without: Collection[int]) -> None:
        every = [
            (shelf, member, f"{folder}{member.name}")
            for position, (folder, shelf) in enumerate(parts)
            for member in shelf.members
            if position or member.number not in without
        ]
        if sum(member.size for _, member, _ in every) > MAX_SOURCE_BYTES or len(every) > MAX_COLLECTION_FILES:
            raise SourceTooLargeError(found="unpacked it takes more than allowed", remedy="open one product at a time")
        self._held = [(shelf, member) for shelf, member, _ in every]
        members = [replace(member, number=number, name=name) for number, (_, member, name) in enumerate(every)]
        self._members = tuple(sorted(members, key=lambda member: natural_key(member.name)))

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._members

    def path(self, member: Member) -> Path:
        """Give a file's content, as the shelf that holds it does."""
        shelf, held = self._held[member.number]
        return shelf.path(held)

    def release(self, member: Member) -> None:
        """Say that a file is not needed any more."""
        shelf, held = self._held[member.number]
        shelf.release(held)
