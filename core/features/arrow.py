"""Features as Arrow tables, the form in which ``core.features.store`` keeps them; pure conversions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from core.bands import BAND_NAMES, FloatArray
from core.features.recipe import FeatureBatch, Features, Recipe
from core.scenes.patches import IntArray

READ_COLUMNS = ("patch_id", "valid_fraction", "vector", "band_mean", "band_std")
"""The columns that make ``Features``."""


def without(batches: Iterable[pa.RecordBatch], schema: pa.Schema, known: IntArray) -> pa.RecordBatchReader:
    """Return a stream of batches less the rows of known patch ids."""
    import pyarrow.compute as pc  # It takes as long to import as pyarrow itself, and is needed once in a while.

    values = pa.array(known, pa.int64())

    def stream() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.filter(pc.invert(pc.is_in(batch.column("patch_id"), value_set=values))).cast(schema)

    return pa.RecordBatchReader.from_batches(schema, stream())


def _vectors_type(width: int) -> pa.DataType:
    return pa.list_(pa.float32(), width)


def schema(dimension: int) -> pa.Schema:
    """Return the columns of a table of features of that dimension."""
    bands = _vectors_type(len(BAND_NAMES))
    return pa.schema(
        {
            "recipe": pa.string(),
            "scene": pa.string(),
            "patch_size": pa.int32(),
            "stride": pa.int32(),
            "patch_id": pa.int64(),
            "row": pa.int32(),
            "col": pa.int32(),
            "lon": pa.float64(),
            "lat": pa.float64(),
            "valid_fraction": pa.float32(),
            "vector": _vectors_type(dimension),
            "band_mean": bands,
            "band_std": bands,
        }
    )


def to_arrow(recipe: Recipe, batch: FeatureBatch, dimension: int) -> pa.Table:
    """Return rows of a batch; unknown places become null."""
    size = len(batch)
    lonlat = np.full((size, 2), np.nan) if batch.lonlat is None else batch.lonlat
    return pa.table(
        {
            "recipe": pa.repeat(recipe.key, size),
            "scene": pa.repeat(recipe.scene_id, size),
            "patch_size": pa.repeat(pa.scalar(recipe.cut.size, pa.int32()), size),
            "stride": pa.repeat(pa.scalar(recipe.cut.stride, pa.int32()), size),
            "patch_id": batch.ids,
            "row": batch.rows.astype(np.int32),
            "col": batch.cols.astype(np.int32),
            "lon": pa.array(lonlat[:, 0], from_pandas=True),
            "lat": pa.array(lonlat[:, 1], from_pandas=True),
            "valid_fraction": batch.valid_fraction,
            "vector": _fixed(batch.vectors, dimension),
            "band_mean": _fixed(batch.band_mean, len(BAND_NAMES)),
            "band_std": _fixed(batch.band_std, len(BAND_NAMES)),
        },
        schema=schema(dimension),
    )


def _fixed(values: FloatArray, width: int) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(values, np.float32).reshape(-1), width)


def to_features(recipe: Recipe, batches: Sequence[pa.RecordBatch]) -> Features:
    """Join batches with ``READ_COLUMNS`` into read-only arrays, ordered by patch id, each patch once."""
    ids = np.concatenate([batch.column("patch_id").to_numpy() for batch in batches])
    order = None if (np.diff(ids) > 0).all() else np.unique(ids, return_index=True)[1]

    def column(name: str) -> Any:  # noqa: ANN401  of any dtype
        parts = [to_numpy(batch.column(name)) for batch in batches]
        joined = np.concatenate(parts)
        joined = joined if order is None else joined[order]
        joined.flags.writeable = False
        return joined

    return from_columns(recipe, {name: column(name) for name in READ_COLUMNS})


def from_columns(recipe: Recipe, columns: Mapping[str, Any]) -> Features:
    """Return features of arrays named by ``READ_COLUMNS``."""
    return Features(
        recipe=recipe,
        patch_ids=columns["patch_id"],
        vectors=columns["vector"],
        valid_fraction=columns["valid_fraction"],
        band_mean=columns["band_mean"],
        band_std=columns["band_std"],
    )


def to_numpy(array: pa.Array) -> Any:  # noqa: ANN401  of any dtype
    """Return a column as an array of shape (N,), or (N, width) for fixed-size lists."""
    if pa.types.is_fixed_size_list(array.type):
        return array.flatten().to_numpy().reshape(-1, array.type.list_size)
    return array.to_numpy()
