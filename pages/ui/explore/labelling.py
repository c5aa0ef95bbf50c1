"""The Label panel: giving patches a class by hand, so that an encoder can be taught it and the report can use it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.errors import LandlikeError
from core.export.tables import labels_csv
from core.scenes.labels import LabelSet, carry_labels, covered_by_labels, give_label, labels_elsewhere
from core.scenes.patches import PatchRefs, patch_refs
from core.values.classes import colours_of
from pages.ui.classify.acts import step_buttons
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, patches
from pages.ui.common.panels import filled_last
from pages.ui.common.theme import class_title
from pages.ui.models.label_choice import ADDED, set_key
from pages.ui.state.label_state import chosen_scheme
from pages.ui.state.session import NOTHING_SELECTED, Session
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import shown

INTRO = "Draw around points in the plot, or click a patch; then say here what land it is."
NEW = "Choose a class, or type a new one"


def label_panel(visitor: Session, view: ViewState) -> None:
    """Draw the button and what it opens."""
    filled_last(st.popover("Label", icon=":material/label:", key="label"), lambda: _panel(visitor, view))


def _panel(visitor: Session, view: ViewState) -> None:
    with st.container(key="label_panel"):
        aims = targets(view)
        if aims:
            _give_form(visitor, view, aims)
        else:
            st.markdown(INTRO)
        if visitor.labelled:
            st.markdown(plain(visitor.labelled))
        with st.container(horizontal=True, key="label_steps"):
            step_buttons(view.known, lambda said: _say(visitor, said), key="label")
        if view.given is not None:
            _given(visitor, view)
        if view.known.labels.version:
            _elsewhere(visitor, view)


def _elsewhere(visitor: Session, view: ViewState) -> None:
    """Tell of labels that were given to patches of another cut, and offer those that lie where patches of this do."""
    scene, grid = view.scene, view.known.grid
    number, covered = view.known.answers.get(
        ("elsewhere", view.known.labels.version),
        lambda: (labels_elsewhere(scene, grid), sum(map(len, covered_by_labels(scene, grid).values()))),
    )
    if not number:
        return
    st.caption(f"{count(number, 'label')} of this scene {'is' if number == 1 else 'are'} of patches cut otherwise.")
    if covered:
        lie = "lies" if covered == 1 else "lie"
        st.button(
            f"Label the {patches(covered)} that {lie} there", key="label_carry", icon=":material/move_down:",
            on_click=_carry, args=(visitor, view),
        )  # fmt: skip


def _carry(visitor: Session, view: ViewState) -> None:
    try:
        carried = carry_labels(view.scene, view.known.grid)
    except LandlikeError as error:
        visitor.labelled = str(error)
        return
    visitor.labelled = f"{patches(carried)} labelled as those cut otherwise at the same place."
    visitor.colour, visitor.overlay = "hand", True


def targets(view: ViewState) -> dict[str, PatchRefs]:
    """Return what can be labelled now, by what it is called: the best guess first."""
    found = {}
    if len(view.selection):
        found[f"The selection: {patches(len(view.selection))}"] = view.selection
    near = [] if view.neighbours is None else view.neighbours.ids.tolist()
    if view.query is not None and view.question.plain:
        query, scene = view.query.patch, view.query.scene
        found[f"Patch {query}"] = PatchRefs(scene, (query,))
        if view.neighbours is not None:
            others = [one for one in near if one != query]
            found[f"Patch {query} and the {len(others)} most like it"] = patch_refs(scene, [query, *others])
        return found
    if len(view.question.like):
        title = f"The {count(len(view.question.like), 'patch', 'patches')} given as good examples"
        found[title] = patch_refs(view.scene.id, view.question.like)
    if near:
        found[f"The {patches(len(near))} found"] = patch_refs(view.scene.id, near)
    return found


def _give_form(visitor: Session, view: ViewState, aims: dict[str, PatchRefs]) -> None:
    key = f"label_what_{'-'.join(str(len(ids)) for ids in aims.values())}"
    ids = aims[st.radio("Which patches", list(aims), key=key)]
    known = class_names(view)
    typed = st.selectbox(
        "Class", known, index=None, format_func=class_title, accept_new_options=True, placeholder=NEW, key="label_class"
    )

    # What the form says at the moment of the click counts, not what it said when its buttons were drawn.
    def asked() -> PatchRefs:
        return aims.get(shown(key), ids)

    def give() -> None:
        name = meant(shown("label_class"), known)
        if name is not None:
            _take(visitor, view, asked(), name)

    with st.container(horizontal=True, key="label_buttons"):
        st.button(
            f"Label {patches(len(ids))}", key="label_give", type="primary", disabled=meant(typed, known) is None,
            on_click=give,
        )  # fmt: skip
        if view.given is not None and (view.given.index[list(ids.patches)] >= 0).any():
            st.button("Take their labels away", key="label_drop", on_click=lambda: _take(visitor, view, asked(), None))


def class_names(view: ViewState) -> list[str]:
    """Return classes to choose from: those given by hand first, then the scene's own, then of the scheme chosen."""
    given = () if view.given is None else view.given.classes
    truth, scheme = view.known.labels.truth, chosen_scheme(view.known)
    own = () if truth is None else truth.classes
    return list(dict.fromkeys([*given, *own, *(() if scheme is None else scheme.names)]))


