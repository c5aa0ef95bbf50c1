"""Which storage an address means, and addresses as they may be shown: without anything that is secret."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from core.config import NO_PREFIX
from core.errors import StoreError
from core.storage.base import Storage
from core.storage.bucket import DEFAULT_PATIENCE, Patience, open_bucket
from core.storage.folder import FolderStorage

BUCKET_SCHEMES = ("s3", "az", "gs")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(text: str) -> str:
    """Return how an address begins, in lower case: ``s3``, ``https``; empty for a path."""
    found = _SCHEME.match(text)
    return found[1].lower() if found else ""


def shown_address(text: str) -> str:
    """Return an address without the name and word of a user, and without what follows a question mark."""
    if not scheme_of(text):
        return text
    parts = urlsplit(text)
    return f"{scheme_of(text)}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def open_storage(text: str, patience: Patience = DEFAULT_PATIENCE) -> Storage:
    """Return the storage at an address: a path, ``s3://bucket/prefix``, ``az://container/prefix`` or ``gs://…``.

    Raises:
        StoreError: for another kind of address, or one that holds more than a bucket and a prefix.
    """
    scheme = scheme_of(text)
    if not scheme:
        return FolderStorage(Path(text))
    asked = f"Opening {shown_address(text)}"
    if scheme not in BUCKET_SCHEMES:
        remedy = "give a folder, or an address that begins with s3://, az:// or gs://"
        raise StoreError(asked, f"{scheme}:// is no storage that can be written", remedy)
    parts = urlsplit(text)
    if "@" in parts.netloc or parts.query or parts.fragment:
        found = "it holds more than a bucket and a prefix"
        raise StoreError(asked, found, "leave that out, and set credentials in the environment")
    if not parts.netloc:
        raise StoreError(asked, "it names no bucket", f"give one, such as {scheme}://bucket/prefix")
    if NO_PREFIX.search(text.partition("://")[2]):
        found = "its prefix has a %, a \\, a control character, or a part that is . or .."
        raise StoreError(asked, found, "give another prefix; spaces and letters of any script may be")
    prefix = "/".join(part for part in parts.path.split("/") if part)
    return open_bucket(scheme, parts.netloc, prefix, patience)
