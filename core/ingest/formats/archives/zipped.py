"""A zip as the container of a source."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.files import Member
from core.ingest.formats.archives.names import PACK_AGAIN, check_name, check_sizes, decoded, page_of_names, shown_name
from core.ingest.formats.archives.shelf import ArchiveShelf, unpack_at_most
from core.ingest.messages import clean_name, damaged
from core.ingest.sandbox.limits import MAX_ZIP_RATIO

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_IS_UTF8 = 0x800
"""Bit of a member's flags (APPNOTE 4.4.4)."""
_SMALL = 2**20


class ZipShelf(ArchiveShelf):
    """A zip whose directory passed every check.

    Args:
        path: the zip.
        scratch: where it is unpacked.
        nested: True = archives may lie in it.

    Raises:
        SourceError: when it is damaged, encrypted or empty.
        UnsafeSourceError: for links, names that leave the archive, or archives inside.
        SourceTooLargeError: for too many members, too many bytes, or too high a ratio.
    """

    broken = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

    def __init__(self, path: Path, scratch: Path, *, nested: bool = True) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise damaged() from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        _check_directory(infos, path.stat().st_size, nested=nested)
        self._infos, page = infos, page_of_names(filter(None, map(_raw, infos)))
        members = [Member(number=n, name=_shown(info, page), size=info.file_size) for n, info in enumerate(infos)]
        super().__init__(members, scratch)

    def _unpack(self, member: Member, target: Path) -> None:
        with self._zip.open(self._infos[member.number]) as packed:
            if unpack_at_most(packed, target, member.size) != member.size:
                raise zipfile.BadZipFile


def _shown(info: zipfile.ZipInfo, page: str) -> str:
    raw = _raw(info)
    return shown_name(info.filename if raw is None else decoded(raw, page))


def _raw(info: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of a name of which nothing says how they are meant, or None."""
    if info.flag_bits & _IS_UTF8 or info.filename.isascii():
        return None
    try:
        return info.filename.encode("cp437")  # as which ``zipfile`` reads it
    except UnicodeEncodeError:
        return None


def _check_directory(infos: Sequence[zipfile.ZipInfo], packed_bytes: int, *, nested: bool) -> None:
    for info in infos:
        _check_member(info, nested=nested)
    check_sizes([info.file_size for info in infos], "zip")
    bulky = (info for info in infos if info.file_size > _SMALL)
    total = sum(info.file_size for info in infos)
    if total > MAX_ZIP_RATIO * max(packed_bytes, _SMALL) or any(
        info.file_size > MAX_ZIP_RATIO * max(info.compress_size, 1) for info in bulky
    ):
        found = f"it unpacks to more than {MAX_ZIP_RATIO} times its size"
        raise SourceTooLargeError(found=found, remedy="check that the bands hold data, then zip them again")


def _check_member(info: zipfile.ZipInfo, *, nested: bool) -> None:
    check_name(info.filename, "zip", nested=nested)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        found = f"the zip holds a link or device, “{clean_name(info.filename, 60)}”"
        raise UnsafeSourceError(found=found, remedy=PACK_AGAIN)
    if info.flag_bits & 0x1:
        raise SourceError(found="the zip is locked by a password", remedy="unlock it and zip the files again")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SourceError(found="the zip uses an uncommon compression", remedy="zip the files again as usual")
