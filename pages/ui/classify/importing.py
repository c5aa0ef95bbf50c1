"""Labels from a file: read in the sandbox, looked at with what they leave out and why, and taken by one click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pandas as pd
import shapely
import streamlit as st

from core.classification.areas.tables import TextTable, read_text_table
from core.classification.label_import import (
    ClassNames,
    ImportedLabels,
    LeftOut,
    all_codes,
    label_columns,
    labels_of_table,
)
from core.classification.schemes import LandClass
from core.classification.shape_import import LEAST_COVER, labels_of_shapes
from core.errors import LandlikeError
from core.export.geometry import Shapes, patch_shapes
from core.export.tables import rows_csv
from core.ingest.messages import clean_name
from core.ingest.vectors.adding import read_label_shapes
from core.ingest.vectors.geojson import LABEL_COLUMNS, LabelShapes
from pages.ui.classify.acts import label_each
from pages.ui.common.brought_file import brought_file
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, patches
from pages.ui.common.theme import class_title
from pages.ui.http.uploads import Upload
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session

LABEL_FILES = ["csv", "tsv", "txt", "geojson", "json", "gpkg", "zip"]
TABLES = frozenset({".csv", ".tsv", ".txt"})
KEEP, REPLACE = "keep", "replace"
_LINE, _MOST_HIGH = 35, 260
"""Pixels of a row of a table, and of the whole."""

_LISTED = 2000
"""Things left out that a browser is given as rows; the file has all."""


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """How the labels of a file are taken.

    Attributes:
        column: of the classes.
        codes: True = labels are codes of the scheme.
        least_share: of a patch that polygons have to cover.
    """

    column: str
    codes: bool = False
    least_share: float = LEAST_COVER


@dataclass(frozen=True, kw_only=True, eq=False)
class Brought:
    """A file of labels that was read.

    Attributes:
        source: what it holds.
        name: of the file, on one line.
        file_id: tells this upload from any other.
    """

    source: TextTable | LabelShapes
    name: str
    file_id: str


def import_panel(visitor: Session, known: SceneView, classes: tuple[LandClass, ...]) -> None:
    """Draw the place for a file and, once there is one, what it would label."""
    fold = st.expander("Labels from a file", key="classify_import", icon=":material/upload_file:", on_change="rerun")
    if not fold.open:
        return
    with fold:
        came = st.file_uploader(
            "Points or polygons with a class: GeoJSON, GeoPackage, zipped Shapefile. Or a CSV: patch_id or lon, lat",
            type=LABEL_FILES, max_upload_size=256, key=f"import_file_{visitor.desk.bringings}",
        )  # fmt: skip
        if came is None:
            return
        try:
            with st.spinner("Reading the labels…"):
                source = brought_source(known, came, came.file_id)
            if source is None:
                return
            brought = Brought(source=source, name=clean_name(came.name, 80), file_id=came.file_id)
            _settle(visitor, known, brought, classes)
        except LandlikeError as error:
            st.error(plain(error), icon=":material/error:")


def brought_source(
    known: SceneView, upload: Upload, file_id: str, *, numbers: bool = False
) -> TextTable | LabelShapes | None:
    """Return what a file holds, asking which of its layers is meant; None while that is not chosen.

    Args:
        known: the scene.
        upload: the file.
        file_id: tells it from any other.
        numbers: True = numbers are wanted and no classes.

    Raises:
        LandlikeError: as of ``read_source``.
    """

    def source(layer: str) -> TextTable | LabelShapes:
        key = ("brought", file_id, layer, numbers)
        found: TextTable | LabelShapes = known.answers.get(
            key, lambda: read_source(upload, layer=layer, numbers=numbers)
        )
        return found

    found = source("")
    if isinstance(found, TextTable) or not found.layers:
        return found
    layer = st.selectbox(
        "Layer", found.layers, index=None, placeholder=f"The file has {len(found.layers)} layers: choose",
        key=f"import_layer_{file_id}", width=330,
    )  # fmt: skip
    return None if layer is None else source(layer)


def read_source(upload: Upload, *, layer: str = "", numbers: bool = False) -> TextTable | LabelShapes:
    """Read a file of labels, whatever its kind, with all columns that may hold the classes.

    Args:
        upload: the file.
        layer: the one that is meant; empty = the only one, or a person has to choose.
        numbers: True = all columns are wanted that may hold a number.

    Raises:
        LandlikeError: one sentence on why it cannot be used.
    """
    with brought_file(upload) as path:
        if path.suffix not in TABLES:
            return read_label_shapes(path, layer=layer, choices=True, numbers=numbers)
        table = read_text_table(path)
        table.check_places()
        return table


def _settle(visitor: Session, known: SceneView, brought: Brought, classes: tuple[LandClass, ...]) -> None:
    """Ask how labels are to be taken, and draw what comes of it."""
    settings = _settings(brought, classes)
    if settings is None:
        return
    key = ("imported", brought.file_id, settings, classes)
    found: ImportedLabels = known.answers.get(
        key, lambda: labels_from(known, brought.source, settings, classes, asked=f"Reading “{brought.name}”")
    )
    _outcome(found, brought.name)
    _take_form(visitor, known, found, brought.name, classes)


def _settings(brought: Brought, classes: Sequence[LandClass]) -> ImportSettings | None:
    """Draw the questions; None while the column is not chosen."""
    source, file_id = brought.source, brought.file_id
    columns = label_columns(source) if isinstance(source, TextTable) else list(source.choices)
    if not columns:
        st.error("No column of the file has classes: one has texts or whole numbers, and not more than 254 of them.")
        return None
    called = [one for one in columns if one.casefold() in LABEL_COLUMNS[:-1]]
    sure = len(columns) == 1 or len(called) == 1
    with st.container(horizontal=True, vertical_alignment="bottom", key="import_settings"):
        column = st.selectbox(
            "Column with the classes", columns, index=columns.index((called or columns)[0]) if sure else None,
            placeholder="Several could be: choose", key=f"import_column_{file_id}", width=280,
        )  # fmt: skip
        if column is None:
            return None
        share = LEAST_COVER
        if isinstance(source, LabelShapes) and bool(np.isin(shapely.get_type_id(source.shapes), (3, 6)).any()):
            share = st.slider("Share of a patch that a polygon has to cover", 0.05, 1.0, LEAST_COVER, 0.05,
                              key=f"import_share_{file_id}", width=330)  # fmt: skip
        codes = False
        if all_codes(labels_in(source, column), classes):
            codes = st.toggle("These numbers are codes of the classes above", key=f"import_codes_{file_id}")
    return ImportSettings(column=column, codes=codes, least_share=share)


def labels_in(source: TextTable | LabelShapes, column: str) -> Sequence[str]:
    """Return the labels of a column as they stand in the file."""
    return source.titled(column) if isinstance(source, TextTable) else source.choices[column]


def labels_from(
    known: SceneView,
    source: TextTable | LabelShapes,
    settings: ImportSettings,
    classes: Sequence[LandClass],
    *,
    asked: str,
) -> ImportedLabels:
    """Return the labels that a file gives patches.

    Raises:
        ClassificationError: when it gives none.
    """
    names = ClassNames(classes, codes=settings.codes)
    ids = known.table.patch_ids
    land: Shapes = known.answers.get("outlines", lambda: patch_shapes(known.scene, known.grid, ids))
    if isinstance(source, TextTable):
        return labels_of_table(
            source, ids, land, column=settings.column, names=names, scene_id=known.scene.id
        )  # fmt: skip
    shapes = source.by(settings.column)
    return labels_of_shapes(shapes, ids, land, asked=asked, least_share=settings.least_share, names=names)


def _outcome(found: ImportedLabels, name: str) -> None:
    """Draw how many patches get which class, and what was left out."""
    numbers = pd.Series(list(found.labels.values())).value_counts()
    chips = "".join(
        f"<li><b>{safe_label(class_title(str(label)))}</b> {number:,}</li>" for label, number in numbers.items()
    )
    st.html(f'<div class="ll-given">It labels {patches(len(found.labels))}<ul>{chips}</ul></div>')
    for sentence in found.said:
        st.caption(plain(sentence))
    if found.listed:
        height = min(_LINE * (len(found.listed) + 1) + 3, _MOST_HIGH)
        table = pd.DataFrame(listing(found.listed[:_LISTED]))
        st.dataframe(table, hide_index=True, height=height, key="import_left_out")
        st.download_button(
            "What was left out, as CSV", lambda: rows_csv(listing(found.listed)),
            f"left-out-of-{PurePath(name).stem}.csv", "text/csv", key="import_left_out_csv",
            on_click="ignore", icon=":material/download:",
        )  # fmt: skip


def listing(listed: Sequence[LeftOut]) -> dict[str, list[str]]:
    """Return what was left out as columns of a table."""
    return {
        "What": [one.what for one in listed], "Label": [one.label for one in listed],
        "Why": [one.reason for one in listed],
    }  # fmt: skip


def _take_form(
    visitor: Session, known: SceneView, found: ImportedLabels, name: str, classes: Sequence[LandClass]
) -> None:
    """Draw what becomes of labels there are, and the button."""
    same, other = compared(known, found.labels)
    how = REPLACE
    if other:
        how = st.radio(
            f"{patches(other)} of these {'has' if other == 1 else 'have'} another label already", [KEEP, REPLACE],
            format_func={KEEP: "Keep the label they have", REPLACE: "Take that of the file"}.__getitem__,
            horizontal=True, key="import_how",
        )  # fmt: skip
    labels = fresh_labels(known, found.labels, replace=how == REPLACE)
    if same:
        st.caption(f"{patches(same)} {'has' if same == 1 else 'have'} this very label already.")
    st.button(
        f"Label {patches(len(labels))}" if labels else "Nothing new to label", key="import_take", type="primary",
        disabled=not labels, on_click=_take, args=(visitor, known, labels, name, classes),
        kwargs={"keep": how == KEEP or not other},
    )  # fmt: skip


def compared(known: SceneView, labels: Mapping[int, str]) -> tuple[int, int]:
    """Return how many patches have just their new label already, and how many have another."""
    has = _labels_now(known, labels)
    same = sum(has.get(patch_id) == name for patch_id, name in labels.items())
    return same, len(has) - same


def fresh_labels(known: SceneView, labels: Mapping[int, str], *, replace: bool) -> dict[int, str]:
    """Return the labels that change something: of patches without one, and where ``replace`` those of another class."""
    has = _labels_now(known, labels)
    return {
        patch_id: name
        for patch_id, name in labels.items()
        if patch_id not in has or (replace and has[patch_id] != name)
    }


def _labels_now(known: SceneView, labels: Mapping[int, str]) -> dict[int, str]:
    given = known.labels.given
    if given is None:
        return {}
    return {one: given.classes[given.index[one]] for one in labels if given.index[one] >= 0}


def _take(
    visitor: Session,
    known: SceneView,
    labels: Mapping[int, str],
    name: str,
    classes: Sequence[LandClass],
    *,
    keep: bool,
) -> None:
    """Label the patches as one step, and empty the place for a file."""
    said = f"{count(len(labels), 'label')} of “{name}” taken; Undo takes them back."
    if label_each(visitor, known, labels, classes, view=name, said=said, keep=keep):
        visitor.desk.bringings += 1