def meant(typed: str | None, known: Sequence[str]) -> str | None:
    """Return the class that a person means: one there is, however it is written, else the new one; None = none."""
    if not typed or not typed.strip():
        return None
    for name in known:
        if typed.strip().casefold() in {name.casefold(), class_title(name).casefold()}:
            return name
    return typed


def _take(visitor: Session, view: ViewState, ids: PatchRefs, name: str | None) -> None:
    """Label patches before the next run; what went wrong is said in the panel."""
    scheme = chosen_scheme(view.known)
    colour = next((one.colour for one in (() if scheme is None else scheme.classes) if one.name == name), "")
    try:
        give_label(
            view.scene, view.known.grid, ids.patches, name, who=visitor.desk.who, view=_origin(view, ids), colour=colour
        )
    except LandlikeError as error:
        visitor.labelled = str(error)
        return
    some = patches(len(ids))
    visitor.labelled = f"{some} labelled {class_title(name)}." if name else f"The labels of {some} are gone."
    visitor.colour, visitor.overlay = "hand", True
    if name:  # What is marked would hide the colour of its label.
        visitor.selection = NOTHING_SELECTED


def _origin(view: ViewState, ids: PatchRefs) -> str:
    """Return from what view patches are labelled, as is kept with their labels."""
    if ids == view.selection:
        return "selection on Explore"
    return "patch on Explore" if len(ids) == 1 else "a patch and those like it, on Explore"


def _say(visitor: Session, said: str) -> None:
    visitor.labelled = said


def _given(visitor: Session, view: ViewState) -> None:
    """Draw the labels there are, and what can be done with them."""
    given = view.given
    if given is None:
        return
    counts = np.bincount(given.index[given.index >= 0], minlength=len(given.classes))
    chips = "".join(
        f'<li><i style="background:{colour}"></i><b>{safe_label(class_title(name))}</b> {count:,}</li>'
        for name, colour, count in zip(given.classes, colours_of(view.known.labels, given.classes), counts, strict=True)
    )
    st.html(f'<div class="ll-given">Labels of this scene<ul>{chips}</ul></div>')
    with st.container(horizontal=True, key="label_uses"):
        every = patch_refs(view.scene.id, np.flatnonzero(given.index >= 0).tolist())
        st.button("Show them", key="label_show", on_click=_show, args=(visitor, every))
        st.download_button(
            "CSV", lambda: labels_csv(view.scene, view.known.grid, given),
            f"labels-{view.scene.id}.csv", "text/csv", key="label_csv", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        if st.button("Teach an encoder", key="label_teach", icon=":material/school:"):
            visitor.teach = set_key(LabelSet(scene_id=view.scene.id, by="hand"))
            visitor.work.pop(ADDED, None)  # Not what was added before, but these labels are to be chosen.
            st.switch_page("models.py")


def _show(visitor: Session, ids: PatchRefs) -> None:
    visitor.select(ids)
    visitor.colour, visitor.overlay = "hand", True
