"""Patches of a file of features as rows to export: chosen ones, in a new order, with what was found out about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.export.geometry import Shapes, read_wkb
from core.export.geoparquet import Embeddings
from core.export.rows import NO_COLUMNS, ExportRows, area_column, constant, ordered, planar_shapes
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

_HIDDEN = ("geometry", "bbox", "x", "y")
"""Columns of a file of features that are written anew, and where the plot put a patch."""


def file_rows(
    table: Embeddings,
    positions: IntArray | None = None,
    *,
    columns: Mapping[str, NDArray[Any]] = NO_COLUMNS,
    vectors: bool = False,
) -> ExportRows:
    """Return patches of a file of features with its columns and further ones.

    Args:
        table: the file.
        positions: rows of the file, in the order of the new one; None = all of them.
        columns: what else is said of them, such as ``rank``, ``similarity`` or ``class``, each of shape (N,); they
            take the place of the file's columns of the same name.
        vectors: True = Parquet holds features and band statistics again, so that the result is a file of features.
    """
    positions = np.arange(len(table)) if positions is None else positions
    chosen, ids = table.table.take(pa.array(positions)), table.patch_ids[positions]
    shapes = file_shapes(chosen)
    named = _known(table, len(ids)) | _scalars(chosen) | {"patch_id": ids}
    valid = valid_shares(chosen)
    if valid is not None or "area_ha" not in named:  # Earlier versions wrote the area of the whole outline.
        named["area_ha"] = area_column(shapes, valid)
    held = {"vector": table.vectors, "band_mean": table.band_mean, "band_std": table.band_std} if vectors else {}
    place = file_place(table)
    about = {"scene": table.scene, "encoder": table.spec, "patches": table.cut}
    return ExportRows(
        columns=ordered(named | dict(columns)),
        shapes=shapes,
        crs=None if place is None else place[0].crs,
        planar=None if place is None else planar_shapes(*place, ids),
        matrices={name: numbers[positions] for name, numbers in held.items() if numbers is not None},
        about={key: said for key, said in about.items() if said},
    )


def file_shapes(table: pa.Table) -> Shapes:
    """Return the outlines of a file of features, shapely's, of shape (N,), None where unknown."""
    if "geometry" not in table.column_names:
        return np.full(table.num_rows, None, dtype=object)
    return read_wkb(table.column("geometry"))


def valid_shares(table: pa.Table) -> NDArray[np.float64] | None:
    """Return the share of the pixels of each patch that hold data, 0 to 1, shape (N,); None where it is not said.

    What others call ``valid_fraction`` and is no share from 0 to 1 of every patch says nothing.
    """
    column = table.column("valid_fraction") if "valid_fraction" in table.column_names else None
    if column is None or not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return None
    found: NDArray[np.float64] = column.to_numpy().astype(np.float64)
    return found if ((found >= 0) & (found <= 1)).all() else None


def _known(table: Embeddings, count: int) -> dict[str, NDArray[Any]]:
    """Return what a file says of all its patches at once; files of earlier versions say it nowhere else."""
    said = {"scene": table.scene.get("id"), "date": table.scene.get("date"), "encoder": table.spec.get("name")}
    return {name: constant(text, count) for name, text in said.items() if text}


def _scalars(table: pa.Table) -> dict[str, NDArray[Any]]:
    """Return the columns that are a number, a truth value or a text a patch."""
    found: dict[str, NDArray[Any]] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if name in _HIDDEN or (name == "source_name" and column.null_count == len(column)):
            continue
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found[name] = np.array([*column.to_pylist(), None], dtype=object)[:-1]
        elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
            found[name] = column.to_numpy()
    return found


def file_place(table: Embeddings) -> tuple[GeoBox, PatchGrid] | None:
    """Return where the pixels of a file's scene lie and how it was cut; None where the file does not say it."""
    grid = grid_of_file(table)
    try:
        if grid is None or table.scene["grid"]["crs"] is None:
            return None
        return GeoBox(**table.scene["grid"] | {"transform": tuple(table.scene["grid"]["transform"])}), grid
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def grid_of_file(table: Embeddings) -> PatchGrid | None:
    """Return how a file's scene was cut, wherever it lies; None for a collection, and where the file does not say."""
    cut = Cut.from_dict(table.cut)
    try:
        if cut is None or table.scene.get("kind") != "scene":
            return None
        grid = PatchGrid(height=table.scene["grid"]["height"], width=table.scene["grid"]["width"], cut=cut)
        counted = (grid.n_rows, grid.n_cols) == (table.cut.get("rows"), table.cut.get("cols"))
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return grid if counted and int(table.patch_ids.max(initial=0)) < grid.count else None
