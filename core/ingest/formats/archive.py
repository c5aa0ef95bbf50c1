"""A zip as the container of a source: checked as a whole, unpacked file by file; no name in it becomes a path."""

from __future__ import annotations

import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.files import FileShelf, Member, Shelf, is_noise, natural_key
from core.ingest.formats.geotiff import read_head
from core.ingest.formats.gzipped import is_packed_file, with_unpacked
from core.ingest.formats.safe.layout import holds_product_metadata
from core.ingest.messages import clean_name, damaged, errors_about
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_MEMBER_BYTES, MAX_SOURCE_BYTES, MAX_ZIP_RATIO

ZIP_SUFFIXES = frozenset({".zip"})
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_NESTED = re.compile(r"\.(zip|7z|rar|tar|tgz|gz|bz2|xz|zst)$", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
_IS_UTF8 = 0x800
"""Bit of a member's flags (APPNOTE 4.4.4)."""
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
_MOST_NESTED = 12
"""Zips of a product each that may come together."""
_SMALL = 2**20
_CHUNK = 2**20
_REMEDY = "pack only the band files or the class folders into one plain zip"


def open_shelf(paths: Sequence[Path], names: Sequence[str], scratch: Path) -> Shelf:
    """Give the files of a source: those inside its one zip, else those that the parent linked.

    Args:
        paths: numbered links.
        names: what people call them.
        scratch: where archives are unpacked.

    Raises:
        SourceError: when a zip cannot be used, or comes together with other files.
    """
    if len(paths) == 1 and read_head(paths[0], 4) in _SIGNATURES:
        products = _with_products(ZipShelf(paths[0], scratch), scratch)
        return products or with_unpacked(ZipShelf(paths[0], scratch, nested=False), scratch)
    shelf = FileShelf(paths, names)
    if len(paths) > 1 and any(member.suffix in ZIP_SUFFIXES for member in shelf.members):
        if (products := _with_products(shelf, scratch)) is not None:
            return products
        if all(member.suffix in ZIP_SUFFIXES for member in shelf.members if not member.is_noise):
            raise SourceError(found=f"it holds {len(shelf.members)} zips", remedy="open each zip on its own")
        raise SourceError(found="a zip comes together with other files", remedy="open the zip on its own")
    return with_unpacked(shelf, scratch)


def _with_products(shelf: Shelf, scratch: Path) -> Shelf | None:
    """Return the files of zips among others as lying in folders of their names, where each zip is a product; else None.

    Products come so from portals, once nested.
    """
    zips = [member for member in shelf.members if member.suffix in ZIP_SUFFIXES and not member.is_noise]
    if not 0 < len(zips) <= _MOST_NESTED:
        return None
    parts: list[tuple[str, Shelf]] = [("", shelf)]
    for number, member in enumerate(zips):
        folder = scratch / f"zip-{number:02d}"
        folder.mkdir(exist_ok=True)
        path = shelf.path(member)
        if read_head(path, 4) not in _SIGNATURES:
            return None
        with errors_about(member.base):
            inner = ZipShelf(path, folder, nested=False)
        if not holds_product_metadata([one.name for one in inner.members]):
            return None
        parts.append((f"{member.name.removesuffix(member.suffix)}/", inner))
    return JoinedShelf(parts, without={member.number for member in zips})


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


class ZipShelf:
    """A zip whose directory passed every check.

    Args:
        path: the zip.
        scratch: where it is unpacked.
        nested: True = zips may lie in it.

    Raises:
        SourceError: when it is damaged, encrypted or empty.
        UnsafeSourceError: for links, names that leave the archive, or archives inside.
        SourceTooLargeError: for too many members, too many bytes, or too high a ratio.
    """

    def __init__(self, path: Path, scratch: Path, *, nested: bool = True) -> None:
        self._scratch = scratch
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise damaged() from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        _check_directory(infos, path.stat().st_size, nested=nested)
        self._infos, page = infos, _code_page(infos)
        members = [Member(number=n, name=_shown(info, page), size=info.file_size) for n, info in enumerate(infos)]
        self._members = tuple(sorted(members, key=lambda member: natural_key(member.name)))

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._members

    def path(self, member: Member) -> Path:
        """Unpack one file to a numbered path; one that is there already is kept.

        Raises:
            SourceError: when it does not unpack to what the archive says.
        """
        target = self._scratch / f"{member.number:06d}"
        if not target.exists():
            try:
                self._unpack(member, target)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                target.unlink(missing_ok=True)
                with errors_about(member.name):
                    raise damaged() from error
        return target

    def _unpack(self, member: Member, target: Path) -> None:
        left = member.size
        with self._zip.open(self._infos[member.number]) as packed, target.open("wb") as file:
            while chunk := packed.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise zipfile.BadZipFile
                file.write(chunk)
        if left:
            raise zipfile.BadZipFile

    def release(self, member: Member) -> None:
        """Delete what was unpacked of one file."""
        (self._scratch / f"{member.number:06d}").unlink(missing_ok=True)


def _shown(info: zipfile.ZipInfo, page: str = "cp437") -> str:
    name = unicodedata.normalize("NFC", _decoded(info, page)).replace("\\", "/").removeprefix("./")
    return name[:1000]


def _decoded(info: zipfile.ZipInfo, page: str) -> str:
    """Return a name as it was meant: without the flag for UTF-8 it may be UTF-8 all the same, else of a code page."""
    raw = _raw(info)
    if raw is None:
        return info.filename
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(page, "replace")


def _raw(info: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of a name of which nothing says how they are meant, or None."""
    if info.flag_bits & _IS_UTF8 or info.filename.isascii():
        return None
    try:
        return info.filename.encode("cp437")  # as which ``zipfile`` reads it
    except UnicodeEncodeError:
        return None


def _code_page(infos: Sequence[zipfile.ZipInfo]) -> str:
    """Return the code page of names that are not UTF-8, decided on all of them: DOS's 437 or 866, Windows-1251 or 1252.

    Letters with accents lie from 0x80 to 0xA5 in 437, and ß at 0xE1; in Windows-1252 they lie from 0xC0 on, with a few
    such as Œ and ž below. Such letters stand alone, those of Cyrillic words beside each other.
    """
    seen: set[int] = set()
    in_words = letters = 0
    for raw in filter(None, map(_raw, infos)):
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


def _check_directory(infos: Sequence[zipfile.ZipInfo], packed_bytes: int, *, nested: bool) -> None:
    if not infos:
        raise SourceError(found="the zip holds no files", remedy=_REMEDY)
    if len(infos) > MAX_COLLECTION_FILES:
        found = f"the zip holds {len(infos):,} files, more than the {MAX_COLLECTION_FILES:,} allowed"
        remedy = "split it into several, or save a Zarr again with larger chunks"
        raise SourceTooLargeError(found=found, remedy=remedy)
    for info in infos:
        _check_member(info, nested=nested)
    total = sum(info.file_size for info in infos)
    if total > MAX_SOURCE_BYTES or any(info.file_size > MAX_MEMBER_BYTES for info in infos):
        found = f"unpacked it takes {total / 2**30:,.0f} GB, more than allowed"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out first")
    bulky = (info for info in infos if info.file_size > _SMALL)
    if total > MAX_ZIP_RATIO * max(packed_bytes, _SMALL) or any(
        info.file_size > MAX_ZIP_RATIO * max(info.compress_size, 1) for info in bulky
    ):
        found = f"it unpacks to more than {MAX_ZIP_RATIO} times its size"
        raise SourceTooLargeError(found=found, remedy="check that the bands hold data, then zip them again")


def _check_member(info: zipfile.ZipInfo, *, nested: bool) -> None:
    shown = f"“{clean_name(info.filename, 60)}”"
    parts = info.filename.replace("\\", "/").split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if ".." in parts or parts[0] == "" or _DRIVE.match(info.filename):
        found = f"the zip names a file outside of itself, {shown}"
        raise UnsafeSourceError(found=found, remedy=_REMEDY)
    if kind not in (0, stat.S_IFREG):
        raise UnsafeSourceError(found=f"the zip holds a link or device, {shown}", remedy=_REMEDY)
    archive = None if is_packed_file(info.filename) else _NESTED.search(info.filename)
    if archive and not (nested and archive[1].lower() == "zip") and not is_noise(_shown(info)):
        raise UnsafeSourceError(found=f"the zip holds another archive, {shown}", remedy=_REMEDY)
    if info.flag_bits & 0x1:
        raise SourceError(found="the zip is locked by a password", remedy="unlock it and zip the files again")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SourceError(found="the zip uses an uncommon compression", remedy="zip the files again as usual")
