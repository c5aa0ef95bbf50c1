"""A storage in a bucket of S3, Azure or Google, by obstore; the only home of that library.

Credentials, region and endpoint are read from the environment by the library itself, under the names that their makers
gave them. Nothing of what it says of a failure is passed on, for addresses in there may be signed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import BucketError, StoreError
from core.files import disk_errors
from core.storage.base import ObjectInfo, StoredObject, check_key
from core.storage.faults import bucket_fault, passing

if TYPE_CHECKING:
    from obstore.store import ObjectStore

Heard = TypeVar("Heard")

PART_BYTES = 16 * 2**20
"""Files larger than this go in parts, some of them at once."""

_PARTS_AT_ONCE = 4
_FREE = "free some space, then start again"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a bucket is waited for.

    Attributes:
        seconds: from the first request on, as long as it answers that it is busy, or not at all.
        longest: between two tries, in seconds; they double from a fifth of a second on.
        connect: seconds to wait for a connection.
        request: seconds to wait for one answer, the content included.
    """

    seconds: float = 180.0
    longest: float = 15.0
    connect: float = 10.0
    request: float = 300.0


DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, kw_only=True)
class BucketStorage:
    """Objects of a bucket whose keys begin with a prefix.

    Attributes:
        title: its address.
        store: the library's.
        patience: how long it is waited for.
    """

    title: str
    store: ObjectStore = field(repr=False)
    patience: Patience = DEFAULT_PATIENCE

    def get(self, key: str) -> StoredObject | None:
        """Return an object; None = there is none."""
        found = self._ask("Reading", check_key(key), lambda: self._got(key))
        if found is None:
            return None
        data, meta = found
        return StoredObject(data=data, info=_info(key, meta))

    def _got(self, key: str) -> tuple[bytes, Any]:
        import obstore

        answer = obstore.get(self.store, key)
        return bytes(answer.bytes()), answer.meta

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is said of an object without its content; None = there is none."""
        import obstore

        meta = self._ask("Reading", check_key(key), lambda: obstore.head(self.store, key))
        return None if meta is None else _info(key, meta)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield objects under some parts of keys."""
        import obstore

        pages, last = iter(()), ""

        def next_page() -> Any:  # noqa: ANN401  obstore's types are not there at run time
            nonlocal pages
            try:
                return next(pages, None)
            except BaseException:
                # One that broke off says that nothing follows, when it is asked again.
                pages = begun()
                raise

        def begun() -> Any:  # noqa: ANN401  likewise
            return iter(obstore.list(self.store, prefix.strip("/") or None, offset=last or None, chunk_size=1000))

        pages = begun()
        while (page := self._ask("Listing", prefix, next_page)) is not None:
            for meta in page:
                last = meta["path"]
                yield _info(last, meta)

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write an object, whatever was there."""
        return self._put(key, data, len(data), "overwrite")

    def put_file(self, key: str, path: Path) -> ObjectInfo:
        """Write a file as an object, whatever was there; in parts, where it is large."""
        return self._put(key, path, path.stat().st_size, "overwrite")

    def put_if_absent(self, key: str, data: bytes) -> ObjectInfo | None:
        """Write an object where there is none; None = there is another one."""
        return self._conditional(key, data, "create")

    def replace_if(self, found: ObjectInfo, data: bytes) -> ObjectInfo | None:
        """Write an object anew, unless it was written since it was found so; None = it was."""
        wanted = {"e_tag": found.etag} | ({"version": found.version} if found.version else {})
        return self._conditional(found.key, data, wanted)

    def _conditional(self, key: str, data: bytes, mode: Any) -> ObjectInfo | None:  # noqa: ANN401  as obstore has it
        """Write under a condition; where it fails, these bytes may be there already, by a try whose answer was lost."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._put(key, data, len(data), mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            there = self.get(key)
            return there.info if there is not None and there.data == data else None

    def _put(self, key: str, content: bytes | Path, size: int, mode: Any) -> ObjectInfo:  # noqa: ANN401  likewise
        import obstore

        parts = size > PART_BYTES and isinstance(content, Path)
        answer = self._ask(
            "Writing", check_key(key),
            lambda: obstore.put(
                self.store, key, content, mode=mode, use_multipart=parts, chunk_size=PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            ),
        )  # fmt: skip
        if answer is None:
            raise FileNotFoundError(key)
        return ObjectInfo(key=key, size=size, etag=answer["e_tag"] or "", version=answer["version"] or "")

    def fetch(self, key: str, path: Path) -> ObjectInfo | None:
        """Write an object to a file, which gets its time; None = there is none."""

        def fetched() -> ObjectInfo:
            import obstore

            answer = obstore.get(self.store, key)
            chunks, seconds = answer.stream(), answer.meta["last_modified"].timestamp()
            with disk_errors(f"Keeping a copy of {key}", full=_FREE, other="check the disk and its rights"):
                file = path.open("wb")
            with file:
                for chunk in chunks:
                    with disk_errors(f"Keeping a copy of {key}", full=_FREE, other="check the disk and its rights"):
                        file.write(chunk)
            os.utime(path, (seconds, seconds))
            return _info(key, answer.meta)

        return self._ask("Reading", check_key(key), fetched)

    def copy(self, key: str, target: str) -> ObjectInfo | None:
        """Have the bucket copy an object under another key; None = there is none."""
        import obstore

        def copied() -> ObjectInfo:
            obstore.copy(self.store, key, check_key(target))
            return _info(target, obstore.head(self.store, target))

        return self._ask("Copying", check_key(key), copied)

    def delete(self, key: str) -> None:
        """Remove an object; harmless where there is none."""
        import obstore

        self._ask("Removing", check_key(key), lambda: obstore.delete(self.store, key))

    def _ask(self, verb: str, key: str, request: Callable[[], Heard]) -> Heard | None:
        """Return what a bucket answers, None where it has no such object; ask again what may pass.

        Raises:
            BucketError: what is the matter, in a sentence.
            AlreadyExistsError, PreconditionError: obstore's, of conditions.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        asked = f"{verb} {self.title}{'/' if key else ''}{key}"
        began, pause = time.monotonic(), 0.2
        while True:
            try:
                return request()
            except (AlreadyExistsError, PreconditionError):
                raise
            except (BaseError, FileNotFoundError, PermissionError) as error:
                found, remedy = bucket_fault(error)
                if not found:
                    return None
                left = self.patience.seconds - (time.monotonic() - began)
                if not passing(error) or left < pause:
                    raise BucketError(asked, found, remedy) from None
            time.sleep(pause)
            pause = min(2 * pause, self.patience.longest)


def _info(key: str, meta: Any) -> ObjectInfo:  # noqa: ANN401  obstore's types are not there at run time
    return ObjectInfo(
        key=key, size=meta["size"], etag=meta["e_tag"] or "", version=meta["version"] or "",
        modified=meta["last_modified"].timestamp(),
    )  # fmt: skip


def open_bucket(scheme: str, bucket: str, prefix: str, patience: Patience = DEFAULT_PATIENCE) -> BucketStorage:
    """Return a bucket as a storage; nothing is asked of it yet.

    Args:
        scheme: ``s3``, ``az`` or ``gs``.
        bucket: its name, of Azure the container's.
        prefix: what all keys begin with; empty = nothing.
        patience: how long it is waited for.

    Raises:
        StoreError: when the environment lacks what it takes to know where it is.
    """
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    title = f"{scheme}://{bucket}{'/' if prefix else ''}{prefix}"
    client = {
        "connect_timeout": timedelta(seconds=patience.connect), "timeout": timedelta(seconds=patience.request),
        "allow_http": True,  # Only an endpoint that somebody set in the environment begins so.
    }  # fmt: skip
    # Tries are ours: the library gives up on writes whose answer is late.
    retry = {"max_retries": 0}
    kind: Any = {"s3": S3Store, "az": AzureStore, "gs": GCSStore}[scheme]
    try:
        store = kind(bucket, prefix=prefix or None, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as error:
        found, remedy = bucket_fault(error)
        raise StoreError(f"Opening {title}", found, remedy) from None
    return BucketStorage(title=title, store=store, patience=patience)
