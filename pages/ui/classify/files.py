"""The map of classes, its patches, the labels and the report as files, in the one place that files have on the page."""

from __future__ import annotations

import streamlit as st

from core.engine.exports.order import CLASS_MAP, CLASSES, LABELLED, REPORT, ExportOrder
from core.engine.views import SearchView
from core.search.examples import Evidence
from pages.ui.common.downloads import take_away
from pages.ui.common.format import patches
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import closing_popover


def map_files(visitor: Session, known: SceneView) -> None:
    """Draw what can be taken away of the Classify page."""
    key = closing_popover("classify_download")
    with st.popover("Download", icon=":material/download:", key=key, on_change="rerun"):
        take_away(
            visitor, known, offered_classes(known), lambda what, form: class_order(known, what, form),
            key="classify_files", popover=key,
        )  # fmt: skip


def offered_classes(known: SceneView) -> dict[str, str]:
    """Return what there is to take away, in words; nothing of a map that there is not."""
    found: dict[str, str] = {}
    if known.classified() is not None:
        if not known.scene.is_collection and known.scene.grid.crs is not None:
            found[CLASS_MAP] = "Map for a GIS"
        found[CLASSES] = f"Classes of {patches(len(known.table))}"
    if known.labels.given is not None:
        found[LABELLED] = "Labelled patches"
    return found | {REPORT: "Report"}


def class_order(known: SceneView, what: str, form: str) -> ExportOrder:
    """Return something of the Classify page as an order."""
    view = SearchView(recipe=known.recipe, evidence=Evidence.of([]), count=None)
    return ExportOrder(what=what, form=form, view=view, colour="classified" if what == REPORT else "")
