"""What a worker must have to do our work: the same Landlike and Python, and the folder of the data."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

from core.errors import StoreError
from core.files import write_atomically
from core.storage.address import open_storage
from core.storage.bucket import Patience

_DECISIVE = ("numpy", "openvino", "rasterio", "distributed")
"""Packages that decide what comes out, or how it travels."""

_MARK, _READ_ONLY = "shared-folder", "read only"
_PATIENCE = Patience(seconds=5.0, connect=3.0, request=5.0)


@cache
def code_digest() -> str:
    """Return the SHA-256 (hex) of all of ``core``; the same where the same Landlike is."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def facts_here(root: Path, bucket: str = "") -> dict[str, str]:
    """Return what decides whether this process can work on the data of a folder, or of a bucket."""
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "Landlike": code_digest()[:12],
        **{name: _version(name) for name in _DECISIVE},
        "data": _mark_in(bucket) if bucket else _mark_of(root),
    }


def leave_mark(root: Path, bucket: str = "") -> None:
    """Leave a word in the folder of the data, or in the bucket, that only who shares it can read; once.

    Raises:
        OSError: when it cannot be written.
    """
    if bucket:
        with suppress(StoreError):
            open_storage(bucket, _PATIENCE).put_if_absent(_MARK, uuid4().hex.encode())
        return
    path = root / "jobs" / _MARK
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, uuid4().hex.encode(), private=False)


def unfit(
    worker: str, theirs: Mapping[str, str] | Exception, ours: Mapping[str, str], data: Path | str
) -> tuple[str, str]:
    """Return what is wrong with a worker and what to do about it; two empty texts when nothing is.

    Args:
        worker: its address.
        theirs: its ``facts_here``, or what asking for them raised.
        ours: those of this process.
        data: the folder of the data, or the address of the bucket.
    """
    if isinstance(theirs, ImportError | AttributeError):
        remedy = "start it in Landlike's folder by “python -m core worker”, with the same version"
        return f"the worker {worker} has no Landlike, or another version", remedy
    if isinstance(theirs, Exception):
        return f"the worker {worker} cannot be asked ({type(theirs).__name__})", "look at its log, and start it again"
    for name in ours.keys() - {"data"}:
        if theirs.get(name) != ours[name]:
            found = f"the worker {worker} has {name} {theirs.get(name) or 'in no version'} and not {ours[name]}"
            return found, "give workers and server the same Landlike, Python and packages, and start it again"
    return ("", "") if theirs.get("data") == ours["data"] else _apart(worker, theirs.get("data", ""), data)


def _apart(worker: str, found: str, data: Path | str) -> tuple[str, str]:
    """Return what is wrong with a worker that does not share the data, and what to do about it."""
    if not isinstance(data, str):
        return f"the worker {worker} does not see the folder {data}", "mount it there at the same path"
    if found == _READ_ONLY:
        remedy = "give its credentials the right to list, read, write and delete there, and start it again"
        return f"the worker {worker} may read {data} and not write it", remedy
    remedy = "give it the same credentials and endpoint in its environment, and start it again"
    return f"the worker {worker} does not reach {data}", remedy


def _version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return ""


def _mark_in(bucket: str) -> str:
    try:
        storage = open_storage(bucket, _PATIENCE)
        there = storage.get(_MARK)
    except StoreError:
        return ""
    if there is None:
        return ""
    try:
        storage.put_if_absent(_MARK, there.data)  # It is there: who may write is told so, who may not is refused.
    except StoreError:
        return _READ_ONLY
    return there.data.decode("ascii", "replace")


def _mark_of(root: Path) -> str:
    try:
        return (root / "jobs" / _MARK).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
