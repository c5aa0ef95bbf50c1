"""A tar as the container of a source, plain or packed by gzip, bzip2 or xz."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from core.errors import SourceTooLargeError, UnsafeSourceError
from core.ingest.files import Member
from core.ingest.formats.archives.names import PACK_AGAIN, check_name, check_sizes, decoded, page_of_names, shown_name
from core.ingest.formats.archives.shelf import CHUNK_BYTES, ArchiveShelf, unpack_at_most
from core.ingest.messages import clean_name, damaged
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_SOURCE_BYTES, MAX_ZIP_RATIO

_UNPACKERS: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open,
}  # fmt: skip
"""How a file that begins so is unpacked."""
_BROKEN = (tarfile.TarError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, EOFError, ValueError, RecursionError)
_BLOCK = tarfile.BLOCKSIZE
_SMALL = 2**20
_LONGEST_TEXT = 64 * 2**10
"""Bytes that what stands in front of a file may take: names and times of a kind that plain headers do not hold."""
_TEXTS = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)


def is_tar(path: Path) -> bool:
    """Tell whether a file is a tar, packed or not, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    if (unpacker := _unpacker(head)) is not None:
        try:
            with unpacker(path) as packed:
                head = packed.read(_BLOCK)
        except (*_BROKEN, OSError):
            return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _unpacker(head: bytes) -> Callable[[Path], Any] | None:
    return next((unpacker for begins, unpacker in _UNPACKERS.items() if head.startswith(begins)), None)


class _Header(tarfile.TarInfo):
    """A header that neither leads backwards nor holds texts without end, as headers that somebody made up may."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.ReadError("a size below nothing")
        return int(super()._block(count))  # type: ignore[misc]

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _TEXTS and not 0 <= self.size <= _LONGEST_TEXT:
            raise tarfile.ReadError("a text without end")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._refuse_holes()
        return cast(tarfile.TarInfo, super()._proc_member(archive))  # type: ignore[misc]

    def _refuse_holes(self, of: tarfile.TarInfo | None = None, *_: object) -> None:
        found = f"the tar holds a file with holes, “{clean_name((of or self).name, 60)}”"
        raise UnsafeSourceError(found=found, remedy=PACK_AGAIN)

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_holes
    """What tells of holes is not read: it may be as long as the tar."""


class TarShelf(ArchiveShelf):
    """A tar whose headers passed every check; one that is packed is unpacked as a whole first.

    Args:
        path: the tar.
        scratch: where it is unpacked.
        nested: True = archives may lie in it.

    Raises:
        SourceError: when it is damaged, cut short or empty.
        UnsafeSourceError: for links, devices, files with holes, names that leave the archive, or archives inside.
        SourceTooLargeError: for too many members, too many bytes, or too high a ratio.
    """

    broken = _BROKEN

    def __init__(self, path: Path, scratch: Path, *, nested: bool = True) -> None:
        try:
            self._plain = _unpacked(path, scratch / "plain.tar")
            infos = _headers(self._plain)
        except _BROKEN as error:
            raise damaged() from error
        for info in infos:
            _check_member(info, nested=nested)
        # Of files of one name the last counts, also where one is called from the folder that it lies in.
        last = {info.name.removeprefix("./"): info for info in infos if not info.isdir()}
        self._infos = list(last.values())
        check_sizes([info.size for info in self._infos], "tar")
        raws = [info.name.encode("utf-8", "surrogateescape") for info in self._infos]
        page = page_of_names(raws)
        members = [
            Member(number=n, name=shown_name(decoded(raw, page)), size=info.size)
            for n, (info, raw) in enumerate(zip(self._infos, raws, strict=True))
        ]
        super().__init__(members, scratch)

    def _unpack(self, member: Member, target: Path) -> None:
        left = member.size
        with self._plain.open("rb") as file, target.open("wb") as copy:
            file.seek(self._infos[member.number].offset_data)
            while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                copy.write(chunk)
                left -= len(chunk)
        if left:
            raise tarfile.ReadError("it ends before its file does")


def _unpacked(path: Path, target: Path) -> Path:
    """Return a tar that is not packed, or no more.

    Raises:
        SourceTooLargeError: when it unpacks to too much.
    """
    with path.open("rb") as file:
        unpacker = _unpacker(file.read(_BLOCK))
    if unpacker is None:
        return path
    most = min(MAX_SOURCE_BYTES, MAX_ZIP_RATIO * max(path.stat().st_size, _SMALL))
    with unpacker(path) as packed:
        if unpack_at_most(packed, target, most) > most:
            found = f"it unpacks to more than {MAX_ZIP_RATIO} times its size, or than {MAX_SOURCE_BYTES >> 30} GB"
            raise SourceTooLargeError(found=found, remedy="check that the bands hold data, then zip them")
    return target


def _headers(path: Path) -> list[tarfile.TarInfo]:
    """Return all headers of a tar, up to the empty block that has to end it.

    Raises:
        tarfile.TarError: when a header is damaged, or the end is missing.
        SourceTooLargeError: when they are too many.
    """
    size = path.stat().st_size
    with tarfile.open(path, "r:", tarinfo=_Header, encoding="utf-8", errors="surrogateescape") as archive:
        infos = []
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]
            infos.append(info)
            if len(infos) > 2 * MAX_COLLECTION_FILES:
                check_sizes([0] * len(infos), "tar")
            if info.offset_data + info.size > size:
                raise tarfile.ReadError("a file beyond the end")
        archive.fileobj.seek(archive.offset)
        end = archive.fileobj.read(_BLOCK)
    if infos and end != bytes(_BLOCK):
        raise tarfile.ReadError("no end")
    return infos


def _check_member(info: tarfile.TarInfo, *, nested: bool) -> None:
    check_name(info.name, "tar", nested=nested)
    shown = f"“{clean_name(info.name, 60)}”"
    if not info.isdir() and info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE):
        raise UnsafeSourceError(found=f"the tar holds a link or device, {shown}", remedy=PACK_AGAIN)
