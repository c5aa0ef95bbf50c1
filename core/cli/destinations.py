"""Where results of commands go: places where they cannot be written, or must not be, are refused beforehand."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.errors import StoreError
from core.training.trained_models import under_way

PARQUET_ENDINGS = (".parquet", ".geoparquet", ".gpq")
TIFF_ENDINGS = (".tif", ".tiff")


def check_out(path: Path, endings: tuple[str, ...], *sources: str | Path | None) -> None:
    """Refuse, before the work is done, a place where its result cannot be written or must not be.

    Args:
        path: where the result goes.
        endings: those a file of its kind may have, the usual one first.
        sources: what is read, where the result must not take its place; None or empty = nothing.

    Raises:
        StoreError: for a folder, a source, another ending, or a place that is not there or not writable.
    """
    asked = f"Writing {path}"
    if path.is_dir():
        raise StoreError(asked, "that is a folder", "give the name of a file")
    if path.exists() and any(source and Path(source).exists() and path.samefile(source) for source in sources):
        raise StoreError(asked, "that is the file to be read, and would be lost", "choose another name for --out")
    if path.suffix.lower() not in endings:
        listed = ", ".join(dict.fromkeys(endings))
        remedy = f"give a name that ends in {'one of ' if ',' in listed else ''}{listed}"
        raise StoreError(asked, f"its name does not end in {endings[0]}", remedy)
    if not path.parent.is_dir():
        raise StoreError(asked, "its folder does not exist", "make the folder first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StoreError(asked, "writing there is not permitted", "choose another place")


def check_new_folder(path: Path) -> None:
    """Refuse, before the work is done, a folder that is there already or cannot be made."""
    asked = f"Writing {path}"
    if path.exists():
        raise StoreError(asked, "it exists already", "give the name of a new folder")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise StoreError(asked, "the folder it lies in does not exist or is not writable", "choose another place")
    try:  # What training keeps beside it has the longest name that will be needed.
        Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{under_way(path).name}.")).rmdir()
    except OSError as error:
        found = f"it cannot be made ({error.strerror})"
        raise StoreError(asked, found, "choose another place or a shorter name") from error


def check_batch_folder(out: str) -> None:
    """Refuse, before anything is read, a folder of many results that cannot be made or written; a bucket tells later.

    Raises:
        StoreError: when it cannot.
    """
    from core.storage.address import scheme_of

    above = next((one for one in (Path(out), *Path(out).absolute().parents) if one.exists()), Path("/"))
    if not scheme_of(out) and not (above.is_dir() and os.access(above, os.W_OK)):
        raise StoreError(f"Writing into {out}", "writing there is not permitted", "choose another place")
