"""The protocol-buffer wire format, just enough to read a few fields of a model's files without TensorFlow.

Source: “Encoding”, Protocol Buffers documentation (varints, tags, wire types 0, 1, 2 and 5).
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | memoryview
"""A varint or fixed number, or the bytes of a string, sub-message or packed field."""


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the varint at a position, and the position after it.

    Raises:
        ValueError: when the bytes end inside it or it is longer than 64 bits.
    """
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise ValueError("a number is cut off")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield field numbers and values of a message, in the order of the bytes.

    Raises:
        ValueError: when the bytes are no message.
    """
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("a field has no number")
        if kind == 0:
            value, at = varint(data, at)
            yield number, value
            continue
        size, at = _size(data, at, kind)
        if at + size > len(data):
            raise ValueError("a field is cut off")
        piece = data[at : at + size]
        yield number, piece if kind == 2 else int.from_bytes(piece, "little")
        at += size


def _size(data: memoryview, at: int, kind: int) -> tuple[int, int]:
    if kind == 2:
        return varint(data, at)
    if kind in (1, 5):
        return (8 if kind == 1 else 4), at
    raise ValueError(f"a field has the unknown wire type {kind}")


def messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the values of one repeated field of strings or messages."""
    for found, value in fields(data):
        if found == number:
            if isinstance(value, int):
                raise ValueError(f"field {number} is a number")
            yield value


def message(data: memoryview, number: int) -> memoryview:
    """Return the last value of one string or message field; empty when absent."""
    result = memoryview(b"")
    for value in messages(data, number):
        result = value
    return result


def integer(data: memoryview, number: int, default: int = 0) -> int:
    """Return the last value of one number field, as a signed 64-bit integer."""
    result = default
    for found, value in fields(data):
        if found == number:
            if not isinstance(value, int):
                raise ValueError(f"field {number} is no number")
            result = value - (1 << 64) if value >> 63 else value
    return result


def text_field(data: memoryview, number: int) -> str:
    """Return the last value of one string field; empty when absent."""
    return bytes(message(data, number)).decode("utf-8")
