"""Patches as GeoPackage and KML, by GDAL through pyogrio, which is imported only when such a file is written."""

from __future__ import annotations

import html
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.export.geometry import Shapes
from core.export.rows import ExportRows

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LAYER = "patches"
"""Name of the layer."""


def geopackage(rows: ExportRows) -> bytes:
    """Return patches as GeoPackage, in the scene's reference system where it has one, else in EPSG:4326."""
    from pyogrio import write_dataframe

    shapes, crs = (rows.shapes, "EPSG:4326") if rows.planar is None else (rows.planar, rows.crs)
    about = {"DESCRIPTION": json.dumps(dict(rows.about), ensure_ascii=False)}
    with tempfile.TemporaryDirectory(prefix="landlike-export-") as folder:
        path = Path(folder) / "patches.gpkg"
        write_dataframe(_frame(rows.columns, shapes, crs), path, driver="GPKG", layer=LAYER, layer_options=about)
        return path.read_bytes()


def kml(rows: ExportRows) -> bytes:
    """Return patches as KML 2.2: red outlines without a filling, named by class, label or number.

    Viewers of KML show names as HTML, so that ``<`` and ``&`` of a name are written as ``&lt;`` and ``&amp;``.
    """
    from pyogrio import write_dataframe

    columns = {"Name": _titles(rows)} | {name: _plain(column) for name, column in rows.columns.items()}
    with tempfile.TemporaryDirectory(prefix="landlike-export-") as folder:
        path = Path(folder) / "patches.kml"
        frame = _frame(columns, rows.shapes, "EPSG:4326")
        write_dataframe(frame, path, driver="KML", layer=LAYER, dataset_options={"NameField": "Name"})
        return path.read_bytes()


def _frame(columns: Mapping[str, NDArray[Any]], shapes: Shapes, crs: str | None) -> GeoDataFrame:
    from geopandas import GeoDataFrame, GeoSeries

    return GeoDataFrame(dict(columns), geometry=GeoSeries(list(shapes), crs=crs))


def _titles(rows: ExportRows) -> NDArray[np.object_]:
    """Return what each patch is called: its class, else its label, else its number."""
    empty = np.full(len(rows), None, dtype=object)
    named = [rows.columns.get(name, empty) for name in ("class", "label")]
    ids = rows.columns.get("patch_id", np.arange(len(rows)))
    found = [one or other or f"patch {patch}" for one, other, patch in zip(*named, ids.tolist(), strict=True)]
    return _plain(np.array([*found, None], dtype=object)[:-1])


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column as KML can show it: texts that no viewer takes for HTML, numbers with the digits they have."""
    if column.dtype == object:
        return np.array([None if one is None else html.escape(str(one), quote=False) for one in [*column, None]][:-1])
    if column.dtype.kind in "iu" and np.abs(column, dtype=np.float64).max(initial=0) < 2**31:
        return column.astype(np.int32)
    return np.array([float(str(one)) for one in column]) if column.dtype == np.float32 else column
