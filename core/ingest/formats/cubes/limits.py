"""What cubes may be: sizes, and the errors by which their libraries say that a file is damaged."""

from __future__ import annotations

import lzma
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from core.errors import SourceTooLargeError
from core.files import disk_full
from core.ingest.messages import damaged, errors_about, no_room

MOST_OBJECTS = 5_000
"""Variables and groups in a file."""
LONGEST_LIST = 10_000
"""Values along an axis other than rows and columns, such as dates."""
LONGEST_AXIS = 1_000_000
"""Rows, or columns; coordinates are read as a whole."""
MAX_CHUNK_BYTES = 256 * 2**20
"""A chunk is unpacked as a whole; that of programs for clusters is of 128 MB."""
MOST_CHUNKS = 200_000
"""Pieces that the pixels of one band and one date are cut into; each takes a step of its own."""

READ_ERRORS = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, NotImplementedError,
    OverflowError, ImportError, EOFError, AssertionError, RecursionError, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
"""What h5py, Zarr, SciPy and xarray raise over files that are damaged or made up."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Let what the libraries raise in a block become one sentence about a file."""
    with errors_about(name):
        try:
            yield
        except READ_ERRORS as error:
            if isinstance(error, OSError) and disk_full(error):
                raise no_room() from error
            raise damaged() from error


def check_chunks(name: str, shape: Sequence[int], chunks: Sequence[int], itemsize: int) -> None:
    """Refuse an array that is cut into pieces too large or too many to be read.

    Args:
        name: of the variable.
        shape: of the array, rows and columns last as a rule.
        chunks: lengths of a piece, one an axis.
        itemsize: bytes a number.

    Raises:
        SourceTooLargeError: with the numbers found.
    """
    size = math.prod(chunks) * itemsize
    if size > MAX_CHUNK_BYTES:
        found = (
            f"“{name}” is stored in chunks of {size / 2**20:,.0f} MB, more than the {MAX_CHUNK_BYTES >> 20} MB allowed"
        )
        raise SourceTooLargeError(found=found, remedy="save it again with smaller chunks, such as 1 × 1024 × 1024")
    pieces = [-(-length // max(1, piece)) for length, piece in zip(shape, chunks, strict=True)]
    count = math.prod(sorted(pieces)[-2:])
    if count > MOST_CHUNKS:
        found = f"“{name}” is cut into {count:,} chunks, more than the {MOST_CHUNKS:,} allowed"
        raise SourceTooLargeError(found=found, remedy="save it again with larger chunks, such as 1 × 1024 × 1024")


def numeric(dtype: np.dtype[np.generic]) -> bool:
    """Tell whether a type holds numbers that pixels can be."""
    return dtype.kind in "iufb" and dtype.itemsize <= 8
