"""Features as GeoParquet files: ours, written whole or not at all, and read; or those of another program."""

from __future__ import annotations

import io
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
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import EncoderSpec
from core.errors import PatchError, StoreError
from core.export.embedding import embedding_footer
from core.export.geometry import Shapes, bounds, middles, outlines_of, patch_shapes, type_names, wkb_array
from core.export.rows import ExportRows, area_column, label_names
from core.features.recipe import Features
from core.files import disk_errors, replacing
from core.scenes.labels import hand_labels, merged, patch_labels
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.places import source_names
from core.scenes.scene import Scene
from core.scenes.truth import truth_of

COLUMNS = (
    "patch_id", "scene", "source_name", "label", "row", "col", "valid_fraction", "geometry", "vector", "band_mean",
    "band_std", "area_ha", "date", "encoder",
)  # fmt: skip
"""Columns of a file of features, in their order.

Values of patches follow, then ``bbox``, and ``x`` and ``y`` of ``add_positions``.
"""

_ROW_GROUP = 4096
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_DICTIONARIES = ("scene", "source_name", "label", "class", "date", "encoder")
_REMEDY = "give a file that “python -m core embed” wrote"


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Features read from a file, by ascending patch id: files lie along a curve on the ground, or by rank.

    Attributes:
        patch_ids: int64 of shape (N,), ascending.
        vectors: finite float32 of shape (N, D), read-only.
        lonlat: centres in degrees, shape (N, 2), NaN where unknown; None when all are.
        positions: the plot's x and y, float32 of shape (N, 2); None when the file has none.
        band_mean: float32 of shape (N, 13), as in ``Features``; None when the file has none.
        band_std: float32 of shape (N, 13), likewise.
        spec: the encoder's specification as written; empty when the file says nothing of it.
        scene: the scene's summary as written; empty likewise.
        cut: how its patches were cut (``Cut.to_dict``) and how many rows and columns there were; empty likewise.
        table: all columns and metadata, in the same order.
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
    of the truth. ``band_mean`` and ``band_std`` are reflectance in the order of ``BAND_NAMES``, as in ``Features``;
    ``area_ha`` is that of the pixels that hold data, measured on the ellipsoid. After these columns come ``values``, by
    name, each float32 of shape (N,), NaN = none, or strings; then ``bbox``, the box of each outline. Rows lie along a
    Hilbert curve, so that a reader of a place reads few of them.

    The file's metadata has, beside ``geo``, a key ``landlike`` with the encoder's specification, the scene and the grid
    of patches as JSON; and ``emb``, as ``core.export.embedding`` says.

    Raises:
        StoreError: when the file cannot be written.
    """
    ids = features.patch_ids
    shapes = patch_shapes(scene, grid, ids)
    rows, cols = grid.rows_cols(ids)
    columns = {
        "patch_id": pa.array(ids, pa.int64()),
        "scene": pa.array([scene.id] * len(ids), pa.string()),
        "source_name": pa.array(_of(source_names(scene), ids), pa.string()),
        "label": pa.array(label_names(merged(hand_labels(scene, grid), patch_labels(scene, grid)), ids), pa.string()),
        "row": pa.array(rows, pa.int32()),
        "col": pa.array(cols, pa.int32()),
        **_share_of_pixels(scene, features),
        "geometry": wkb_array(shapes),
        "vector": _matrix(features.vectors),
        **_statistics(scene, features),
        "area_ha": pa.array(area_column(shapes, features.valid_fraction), pa.float64(), from_pandas=True),
        "date": pa.array([scene.date] * len(ids), pa.string()),
        "encoder": pa.array([spec.name] * len(ids), pa.string()),
    }
    kinds = {name: pa.string() if cells.dtype == object else pa.float32() for name, cells in values.items()}
    columns |= {name: pa.array(cells, kinds[name], from_pandas=True) for name, cells in values.items()}
    _write(path, _placed(columns, shapes, _about(scene, grid, spec)))


def parquet_bytes(rows: ExportRows) -> bytes:
    """Return rows as a GeoParquet file like that of ``write_geoparquet``; ranked ones stay in their order."""
    columns = {name: _column(cells) for name, cells in rows.columns.items()}
    columns |= {"geometry": wkb_array(rows.shapes)}
    columns |= {name: _matrix(numbers) for name, numbers in rows.matrices.items()}
    buffer = io.BytesIO()
    _write_table(buffer, _placed(columns, rows.shapes, rows.about, ranked="rank" in columns))
    return buffer.getvalue()


def _share_of_pixels(scene: Scene, features: Features) -> dict[str, pa.Array]:
    """Return the share of pixels with data, as far as there are pixels."""
    return {"valid_fraction": pa.array(features.valid_fraction, pa.float32())} if scene.has_pixels else {}


def _statistics(scene: Scene, features: Features) -> dict[str, pa.Array]:
    """Return means and deviations of bands, as far as a scene has bands."""
    if not scene.bands:
        return {}
    return {"band_mean": _matrix(features.band_mean), "band_std": _matrix(features.band_std)}


def _column(cells: NDArray[Any]) -> pa.Array:
    return pa.array(cells, pa.string() if cells.dtype == object else None, from_pandas=True)


def _placed(
    columns: Mapping[str, pa.Array], shapes: Shapes, about: Mapping[str, Any], *, ranked: bool = False
) -> pa.Table:
    """Return the table of a file, with boxes of the outlines; neighbours on the ground lie near each other in it.

    Args:
        columns: among them the outlines.
        shapes: the outlines.
        about: what ``landlike`` says.
        ranked: True = the order means something and stays.
    """
    footer = {"geo": json.dumps(_geo(shapes)), "landlike": json.dumps(dict(about))}
    vector = columns.get("vector")
    if vector is not None and "encoder" in about:
        footer["emb"] = json.dumps(embedding_footer(about, vector.type.list_size))
    table = pa.table({**columns, "bbox": _boxes(shapes)}).replace_schema_metadata(footer)
    return table if ranked else table.take(pa.array(_along_hilbert(shapes)))


def _boxes(shapes: Shapes) -> pa.StructArray:
    """Return west, south, east and north of each outline, as the covering of GeoParquet 1.1; null where unknown."""
    boxes = shapely.bounds(shapes).reshape(-1, 4)
    sides = [pa.array(side, pa.float64()) for side in np.ascontiguousarray(boxes.T)]
    unknown = pa.array(np.isnan(boxes).any(axis=1))
    return pa.StructArray.from_arrays(sides, names=list(_SIDES), mask=unknown)


def _along_hilbert(shapes: Shapes) -> IntArray:
    """Return rows in the order of a Hilbert curve over the middles of their boxes, those without a place last."""
    from geopandas import GeoSeries

    known = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if not len(known):
        return np.arange(len(shapes))
    along = GeoSeries(shapes[known]).hilbert_distance().to_numpy()
    rest = np.setdiff1d(np.arange(len(shapes)), known)
    order: IntArray = np.concatenate([known[np.argsort(along, kind="stable")], rest])
    return order


def _matrix(values: FloatArray) -> pa.FixedSizeListArray:
    rows = np.ascontiguousarray(values, dtype=np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), rows.shape[1])


def _of(names: list[str] | None, ids: IntArray) -> list[str | None]:
    return [None] * len(ids) if names is None else [names[patch_id] for patch_id in ids]


def _geo(shapes: Shapes) -> dict[str, object]:
    """Return the file metadata of GeoParquet 1.1.0 (OGC; section “Metadata” of the specification)."""
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": type_names(shapes),
        "crs": CRS.from_epsg(4326).to_json_dict(),
        "edges": "planar",
        "orientation": "counterclockwise",
        "covering": {"bbox": {side: ["bbox", side] for side in _SIDES}},
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
        _write_table(temporary, table)


def _write_table(where: Path | io.BytesIO, table: pa.Table) -> None:
    texts = [name for name in _DICTIONARIES if name in table.column_names]
    pq.write_table(
        table, where, row_group_size=_ROW_GROUP, compression="zstd", compression_level=1, use_dictionary=texts or False
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
        xy: shape (N, 2), by ascending patch id, as ``read_geoparquet`` gives them.

    Raises:
        StoreError: when the file cannot be read or written, or N differs.
    """
    table = open_table(path_in, f"Reading “{path_in.name}”")
    if len(xy) != table.num_rows:
        found = f"there are {len(xy)} positions for {table.num_rows} patches"
        raise StoreError(f"Adding positions to “{path_in.name}”", found, "project the same file")
    table = table.drop_columns([name for name in ("x", "y") if name in table.column_names])
    places = np.empty_like(xy, dtype=np.float32)
    places[_by_id(table)] = xy
    for name, values in zip(("x", "y"), places.T, strict=True):
        table = table.append_column(name, pa.array(np.ascontiguousarray(values), pa.float32()))
    _write(path_out, table)


