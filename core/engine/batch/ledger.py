"""The records of a batch in a storage: who was first to do an input, and what is there of it still."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from core.engine.batch.record import RECORDS, EmbeddedScene, InputRecord, WrittenObject, record_of
from core.errors import StoreError
from core.storage.base import MOST_TRIES, ObjectInfo, Storage

_AT_ONCE = 16
"""Records that are read at once: each is small, and a bucket far away."""


class Ledger:
    """Records as they were read last; a record that cannot be read counts as none."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._known: dict[str, tuple[ObjectInfo, InputRecord | None]] = {}

    @property
    def records(self) -> list[InputRecord]:
        """All records, by the names of their inputs."""
        found = [record for _info, record in list(self._known.values()) if record is not None]
        return sorted(found, key=lambda record: (record.input, record.wish, record.identity))

    def refresh(self) -> None:
        """Read the records that are new or changed, and forget those that are gone."""
        listed = {info.key: info for info in self.storage.list(RECORDS)}
        for key in [key for key in list(self._known) if key not in listed]:
            self._known.pop(key, None)
        fresh = [key for key, info in listed.items() if key not in self._known or self._known[key][0].etag != info.etag]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self.look, fresh))

    def look(self, key: str) -> InputRecord | None:
        """Return a record as it is now; None = there is none, or none that can be read."""
        found = self.storage.get(key)
        if found is None:
            self._known.pop(key, None)
            return None
        record = record_of(found.data)
        self._known[key] = (found.info, record)
        return record

    def known(self, key: str) -> InputRecord | None:
        """Return a record as it was read last."""
        found = self._known.get(key)
        return None if found is None else found[1]

    def changed(self, key: str) -> bool:
        """Tell whether a record is another one than was read last, or new; quick."""
        now, known = self.storage.head(key), self._known.get(key)
        return (now is None) != (known is None) or (now is not None and known is not None and now.etag != known[0].etag)

    def of_content(self, content: str, wish: str) -> InputRecord | None:
        """Return a record of the same content and wish, wherever it lay; None where there is none."""
        found = (one for one in self.records if one.done and one.content == content and one.wish == wish)
        return next(found, None) if content else None

    def settle(self, record: InputRecord) -> InputRecord:
        """Write a record, and remove what the one before it had written and nobody needs.

        Where somebody else has done the same input as it is now, theirs counts, and what is ours alone is removed.

        Returns:
            The record that counts.

        Raises:
            StoreError: when the storage cannot be written.
        """
        key, data = record.key, record.to_bytes()
        for _try in range(MOST_TRIES):
            before = self._known.get(key)
            storage = self.storage
            made = storage.put_if_absent(key, data) if before is None else storage.replace_if(before[0], data)
            if made is not None:
                self._known[key] = (made, record)
                self._remove(() if before is None or before[1] is None else before[1].scenes)
                return record
            theirs = self.look(key)
            if theirs is not None and theirs.done and (theirs.state, theirs.wish) == (record.state, record.wish):
                self._remove(record.scenes)
                return theirs
        found = "it keeps being changed by others"
        raise StoreError(f"Writing {self.storage.title}/{key}", found, "let one run at a time write there")

    def whole(self, record: InputRecord, there: dict[str, ObjectInfo]) -> InputRecord | None:
        """Return a record whose objects are all there as they were written, with their marks of now; None otherwise.

        What has the right size and another mark, as after it was copied, is read and compared by its digest.

        Args:
            record: of something done.
            there: all objects of the storage, by key.
        """
        scenes = []
        for scene in record.scenes:
            seen = [self._seen(one, there.get(one.key)) for one in scene.objects]
            if seen[0] is None or seen[1] is None:
                return None
            scenes.append(replace(scene, data=seen[0], item=seen[1]))
        return replace(record, scenes=tuple(scenes))

    def _seen(self, written: WrittenObject, found: ObjectInfo | None) -> WrittenObject | None:
        if found is None or found.size != written.size:
            return None
        if written.is_there(found):
            return written
        with tempfile.TemporaryDirectory(prefix="landlike-check-") as folder:
            copy = Path(folder) / "copy"
            there = self.storage.fetch(written.key, copy) and digest_of(copy) == written.sha256
        return replace(written, etag=found.etag) if there else None

    def _remove(self, scenes: Iterable[EmbeddedScene]) -> None:
        """Remove what was written of scenes, unless a record names it."""
        needed = {one.key for record in self.records for scene in record.scenes for one in scene.objects}
        for scene in scenes:
            for one in scene.objects:
                if one.key not in needed:
                    self.storage.delete(one.key)


def digest_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
