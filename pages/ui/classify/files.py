"""The map as files: patches with class and confidence, and a cloud-optimised GeoTIFF with its style for QGIS."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

from core.classification.maps.choice import BY_ENCODER, SAVED
from core.classification.maps.files import map_facts, write_map
from core.classification.models import HEAD_KINDS
from core.classification.schemes import LandClass
from core.engine.class_map import cut_of_map, head_or_none, map_cells_of
from core.errors import StoreError
from core.evaluation.classifier import Named
from core.export.formats import FORMATS
from core.export.rows import ExportRows, scene_rows
from core.scenes.patches import patch_grid
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
                "Map for QGIS", lambda: class_map_zip(known, classes, stem), f"{stem}.zip", "application/zip",
                key="classify_tif", on_click="ignore", icon=":material/download:",
                help="A cloud-optimised GeoTIFF of classes and confidence, with colours, names and a QGIS style",
            )  # fmt: skip
        for name in ("parquet", "gpkg", "csv"):
            if name in FORMATS:
                kind = FORMATS[name]
                st.download_button(
                    kind.title, lambda kind=kind: kind.encode(map_rows(known, found)), f"{stem}.{name}",
                    kind.media_type, key=f"classify_{name}", on_click="ignore", icon=":material/download:",
                    help="A row a patch: class, probability, whether it is left unsure",
                )  # fmt: skip


def map_rows(known: SceneView, found: Named) -> ExportRows:
    """Return the patches with their class on the map; the file says how the map was made."""
    columns = {
        "class": np.array(found.classes, dtype=object)[found.index],
        "probability": found.confidence,
        "abstained": ~sure_patches(known, found),
    }
    rows = scene_rows(
        known.scene, known.grid, known.table.patch_ids, encoder=known.recipe.encoder, labels=known.labels.given,
        columns=columns,
    )  # fmt: skip
    return replace(rows, about={**rows.about, "map": facts_of(known, finer=False)})


def facts_of(known: SceneView, *, finer: bool) -> Mapping[str, str]:
    """Return how the map was made, for files; of its finer cells or of patches."""
    choice, head = known.choice, head_or_none(known)
    cut = cut_of_map(known) if finer else None
    grid = known.grid if cut is None else patch_grid(known.scene, cut)
    kind = "" if head is None else HEAD_KINDS[head.kind]
    by = {BY_ENCODER: f"the encoder’s own classes, {kind}"}.get(choice.head, f"{kind} on labels by hand")
    if choice.head.startswith(SAVED):
        by = f"{kind}, saved as {choice.head.removeprefix(SAVED)}"
    return map_facts(choice, grid, by)


def class_map_zip(known: SceneView, classes: Sequence[LandClass], stem: str) -> bytes:
    """Return a zip of the GeoTIFF of the map as it is shown, finer and smoothed where it is, and what lies beside it.

    Raises:
        StoreError: when there is no map, or it cannot be written.
    """
    cells, cut = map_cells_of(known), cut_of_map(known)
    if finer := cells is not None and cut is not None:
        grid = patch_grid(known.scene, cut)
    else:
        cells, grid = map_cells_of(replace(known, choice=replace(known.choice, parts=1))), known.grid
    if cells is None:
        raise StoreError("Writing a map", "there is no map of this scene", "label patches of two classes first")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}.tif"
        files = write_map(path, cells, grid, classes, known.choice.below, about=facts_of(known, finer=finer))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
    return buffer.getvalue()