def read_geoparquet(path: Path) -> Embeddings:
    """Read a file that ``write_geoparquet`` or ``add_positions`` wrote, or one of another program with ``vector``.

    Without ``patch_id`` the rows are numbered from 0.

    Raises:
        StoreError: when it cannot be read, is no Parquet file, or holds no usable features.
    """
    asked = f"Reading “{path.name}”"
    table = open_table(path, asked)
    lacking = [name for name in ("patch_id", "vector") if name not in table.column_names]
    if lacking:
        if "vector" in lacking:
            raise StoreError(asked, f"it has no column {' and no column '.join(lacking)}", _REMEDY)
        table = table.append_column("patch_id", pa.array(np.arange(table.num_rows), pa.int64()))
    try:
        table = table.take(pa.array(_by_id(table)))
        ids = _ids(table)
        vectors = _vectors(table.column("vector"))
        table, lonlat = _in_lonlat(table)
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


def _in_lonlat(table: pa.Table) -> tuple[pa.Table, NDArray[np.float64] | None]:
    """Return a table with its outlines in longitude and latitude, and the middle of each; None without outlines."""
    if "geometry" not in table.column_names:
        return table, None
    shapes = outlines_of(table)
    place = table.column_names.index("geometry")
    return table.set_column(place, "geometry", wkb_array(shapes)), middles(shapes)


def _ids(table: pa.Table) -> IntArray:
    ids: IntArray = table.column("patch_id").to_numpy().astype(np.int64, casting="safe")
    return ids


def _by_id(table: pa.Table) -> IntArray:
    """Return the rows of a table by ascending patch id."""
    return np.argsort(_ids(table), kind="stable")


def open_table(path: Path, asked: str, remedy: str = _REMEDY) -> pa.Table:
    """Return all of a Parquet file.

    Raises:
        StoreError: when it cannot be read or is no Parquet file.
    """
    if not path.is_file():
        found = "that is a folder" if path.is_dir() else "there is no such file"
        raise StoreError(asked, found, "check the path")
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except PermissionError as error:
        raise StoreError(asked, "it may not be read", "check the rights of the file") from error
    except (pa.ArrowException, OSError) as error:
        raise StoreError(asked, "it is no Parquet file, or it is cut off or damaged", remedy) from error


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
