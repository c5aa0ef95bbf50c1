"""Checksums of variables: the package against published values and a bit-by-bit oracle, and flipped bits found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from google_crc32c import value as crc32c

from core.encoders.saved_model.checkpoint import problem, unmasked


def slowly(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # the three of RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_published_values(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


@pytest.mark.parametrize("length", [16_383, 16_384, 16_385, 17_407, 17_409, 33_000])
def test_long_buffers(length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert crc32c(data) == slowly(data)


def test_very_long_buffers_and_single_flips() -> None:
    data = bytearray(random.Random(1).randbytes((1 << 18) + 4_099))
    whole = crc32c(bytes(data))
    assert whole == slowly(bytes(data))
    for position in (0, 150_000, len(data) - 1):
        data[position] ^= 1
        assert crc32c(bytes(data)) != whole
        data[position] ^= 1


def test_mask_is_tensorflows() -> None:
    masked = (((0xE3069283 >> 15) | (0xE3069283 << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert unmasked(masked) == 0xE3069283


def test_every_flipped_byte_of_weights_is_found(tiny: Path) -> None:
    data = tiny / "variables" / "variables.data-00000-of-00001"
    whole = data.read_bytes()
    assert problem(tiny / "variables") is None
    for at in range(0, len(whole), max(1, len(whole) // 50)):
        data.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        assert "is damaged (checksum of " in (problem(tiny / "variables") or "")
    data.write_bytes(whole)
    assert problem(tiny / "variables") is None
