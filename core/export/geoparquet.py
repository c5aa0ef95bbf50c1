"""Features as GeoParquet files: ours, written whole or not at all, and read; or those of another program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyproj import CRS

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import EncoderSpec
from core.errors import PatchError, StoreError
from core.export.geometry import Shapes, bounds, centres, polygons, wkb_array
from core.features.recipe import Features
from core.files import disk_errors, replacing
from core.scenes.labels import hand_labels, merged, patch_labels
from core.scenes.patches import IntArray, PatchGrid, corners_lonlat
from core.scenes.places import source_names
from core.scenes.scene import Scene
from core.scenes.truth import truth_of

COLUMNS = (
    "patch_id", "scene", "source_name", "label", "row", "col", "valid_fraction", "geometry", "vector", "band_mean",
    "band_std",
)  # fmt: skip
"""Columns of a file of features, in their order; values of patches follow, and ``x`` and ``y`` of ``add_positions``."""

_ROW_GROUP = 4096
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
        cut: how its patches were cut (``Cut.to_dict``) and how many rows and columns there were; empty likewise.
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
        """Return the row of a patch.

        Raises:
            PatchError: when the file has no such patch.
        """
        rows = np.flatnonzero(self.patch_ids == patch_id)
        if not len(rows):
            found = f"the file holds {len(self)} patches and not this one"
            raise PatchError(f"Looking up patch {patch_id}", found, "choose one of its patches")
        return int(rows[0])


def write_geoparquet(
    path: Path,
    scene: Scene,
    grid: PatchGrid,
    features: Features,
    spec: EncoderSpec,
    *,
    values: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> None:
    """Write the features of a scene as GeoParquet 1.1; readers see the whole file or none.

    ``geometry`` holds WKB polygons in EPSG:4326, longitude first, counterclockwise; a patch across the antimeridian
    is a MultiPolygon of its two sides; null where the place is unknown. ``label`` is the class given by hand, else that
    of the truth. ``band_mean`` and ``band_std`` are reflectance in the order of ``BAND_NAMES``, as in ``Features``. The
    file's metadata has, beside ``geo``, a key ``landlike`` with the encoder's specification, the scene and the grid of
    patches as JSON. After these columns come ``values``, by name, each float32 of shape (N,), NaN = none, or
    strings.

    Raises:
        StoreError: when the file cannot be written.
    """
    ids = features.patch_ids
    corners = corners_lonlat(scene, grid, ids)
    shapes = polygons(np.full((len(ids), 4, 2), np.nan) if corners is None else corners)
    geometry, kinds = wkb_array(shapes)
    rows, cols = grid.rows_cols(ids)
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
    kinds_of = {name: pa.string() if cells.dtype == object else pa.float32() for name, cells in values.items()}
    columns += [pa.array(cells, kinds_of[name], from_pandas=True) for name, cells in values.items()]
    metadata = {"geo": json.dumps(_geo(shapes, kinds)), "landlike": json.dumps(_about(scene, grid, spec))}
    _write(path, pa.table(columns, names=[*COLUMNS, *values]).replace_schema_metadata(metadata))


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


def _geo(shapes: Shapes, kinds: set[str]) -> dict[str, object]:
    """Return the file metadata of GeoParquet 1.1.0 (OGC; section “Metadata” of the specification)."""
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": sorted(kinds),
        "crs": CRS.from_epsg(4326).to_json_dict(),
        "edges": "planar",
        "orientation": "counterclockwise",
    }
    box = bounds(shapes)
    if box is not None:
        column["bbox"] = box
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _about(scene: Scene, grid: PatchGrid, spec: EncoderSpec) -> dict[str, object]:
    """Return what ``landlike`` says: enough to know what the vectors mean and to find the pixels again."""
    summary = {key: getattr(scene, key) for key in ("id", "name", "kind", "date", "level", "synthetic", "created")}
    truth = truth_of(scene)
    classes = () if truth is None else truth.classes
    return {
        "version": 1,
        "encoder": json.loads(spec.to_json()),
        "scene": summary | {"bands": list(scene.bands), "classes": list(classes), "grid": asdict(scene.grid)},
        "patches": {**grid.cut.to_dict(), "rows": grid.n_rows, "cols": grid.n_cols},
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
    """Return a fresh name in the same directory; what is written there replaces ``path`` when the block ends well."""
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
    """Return all of a Parquet file.

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
    """Return the lists of numbers, all of one length, as a matrix.

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
    """Return a column of numbers by band; None where the file has no such column.

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
    """Return the first clause of a library's message, without its full stop."""
    return str(error).splitlines()[0].split(". ")[0].rstrip(".")[:120]
