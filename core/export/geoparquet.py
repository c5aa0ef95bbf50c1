"""Features as GeoParquet files for other programs, written whole or not at all; reading is ``core.export.reading``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyproj import CRS

from core.bands import FloatArray
from core.encoders.base import EncoderSpec
from core.errors import StoreError
from core.export.geometry import bounds, wkb_array
from core.export.reading import Embeddings, open_table, read_geoparquet
from core.export.tables import labels_csv, neighbours_csv, neighbours_geojson
from core.features.recipe import Features
from core.files import disk_errors, replacing
from core.scenes.labels import hand_labels, merged, patch_labels
from core.scenes.patches import IntArray, PatchGrid, corners_lonlat, source_names
from core.scenes.scene import Scene

__all__ = [
    "Embeddings", "add_positions", "labels_csv", "neighbours_csv", "neighbours_geojson", "read_geoparquet",
    "write_geoparquet",
]  # fmt: skip

COLUMNS = (
    "patch_id", "scene", "source_name", "label", "row", "col", "valid_fraction", "geometry", "vector", "band_mean",
    "band_std",
)  # fmt: skip
"""Columns of a file of features, in their order; ``add_positions`` appends ``x`` and ``y``."""

_ROW_GROUP = 4096


def write_geoparquet(path: Path, scene: Scene, grid: PatchGrid, features: Features, spec: EncoderSpec) -> None:
    """Write the features of a scene as GeoParquet 1.1; readers see the whole file or none.

    ``geometry`` holds WKB polygons in EPSG:4326, longitude first, counterclockwise; a patch across the antimeridian
    is a MultiPolygon of its two sides; null where the place is unknown. ``label`` is the class given by hand, else that
    of the truth. ``band_mean`` and ``band_std`` are reflectance in the order of ``BAND_NAMES``, as in ``Features``. The
    file's metadata has, beside ``geo``, a key ``landlike`` with the encoder's specification, the scene and the grid of
    patches as JSON.

    Raises:
        StoreError: when the file cannot be written.
    """
    ids = features.patch_ids
    corners = corners_lonlat(scene, grid, ids)
    corners = np.full((len(ids), 4, 2), np.nan) if corners is None else corners
    geometry, kinds = wkb_array(corners)
    rows, cols = np.divmod(ids, grid.n_cols)
    columns = [
        pa.array(ids, pa.int64()),
        pa.array([scene.id] * len(ids), pa.string()),
        pa.array(_of(source_names(scene), ids), pa.string()),
        pa.array(_labels(scene, grid, ids), pa.string()),
        pa.array(rows, pa.int32()),
        pa.array(cols, pa.int32()),
        pa.array(features.valid_fraction, pa.float32()),
        geometry,
        *(_matrix(values) for values in (features.vectors, features.band_mean, features.band_std)),
    ]
    metadata = {"geo": json.dumps(_geo(corners, kinds)), "landlike": json.dumps(_about(scene, grid, spec))}
    _write(path, pa.table(columns, names=list(COLUMNS)).replace_schema_metadata(metadata))


def _matrix(values: FloatArray) -> pa.FixedSizeListArray:
    rows = np.ascontiguousarray(values, dtype=np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), rows.shape[1])


def _of(names: list[str] | None, ids: IntArray) -> list[str | None]:
    return [None] * len(ids) if names is None else [names[patch_id] for patch_id in ids]


def _labels(scene: Scene, grid: PatchGrid, ids: IntArray) -> list[str | None]:
    truth = merged(hand_labels(scene, grid), patch_labels(scene, grid))
    if truth is None:
        return [None] * len(ids)
    return [truth.classes[index] if index >= 0 else None for index in truth.index[ids]]


def _geo(corners: NDArray[np.float64], kinds: set[str]) -> dict[str, object]:
    """File metadata of GeoParquet 1.1.0 (OGC; section “Metadata” of the specification)."""
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": sorted(kinds),
        "crs": CRS.from_epsg(4326).to_json_dict(),
        "edges": "planar",
        "orientation": "counterclockwise",
    }
    box = bounds(corners)
    if box is not None:
        column["bbox"] = box
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _about(scene: Scene, grid: PatchGrid, spec: EncoderSpec) -> dict[str, object]:
    """What ``landlike`` says: enough to know what the vectors mean and to find the pixels again."""
    summary = {key: getattr(scene, key) for key in ("id", "name", "kind", "date", "level", "synthetic", "created")}
    return {
        "version": 1,
        "encoder": json.loads(spec.to_json()),
        "scene": summary | {"bands": list(scene.bands), "classes": list(scene.classes), "grid": asdict(scene.grid)},
        "patches": {"size": grid.size, "stride": grid.stride, "rows": grid.n_rows, "cols": grid.n_cols},
    }


def _write(path: Path, table: pa.Table) -> None:
    """Write a table beside its place, then move it there."""
    with _beside(path) as temporary:
        pq.write_table(
            table,
            temporary,
            row_group_size=_ROW_GROUP,
            compression="zstd",
            compression_level=1,
            use_dictionary=["scene", "source_name", "label"],
        )


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A fresh name in the same directory; what is written there replaces ``path`` when the block ends well."""
    full = "free some space or choose another place"
    with disk_errors(f"Writing “{path.name}”", full=full, other="choose another place"), replacing(path) as fresh:
        yield fresh


def add_positions(path_in: Path, path_out: Path, xy: FloatArray) -> None:
    """Copy a file of features with the plot's coordinates as columns ``x`` and ``y`` (float32), metadata kept.

    Args:
        path_in: the file; it may be ``path_out``.
        path_out: where the copy goes; readers see it whole or not at all.
        xy: shape (N, 2), in the order of the file's rows.

    Raises:
        StoreError: when the file cannot be read or written, or N differs.
    """
    table = open_table(path_in, f"Reading “{path_in.name}”")
    if len(xy) != table.num_rows:
        found = f"there are {len(xy)} positions for {table.num_rows} patches"
        raise StoreError(f"Adding positions to “{path_in.name}”", found, "project the same file")
    table = table.drop_columns([name for name in ("x", "y") if name in table.column_names])
    for name, values in zip(("x", "y"), np.asarray(xy, dtype=np.float32).T, strict=True):
        table = table.append_column(name, pa.array(np.ascontiguousarray(values), pa.float32()))
    _write(path_out, table)
