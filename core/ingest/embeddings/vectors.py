"""The vectors of a file, batch by batch: turned into numbers, checked row by row, and written as they come."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SourceError
from core.ingest.embeddings.columns import FEWEST_DIMENSIONS, MOST_DIMENSIONS, VectorColumns

_ALPHA_EARTH_NOTHING = -128


@dataclass(kw_only=True)
class VectorCounts:
    """How many rows have no usable vector, and what is said of the others.

    Attributes:
        missing: null.
        broken: with NaN, infinity or a null inside.
        zero: of zeros alone, which point nowhere.
        lengths: rows of another length, by their length.
        shortest: the least Euclidean length of a usable vector.
        longest: the greatest.
        seen: a hash of each usable vector.
    """

    missing: int = 0
    broken: int = 0
    zero: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    shortest: float = float("inf")
    longest: float = 0.0
    seen: set[int] = field(default_factory=set)

    @property
    def left_out(self) -> int:
        """All rows without a usable vector."""
        return self.missing + self.broken + self.zero + self.lengths.total()


def batch_vectors(
    batch: pa.RecordBatch, columns: VectorColumns, dimension: int, counts: VectorCounts, *, signed_square: bool = False
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the vectors of a batch, float32 of shape (N, dimension), zeros where there is none, and which are usable.

    Args:
        batch: with the columns of the vectors.
        columns: which they are.
        dimension: how many numbers a vector has.
        counts: is told what is amiss.
        signed_square: True = bytes stand for (v / 127.5)² · sign(v), −128 for nothing.
    """
    numbers, there = _listed(batch, columns, dimension, counts) if len(columns.names) == 1 else _beside(batch, columns)
    if len(columns.names) > 1:
        nothing = np.isnan(numbers).all(axis=1)
        counts.missing += int(nothing.sum())
        there = ~nothing
    if signed_square:
        numbers = np.where(numbers == _ALPHA_EARTH_NOTHING, np.nan, np.sign(numbers) * np.square(numbers / 127.5))
    with np.errstate(over="ignore"):
        made = numbers.astype(np.float32)
    whole = np.isfinite(made).all(axis=1)
    counts.broken += int((there & ~whole).sum())
    usable = there & whole
    made[~usable] = 0
    lengths = np.sqrt(np.einsum("ij,ij->i", made, made, dtype=np.float64))
    nothing = usable & ~((lengths > 0) & np.isfinite(lengths))
    counts.zero += int(nothing.sum())
    usable &= ~nothing
    made[~usable] = 0
    if usable.any():
        counts.shortest = min(counts.shortest, float(lengths[usable].min()))
        counts.longest = max(counts.longest, float(lengths[usable].max()))
        counts.seen.update(hash(row.tobytes()) for row in made[usable])
    return made, usable


def usual_dimension(batch: pa.RecordBatch, columns: VectorColumns, stated: object) -> int:
    """Return how many numbers a vector has: as types or the footer say, else as most rows of the first batch have.

    Raises:
        SourceError: when there is no vector, or it is too short or too long.
    """
    found = columns.dimension
    if found is None and type(stated) is int and stated > 0:
        found = stated
    if found is None:
        lengths = _lengths(_storage(batch.column(columns.names[0])))
        lengths = lengths[lengths > 0]
        if not len(lengths):
            raise SourceError(found="the first of its vectors are all empty", remedy="give a file with whole vectors")
        found = int(np.bincount(lengths).argmax())
    if not FEWEST_DIMENSIONS <= found <= MOST_DIMENSIONS:
        what = f"its vectors have {found:,} numbers"
        raise SourceError(found=what, remedy=f"give vectors of {FEWEST_DIMENSIONS} to {MOST_DIMENSIONS:,} numbers")
    return found


def _storage(column: pa.Array) -> pa.Array:
    while isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    return column


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    """Return the length of each list, 0 for null."""
    if pa.types.is_fixed_size_list(column.type):
        return np.where(_valid(column), column.type.list_size, 0)
    lengths = np.diff(column.offsets.to_numpy().astype(np.int64))
    return np.where(_valid(column), lengths, 0)


def _valid(column: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _numbers(values: pa.Array) -> NDArray[Any]:
    """Return numbers as floats, NaN where null."""
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_integer(values.type) and values.null_count:
        values = values.cast(pa.float64())
    found: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found if found.dtype.kind == "f" else found.astype(np.float64 if found.dtype.itemsize > 2 else np.float32)


def _listed(
    batch: pa.RecordBatch, columns: VectorColumns, dimension: int, counts: VectorCounts
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    column = _storage(batch.column(columns.names[0]))
    valid, lengths = _valid(column), _lengths(column)
    fits = valid & (lengths == dimension)
    counts.missing += int((~valid).sum()) + int((valid & (lengths == 0)).sum())
    for length in lengths[valid & ~fits & (lengths > 0)].tolist():
        counts.lengths[length] += 1
    chosen = column if fits.all() else column.filter(pa.array(fits))
    flat = _numbers(_storage(chosen.flatten()))
    made = np.zeros((len(column), dimension), flat.dtype)
    made[fits] = flat.reshape(-1, dimension)
    return made, fits


def _beside(batch: pa.RecordBatch, columns: VectorColumns) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    made = np.stack([_numbers(_storage(batch.column(name))) for name in columns.names], axis=1)
    return made.astype(np.float32 if made.dtype == np.float16 else made.dtype), np.ones(len(made), dtype=np.bool_)


class RowsFile:
    """An array on the disk that is written a few rows at a time; used as a context manager.

    Args:
        path: of the ``.npy`` file.
        width: numbers a row, float32.
        most: rows at most.
    """

    def __init__(self, path: Path, width: int, most: int) -> None:
        self._file = path.open("wb")
        self._width, self.rows = width, 0
        self.digest = hashlib.sha256()
        self._header(most)

    def _header(self, rows: int) -> None:
        """Write the header, which is of one length whatever number of rows it tells (it is padded for that)."""
        about = {"descr": "<f4", "fortran_order": False, "shape": (rows, self._width)}
        np.lib.format.write_array_header_1_0(self._file, about)

    def write(self, rows: FloatArray) -> None:
        """Write the next rows, shape (n, width)."""
        content = np.ascontiguousarray(rows, "<f4").tobytes()
        self.rows += len(rows)
        self.digest.update(content)
        self._file.write(content)

    def __enter__(self) -> RowsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.seek(0)
            self._header(self.rows)
        self._file.close()
