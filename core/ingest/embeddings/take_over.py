"""Takes over what the sandbox wrote of a file of vectors: every array is checked, and tables are written from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.features.vector_table import VECTOR_CELL, check_table
from core.ingest.messages import clean_name, unreadable
from core.ingest.sandbox.protocol import IngestResult
from core.scenes.scene import GivenVectors

GIVEN_FILES = ("vectors.npy", "rows.npy", "statistics.npy", "values.parquet")
"""What a scene without pixels keeps beside its places and record."""


def take_over(staged: Path, result: IngestResult) -> None:
    """Check the arrays in a folder, and write ``places.parquet`` and ``values.parquet`` from them.

    Raises:
        SourceError: when they are not what they are said to be.
    """
    given, cells = result.given, (result.grid.height // VECTOR_CELL) * (result.grid.width // VECTOR_CELL)
    try:
        if given is None or result.patch_size != VECTOR_CELL or any(path.is_symlink() for path in staged.glob("*.npy")):
            raise ValueError("patches")
        statistics = _array(staged / "statistics.npy") if given.statistics else None
        ids, vectors = _array(staged / "rows.npy"), _array(staged / "vectors.npy")
        check_table(ids, vectors, statistics, dimension=given.encoder["dimension"], cells=cells)
        _write_places(staged, cells)
        _write_values(staged, given, cells)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable() from error


def _array(path: Path) -> Any:  # noqa: ANN401  of any dtype
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _write_places(staged: Path, cells: int) -> None:
    corners = np.array(_array(staged / "corners.npy"))
    names = json.loads((staged / "names.json").read_text(encoding="utf-8"))
    if corners.shape != (cells, 8) or corners.dtype != np.float64 or len(names) != cells:
        raise ValueError("places")
    corners[~np.isfinite(corners).all(axis=1)] = np.nan
    table = pa.table(
        {
            "patch_id": pa.array(np.arange(cells), pa.int64()),
            "source_name": pa.array([clean_name(str(name), 200) for name in names], pa.string()),
            "label": pa.nulls(cells, pa.string()),
            "corners": pa.FixedSizeListArray.from_arrays(pa.array(corners.ravel()), 8),
            "crs": pa.nulls(cells, pa.string()),
        }
    )
    pq.write_table(table, staged / "places.parquet", compression="zstd")


def _write_values(staged: Path, given: GivenVectors, cells: int) -> None:
    columns = _array(staged / "columns.npy")
    if columns.shape != (len(given.columns), cells) or columns.dtype != np.float32:
        raise ValueError("columns")
    found: dict[str, pa.Array] = {}
    for one, numbers in zip(given.columns, columns, strict=True):
        known = numbers[np.isfinite(numbers)]
        outside = len(known) and one.kind != "number" and not 0 <= known.min() <= known.max() < len(one.classes)
        if outside or one.name in found:
            raise ValueError("columns")
        found[one.name] = pa.array(numbers, pa.float32())
    if found:
        pq.write_table(pa.table(found), staged / "values.parquet", compression="zstd")
