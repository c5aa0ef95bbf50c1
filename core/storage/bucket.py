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

from core.errors import BucketError, JobCancelledError, StoreError
from core.files import disk_errors, never
from core.storage.base import ObjectInfo, StoredObject, check_key
from core.storage.faults import bucket_fault, opening_fault, passing

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
        by_version: True = it knows what an object was by its version, and not by its mark, as Google does.
    """

    title: str
    store: ObjectStore = field(repr=False)
    patience: Patience = DEFAULT_PATIENCE
    by_version: bool = False

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

        pages, last, seen = iter(()), "", ""

        def next_page() -> Any:  # noqa: ANN401  obstore's types are not there at run time
            nonlocal pages
            try:
                return next(pages, None)
            except BaseException:
                # One that broke off says that nothing follows, when it is asked again.
                pages = begun()
                raise

        def begun() -> Any:  # noqa: ANN401  likewise
            nonlocal seen
            seen = last
            return iter(obstore.list(self.store, prefix.strip("/") or None, offset=last or None, chunk_size=1000))

        pages = begun()
        while (page := self._ask("Listing", prefix, next_page)) is not None:
            for meta in page:
                if meta["path"] > seen:  # Some servers begin anew all the same.
                    last = meta["path"]
                    yield _info(last, meta)

    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write an object, whatever was there."""
        return self._put(key, data, len(data), "overwrite")

    def put_file(self, key: str, path: Path, cancelled: Callable[[], bool] = never) -> ObjectInfo:
        """Write a file as an object, whatever was there; in parts, where it is large.

        Between two parts it is asked whether that is still wanted; nothing is left there of what was not.
        """
        return self._put(key, path, path.stat().st_size, "overwrite", cancelled)

    def put_if_absent(self, key: str, data: bytes) -> ObjectInfo | None:
        """Write an object where there is none; None = there is another one."""
        return self._conditional(key, data, "create")

    def replace_if(self, found: ObjectInfo, data: bytes) -> ObjectInfo | None:
        """Write an object anew, unless it was written since it was found so; None = it was."""
        version = found.version
        if self.by_version and not version:  # Lists do not tell it.
            there = self.head(found.key)
            if there is None or there.etag != found.etag:
                return self._same(found.key, data)
            version = there.version
        return self._conditional(found.key, data, {"e_tag": found.etag} | ({"version": version} if version else {}))

    def _conditional(self, key: str, data: bytes, mode: Any) -> ObjectInfo | None:  # noqa: ANN401  as obstore has it
        """Write under a condition; where it fails, these bytes may be there already, by a try whose answer was lost."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._put(key, data, len(data), mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return self._same(key, data)

    def _same(self, key: str, data: bytes) -> ObjectInfo | None:
        """Return what an object is where it holds these bytes."""
        there = self.get(key)
        return there.info if there is not None and there.data == data else None

    def _put(
        self, key: str, content: bytes | Path, size: int, mode: Any, cancelled: Callable[[], bool] = never  # noqa: ANN401  likewise
    ) -> ObjectInfo:  # fmt: skip
        import obstore

        def put() -> Any:  # noqa: ANN401  likewise
            if isinstance(content, Path) and size > PART_BYTES:
                return obstore.put(
                    self.store, key, _parts(content, cancelled), mode=mode, use_multipart=True, chunk_size=PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )  # fmt: skip
            return obstore.put(self.store, key, content, mode=mode, use_multipart=False)

        answer = self._ask("Writing", check_key(key), put, cancelled)
        if answer is None:
            raise FileNotFoundError(key)
        return ObjectInfo(key=key, size=size, etag=_etag(answer), version=answer["version"] or "")

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

    def _ask(
        self, verb: str, key: str, request: Callable[[], Heard], cancelled: Callable[[], bool] = never
    ) -> Heard | None:
        """Return what a bucket answers, None where it has no such object; ask again what may pass.

        Raises:
            BucketError: what is the matter, in a sentence.
            JobCancelledError: when ``cancelled`` says so before another try.
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
                found, remedy = bucket_fault(error, self.title.partition(":")[0])
                if not found:
                    return None
                left = self.patience.seconds - (time.monotonic() - began)
                if not passing(error) or left < pause:
                    raise BucketError(asked, found, remedy) from None
            time.sleep(pause)
            pause = min(2 * pause, self.patience.longest)
            if cancelled():
                raise _unwanted(asked)


def _parts(path: Path, cancelled: Callable[[], bool]) -> Iterator[bytes]:
    """Yield a file part by part, for as long as it is wanted; what is raised here has the library take all back."""
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            if cancelled():
                raise _unwanted(f"Writing {path.name}")
            yield part


def _unwanted(asked: str) -> JobCancelledError:
    return JobCancelledError(asked, "it was cancelled", "start it again when you like")


def _etag(meta: Any) -> str:  # noqa: ANN401  obstore's types are not there at run time
    """Return the mark of an object as headers have it: Azure's lists, and some servers of S3, leave out the quotes."""
    mark = meta["e_tag"] or ""
    return mark if not mark or mark.endswith('"') else f'"{mark}"'


def _info(key: str, meta: Any) -> ObjectInfo:  # noqa: ANN401  obstore's types are not there at run time
    return ObjectInfo(
        key=key, size=meta["size"], etag=_etag(meta), version=meta["version"] or "",
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
        found, remedy = opening_fault(error, scheme)
        raise StoreError(f"Opening {title}", found, remedy) from None
    return BucketStorage(title=title, store=store, patience=patience, by_version=scheme == "gs")
