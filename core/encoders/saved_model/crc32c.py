"""CRC-32C of large buffers by NumPy; TensorFlow protects every tensor of a checkpoint with one.

The buffer is cut into equal lanes whose checksums are computed side by side, and then folded into one: the checksum
of A + B is that of A moved on by len(B) zero bytes, exclusive-or that of B. Polynomial: Castagnoli, RFC 3720 appendix
B.4; masking: TensorFlow's tsl/lib/hash/crc32c.h.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
_POLYNOMIAL = 0x82F63B78
_LANES = ((1 << 20, 1 << 12), (1 << 14, 1 << 8))
"""Least length, number of lanes; shorter buffers go byte by byte."""

_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | memoryview) -> int:
    """CRC-32C of a buffer, 0 to 2³² − 1."""
    lanes = next((lanes for least, lanes in _LANES if len(data) >= least), 0)
    state, bulk = 0xFFFFFFFF, 0
    if lanes:
        bulk = len(data) // (4 * lanes) * (4 * lanes)
        words = np.frombuffer(data[:bulk], dtype="<u4").reshape(lanes, -1)
        crcs = np.zeros(lanes, dtype=np.uint32)
        crcs[0] = state
        state = _fold(_run(np.ascontiguousarray(words.T), crcs), 4 * words.shape[1])
    return _short(bytes(data[bulk:]), state) ^ 0xFFFFFFFF


def unmasked(masked: int) -> int:
    """The checksum behind the form in which TensorFlow stores it."""
    rotated = (masked - _MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


@cache
def _tables() -> NDArray[np.uint32]:
    """Shape (4, 256): row k moves a byte's remainder on by k further zero bytes."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, (first >> 1) ^ np.uint32(_POLYNOMIAL), first >> 1).astype(np.uint32)
    tables = [first]
    for _ in range(3):
        tables.append((tables[-1] >> 8) ^ first[tables[-1] & 0xFF])
    return np.stack(tables)


@cache
def _half_tables() -> tuple[Words, Words]:
    """Shape (65536,) each: what the lower and the upper half of a word become, four bytes on."""
    tables, halves = _tables(), np.arange(1 << 16, dtype=np.uint32)
    low, high = halves & 0xFF, halves >> 8
    return tables[3][low] ^ tables[2][high], tables[1][low] ^ tables[0][high]


def _run(words: Words, crcs: Words) -> Words:
    """Take words of shape (steps, lanes) into the states of the lanes."""
    lower, upper = _half_tables()
    for step in words:
        mixed = crcs ^ step
        crcs = lower[mixed & 0xFFFF] ^ upper[mixed >> 16]
    return crcs


def _short(data: bytes, state: int) -> int:
    """Byte by byte, for what is left over; four bytes at a time as far as they go."""
    tables = _tables().tolist()
    one, two, three, four = tables
    even = len(data) & ~3
    for at in range(0, even, 4):
        state ^= int.from_bytes(data[at : at + 4], "little")
        state = four[state & 255] ^ three[state >> 8 & 255] ^ two[state >> 16 & 255] ^ one[state >> 24]
    for byte in data[even:]:
        state = (state >> 8) ^ one[(state ^ byte) & 255]
    return state


def _fold(crcs: Words, length: int) -> int:
    """One state from the states of consecutive lanes of ``length`` bytes."""
    one, two, three, four = _zeros_tables(length)
    state = 0
    for crc in crcs.tolist():
        state = crc ^ one[state & 255] ^ two[state >> 8 & 255] ^ three[state >> 16 & 255] ^ four[state >> 24]
    return state


@lru_cache(maxsize=64)
def _zeros_tables(length: int) -> tuple[list[int], ...]:
    """For each of a state's four bytes and each of its values, what ``length`` zero bytes make of it."""
    matrix = _zeros_matrix(length)
    values = np.arange(256, dtype=np.uint32)
    return tuple(_apply(matrix, values << np.uint32(shift)).tolist() for shift in (0, 8, 16, 24))


def _apply(matrix: Words, vectors: Words) -> Words:
    """Matrix times vectors over GF(2); a matrix is the 32 images of the single bits."""
    result = np.zeros_like(vectors)
    for bit in range(32):
        result ^= np.where((vectors >> np.uint32(bit)) & np.uint32(1), matrix[bit], np.uint32(0))
    return result


def _zeros_matrix(length: int) -> Words:
    """What ``length`` zero bytes do to a state, by repeated squaring."""
    bits: Words = np.uint32(1) << np.arange(32, dtype=np.uint32)
    step: Words = (bits >> 8) ^ _tables()[0][bits & 0xFF]
    result = bits
    while length:
        if length & 1:
            result = _apply(step, result)
        step = _apply(step, step)
        length >>= 1
    return result
