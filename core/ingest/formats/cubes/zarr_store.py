"""Zarr, versions 2 and 3, as a folder or in a zip: its documents checked, its chunks handed out by exact names.

A key of Zarr is looked up among the names of the files of the source, and never becomes a path.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from core.errors import SourceTooLargeError
from core.ingest.files import Member, Shelf
from core.ingest.formats.cubes.limits import MAX_CHUNK_BYTES, MOST_OBJECTS, check_chunks, numeric
from core.ingest.formats.cubes.zarr_names import ARRAY_2, ATTRIBUTES_2, DOCUMENTS, GROUP_2, NODE_3, WHOLE_2
from core.ingest.messages import clean_name, damaged

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

_MOST_BYTES = 32 * 2**20
"""Documents of a product with all of its metadata take 1 or 2 MB."""
_CODECS = frozenset(
    {"blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma", "shuffle", "delta", "fixedscaleoffset", "quantize",
     "bitround", "packbits", "astype", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3", "bytes",
     "transpose", "vlen-utf8"}
)  # fmt: skip
"""Ways of packing that are read, as Zarr's specifications and numcodecs name them; “pickle” runs what it holds."""
_SCALING = frozenset({"fixedscaleoffset", "scale_offset"})
_TEXTS = frozenset({"string", "fixed_length_utf32", "null_terminated_bytes"})


@dataclass(frozen=True, kw_only=True)
class ArrayNode:
    """One array of a store.

    Attributes:
        shape: its lengths.
        pieces: lengths of what one file holds: a chunk, or a shard.
        separator: what stands between the numbers of a chunk in its name.
        version: 2 or 3 of Zarr.
        plain: False = chunks are named otherwise than by their numbers.
        unpacked: True = its own codecs apply scale and offset.
    """

    shape: tuple[int, ...]
    pieces: tuple[int, ...]
    separator: str
    version: int
    plain: bool = True
    unpacked: bool = False

    def key(self, chunk: Sequence[int]) -> str:
        """Return the name of a chunk beside its array's document."""
        if self.version == 3 and self.plain:
            return (
                "/".join(["c", *map(str, chunk)])
                if self.separator == "/"
                else self.separator.join(["c", *map(str, chunk)])
            )
        return self.separator.join(map(str, chunk)) or "0"


