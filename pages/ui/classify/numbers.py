"""A number a patch, such as a yield or biomass: giving some, learning it, how right it is, and its files."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import streamlit as st

from core.classification.areas.tables import TextTable
from core.classification.numbers.files import number_columns, write_number_map
from core.classification.numbers.importing import value_columns
from core.classification.numbers.regression import ValueModel
from core.classification.numbers.store import LearnedNumber
from core.classification.validation import OLDER_WAY
from core.engine.snippets import numbers_command, numbers_script
from core.errors import LandlikeError
from core.evaluation.retrieval import Share
from core.export.formats import FORMATS
from core.export.rows import ExportRows, scene_rows
from core.ingest.vectors.geojson import VALUE_COLUMNS
from core.values.learned import LEARNED_NUMBER
from pages.ui.classify.importing import brought_source
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, ground_words, patches
from pages.ui.common.progress import follow_line
from pages.ui.common.spelled import spelled
from pages.ui.http.uploads import Upload
from pages.ui.scenes.upload import spool
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session

ABOUT_NUMBERS = (
    "Bring a number of some patches: a CSV with patch_id or lon and lat, or points or polygons as GeoJSON, GeoPackage "
    "or zipped Shapefile. It is learned from the features and predicted for all patches, with an interval."
)
MOST_POINTS = 600
"""Points of the plot; of more, these are drawn evenly."""


def numbers_panel(visitor: Session, known: SceneView) -> None:
    """Draw how a number is brought, how far learning it is, and what came of it."""
    with st.expander("Predict a number: yield, biomass …", key="classify_numbers"):
        found, key = known.learned_number(), f"regress-{known.recipe.key}"
        job = engine().jobs.get(visitor.work.get(key, ""))
        if found is not None and known.learned() is not None:
            _learned(visitor, known, found)
        if job is not None and job.active:
            follow_line(job, key, "Learning", stop=True)
            return
        if job is not None and job.state == "failed":
            st.error(plain(job.message), icon=":material/error:")
        st.caption(ABOUT_NUMBERS if found is None else "Another file takes its place once it is learned.")
        _bring(visitor, known, key)


def _bring(visitor: Session, known: SceneView, key: str) -> None:
    name = f"numbers_{known.scene.id}_{visitor.uploads}"
    endings = ["csv", "tsv", "txt", "geojson", "json", "gpkg", "zip"]
    upload = st.file_uploader("A file of numbers", type=endings, key=name, max_upload_size=256)
    if upload is None:
        return
    try:
        with st.spinner("Reading the numbers…"):
            source = brought_source(known, upload, upload.file_id, numbers=True)
        if source is None:
            return
        columns = value_columns(source) if isinstance(source, TextTable) else list(source.choices)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="numbers_bar"):
        called = [one for one in columns if one.casefold() in VALUE_COLUMNS]
        sure = len(columns) == 1 or len(called) == 1
        column = st.selectbox(
            "Column with the number", columns, index=columns.index((called or columns)[0]) if sure else None,
            placeholder="Several could be: choose", key=f"{name}_column", width=280,
        )  # fmt: skip
        layer = "" if isinstance(source, TextTable) else source.layer
        st.button("Learn it", type="primary", key="numbers_go", on_click=_submit, disabled=column is None,
                  args=(visitor, known, upload, (column or "", layer), key))  # fmt: skip


def _submit(visitor: Session, known: SceneView, upload: Upload, chosen: tuple[str, str], key: str) -> None:
    try:
        [path] = spool([upload], engine().config.root / "uploads")
        visitor.work[key] = engine().classifications.submit_numbers(known.recipe, path, *chosen).id
        visitor.classified = ""
    except LandlikeError as error:
        visitor.classified = str(error)


def _learned(visitor: Session, known: SceneView, found: LearnedNumber) -> None:
    left, right = st.columns(2, gap="large")
    left.html(actual_plot(found.model, found.title))
    with right:
        st.markdown(plain(f"{found.title}, from {found.source}"))
        for sentence in (*how_right(found.model), *predicted_words(known), *found.said):
            st.caption(plain(sentence))
        with st.container(horizontal=True, key="numbers_files"):
            if st.button("Show the number on Explore", key="numbers_show", type="primary"):
                visitor.colour, visitor.overlay = LEARNED_NUMBER.name, True
                st.switch_page("explore.py")
            _files(known, found)
            with st.popover("As a command", icon=":material/terminal:", key="numbers_spelled"):
                st.caption(plain(f"Run it where the file {found.source} lies."))
                spelled(numbers_command(known.recipe, found), numbers_script(known.recipe, found))
            with st.popover("Forget it", icon=":material/delete:", key="numbers_forget"):
                st.markdown("What was learned goes. The file you brought is yours and stays where it is.")
                st.button("Forget it", key="numbers_drop", type="primary",
                          on_click=engine().classifications.numbers.delete, args=(known.recipe,))  # fmt: skip


def how_right(model: ValueModel) -> list[str]:
    """Return how right predictions are on held-out land, a sentence each."""
    worse, wide = model.r_squared <= 0, f"{100 * model.coverage:.0f} % intervals reach {model.half_width:.3g}"
    tested, learned = int(model.tested.sum()), count(len(model.actual), "patch", "patches")
    on = "" if tested == len(model.actual) else f"{tested:,} of them, which others show no land of, as "
    return [
        f"Learned from {learned}, tested on {on}{_held_out(model)}.",
        "It predicts no better than the mean would." if worse else f"R² {model.r_squared:.2f}; usually off by "
        f"{model.error:.3g} (root of the mean squared error).",
        f"{model.no_interval or f'{wide} to each side{covered_words(model.covered)}'}.",
        *([] if model.held_apart else [OLDER_WAY]),
    ]  # fmt: skip


def predicted_words(known: SceneView) -> list[str]:
    """Return what is predicted on the whole, and what is left out of that as unfamiliar, a sentence each."""
    found, ground = known.learned(), known.standing_hectares()
    if found is None:
        return []
    strange = np.zeros(len(found.predicted), np.bool_) if found.unfamiliar is None else found.unfamiliar
    placed = ground is not None and bool(np.isfinite(ground).all())
    weights = ground if ground is not None and placed else np.ones(len(strange))
    left, said = ~strange, []
    if strange.any():
        area = f" ({ground_words(float(weights[strange].sum()))})" if placed else ""
        said.append(
            f"{patches(int(strange.sum()))}{area} are unfamiliar to the encoder or unlike all with a number: what is "
            "predicted there is a guess. They are left without a colour, marked in files, and out of the mean."
        )
    if left.any() and weights[left].sum() > 0:
        mean = float(np.average(found.predicted[left], weights=weights[left]))
        over = f" over {ground_words(float(weights[left].sum()))}" if placed else ""
        said.append(f"Mean of {'the others' if strange.any() else 'all patches'}{over}: {mean:.3g}.")
    return said


def _held_out(model: ValueModel) -> str:
    if not model.spatial:
        few = "few blocks" if model.blocks is None else "one block"
        return f"held-out single patches, for they lie in {few} of land, which flatters"
    return f"held-out blocks of land{'' if model.blocks is None else f', {len(np.unique(model.blocks))} in all'}"


def covered_words(covered: Share) -> str:
    """Return how many held-out numbers lie in intervals that others gave; empty where that is not known."""
    if not covered.count:
        return ""
    percent = f"{100 * covered.value:.0f} % ({100 * covered.low:.0f}–{100 * covered.high:.0f})"
    return f"; of held-out numbers, which did not set the width, {percent} lie inside"


def actual_plot(model: ValueModel, title: str) -> str:
    """Return held-out predictions against actual numbers as HTML: on the line they are right."""
    tested = np.flatnonzero(model.tested)
    rows = tested[np.linspace(0, len(tested) - 1, min(MOST_POINTS, len(tested))).round().astype(int)]
    actual, said = model.actual[rows], model.held_out[rows]
    low, high = float(min(actual.min(), said.min())), float(max(actual.max(), said.max()))
    span = (high - low) or 1.0
    points = "".join(
        f'<i style="left:{100 * (x - low) / span:.1f}%;bottom:{100 * (y - low) / span:.1f}%;--size:7px"></i>'
        for x, y in zip(actual.tolist(), said.tolist(), strict=True)
    )
    ticks = "".join(
        f'<span class="x" style="left:{100 * share:.0f}%">{low + share * span:.3g}</span>'
        f'<span class="y" style="bottom:{100 * share:.0f}%">{low + share * span:.3g}</span>'
        for share in (0.0, 0.5, 1.0)
    )
    label = f"Predicted against actual {safe_label(title)}, R² {model.r_squared:.2f}"
    return (
        f'<div class="ll-reliability" role="img" aria-label="{label}"><div>{ticks}{points}</div>'
        "<p>predicted, by the actual number; held-out land</p></div>"
    )


def _files(known: SceneView, found: LearnedNumber) -> None:
    stem = f"numbers-{known.scene.id}"
    if not known.scene.is_collection and known.scene.grid.crs is not None:
        st.download_button(
            "Map for QGIS", lambda: number_map_zip(known, found, stem), f"{stem}.zip", "application/zip",
            key="numbers_tif", on_click="ignore", icon=":material/download:",
            help="A cloud-optimised GeoTIFF: predicted, ends of the interval, unfamiliar land; with a QGIS style",
        )  # fmt: skip
    for name in ("parquet", "csv"):
        kind = FORMATS[name]
        st.download_button(
            kind.title, lambda kind=kind: kind.encode(number_rows(known, found)), f"{stem}.{name}", kind.media_type,
            key=f"numbers_{name}", on_click="ignore", icon=":material/download:",
        )  # fmt: skip


def number_rows(known: SceneView, found: LearnedNumber) -> ExportRows:
    """Return the patches with their prediction, its interval, and the number itself where it is known."""
    ids = known.table.patch_ids
    columns = number_columns(found.model, ids, known.table.unit, known.novelty())
    return scene_rows(
        known.scene, known.grid, ids, encoder=known.recipe.encoder, valid=known.valid_fraction(), columns=columns
    )


def number_map_zip(known: SceneView, found: LearnedNumber, stem: str) -> bytes:
    """Return a zip of the GeoTIFF of predictions and its style.

    Raises:
        StoreError: when it cannot be written.
    """
    ids = known.table.patch_ids
    columns = number_columns(found.model, ids, known.table.unit, known.novelty())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}.tif"
        files = write_number_map(path, (known.scene.grid, known.grid), ids, columns, found.title)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
    return buffer.getvalue()
