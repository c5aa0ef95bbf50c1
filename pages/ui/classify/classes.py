"""The classes that the page offers: of a scheme of the field, or one's own; each with colour, key and count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import streamlit as st

from core.classification.heads import land_classes
from core.classification.schemes import KEYS, SCHEMES, LandClass, Scheme
from core.errors import LandlikeError
from core.scenes.annotations import clean_class, merge_classes, recolour_class, rename_class
from core.values.classes import colours_of
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import bound, shown

OWN, FIRST = "own", "dynamicworld"
"""Classes that people name themselves, and the scheme that is offered where a scene has no classes yet."""

TITLES: Mapping[str, str] = MappingProxyType(
    {OWN: "My own classes"} | {name: one.title for name, one in SCHEMES.items()}
)
NEW_NAME_KEY = "classify_new_{}"
"""Key of the field for a name; another one once a name was taken, so that it is empty again."""


def scheme_of(visitor: Session) -> Scheme | None:
    """Return the scheme of the field that the visitor labels by; None = classes of their own."""
    return SCHEMES.get(visitor.scheme)


def offered(visitor: Session, known: SceneView) -> tuple[LandClass, ...]:
    """Return the classes to label by: those of the scheme, then others that patches have, then those just named."""
    scheme = scheme_of(visitor)
    shown, given = known.labels.shown, known.labels.given
    own = () if shown is None or known.labels.truth is None else known.labels.truth.classes
    first = own if scheme is None else scheme.names
    labelled = () if given is None else given.classes
    stated = {} if shown is None else dict(zip(shown.classes, colours_of(known.labels, shown.classes), strict=True))
    found = land_classes(tuple(dict.fromkeys([*first, *labelled, *visitor.new_classes])), scheme)
    return tuple(replace(one, colour=stated.get(one.name, one.colour)) for one in found)


def usual_scheme(known: SceneView) -> str:
    """Return the scheme that holds all classes of a scene, or ``OWN``; the first one where it has none yet."""
    shown = known.labels.shown
    if shown is None:
        return FIRST
    return next((name for name, one in SCHEMES.items() if set(shown.classes) <= set(one.names)), OWN)


def counts(known: SceneView) -> dict[str, int]:
    """Return how many patches people gave each class."""
    given = known.labels.given
    if given is None:
        return {}
    found = np.bincount(given.index[given.index >= 0], minlength=len(given.classes))
    return dict(zip(given.classes, found.tolist(), strict=True))


def keys(classes: tuple[LandClass, ...]) -> dict[str, str]:
    """Return the key on the keyboard of each class, by name; of many classes the last have none."""
    return {one.name: key for one, key in zip(classes, KEYS, strict=False)}


def class_choice(visitor: Session, known: SceneView) -> None:
    """Draw the choice of a scheme, where a class of one's own is named, and what can be done with classes."""
    if not visitor.scheme:
        visitor.scheme = usual_scheme(known)
    with st.container(horizontal=True, vertical_alignment="bottom", key="classify_scheme_bar"):
        st.selectbox("Classes", list(TITLES), format_func=TITLES.__getitem__, width=300, **bound("scheme", "scheme"))
        key = NEW_NAME_KEY.format(len(visitor.new_classes))
        st.text_input("Another class", key=key, placeholder="Type a name, press Enter", width=240,
                      on_change=_add, args=(visitor, key))  # fmt: skip
        if known.labels.given is not None:
            with st.popover("Change a class", icon=":material/edit:", key="classify_edit"):
                _edit(visitor, known)


def _edit(visitor: Session, known: SceneView) -> None:
    """Draw how a class that patches have is renamed, coloured or joined to another."""
    given = known.labels.given
    if given is None:
        return
    names, scene = list(given.classes), known.scene
    chosen = st.selectbox("Class", names, format_func=class_title, key="edit_class")
    colour = dict(zip(names, colours_of(known.labels, names), strict=True))[chosen]
    # Fields are those of the class, so each class has its own.
    fields = {what: f"edit_{what}_{names.index(chosen)}_{known.labels.version}" for what in ("name", "colour", "into")}

    def change(act: Callable[[], None]) -> None:
        try:
            act()
            visitor.classified = ""
        except LandlikeError as error:
            visitor.classified = str(error)

    st.text_input("Its name", chosen, key=fields["name"], on_change=lambda: change(
        lambda: rename_class(scene, chosen, str(shown(fields["name"]) or chosen))))  # fmt: skip
    st.color_picker("Its colour", colour, key=fields["colour"], on_change=lambda: change(
        lambda: recolour_class(scene, chosen, str(shown(fields["colour"])))))  # fmt: skip
    others = [name for name in names if name != chosen]
    if others:
        st.selectbox("Join it to", others, index=None, format_func=class_title, placeholder="Another class",
                     key=fields["into"], on_change=lambda: change(
                         lambda: merge_classes(scene, [chosen], str(shown(fields["into"])))))  # fmt: skip


def _add(visitor: Session, key: str) -> None:
    """Take the class that was just typed, before the next run."""
    typed = str(shown(key) or "")
    if not typed.strip():
        return
    try:
        name = clean_class("Naming a class", typed)
    except LandlikeError as error:
        visitor.classified = str(error)
        return
    visitor.new_classes = tuple(dict.fromkeys([*visitor.new_classes, name]))
    visitor.classified = f"Class “{class_title(name)}” is there to label by."
