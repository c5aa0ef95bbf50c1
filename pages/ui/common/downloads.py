"""Files to take away: the query and its neighbours, what is selected, or all patches, in any format there is."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.export.formats import FORMATS, ExportFormat
from core.export.rows import ExportRows, constant, scene_rows
from core.scenes.patches import IntArray
from core.search.ranking import COSINE
from core.values.registry import export_columns
from pages.ui.common.format import patches
from pages.ui.state.view_state import ViewState

NEIGHBOURS, SELECTED, ALL = "like", "selected", "patches"
"""What can be taken away; names of files begin so."""


def downloads(view: ViewState) -> None:
    """Draw what can be taken away and a button a format; a file is made when its button is pressed."""
    offered = contents(view)
    found = len(offered.get(NEIGHBOURS, ())) - _asks_of_one(view)
    titles = {
        NEIGHBOURS: f"Query and {found} neighbours" if _asks_of_one(view) else f"{patches(found)} found",
        SELECTED: f"{patches(len(offered.get(SELECTED, ())))} selected",
        ALL: f"All {patches(len(offered[ALL]))}",
    }
    st.markdown("Patches as a file:")
    first = next(iter(offered))
    chosen = st.pills(
        "Patches", list(offered), format_func=titles.__getitem__, default=first, key="download_what",
        label_visibility="collapsed",
    )  # fmt: skip
    what = chosen if chosen in offered else first
    with st.container(horizontal=True, key="downloads"):
        for name, kind in FORMATS.items():
            st.download_button(
                kind.title, lambda kind=kind: _file(kind, view, what), f"{_stem(view, what)}.{name}", kind.media_type,
                key=f"download_{name}", on_click="ignore", icon=":material/download:", help=f"For {kind.about}",
            )  # fmt: skip


def contents(view: ViewState) -> dict[str, IntArray]:
    """Return ids of the patches that can be taken away, in the order of the file, by what they are."""
    found: dict[str, IntArray] = {}
    if view.neighbours is not None:
        asked = [view.query.patch] if view.query is not None and _asks_of_one(view) else []
        found[NEIGHBOURS] = np.array([*asked, *view.neighbours.ids.tolist()], dtype=np.int64)
    if len(view.selection):
        found[SELECTED] = np.array(view.selection.patches, dtype=np.int64)
    return found | {ALL: view.table.patch_ids}


def export_rows(view: ViewState, what: str) -> ExportRows:
    """Return patches that can be taken away with all that is known of them; of neighbours rank and similarity too."""
    ids = contents(view)[what]
    rows = view.rows(ids)
    columns = {name: values[rows] for name, values in export_columns(view.known).items()}
    if what == NEIGHBOURS and view.neighbours is not None:
        one = _asks_of_one(view)
        measure = COSINE if one else view.known.ranking(view.question).measure
        columns |= {
            "rank": np.arange(len(ids)) + (not one),
            "similarity": np.concatenate([np.ones(int(one), np.float32), view.neighbours.similarity]),
            "measure": constant(measure.name, len(ids)),
        }
    return scene_rows(
        view.scene, view.known.grid, ids, encoder=view.recipe.encoder, labels=view.labels, columns=columns
    )  # fmt: skip


def _asks_of_one(view: ViewState) -> bool:
    """Return whether one patch is asked about, which then comes first, as rank 0, before its nearest."""
    return view.question.plain and view.least is None


def _stem(view: ViewState, what: str) -> str:
    if what == NEIGHBOURS and view.query is not None:
        return f"{what}-{view.scene.id}-{view.query.patch}"
    return f"{what}-{view.scene.id}"


def _file(kind: ExportFormat, view: ViewState, what: str) -> bytes:
    return kind.encode(export_rows(view, what))
