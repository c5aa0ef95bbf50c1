"""Reading GeoParquet files of features, ours or another program's with the same columns; writing is ``geoparquet``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.errors import PatchError, StoreError
from core.export.geometry import centres
from core.scenes.patches import IntArray

_REMEDY = "give a file that “python -m core embed” wrote"


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Features read from a file.

    Attributes:
        patch_ids: int64 of shape (N,), in the order of the file.
        vectors: finite float32 of shape (N, D), read-only.
        lonlat: centres in degrees, shape (N, 2), NaN where unknown; None when all are.
        positions: the plot's x and y, float32 of shape (N, 2); None when the file has none.
        band_mean: float32 of shape (N, 13), as in ``Features``; None when the file has none.
        band_std: float32 of shape (N, 13), likewise.
        spec: the encoder's specification as written; empty when the file says nothing of it.
        scene: the scene's summary as written; empty likewise.
        cut: size and stride of its patches as written; empty likewise.
        table: all columns and metadata.
    """

    patch_ids: IntArray
    vectors: FloatArray
    lonlat: NDArray[np.float64] | None
    positions: FloatArray | None
    band_mean: FloatArray | None
    band_std: FloatArray | None
    spec: dict[str, Any]
    scene: dict[str, Any]
    cut: dict[str, Any]
    table: pa.Table

    def __len__(self) -> int:
        return len(self.patch_ids)

    def position(self, patch_id: int) -> int:
        """Row of a patch.

        Raises:
            PatchError: when the file has no such patch.
        """
        rows = np.flatnonzero(self.patch_ids == patch_id)
        if not len(rows):
            found = f"the file holds {len(self)} patches and not this one"
            raise PatchError(f"Looking up patch {patch_id}", found, "choose one of its patches")
        return int(rows[0])


def read_geoparquet(path: Path) -> Embeddings:
    """Read a file that ``write_geoparquet`` or ``add_positions`` wrote, or one with the columns both need.

    Raises:
        StoreError: when it cannot be read, is no Parquet file, or holds no usable features.
    """
    asked = f"Reading “{path.name}”"
    table = open_table(path, asked)
    lacking = [name for name in ("patch_id", "vector") if name not in table.column_names]
    if lacking:
        raise StoreError(asked, f"it has no column {' and no column '.join(lacking)}", _REMEDY)
    try:
        ids = table.column("patch_id").to_numpy().astype(np.int64, casting="safe")
        vectors = _vectors(table.column("vector"))
        lonlat = centres(table.column("geometry")) if "geometry" in table.column_names else None
        about = json.loads((table.schema.metadata or {}).get(b"landlike", b"{}"))
        spec, scene, cut = (dict(about.get(name, {})) for name in ("encoder", "scene", "patches"))
        places = _positions(table)
        bands = [_bands(table, name) for name in ("band_mean", "band_std")]
    except (pa.ArrowException, ValueError, TypeError, AttributeError) as error:
        raise StoreError(asked, f"its contents are not features of patches ({_brief(error)})", _REMEDY) from error
    if len(np.unique(ids)) != len(ids):
        raise StoreError(asked, "some patch ids occur twice", _REMEDY)
    return Embeddings(
        patch_ids=ids,
        vectors=vectors,
        lonlat=None if lonlat is None or np.isnan(lonlat).all() else lonlat,
        positions=places,
        band_mean=bands[0],
        band_std=bands[1],
        spec=spec,
        scene=scene,
        cut=cut,
        table=table,
    )


def open_table(path: Path, asked: str) -> pa.Table:
    """All of a Parquet file.

    Raises:
        StoreError: when it cannot be read or is no Parquet file.
    """
    if not path.is_file():
        raise StoreError(asked, "there is no such file", "check the path")
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except PermissionError as error:
        raise StoreError(asked, "it may not be read", "check the rights of the file") from error
    except (pa.ArrowException, OSError) as error:
        raise StoreError(asked, "it is no Parquet file, or it is cut off or damaged", _REMEDY) from error


def _vectors(column: pa.ChunkedArray) -> FloatArray:
    """Lists of numbers, all of one length, as a matrix.

    Raises:
        ValueError: when they are not, saying how.
    """
    if not (pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type)):
        raise ValueError("the vectors are not lists")
    if column.null_count or not len(column):
        raise ValueError("a vector is missing" if len(column) else "there are no rows")
    flat = pa.concat_arrays([chunk.flatten() for chunk in column.chunks]).to_numpy(zero_copy_only=False)
    matrix: FloatArray = flat.astype(np.float32, copy=False)
    lengths = {column.type.list_size} if pa.types.is_fixed_size_list(column.type) else _lengths(column)
    if len(lengths) != 1 or 0 in lengths or matrix.size != len(column) * max(lengths):
        raise ValueError("the vectors differ in length")
    if not np.isfinite(matrix).all():
        raise ValueError("a vector holds something that is not a finite number")
    matrix = matrix.reshape(len(column), -1)
    matrix.flags.writeable = False
    return matrix


def _lengths(column: pa.ChunkedArray) -> set[int]:
    return {int(length) for chunk in column.chunks for length in np.unique(np.diff(chunk.offsets.to_numpy()))}


def _positions(table: pa.Table) -> FloatArray | None:
    if not {"x", "y"} <= set(table.column_names):
        return None
    pair = [table.column(name).to_numpy().astype(np.float32) for name in ("x", "y")]
    places: FloatArray = np.stack(pair, axis=1)
    return places


def _bands(table: pa.Table, name: str) -> FloatArray | None:
    """A column of numbers by band; None where the file has no such column.

    Raises:
        ValueError: when there are not thirteen of them, saying so.
    """
    if name not in table.column_names:
        return None
    found = _vectors(table.column(name))
    if found.shape[1] != len(BAND_NAMES):
        raise ValueError(f"{name} has {found.shape[1]} bands")
    return found


def _brief(error: Exception) -> str:
    """The first clause of a library's message, without its full stop."""
    return str(error).splitlines()[0].split(". ")[0].rstrip(".")[:120]
