"""How ingest speaks of sources: names made fit for one line, and the sentences several modules share."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import SourceError

MAX_NAME = 80
WHAT_IS_READ = (
    "choose a GeoTIFF, JPEG 2000, ENVI, ERDAS Imagine, NetCDF, HDF5, Zarr or NumPy file with Sentinel-2 bands, or "
    "Parquet with vectors"
)
"""What to do over a file of no kind that is read; the kinds themselves are in ``formats.registry``."""


def clean_name(text: str, limit: int = MAX_NAME) -> str:
    """Put a name on one line: control, bidirectional and unpaired characters become ``?``; long ones lose their middle.

    Markup is left alone: escaping belongs to the page.
    """
    if len(text) > limit:  # Before its letters are looked at, of which there may be very many.
        tail = limit // 3
        text = f"{text[: limit - tail - 1]}…{text[-tail:]}"
    return "".join("?" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)


def opening(name: str) -> str:
    """Return the first part of a sentence about a source."""
    return f"Opening “{clean_name(name)}”"


@contextmanager
def errors_about(name: str) -> Iterator[None]:
    """Let errors of a block say which source or file was being opened; the innermost name counts.

    Raises:
        SourceError: as raised inside.
    """
    try:
        yield
    except SourceError as error:
        error.about(opening(name))
        raise


def damaged() -> SourceError:
    """Return the error for a file that breaks off or does not decode."""
    return SourceError(found="the file is damaged or cut short", remedy="get it again from where it came from")


def no_room() -> SourceError:
    """Return the error for a disk without room."""
    return SourceError(
        found="the disk is full, so the scene could not be stored",
        remedy="free some space or delete scenes you no longer need, then open it again",
    )


def unreadable() -> SourceError:
    """Return the error for a source over which the sandbox died or spoke nonsense."""
    return SourceError(
        found="reading it failed in a way that damaged or made-up files cause",
        remedy="get it again from where it came from, or save it again as a plain GeoTIFF",
    )
