"""Unpacking a model's .tar.gz without letting it write, link or grow beyond its own directory."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from core.encoders.files import MODEL_FILES, MOST_FILES
from core.errors import EncoderError
from core.files import reason

MAX_BYTES = 4 << 30
"""Limit on what one archive may hold, which has as many files as a model; the largest image modules of TF-Hub are
below 2 GB."""

_CHUNK = 1 << 20
_ADVICE = "download the model again"


def unpack(
    archive: Path,
    target: Path,
    *,
    title: str | None = None,
    prepare: Callable[[Path], None] | None = None,
    instead: Callable[[Path], bool] | None = None,
    most_files: int = MOST_FILES,
    most_bytes: int = MAX_BYTES,
) -> None:
    """Unpack a model's .tar.gz so that ``target`` appears complete or not at all; an existing ``target`` is kept.

    Only plain files and directories with relative names inside the archive's own root are taken; a single folder
    around everything is stripped, so that the model ends up in ``target`` itself.

    Args:
        archive: the .tar.gz.
        target: a directory to be.
        title: what errors call the archive; None = its name.
        prepare: called with the unpacked directory before it appears.
        instead: tells whether an existing ``target`` is not worth keeping; it gives way once all is unpacked.
        most_files: that the archive may hold, folders included.
        most_bytes: that it may unpack to.

    Raises:
        EncoderError: when the archive is damaged, holds no model, links or names leading out, or exceeds the limits.
    """
    title = title or f"“{archive.name}”"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpack-"))
    except OSError as error:
        raise _disk(title, error) from error
    try:
        _extract(_members(archive, title, most_files, most_bytes), staging, title, most_bytes)
        root = _root(staging)
        if not _is_model(root):
            raise _refusal(title, f"it holds no {' and no '.join(MODEL_FILES)}")
        if prepare is not None:
            prepare(root)
        if instead is not None and target.is_dir() and instead(target):
            _give_way(target, staging, title)
        if not target.is_dir():
            _rename(root, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _give_way(target: Path, staging: Path, title: str) -> None:
    """Take away what lies at the target, in one step."""
    try:
        target.rename(staging.with_name(f"{staging.name}-before"))
    except FileNotFoundError:
        pass  # Somebody else made way at this moment.
    except OSError as error:
        raise _disk(title, error) from error
    shutil.rmtree(staging.with_name(f"{staging.name}-before"), ignore_errors=True)


def _rename(root: Path, target: Path) -> None:
    try:
        root.rename(target)
    except OSError:
        if not target.is_dir():  # Somebody else unpacking the same archive at this moment is fine.
            raise


def _root(staging: Path) -> Path:
    entries = list(staging.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and _is_model(entries[0]):
        return entries[0]
    return staging


def _is_model(directory: Path) -> bool:
    return any((directory / name).is_file() for name in MODEL_FILES)


_Members = Iterator[tuple[PurePosixPath, int, IO[bytes]]]
"""Names, sizes and contents of files."""


def _extract(members: _Members, staging: Path, title: str, most_bytes: int) -> None:
    total = 0
    try:
        for name, size, source in members:
            total += size
            if total > most_bytes:
                raise _refusal(title, f"it unpacks to more than {most_bytes >> 30} GB")
            destination = staging.joinpath(*name.parts)
            destination.parent.mkdir(parents=True, exist_ok=True)
            with destination.open("xb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise _refusal(title, "it is not a complete .tar.gz") from error
    except OSError as error:
        if error.errno is None:  # gzip's own: bad magic, bad checksum
            raise _refusal(title, "it is not a complete .tar.gz") from error
        raise _disk(title, error) from error


def _members(archive: Path, title: str, most_files: int, most_bytes: int) -> _Members:
    """Yield the files of an archive; at the end the whole of it has passed gzip's checksum."""
    # tarfile's own r|gz neither reads to the end nor looks at the checksum.
    with gzip.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for count, member in enumerate(tar, start=1):
            if count > most_files:
                raise _refusal(title, f"it holds more than {most_files} files")
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts or "\\" in member.name or "\0" in member.name:
                raise _refusal(title, "a name in it leads out of its folder")
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                raise _refusal(title, "it holds a link or a special file")
            source = tar.extractfile(member)
            if source is not None:
                yield name, member.size, source
        while stream.read(_CHUNK):
            if stream.tell() > most_bytes:
                raise _refusal(title, f"it unpacks to more than {most_bytes >> 30} GB")


def _refusal(title: str, found: str) -> EncoderError:
    return EncoderError(f"Unpacking {title}", found, _ADVICE)


def _disk(title: str, error: OSError) -> EncoderError:
    return EncoderError(f"Unpacking {title}", reason(error), "check the model cache and the disk")
