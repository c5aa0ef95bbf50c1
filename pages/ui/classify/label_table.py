"""The labels of a scene as a table: who gave them, when and from what view; sorted, changed, taken away, exported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.classification.label_log import LabelLog
from core.classification.schemes import LandClass
from core.export.formats import FORMATS
from core.export.rows import ExportRows, scene_rows
from core.scenes.patches import IntArray, centres_lonlat, patch_refs
from pages.ui.classify.acts import give_class
from pages.ui.common.escape import plain
from pages.ui.common.format import count, patches
from pages.ui.common.theme import class_title
from pages.ui.state.label_desk import LONGEST_WHO
from pages.ui.state.label_state import log_of
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import bound, shown

TABLE_VIEW = "table of labels"
_HEIGHT = 320


def labels_panel(visitor: Session, known: SceneView, classes: Sequence[LandClass]) -> None:
    """Draw the table, folded; nothing where there are no labels."""
    given = known.labels.given
    if given is None:
        return
    number = int((given.index >= 0).sum())
    fold = st.expander(f"{count(number, 'label')}: who, when, from where", key="classify_labels",
                       icon=":material/label:", on_change="rerun")  # fmt: skip
    if not fold.open:
        return
    with fold:
        log = _filtered(log_of(known))
        frame = table_of(known, log)
        key = f"labels_table_{known.labels.version}_{len(log)}"  # Rows that moved are not selected any more.
        st.dataframe(
            frame, hide_index=True, height=_HEIGHT, key=key, on_select="rerun", selection_mode="multi-row",
            column_config={
                "When (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
                "Longitude": st.column_config.NumberColumn(format="%.5f"),
                "Latitude": st.column_config.NumberColumn(format="%.5f"),
            },
        )  # fmt: skip
        selected = log.patch_ids[_rows_selected(key, len(log))]
        _acts(visitor, known, selected, classes)
        _files(known, log)


def who_field(visitor: Session) -> None:
    """Draw the field for the name that is kept with labels."""
    st.text_input(
        "Labels by", placeholder="Your name", max_chars=LONGEST_WHO, width=190, label_visibility="collapsed",
        help="Kept with each label that you give", **bound("classify_who", "desk.who"),
    )  # fmt: skip


def _filtered(log: LabelLog) -> LabelLog:
    """Draw the choice of a class and of a person; return the labels that are of it."""
    with st.container(horizontal=True, key="labels_filter"):
        for title, values in (("Class", log.labels), ("Given by", log.who), ("From", log.view)):
            names = sorted(set(values.tolist()) - {""})
            chosen = st.selectbox(
                title, names, index=None, format_func=class_title if title == "Class" else str, placeholder="All",
                key=f"labels_{title}", width=220,
            ) if len(names) > 1 else None  # fmt: skip
            if chosen is not None:
                log = log.some({"Class": log.labels, "Given by": log.who, "From": log.view}[title] == chosen)
    return log


def table_of(known: SceneView, log: LabelLog) -> pd.DataFrame:
    """Return labels as rows of a table."""
    frame = pd.DataFrame(
        {
            "Patch": log.patch_ids, "Class": [class_title(name) for name in log.labels], "Given by": log.who,
            "When (UTC)": pd.to_datetime(pd.Series(log.when).replace("", None), utc=True, errors="coerce"),
            "From": log.view, "Kept as right": log.confirmed,
        }
    )  # fmt: skip
    places = centres_lonlat(known.scene, known.grid, log.patch_ids)
    if places is not None:
        frame["Longitude"], frame["Latitude"] = places[:, 0], places[:, 1]
    return frame


def _rows_selected(key: str, most: int) -> IntArray:
    state = shown(key)
    rows = [] if state is None else list(state["selection"]["rows"])
    return np.array([row for row in rows if 0 <= row < most], np.int64)


def _acts(visitor: Session, known: SceneView, ids: IntArray, classes: Sequence[LandClass]) -> None:
    """Draw what can be done with the labels that are selected."""
    if not len(ids):
        st.caption("Select rows to change their class, to take their labels away, or to see them on Explore.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="labels_acts"):
        names = [one.name for one in classes]
        into = st.selectbox("Class", names, index=None, format_func=class_title, placeholder="Another class",
                            key="labels_into", width=260, label_visibility="collapsed")  # fmt: skip
        st.button(f"Change {patches(len(ids))}", key="labels_change", type="primary", disabled=into is None,
                  on_click=_change, args=(visitor, known, ids, classes))  # fmt: skip
        st.button("Take the labels away", key="labels_drop", on_click=_drop, args=(visitor, known, ids))
        if st.button("Show on Explore", key="labels_explore", icon=":material/travel_explore:"):
            visitor.select(patch_refs(known.scene.id, ids.tolist()))
            visitor.colour, visitor.overlay = "hand", True
            st.switch_page("explore.py")


def _change(visitor: Session, known: SceneView, ids: IntArray, classes: Sequence[LandClass]) -> None:
    name = shown("labels_into")
    if name is not None and give_class(visitor, known, ids.tolist(), str(name), classes, view=TABLE_VIEW):
        visitor.classified = f"{patches(len(ids))} labelled {class_title(str(name))}."


def _drop(visitor: Session, known: SceneView, ids: IntArray) -> None:
    if give_class(visitor, known, ids.tolist(), None, (), view=TABLE_VIEW):
        visitor.classified = f"The labels of {patches(len(ids))} are gone; Undo brings them back."


def _files(known: SceneView, log: LabelLog) -> None:
    """Draw a button a format; a file is made when its button is pressed."""
    with st.container(horizontal=True, key="labels_files"):
        for name, kind in FORMATS.items():
            st.download_button(
                kind.title, lambda kind=kind: kind.encode(label_rows(known, log)), f"labels-{known.scene.id}.{name}",
                kind.media_type, key=f"labels_{name}", on_click="ignore", icon=":material/download:",
                help=plain(f"These labels for {kind.about}"),
            )  # fmt: skip


def label_rows(known: SceneView, log: LabelLog) -> ExportRows:
    """Return labelled patches with their class, who gave it, when, and from what view."""
    columns = {"label": log.labels, **log.columns}
    return scene_rows(
        known.scene, known.grid, log.patch_ids, encoder=known.recipe.encoder, labels=None,
        valid=known.valid_of(log.patch_ids), columns=columns
    )  # fmt: skip
