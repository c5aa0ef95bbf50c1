"""What is kept of each input of a batch: what it was, and what was written of it or why nothing could be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.storage.base import ObjectInfo

RECORD_VERSION = 1
RECORDS = "records"
"""Where records lie."""


@dataclass(frozen=True, kw_only=True)
class WrittenObject:
    """One object that was written.

    Attributes:
        key: where.
        size: in bytes.
        etag: what the storage said of it then.
        sha256: of its bytes, hexadecimal.
    """

    key: str
    size: int
    etag: str
    sha256: str

    def is_there(self, found: ObjectInfo | None) -> bool:
        """Tell whether an object is the one that was written, as far as size and mark tell."""
        return found is not None and found.size == self.size and found.etag == self.etag


@dataclass(frozen=True, kw_only=True)
class EmbeddedScene:
    """One scene of an input and the files of it.

    Attributes:
        scene: its id.
        name: what people call it.
        date: ``YYYY-MM-DD``; None = unknown.
        encoder: name of the encoder.
        fingerprint: of the encoder.
        recipe: key of the recipe.
        patches: rows of the file.
        dimension: numbers of a vector.
        bbox: west, south, east, north in degrees; empty = unknown.
        span: between which times it was taken.
        warnings: what was left out or doubtful when it was read.
        data: the GeoParquet file.
        item: the STAC item.
    """

    scene: str
    name: str
    date: str | None
    encoder: str
    fingerprint: str
    recipe: str
    patches: int
    dimension: int
    bbox: tuple[float, ...]
    span: tuple[str, str]
    warnings: tuple[str, ...]
    data: WrittenObject
    item: WrittenObject

    @property
    def objects(self) -> tuple[WrittenObject, WrittenObject]:
        """All that was written of it."""
        return self.data, self.item


@dataclass(frozen=True, kw_only=True)
class InputRecord:
    """What became of one input.

    Attributes:
        input: its name.
        identity: where it lies, hashed.
        place: of what was wished, without versions: what replaces it has the same.
        wish: digest of what was wished.
        state: of its files, cheap to tell.
        content: of its files; empty where that is not known.
        scenes: what was written of it.
        failure: what was asked, found, and to do; empty = all went well.
        seconds: it took.
    """

    input: str
    identity: str
    place: str
    wish: str
    state: str
    content: str
    scenes: tuple[EmbeddedScene, ...] = ()
    failure: tuple[str, str, str] | tuple[()] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def key(self) -> str:
        """Where it is kept: a place for each input and wish."""
        return record_key(self.identity, self.place)

    @property
    def done(self) -> bool:
        """True = all went well."""
        return not self.failure

    @property
    def sentence(self) -> str:
        """The failure in one sentence; empty = there is none."""
        return f"{self.failure[0]}: {self.failure[1]}; {self.failure[2]}." if self.failure else ""

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"version": RECORD_VERSION, **asdict(self)}, indent=1, ensure_ascii=False).encode()


def record_key(identity: str, place: str) -> str:
    """Return where the record of an input and a wish is kept."""
    digest = hashlib.sha256(f"{identity}-{place}".encode()).hexdigest()
    return f"{RECORDS}/{digest[:24]}.json"


def record_of(data: bytes) -> InputRecord | None:
    """Return the record that ``to_bytes`` gave these for; None when they are of none."""
    try:
        values = json.loads(data)
        if values.pop("version") != RECORD_VERSION:
            return None
        scenes = tuple(_scene(one) for one in values.pop("scenes"))
        failure = tuple(values.pop("failure"))
        return InputRecord(**values, scenes=scenes, failure=failure)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _scene(values: Mapping[str, Any]) -> EmbeddedScene:
    known = dict(values)
    data, item = (WrittenObject(**known.pop(name)) for name in ("data", "item"))
    known |= {name: tuple(known[name]) for name in ("bbox", "span", "warnings")}
    return EmbeddedScene(**known, data=data, item=item)
