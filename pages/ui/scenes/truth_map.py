"""The truth map of a scene: adding a raster of classes, what was read of it, and taking it away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.scenes.quality import QualityRecord
from core.scenes.scene import Scene
from core.scenes.truth import Truth, drop_truth_map, leave_unasked, truth_of
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.progress import boundary, job_list
from pages.ui.http.uploads import Upload, let_go
from pages.ui.scenes.provenance import show_record
from pages.ui.scenes.upload import spool
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.widgets import shown

ABOUT = (
    "A raster of classes says which land lies where: patches are coloured by their commonest class, and Trust says how "
    "much of their land neighbours share."
)
MAP_UPLOADER = "A GeoTIFF with a code or a colour for each class; with it, if you have one, a CSV of codes and names"
NAMES_HELP = "Where the map does not say it. Several codes of one name are one class; “none” means no class."
NOT_ASKED_HELP = (
    "Patches that are half or more of these classes are not asked for their neighbours when Trust measures."
)
CLASSES_NAMED = 12


def truth_panel(scene: Scene) -> None:
    """Draw the panel of a scene; of a collection, whose patches have classes of their own, none."""
    if scene.is_collection:
        return
    with st.container():  # So that the panel below keeps its place, and stays open, when there is news.
        job_list(("truth",), _asked_by(scene))
    with st.expander("Truth map", icon=":material/category:"), boundary():
        truth = truth_of(scene)
        st.caption(ABOUT)
        if truth is not None:
            _known(scene, truth)
        _add(scene, again=truth is not None and truth.added is not None)


def _asked_by(scene: Scene) -> str:
    """Return what the work on the map of a scene is asked by, so that it is told of where the map is."""
    return f"truth-{scene.id}"


def known_words(truth: Truth) -> str:
    """Return what truth a scene has, a sentence."""
    named = ", ".join(truth.classes[:CLASSES_NAMED])
    if len(truth.classes) > CLASSES_NAMED:
        named += f" and {len(truth.classes) - CLASSES_NAMED} more"
    what = count(len(truth.classes), "class", "classes")
    if truth.added is None:
        return f"{what} came with the scene: {named}."
    covered = f"{100 * truth.added.covered:.1f}".removesuffix(".0")
    return f"{what} from “{truth.added.source}”, for {covered} % of the scene: {named}."


def _known(scene: Scene, truth: Truth) -> None:
    st.markdown(plain(known_words(truth)))
    if truth.added is None:
        return
    key = f"not_asked_{scene.id}_{truth.added.file}"

    def leave() -> None:
        with boundary():
            leave_unasked(scene, shown(key) or [])

    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.multiselect(
        "Classes that Trust does not ask about", truth.classes, truth.not_asked, key=key, on_change=leave,
        help=NOT_ASKED_HELP, placeholder="It asks about all classes",
    )  # fmt: skip
    right.button(
        "Take the map away", key=f"drop_truth_{scene.id}", icon=":material/delete:", width="stretch",
        on_click=drop_truth_map, args=(scene,),
    )  # fmt: skip
    show_record(QualityRecord(source=truth.added.source, findings=truth.added.findings, settings={}))


def _add(scene: Scene, *, again: bool) -> None:
    """Draw what a map is added by."""
    title = "Another map, in its place" if again else MAP_UPLOADER
    key = f"truth_{scene.id}_{current().uploads}"
    uploads = st.file_uploader(title, accept_multiple_files=True, key=f"{key}_files")
    if not uploads:
        return
    names = st.text_input("What the codes mean", placeholder="0=water, 1=trees", key=f"{key}_names", help=NAMES_HELP)
    if st.button("Add the map", type="primary", key=f"{key}_go"):
        with st.spinner("Taking the map in…"):
            _submit(scene, uploads, names)
        st.rerun()


def _submit(scene: Scene, uploads: Sequence[Upload], names: str) -> None:
    paths = spool(uploads, engine().config.root / "uploads")
    engine().submit_truth(scene, paths, names.strip(), asked_by=_asked_by(scene))
    for upload in uploads:
        let_go(upload)
    current().uploads += 1
