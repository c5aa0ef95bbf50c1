"""The files of a source: listed, named, checked for size and hashed outside of the sandbox, handed out by number in it.

The files inside an archive are ``formats.archives``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from core.errors import JobCancelledError, SourceError, SourceTooLargeError
from core.ingest.digests import KeptDigests, state_of
from core.ingest.messages import clean_name, errors_about
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_SOURCE_BYTES
from core.ingest.settings import IngestSettings
from core.progress import Doing, Progress, unsaid

INGEST_VERSION = "10"
"""Part of every scene's id; raised when ingest would give other pixels for the same files."""

FORMER_VERSIONS = ("9", "8", "7", "6", "5", "4", "3", "2", "1")
"""Those that scenes of older data folders may have been made by, the latest first."""

RASTER_SUFFIXES = frozenset({".tif", ".tiff", ".jp2", ".png", ".jpg", ".jpeg", ".img"})
ENVI_SUFFIX = ".img"
"""How the names of rasters in ENVI's own format end, among others."""
TABLE_SUFFIXES = frozenset({".csv"})
METADATA_SUFFIXES = frozenset({".xml"})

FOLDER_REMEDY = "choose a folder of band files or patches"
"""What to do where a folder has nothing."""

_CHUNK = 2**20
_NOISE = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_HALF_NUMBER = re.compile(r"\d[\d_-]*$")
_BAND_ALONE = re.compile(r"(?:band[ _-]?)?b?[0-9]{1,2}a?", re.IGNORECASE)
_OUR_FOLDER = re.compile(r"(?:upload-.*|origin|)$")
"""Folders that files lie in because we put them there, or none at all."""
_DIGITS = re.compile(r"(\d+)")


def source_name(paths: Sequence[Path]) -> str:
    """Name a source in sentences: by its file or folder, or by the first file and how many more there are."""
    if not paths:
        raise SourceError(found="no file was given", remedy="choose at least one")
    first = paths[0].name or str(paths[0].resolve())
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def source_title(paths: Sequence[Path], shown: str) -> str:
    """Return what to call a scene of these files until somebody renames it: what their names have in common."""
    rasters = [path for path in paths if path.suffix.lower() in RASTER_SUFFIXES] or _not_json(paths)
    if len(rasters) > 1:
        first, last = min(path.stem for path in rasters), max(path.stem for path in rasters)
        same = next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))
        common = first[:same]
        if first[same : same + 1].isdigit():  # Half a number, such as the year of several dates, names nothing.
            common = _HALF_NUMBER.sub("", common)
        common = common.rstrip("_- .(B")
        return clean_name(
            common
            if len(common) > 3 and common.lower() != "band"
            else _folder_title(rasters) or _band_titles(rasters) or shown,
            120,
        )
    name = rasters[0].name if rasters[0].is_dir() else rasters[0].stem
    return clean_name(name.removesuffix(".zarr").removesuffix(".tar"), 120) or "Scene"


def _not_json(paths: Sequence[Path]) -> list[Path]:
    """Return files but for requests and items, which name nothing; all where there are no others."""
    return [path for path in paths if path.suffix.lower() != ".json"] or list(paths)


def map_name(paths: Sequence[Path]) -> str:
    """Return what to call a map: its raster's name, whatever comes with it."""
    rasters = [path for path in paths if path.suffix.lower() in RASTER_SUFFIXES]
    return rasters[0].name if len(rasters) == 1 else source_name(paths)


def _folder_title(paths: Sequence[Path]) -> str:
    """Return the name of the one folder that files lie in; empty where it is one of ours, or several."""
    folders = {path.parent for path in paths}
    name = folders.pop().name
    return "" if folders or _OUR_FOLDER.match(name) else name


def _band_titles(paths: Sequence[Path]) -> str:
    """Return ``7 bands, B02 to B12`` for files that are called by nothing but their bands; else empty."""
    stems = sorted((path.stem for path in paths), key=natural_key)
    called = all(_BAND_ALONE.fullmatch(stem) for stem in stems)
    return f"{len(stems)} bands, {stems[0]} to {stems[-1]}" if called else ""


