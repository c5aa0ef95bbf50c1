"""What a storage is: objects under keys, each written whole or not at all, some only if nobody else did meanwhile.

Nothing here is ever locked by its users. Who changes what others may change too reads it, and writes it again by
``replace_if`` with what was read; who is told that it was changed meanwhile reads it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.errors import StoreError
from core.files import never

MOST_TRIES = 50
"""How often an object that others change is read and written again, before the storage counts as one that cannot."""


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """One object as a storage lists it.

    Attributes:
        key: its name: parts with ``/`` between them.
        size: in bytes.
        etag: changes whenever the object is written, with the same bytes too in some storages; compared, never read.
        version: a second mark that some storages want for ``replace_if``; empty = it has none.
        modified: when it was written, seconds since 1970 by the storage's clock, where it is found; 0 = not known.
    """

    key: str
    size: int
    etag: str
    version: str = ""
    modified: float = field(default=0.0, compare=False)


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object and its content, which belong together.

    Attributes:
        data: all of it.
        info: what the storage says of these very bytes.
    """

    data: bytes
    info: ObjectInfo


class Storage(Protocol):
    """Objects under keys; safe to use from threads and by several processes.

    Keys that are written by ``replace_if`` are written by it and by ``put_if_absent`` alone. All methods raise
    ``StoreError``: one sentence without any credential, after what may pass was tried again.
    """

    @property
    def title(self) -> str:
        """What people call it: a folder, or an address without what is secret."""

    def get(self, key: str) -> StoredObject | None:
        """Return an object; None = there is none."""

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is said of an object without its content; None = there is none."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield objects whose keys begin with the parts of ``prefix``, such as ``records``; in any order."""

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write an object, whatever was there."""

    def put_file(self, key: str, path: Path, cancelled: Callable[[], bool] = never) -> ObjectInfo:
        """Write a file as an object, whatever was there, without having all of it in memory.

        Raises:
            JobCancelledError: when ``cancelled`` says so meanwhile, as far as it is asked; what was there is there.
        """

    def put_if_absent(self, key: str, data: bytes) -> ObjectInfo | None:
        """Write an object where there is none.

        Returns:
            What it is now, also where it holds these bytes already; None = there is another one.
        """

    def replace_if(self, found: ObjectInfo, data: bytes) -> ObjectInfo | None:
        """Write an object anew, unless it was written since it was found so.

        Returns:
            What it is now, also where it holds these bytes already; None = it was changed or removed meanwhile.
        """

    def fetch(self, key: str, path: Path) -> ObjectInfo | None:
        """Write an object to a file, without having all of it in memory; None = there is none.

        Returns:
            What the storage says of the bytes that are in the file now.
        """

    def copy(self, key: str, target: str) -> ObjectInfo | None:
        """Write an object under another key too, whatever was there, where the storage is; None = there is none."""

    def delete(self, key: str) -> None:
        """Remove an object; harmless where there is none."""


def check_key(key: str) -> str:
    """Return a key.

    Raises:
        StoreError: for one that is none, or could lead out of the storage.
    """
    parts = key.split("/")
    if not key or "\\" in key or any(part in {"", ".", ".."} or part.startswith(".") for part in parts):
        remedy = "give parts with / between them, none of which begins with a full stop"
        raise StoreError("Naming an object", f"“{key[:80]}” is no key", remedy)
    return key