class ShelfStore(Store):
    """The files of one Zarr of a source, for reading only.

    Attributes:
        groups: paths of all groups, ``""`` first.
        nodes: arrays by path.
        unreadable: why an array cannot be read, a clause, by its path.
        version: 2 or 3 of Zarr.

    Raises:
        SourceError: when its documents make no sense.
        UnsafeSourceError: when it asks for other files.
        SourceTooLargeError: when arrays are beyond the limits.
    """

    def __init__(self, shelf: Shelf, files: Mapping[str, Member]) -> None:
        super().__init__(read_only=True)
        self._shelf, self._files = shelf, dict(files)
        self.nodes: dict[str, ArrayNode] = {}
        self.unreadable: dict[str, str] = {}
        self.version = 3 if any(PurePosixPath(key).name == NODE_3 for key in files) else 2
        documents = self._documents()
        if len(documents) > 3 * MOST_OBJECTS:
            found = f"it holds more than {MOST_OBJECTS:,} arrays"
            raise SourceTooLargeError(found=found, remedy="save only the bands")
        self._texts = self._checked(_with_axes(documents))
        marker = NODE_3 if self.version == 3 else GROUP_2
        marked = {str(PurePosixPath(key).parent) for key in self._texts if PurePosixPath(key).name == marker}
        paths = {"" if path == "." else path for path in marked} - self.nodes.keys()
        self.groups = tuple(sorted(paths, key=lambda path: (path.count("/") if path else -1, path)))

    def _documents(self) -> dict[str, dict[str, Any]]:
        """Return all documents by key; those of each array and group count before what a summary repeats."""
        found: dict[str, dict[str, Any]] = {}
        summary: dict[str, Any] = {}
        for key, member in self._files.items():
            name = PurePosixPath(key).name
            if name not in DOCUMENTS:
                continue
            if member.size > _MOST_BYTES:
                text = f"its document “{clean_name(key, 60)}” takes {member.size / 2**20:,.0f} MB"
                raise SourceTooLargeError(found=text, remedy="save it again without what is no metadata")
            read = _parsed(self._shelf.path(member).read_bytes())
            self._shelf.release(member)
            if name == WHOLE_2 and key == WHOLE_2:
                summary = _mapping(read.get("metadata"))
            elif name != WHOLE_2:
                found[key] = read
        root = found.get(NODE_3, {})
        together = _mapping(_mapping(root.get("consolidated_metadata")).get("metadata"))
        for path, document in together.items():
            summary[f"{path}/{NODE_3}"] = document
        for key, document in summary.items():
            if PurePosixPath(key).name in DOCUMENTS:
                found.setdefault(key, _mapping(document))
        if self.version == 2:
            found.setdefault(GROUP_2, {"zarr_format": 2})
        else:
            found.setdefault(NODE_3, {"zarr_format": 3, "node_type": "group", "attributes": {}})
        return found

    def _checked(self, documents: Mapping[str, dict[str, Any]]) -> dict[str, bytes]:
        """Return the texts of documents that are handed on: those of groups, and of arrays that can be read."""
        texts: dict[str, bytes] = {}
        for key, document in documents.items():
            path = PurePosixPath(key)
            node = "" if str(path.parent) == "." else str(path.parent)
            is_array = path.name == ARRAY_2 or (path.name == NODE_3 and document.get("node_type") == "array")
            if is_array:
                because = self._array(node, document)
                if because is not None:
                    self.unreadable[node] = because
                    continue
            kept = {name: part for name, part in document.items() if name != "consolidated_metadata"}
            texts[key] = json.dumps(kept).encode()
        return {key: text for key, text in texts.items() if str(PurePosixPath(key).parent) not in self.unreadable}

    def _array(self, path: str, document: Mapping[str, Any]) -> str | None:
        """Take note of an array; return why it cannot be read, a clause, or None."""
        shape = _lengths(document.get("shape"))
        if self.version == 3:
            pieces = _lengths(_mapping(_mapping(document.get("chunk_grid")).get("configuration")).get("chunk_shape"))
            codecs, inner = _codecs_3(document.get("codecs"), pieces)
            kind = document.get("data_type")
            if document.get("storage_transformers"):
                return "its chunks are stored in a way that Landlike does not read"
        else:
            pieces = inner = _lengths(document.get("chunks"))
            steps = [document.get("compressor"), *(document.get("filters") or [])]
            codecs = [str(_mapping(step).get("id")) for step in steps if step is not None]
            kind = document.get("dtype")
        foreign = [codec for codec in codecs if codec.removeprefix("numcodecs.") not in _CODECS]
        if foreign:
            return f"it is packed by {clean_name(foreign[0], 40)}, which Landlike does not unpack"
        if len(shape) != len(pieces) or len(shape) != len(inner) or not all(piece > 0 for piece in (*pieces, *inner)):
            raise damaged()
        itemsize = _itemsize(kind)
        if itemsize is None:
            return "its values are of a type that holds no numbers"
        check_chunks(clean_name(path, 60), shape, inner, itemsize)
        separator, plain = _naming(document, self.version)
        self.nodes[path] = ArrayNode(
            shape=shape, pieces=pieces, separator=separator, version=self.version, plain=plain,
            unpacked=any(codec.removeprefix("numcodecs.") in _SCALING for codec in codecs),
        )  # fmt: skip
        return None

    def holds(self, path: str, chunk: Sequence[int]) -> bool:
        """Tell whether a chunk of an array is there; one that is not was never written, or got lost."""
        return f"{path}/{self.nodes[path].key(chunk)}" in self._files

    def __eq__(self, other: object) -> bool:
        """Compare by identity: a store is opened once."""
        return self is other

    __hash__ = object.__hash__

    def _read(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        if key in self._texts:
            return _part(self._texts[key], wanted)
        member = self._files.get(key)
        if member is None or PurePosixPath(key).name in DOCUMENTS:
            return None
        if wanted is None and member.size > MAX_CHUNK_BYTES:
            raise ValueError("a chunk takes more room packed than it may unpacked")
        with self._shelf.path(member).open("rb") as file:
            if wanted is None:
                content = file.read(MAX_CHUNK_BYTES)
            elif isinstance(wanted, RangeByteRequest):
                file.seek(wanted.start)
                content = file.read(min(wanted.end - wanted.start, MAX_CHUNK_BYTES))
            else:
                start = wanted.offset if isinstance(wanted, OffsetByteRequest) else member.size - wanted.suffix
                file.seek(max(0, start))
                content = file.read(MAX_CHUNK_BYTES)
        if wanted is None:
            self._shelf.release(member)
        return content

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the content of a key, or a part of it; None where there is none."""
        content = self._read(key, byte_range)
        return None if content is None else prototype.buffer.from_bytes(content)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of the content of several keys."""
        return [await self.get(key, prototype, wanted) for key, wanted in key_ranges]

    async def exists(self, key: str) -> bool:
        """Tell whether a key is there."""
        return key in self._texts or (key in self._files and PurePosixPath(key).name not in DOCUMENTS)

    @property
    def supports_writes(self) -> bool:
        """False: the source is somebody's."""
        return False

    @property
    def supports_deletes(self) -> bool:
        """False, too."""
        return False

    @property
    def supports_listing(self) -> bool:
        """True: groups list what they hold."""
        return True

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write.

        Raises:
            PermissionError: always.
        """
        raise PermissionError(key, len(value))

    async def delete(self, key: str) -> None:
        """Refuse to delete.

        Raises:
            PermissionError: always.
        """
        raise PermissionError(key)

    async def list(self) -> AsyncIterator[str]:
        """Give the keys of all documents."""
        for key in self._texts:
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Give the keys of documents that begin so."""
        for key in self._texts:
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Give names of what lies directly in a group."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        for name in dict.fromkeys(key[len(start) :].split("/")[0] for key in self._texts if key.startswith(start)):
            yield name


def _with_axes(documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return documents in which every array names its axes; those that do not count them from the last, by lengths."""
    for key, document in list(documents.items()):
        path = PurePosixPath(key)
        shape = document.get("shape")
        if not isinstance(shape, list):
            continue
        names = [f"axis_{len(shape) - place}_of_{length}" for place, length in enumerate(shape)]
        if len(shape) == 1:
            names = [path.parent.name]
        if path.name == NODE_3:
            stated = document.get("dimension_names") or ()
            if len(stated) != len(shape) or not all(map(_is_name, stated)):
                document["dimension_names"] = names
        elif path.name == ARRAY_2:
            attributes = documents.setdefault(str(path.parent / ATTRIBUTES_2), {})
            stated = attributes.get("_ARRAY_DIMENSIONS")
            if not isinstance(stated, list) or len(stated) != len(shape) or not all(map(_is_name, stated)):
                attributes["_ARRAY_DIMENSIONS"] = names
    return documents


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _part(content: bytes, wanted: ByteRequest | None) -> bytes:
    if isinstance(wanted, RangeByteRequest):
        return content[wanted.start : wanted.end]
    if isinstance(wanted, OffsetByteRequest):
        return content[wanted.offset :]
    return content[-wanted.suffix :] if isinstance(wanted, SuffixByteRequest) else content


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        return _mapping(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise damaged() from error


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lengths(values: object) -> tuple[int, ...]:
    """Return lengths of axes.

    Raises:
        SourceError: when they are none.
    """
    if not isinstance(values, list) or len(values) > 12:
        raise damaged()
    if not all(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 for value in values):
        raise damaged()
    return tuple(values)


def _codecs_3(steps: object, pieces: tuple[int, ...]) -> tuple[list[str], tuple[int, ...]]:
    """Return the names of codecs of version 3 and the lengths of what is unpacked as a whole; shards hold chunks."""
    names: list[str] = []
    inner = pieces
    for step in steps if isinstance(steps, list) else []:
        name, settings = (step, {}) if isinstance(step, str) else (_mapping(step).get("name"), _mapping(step))
        settings = _mapping(settings.get("configuration"))
        if name == "sharding_indexed":
            inside, inner = _codecs_3(settings.get("codecs"), _lengths(settings.get("chunk_shape")))
            index, _ = _codecs_3(settings.get("index_codecs"), ())
            names += [*inside, *index]
        else:
            names.append(str(name))
    return names, inner


def _itemsize(kind: object) -> int | None:
    """Return the bytes a number of a type takes, as the document names it; None for types that are neither text."""
    if isinstance(kind, dict):
        named = str(kind.get("name"))
        length = _mapping(kind.get("configuration")).get("length_bytes", 8)
        return int(length) if named in _TEXTS or named == "numpy.datetime64" else None
    if not isinstance(kind, str):
        return None
    if kind in ("|O", "string"):
        return 16
    try:
        dtype = np.dtype("bool" if kind == "bool" else kind)
    except (TypeError, ValueError, SyntaxError):  # NumPy parses some texts as Python.
        return None
    return dtype.itemsize if numeric(dtype) or dtype.kind in "USM" else None


def _naming(document: Mapping[str, Any], version: int) -> tuple[str, bool]:
    """Return what separates the numbers in names of chunks, and whether these are named as version 3 does."""
    if version == 2:
        separator = document.get("dimension_separator", ".")
        return (separator if separator in (".", "/") else "."), True
    encoding = _mapping(document.get("chunk_key_encoding"))
    default = "/" if encoding.get("name", "default") == "default" else "."
    separator = _mapping(encoding.get("configuration")).get("separator", default)
    return (separator if separator in (".", "/") else default), encoding.get("name", "default") == "default"