def list_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return (relative name, absolute path) of each file of a source, sorted by name; links in a folder are left out.

    Raises:
        SourceError: when a file is missing or no file, or the source is too large.
    """
    files: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            if len(paths) > 1:
                found = "a folder comes together with other files"
                raise SourceError(found=found, remedy="open one folder at a time")
            files = _walk(path)
        elif path.is_file():
            files.append((path.name, path.resolve()))
        else:
            with errors_about(path.name):
                raise SourceError(found="there is no such file", remedy="check the name")
    if not files:
        raise SourceError(found="the folder holds no files", remedy=FOLDER_REMEDY)
    if sum(path.stat().st_size for _, path in files) > MAX_SOURCE_BYTES:
        found = f"it takes more than {MAX_SOURCE_BYTES >> 30} GB"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
    return sorted(files, key=lambda file: natural_key(file[0]))


def _walk(folder: Path) -> list[tuple[str, Path]]:
    root = folder.resolve()
    files: list[tuple[str, Path]] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(root / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                elif entry.is_file(follow_symlinks=False):
                    files.append((name, root / name))
                if len(files) > MAX_COLLECTION_FILES:
                    found = f"the folder holds more than {MAX_COLLECTION_FILES:,} files"
                    remedy = "split it into several, or save a Zarr again with larger chunks"
                    raise SourceTooLargeError(found=found, remedy=remedy)
    return files


def content_of(
    files: Sequence[tuple[str, Path]],
    cancelled: Callable[[], bool],
    doing: Doing = unsaid,
    kept: KeptDigests | None = None,
) -> bytes:
    """Return what identifies the content of a source: a line a file, of its name and the SHA-256 of its bytes.

    Args:
        files: relative name and path of each.
        cancelled: True stops the work.
        doing: told which file is read.
        kept: digests of large files, which are not read again; None = all are read.

    Raises:
        JobCancelledError: when it was cancelled.
    """
    lines = []
    for number, (name, path) in enumerate(files, start=1):
        doing(file_words("checking", number, len(files)))
        before = state_of(path)
        digest = kept.get(path) if kept is not None else None
        if digest is None:
            digest = _digest(name, path, cancelled)
            if kept is not None:
                kept.put(path, before, digest)
        lines.append(f"{len(name)} {name} {digest}\n".encode("utf-8", "surrogateescape"))
    return b"".join(lines)


def _digest(name: str, path: Path, cancelled: Callable[[], bool]) -> str:
    content = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            content.update(chunk)
            if cancelled():
                raise JobCancelledError(f"Reading “{clean_name(name)}”", "it was cancelled", "open it again")
    return content.hexdigest()


def file_words(verb: str, number: int, count: int) -> str:
    """Say what is done with one of some files: ``checking file 3 of 13``."""
    return f"{verb} the file" if count == 1 else f"{verb} file {number:,} of {count:,}"


def scene_id_of(content: bytes, settings: IngestSettings, version: str = INGEST_VERSION) -> str:
    """Return an id made of everything that decides the scene: names, bytes, settings and the version of ingest."""
    digest = hashlib.sha256(f"{version}\n{settings.digest}\n".encode() + content)
    return f"s-{digest.hexdigest()[:20]}"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a source; parts of its name are taken from it once, for all kinds of source ask for them.

    Attributes:
        number: position in the source; the only part of it that ever becomes a path.
        name: relative name with forward slashes, as the person has it; shown, never opened.
        size: bytes, unpacked.
        in_envi: True = it holds pixels in ENVI's own format, whatever its name ends in.
    """

    number: int
    name: str
    size: int
    in_envi: bool = False

    @cached_property
    def suffix(self) -> str:
        """Ending of the name, in lower case, with its dot; that of all rasters in ENVI's own format is ``.img``."""
        return ENVI_SUFFIX if self.in_envi else PurePosixPath(self.name).suffix.lower()

    @cached_property
    def stem(self) -> str:
        """Name without folders and ending."""
        return PurePosixPath(self.name).stem

    @cached_property
    def base(self) -> str:
        """Name without folders."""
        return PurePosixPath(self.name).name

    @property
    def folder(self) -> str:
        """Name of the folder it lies in directly, empty at the top."""
        return PurePosixPath(self.name).parent.name

    @property
    def is_noise(self) -> bool:
        """True for what file managers leave behind."""
        return is_noise(self.name)


def is_noise(name: str) -> bool:
    """Tell whether a file is what file managers leave behind."""
    return _NOISE.search(name) is not None


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts ``a2`` before ``a10``."""
    parts = (part for part in _DIGITS.split(name.lower()) if part)
    return tuple((0, int(part)) if part.isascii() and part.isdigit() else (1, part) for part in parts)


class Shelf(Protocol):
    """Hands out the files of a source."""

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""

    def path(self, member: Member) -> Path:
        """Give a file's content at a numbered path of ours.

        Raises:
            SourceError: when it cannot be unpacked.
        """

    def release(self, member: Member) -> None:
        """Say that a file is not needed any more."""


class ToldShelf:
    """A shelf that says which of its files is asked for.

    Args:
        shelf: the files.
        told: called with how many files were handed out, and how many there are.
    """

    def __init__(self, shelf: Shelf, told: Progress) -> None:
        self._shelf, self._told = shelf, told
        self._handed: set[int] = set()

    @property
    def members(self) -> Sequence[Member]:
        """All files, sorted by name as people count."""
        return self._shelf.members

    def path(self, member: Member) -> Path:
        """Give a file's content, as the shelf does."""
        if member.number not in self._handed:
            self._handed.add(member.number)
            self._told(len(self._handed), len(self._shelf.members))
        return self._shelf.path(member)

    def release(self, member: Member) -> None:
        """Say that a file is not needed any more."""
        self._shelf.release(member)


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
        """Return the numbered link."""
        return self._paths[member.number]

    def release(self, member: Member) -> None:
        """Keep the file: it is the person's."""


@dataclass(frozen=True, kw_only=True)
class SourceFiles:
    """A source as the sandbox has it.

    Attributes:
        name: what people call it.
        shelf: hands out the content of its files.
        members: its files, sorted by name as people count, without what file managers leave behind.
        settings: a person's decisions.
        part: which of several dates is wanted: ``YYYY-MM-DD``, or counted from 0 in an array; None = not said.
        alike: the scale of all its other dates, which counts where its own pixels do not tell; None = not known.
    """

    name: str
    shelf: Shelf
    members: tuple[Member, ...]
    settings: IngestSettings
    part: str | int | None = None
    alike: str | None = None

    @property
    def wanted_date(self) -> str | None:
        """The date that is wanted where there are several, by a person or as a part of a series; None = not said."""
        return self.settings.date or (self.part if isinstance(self.part, str) else None)

    @property
    def wanted_time(self) -> int | None:
        """The same in an array, counted from 0."""
        return self.part if isinstance(self.part, int) else self.settings.time

    def ending(self, suffixes: frozenset[str]) -> list[Member]:
        """Return the files whose names end so."""
        return [member for member in self.members if member.suffix in suffixes]

    def others(self, used: Sequence[Member]) -> list[Member]:
        """Return the files that are not among some of them."""
        numbers = {member.number for member in used}
        return [member for member in self.members if member.number not in numbers]
