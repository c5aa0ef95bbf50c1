"""The dialog in which classes are renamed, coloured, joined, given keys and codes, exported, and read from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.classification.scene_scheme import ClassEdit, KeptSchemes, choose_scheme, edit_scheme
from core.classification.schemes import LandClass, Scheme, read_scheme, scheme_csv, scheme_json
from core.errors import LandlikeError
from core.scenes.given.classes import merge_classes
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.theme import class_title
from pages.ui.http.uploads import upload_content
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session

SCHEME_FILES = ["csv", "json", "qml", "clr", "txt"]


@st.dialog("Classes", width="large", icon=":material/palette:")
def scheme_dialog(visitor: Session, known: SceneView, scheme: Scheme) -> None:
    """Draw the dialog.

    Args:
        visitor: whose page it is.
        known: the scene.
        scheme: of the scene, with all classes that its patches have.
    """
    edit, join, files = st.tabs(["Names, colours, keys", "Join classes", "Files"])
    with edit:
        _table(visitor, known, scheme)
    with join:
        _join(visitor, known)
    with files:
        _files(visitor, known, scheme)


def _table(visitor: Session, known: SceneView, scheme: Scheme) -> None:
    if scheme.source:
        st.caption(plain(scheme.source))
    with st.form("scheme_form", border=False):
        title = st.text_input("Name of these classes", scheme.title, key="scheme_title", max_chars=60)
        widths = [0.8, 4, 1.1, 1.3, 1.2]
        for column, words in zip(st.columns(widths), ("Colour", "Class", "Key", "Code", "Leave out"), strict=True):
            column.caption(words)
        edits = [_row(at, one, widths) for at, one in enumerate(scheme.classes)]
        given = st.form_submit_button("Save", type="primary", key="scheme_save")
    st.caption("Labels of a class take its new name and colour. Codes are the numbers in maps, 0 to 253.")
    if given:
        _attempt(lambda: edit_scheme(known.scene, scheme, edits, title=title), visitor, "The classes are changed.")


def _row(at: int, one: LandClass, widths: Sequence[float]) -> ClassEdit:
    """Draw the fields of a class; return what they say."""
    colour, name, key, code, gone = st.columns(widths, vertical_alignment="center")
    shade = colour.color_picker(f"Colour of class {at + 1}", one.colour, key=f"scheme_colour_{at}",
                                label_visibility="collapsed")  # fmt: skip
    typed = name.text_input(f"Name of class {at + 1}", class_title(one.name), key=f"scheme_name_{at}",
                            label_visibility="collapsed", max_chars=60)  # fmt: skip
    letter = key.text_input(f"Key of class {at + 1}", one.key, key=f"scheme_key_{at}", label_visibility="collapsed",
                            max_chars=1)  # fmt: skip
    number = code.number_input(f"Code of class {at + 1}", 0, 253, one.code, key=f"scheme_code_{at}",
                               label_visibility="collapsed")  # fmt: skip
    leave = gone.checkbox(f"Leave class {at + 1} out", key=f"scheme_gone_{at}", label_visibility="collapsed")
    kept = one.name if typed == class_title(one.name) else typed
    after = LandClass(code=int(number), name=kept, colour=shade, key=letter.strip().casefold())
    return ClassEdit(before=one.name, after=None if leave else after)


def _join(visitor: Session, known: SceneView) -> None:
    given = known.labels.given
    names = [] if given is None else list(given.classes)
    if len(names) < 2:
        st.markdown("There are no two classes with labels yet.")
        return
    some = st.multiselect("Labels of", names, format_func=class_title, key="join_some")
    into = st.selectbox("become", names, index=None, format_func=class_title, key="join_into", placeholder="A class")
    ready = bool(some) and into is not None and set(some) != {into}
    if st.button("Join", type="primary", key="join_do", disabled=not ready) and into is not None:
        _attempt(lambda: merge_classes(known.scene, some, into), visitor, f"Joined into {class_title(into)}.")


def _files(visitor: Session, known: SceneView, scheme: Scheme) -> None:
    st.markdown("Take these classes along:")
    with st.container(horizontal=True, key="scheme_downloads"):
        for kind, text, media in (
            ("csv", scheme_csv(scheme), "text/csv"),
            ("json", scheme_json(scheme), "application/json"),
        ):
            st.download_button(
                kind.upper(), text, f"classes-{scheme.name}.{kind}", media,
                key=f"scheme_{kind}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
        if st.button("Keep for other scenes", key="scheme_keep", icon=":material/bookmark_add:",
                     help="Under its name, in the list of classes of every scene"):  # fmt: skip
            _attempt(lambda: KeptSchemes(engine().config.root).save(scheme), visitor,
                     f"“{scheme.title}” is on offer for other scenes too.")  # fmt: skip
    came = st.file_uploader("Classes from a file: CSV, JSON, or a style of QGIS (.qml, .clr)", type=SCHEME_FILES,
                            max_upload_size=1, key="scheme_file")  # fmt: skip
    if came is None:
        return
    try:
        found = read_scheme(upload_content(came), came.name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.caption(
        plain(f"{count(len(found.classes), 'class', 'classes')}: {', '.join(one.title for one in found.classes[:12])}")
    )
    if st.button("Use these classes", type="primary", key="scheme_use"):
        _attempt(lambda: choose_scheme(known.scene, found), visitor, f"The classes are those of “{came.name}”.")


def _attempt(act: Callable[[], object], visitor: Session, said: str) -> None:
    """Do something and close the dialog, or say in it why that cannot be done."""
    try:
        act()
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    visitor.classified = said
    st.rerun()
