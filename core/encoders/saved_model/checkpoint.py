"""Checking the variables of a SavedModel against the checksums TensorFlow wrote beside them.

``variables.index`` is a table of (tensor name → shard, offset, size, CRC-32C) in the format of LevelDB
(tensorflow/core/util/tensor_bundle, leveldb/doc/table_format.md). OpenVINO reads weights without looking at the
checksums, so a flipped bit would silently change every feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from core.encoders.protobuf import integer, message, varint

_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57
_TRAILER = 5
_STRING = 7
_PREFIX = "variables"
_MASK_DELTA = 0xA282EAD8
"""Of tsl/lib/hash/crc32c.h."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Where a tensor lies in the data files.

    Attributes:
        name: of the tensor.
        shard: number of the data file.
        offset: of its first byte.
        size: bytes.
        checksum: CRC-32C of those bytes; None for strings, whose checksum is made otherwise.
    """

    name: str
    shard: int
    offset: int
    size: int
    checksum: int | None


def problem(variables: Path, *, sums: bool = True) -> str | None:
    """Return what is wrong with a ``variables`` directory, as part of a sentence; None = nothing.

    Args:
        variables: the directory with ``variables.index``.
        sums: False = only whether all bytes are there is looked at, which is quick.
    """
    index = variables / f"{_PREFIX}.index"
    if not index.is_file():
        return f"variables/{index.name} is missing"
    try:
        shards, tensors = _read_index(memoryview(index.read_bytes()))
    except (ValueError, IndexError) as error:
        return f"variables/{index.name} is damaged ({error})"
    for shard in range(shards):
        path = variables / f"{_PREFIX}.data-{shard:05d}-of-{shards:05d}"
        mine = [tensor for tensor in tensors if tensor.shard == shard]
        wrong = _shard_problem(path, mine, sums=sums)
        if wrong:
            return f"variables/{path.name} {wrong}"
    return None


def unmasked(masked: int) -> int:
    """Return the checksum behind the form in which TensorFlow stores it."""
    rotated = (masked - _MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def _shard_problem(path: Path, tensors: list[Stored], *, sums: bool) -> str | None:
    if not path.is_file():
        return "is missing"
    wanted, size = max((tensor.offset + tensor.size for tensor in tensors), default=0), path.stat().st_size
    if size < wanted:
        return f"has {size:,} bytes instead of {wanted:,}"
    if not sums:
        return None
    with path.open("rb") as file:
        for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
            file.seek(tensor.offset)
            if tensor.checksum is not None and google_crc32c.value(file.read(tensor.size)) != tensor.checksum:
                return f"is damaged (checksum of {tensor.name})"
    return None


def _read_index(data: memoryview) -> tuple[int, list[Stored]]:
    """Return the number of data files, and all tensors."""
    footer = data[-_FOOTER:]
    if len(data) < _FOOTER or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError("it is no table")
    _, at = varint(footer, 0)
    _, at = varint(footer, at)
    shards, tensors = 0, []
    for _, handle in _entries(_block(data, footer[at:])):
        for key, value in _entries(_block(data, handle)):
            if key == b"":
                shards = integer(value, 1)
            elif not message(value, 7):  # A tensor saved in slices has its bytes under the slices' own keys.
                tensors.append(_stored(key, value))
    if not 0 < shards <= 10_000:
        raise ValueError("it names no data files")
    return shards, tensors


def _stored(key: bytes, value: memoryview) -> Stored:
    return Stored(
        name=key.decode("utf-8", "replace"),
        shard=integer(value, 3),
        offset=integer(value, 4),
        size=integer(value, 5),
        checksum=None if integer(value, 1) == _STRING else unmasked(integer(value, 6)),
    )


def _block(data: memoryview, handle: memoryview) -> memoryview:
    """Return the contents of a block named by offset and size, its own checksum verified."""
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    block, trailer = data[offset : offset + size], data[offset + size : offset + size + _TRAILER]
    if len(trailer) != _TRAILER or trailer[0] != 0:
        raise ValueError("a block is cut off or compressed")
    if google_crc32c.value(bytes(data[offset : offset + size + 1])) != unmasked(int.from_bytes(trailer[1:], "little")):
        raise ValueError("a block's checksum is wrong")
    return block


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield keys and values of a block; keys share prefixes with the one before."""
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 - 4 * restarts, 0, b""
    while at < end:
        shared, at = varint(block, at)
        fresh, at = varint(block, at)
        size, at = varint(block, at)
        key = key[:shared] + bytes(block[at : at + fresh])
        yield key, block[at + fresh : at + fresh + size]
        at += fresh + size
