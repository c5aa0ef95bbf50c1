"""The map as files: patches with class and confidence, and a cloud-optimised GeoTIFF with its style for QGIS."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.classification.schemes import LandClass
from core.evaluation.classifier import Named
from core.export.formats import FORMATS
from core.export.qgis import MapClass
from core.export.raster import NO_DATA_CODE, UNSURE_CODE, map_cells, write_class_map
from core.export.rows import ExportRows, scene_rows
from core.values.predicted import sure_patches
from pages.ui.state.scene_view import SceneView


def map_files(known: SceneView, classes: Sequence[LandClass]) -> None:
    """Draw a button a file; a file is made when its button is pressed."""
    found = known.classified()
    if found is None:
        return
    stem = f"classes-{known.scene.id}"
    with st.container(horizontal=True, key="classify_files"):
        if known.scene.kind == "scene" and known.scene.grid.crs is not None:
            st.download_button(
                "Map for QGIS", lambda: class_map_zip(known, found, classes, stem), f"{stem}.zip", "application/zip",
                key="classify_tif", on_click="ignore", icon=":material/download:",
                help="A cloud-optimised GeoTIFF of classes and confidence, with colours, names and a QGIS style",
            )  # fmt: skip
        for name in ("parquet", "gpkg", "csv"):
            if name in FORMATS:
                kind = FORMATS[name]
                st.download_button(
                    kind.title, lambda kind=kind: kind.encode(_rows(known, found)), f"{stem}.{name}", kind.media_type,
                    key=f"classify_{name}", on_click="ignore", icon=":material/download:",
                )  # fmt: skip


def _rows(known: SceneView, found: Named) -> ExportRows:
    columns = {
        "class": np.array(found.classes, dtype=object)[found.index],
        "probability": found.confidence,
        "abstained": ~sure_patches(known, found),
    }
    return scene_rows(
        known.scene, known.grid, known.table.patch_ids, encoder=known.recipe.encoder, labels=known.labels.given,
        columns=columns,
    )  # fmt: skip


def class_map_zip(known: SceneView, found: Named, classes: Sequence[LandClass], stem: str) -> bytes:
    """Return a zip of the GeoTIFF of classes and what lies beside it."""
    cells = map_cells(known.scene.grid, known.grid)
    by_name = {one.name: one for one in classes}
    coded = np.array([by_name[name].code for name in found.classes])[found.index]
    codes = np.where(sure_patches(known, found), coded, UNSURE_CODE)
    ids = known.table.patch_ids
    with tempfile.TemporaryDirectory() as folder:
        files = write_class_map(
            Path(folder) / f"{stem}.tif", cells.spread(ids, codes, NO_DATA_CODE), cells.place,
            [MapClass(code=one.code, name=one.title, colour=one.colour) for one in classes],
            cells.spread(ids, found.confidence, np.nan),
        )  # fmt: skip
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
    return buffer.getvalue()
