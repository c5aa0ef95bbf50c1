"""The one place where what a page shows can be taken away: what, as what, and how it is done without the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

import streamlit as st
import streamlit.components.v1 as components

from core.engine.exports.order import (
    BUNDLE,
    CLASS_MAP,
    CONTENTS,
    EVERY,
    FEATURES,
    FORMS_OF_PATCHES,
    FOUND,
    LABELLED,
    MAP,
    MEDIA_TYPES,
    PLOT,
    REPORT,
    SELECTED,
    SPECTRA,
    ExportOrder,
)
from core.engine.snippets import command_of, script_of
from core.export.formats import FORMATS
from core.jobs.queue import Job
from core.scenes.cut import WHOLE_AT_EDGE
from core.scenes.location import bounds_lonlat
from core.values.registry import OLDER_NAMES, VALUES, choices
from pages.ui.common.escape import plain
from pages.ui.common.format import count, patches, size
from pages.ui.common.handover import search_view
from pages.ui.common.panels import filled_last
from pages.ui.common.progress import panel
from pages.ui.common.spelled import spelled
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import closing_popover

AT_ONCE = 2_000
"""Patches up to which a file is there within a second, so that one click is enough; of more a job makes it."""

MOST_SPELLED = 400
"""Examples that a command shows; one with more is no longer read by anybody."""

MOST_PREVIEWED = 30_000_000
"""Bytes of a report that is shown on the page."""

OLDER = "The file made before is of older labels, clusters, map or measures, so it is no longer offered."
"""Said where a file is ready that is not of what is on show."""

_FORM_TITLES = {
    **{name: kind.title for name, kind in FORMATS.items()},
    "png": "PNG", "svg": "SVG", "zip": "Zip", "html": "HTML", "pdf": "PDF", "json": "JSON",
}  # fmt: skip
_FORM_HELP = {
    **{(what, name): f"For {kind.about}" for what in FORMS_OF_PATCHES for name, kind in FORMATS.items()},
    (MAP, "zip"): "A GeoTIFF with a style for QGIS",
    (CLASS_MAP, "zip"): "A cloud-optimised GeoTIFF of classes and confidence, with colours, names and a QGIS style",
    (FEATURES, "zip"): "GeoParquet with the features of each patch, and a STAC item that says what they are",
    (BUNDLE, "zip"): "Examples, filters, labels and settings, without pixels: who has the scene sees the same",
    (REPORT, "html"): "One page that needs nothing else, on the screen and printed",
    (REPORT, "pdf"): "The same, to print",
}


def _files() -> ModuleType:
    """Return what makes files; with all that they are made of it is a tenth of what a first page would wait for."""
    return import_module("core.engine.exports.files")


def downloads(visitor: Session, view: ViewState) -> None:
    """Draw what can be taken away of the Explore page."""
    key = closing_popover("take_away")
    box = st.popover("Download", icon=":material/download:", key=key, on_change="rerun")
    filled_last(box, lambda: _take_view_away(visitor, view, key))


def _take_view_away(visitor: Session, view: ViewState, popover: str) -> None:
    take_away(
        visitor, view.known, offered_files(visitor, view), lambda what, form: order_for(visitor, view, what, form),
        key="download", popover=popover,
    )  # fmt: skip


def offered_files(visitor: Session, view: ViewState) -> dict[str, str]:
    """Return what there is to take away, in words, the nearest at hand first."""
    found: dict[str, str] = {}
    if view.neighbours is not None:
        number = len(view.neighbours)
        plainly = view.question.plain and view.least is None
        found[FOUND] = f"Query and {number:,} neighbours" if plainly else f"{patches(number)} found"
    if len(view.selection):
        found[SELECTED] = f"{patches(len(view.selection))} selected"
    if view.given is not None:
        found[LABELLED] = "Labelled patches"
    found[EVERY] = f"All {patches(len(view.table))}"
    colour = coloured(visitor, view)
    if colour:
        if not view.scene.is_collection or bounds_lonlat(view.scene) is not None:
            found[MAP] = f"Map of {VALUES[colour].title_of(view.known)}"
        found[PLOT] = f"Plot of {VALUES[colour].title_of(view.known)}"
    found[REPORT] = "Report"
    if view.neighbours is not None:
        found[BUNDLE] = "This view for a colleague"
    return found | {FEATURES: "Features for other programs"}


def coloured(visitor: Session, view: ViewState) -> str:
    """Return the name of the value that colours plot and map; empty without one."""
    there = choices(view.known, view.asked)
    chosen = OLDER_NAMES.get(visitor.colour or "", visitor.colour or "")
    return chosen if chosen in there else next(iter(there), "")


def order_for(visitor: Session, view: ViewState, what: str, form: str) -> ExportOrder:
    """Return something of the Explore page as an order."""
    return ExportOrder(
        what=what, form=form, view=search_view(visitor, view),
        patches=view.selection.patches if what in {SELECTED, SPECTRA, BUNDLE} else (),
        colour=coloured(visitor, view) if what in {MAP, PLOT, REPORT, BUNDLE} else "",
        layout=view.layout if what in {PLOT, REPORT, BUNDLE} else None,
    )  # fmt: skip


def take_away(
    visitor: Session,
    known: SceneView,
    titles: Mapping[str, str],
    order: Callable[[str, str], ExportOrder],
    *,
    key: str,
    popover: str,
) -> None:
    """Draw a choice of things and forms, a button, and the same as a command and as Python.

    Args:
        visitor: who wants it.
        known: the scene and its patches.
        titles: what there is, in words.
        order: gives the order of a thing and a form.
        key: of the widgets.
        popover: key of the popover that this stands in.
    """
    what = st.selectbox("What", list(titles), format_func=titles.__getitem__, key=f"{key}_what")
    # Patches of a collection lie apart, and make no raster.
    forms = tuple(one for one in CONTENTS[what] if (what, one) != (MAP, "zip") or not known.scene.is_collection)
    form = forms[0]
    if len(forms) > 1:
        chosen = st.segmented_control(
            "As", forms, format_func=_FORM_TITLES.__getitem__, default=form, key=f"{key}_as_{what}"
        )
        form = chosen if chosen in forms else form
    if (what, form) in _FORM_HELP:
        st.caption(_FORM_HELP[what, form])
    if known.recipe.cut.area:
        st.caption(WHOLE_AT_EDGE)
    wanted = order(what, form)
    name = f"{wanted.stem}.{form}"
    if quick_to_make(known, wanted):
        # What it gives stands on it: whoever presses it while another form is being drawn sees which one it still is.
        st.download_button(
            f"Download {_FORM_TITLES[form]}", lambda: _files().export_bytes(known, wanted), name, MEDIA_TYPES[form],
            key=f"{key}_file", on_click="ignore", icon=":material/download:", type="primary",
        )  # fmt: skip
    else:
        _by_job(visitor, known, wanted, key, popover)
    with st.expander("The same without the pages", key=f"{key}_without"):
        order_spelled(wanted)


def quick_to_make(known: SceneView, order: ExportOrder) -> bool:
    """Return whether a file is made within a second or so."""
    if order.what == REPORT:
        return False
    number = {FOUND: order.view.count or len(known.table), SELECTED: len(order.patches)}.get(order.what)
    return (len(known.table) if number is None else number) <= AT_ONCE


def _by_job(visitor: Session, known: SceneView, order: ExportOrder, key: str, popover: str) -> None:
    """Draw the button that has a file made, how far that is, and the file."""
    work = f"export-{order.what}-{order.form}"
    job = engine().jobs.get(visitor.work.get(work, ""))
    if job is not None and engine().jobs.payload(job.id) != order.payload(engine()):
        job = None  # It was another view that was wanted then.
    path = None if job is None else _files().export_path(engine().config, job)
    older = path is not None and not _files().export_is_latest(path, known)
    if job is None or older or (job.state == "done" and path is None):
        if older:
            st.caption(OLDER)
        label = "Make the report" if order.what == REPORT else "Make the file"
        st.button(label, key=f"{key}_make", type="primary", on_click=_submit, args=(work, order, known))
        return
    if path is None:
        panel(job, work, job.title)
        return
    with st.container(horizontal=True, key=f"{key}_made"):
        st.download_button(
            f"Download ({size(path.stat().st_size)})", lambda: _files().read_export(path), path.name,
            MEDIA_TYPES[order.form],
            key=f"{key}_file", on_click="ignore", icon=":material/download:", type="primary",
        )  # fmt: skip
        if order.what == REPORT and order.form == "html" and path.stat().st_size <= MOST_PREVIEWED:
            st.button(
                "Preview", key=f"{key}_preview", icon=":material/visibility:", on_click=_preview, args=(job, popover)
            )
        st.button("Make it again", key=f"{key}_again", type="tertiary", on_click=_submit, args=(work, order, known))


def _submit(work: str, order: ExportOrder, known: SceneView) -> None:
    current().work[work] = _files().submit_export(engine(), order, known).id


def _preview(job: Job, popover: str) -> None:
    """Close what lies over the page, and show the report."""
    current().closing = popover
    _shown_report(job)


@st.dialog("Report", width="large")
def _shown_report(job: Job) -> None:
    path = _files().export_path(engine().config, job)
    if path is None:
        st.markdown("The report is gone; make it again.")
        return
    components.html(_files().read_export(path).decode(), height=720, scrolling=True)


def order_spelled(order: ExportOrder) -> None:
    """Draw what gives the same file without the pages."""
    if len(order.view.evidence) + len(order.patches) > MOST_SPELLED:
        many = len(order.view.evidence) + len(order.patches)
        st.caption(f"There are {plain(count(many, 'example'))}; take the bundle, which holds them all.")
        return
    spelled(command_of(order), script_of(order))
