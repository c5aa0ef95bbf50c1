"""The files a person points at: listed, named, checked for size, and hashed to a scene's id."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import JobCancelledError, SourceError, SourceTooLargeError
from core.ingest.members import RASTER_SUFFIXES, natural_key
from core.ingest.messages import clean_name, opening
from core.ingest.sandbox.limits import MAX_COLLECTION_FILES, MAX_SOURCE_BYTES
from core.ingest.settings import IngestSettings

INGEST_VERSION = "1"
"""Part of every scene's id; raised when ingest would give other pixels for the same files."""

_CHUNK = 2**20


def source_name(paths: Sequence[Path]) -> str:
    """What to call a source in sentences: the name of its file or folder, or of the first file and how many more."""
    if not paths:
        raise SourceError("Opening a scene", "no file was given", "choose at least one")
    first = paths[0].name or str(paths[0].resolve())
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def title_of(paths: Sequence[Path], shown: str) -> str:
    """What to call a scene of these files until somebody renames it: what their names have in common."""
    rasters = [path for path in paths if path.suffix.lower() in RASTER_SUFFIXES] or list(paths)
    if len(rasters) > 1:
        first, last = min(path.stem for path in rasters), max(path.stem for path in rasters)
        same = next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))
        common = first[:same].rstrip("_- .(B")
        return clean_name(common if len(common) > 3 else shown, 120)
    path = rasters[0]
    return clean_name(path.name if path.is_dir() else path.stem, 120) or "Scene"


def list_files(paths: Sequence[Path], shown: str) -> list[tuple[str, Path]]:
    """(relative name, absolute path) of each file of a source, sorted by name; links inside a folder are left out.

    Raises:
        SourceError: when a file is missing or no file, or the source is too large.
    """
    files: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            if len(paths) > 1:
                raise SourceError(
                    opening(shown), "a folder comes together with other files", "open one folder at a time"
                )
            files = _walk(path, shown)
        elif path.is_file():
            files.append((path.name, path.resolve()))
        else:
            raise SourceError(opening(clean_name(path.name)), "there is no such file", "check the name")
    if not files:
        raise SourceError(opening(shown), "the folder holds no files", "choose a folder of band files or patches")
    if sum(path.stat().st_size for _, path in files) > MAX_SOURCE_BYTES:
        found = f"it takes more than {MAX_SOURCE_BYTES >> 30} GB"
        raise SourceTooLargeError(opening(shown), found, "cut the area of interest out of it first")
    return sorted(files, key=lambda file: natural_key(file[0]))


def _walk(folder: Path, shown: str) -> list[tuple[str, Path]]:
    files = []
    for directory, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in names:
            path = Path(directory) / name
            if path.is_file() and not path.is_symlink():
                files.append((path.relative_to(folder).as_posix(), path.resolve()))
        if len(files) > MAX_COLLECTION_FILES:
            found = f"the folder holds more than {MAX_COLLECTION_FILES:,} files"
            raise SourceTooLargeError(opening(shown), found, "split it into several")
    return files


def scene_id_of(files: Sequence[tuple[str, Path]], settings: IngestSettings, cancelled: Callable[[], bool]) -> str:
    """An id made of everything that decides the scene: names, bytes, settings and the version of ingest."""
    digest = hashlib.sha256(f"{INGEST_VERSION}\n{settings.digest}\n".encode())
    for name, path in files:
        content = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                content.update(chunk)
                if cancelled():
                    raise JobCancelledError(f"Reading “{clean_name(name)}”", "it was cancelled", "open it again")
        digest.update(f"{len(name)} {name} {content.hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return f"s-{digest.hexdigest()[:20]}"
