"""The classes that the page offers: of the scheme chosen for the scene, each with colour, key and count."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from core.classification.scene_scheme import OWN_SCHEME, KeptSchemes, choose_scheme, name_class
from core.classification.schemes import KEYS, SCHEMES, LandClass, Scheme
from pages.ui.classify.acts import attempt
from pages.ui.classify.offered import OWN_TITLE, offered, own_classes, scheme_here
from pages.ui.classify.scheme_editor import scheme_dialog
from pages.ui.common.theme import class_title
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import select, show_text, shown

NEW_NAME_KEY = "classify_new"


def counts(known: SceneView) -> dict[str, int]:
    """Return how many patches people gave each class."""
    given = known.labels.given
    if given is None:
        return {}
    found = np.bincount(given.index[given.index >= 0], minlength=len(given.classes))
    return dict(zip(given.classes, found.tolist(), strict=True))


def keys(classes: tuple[LandClass, ...]) -> dict[str, str]:
    """Return the key on the keyboard of each class, by name: its own, else one that is free; the last may have none."""
    taken = {one.key.casefold() for one in classes if one.key}
    free = iter([key for key in KEYS if key not in taken])
    found = {one.name: one.key.casefold() or next(free, "") for one in classes}
    return {name: key for name, key in found.items() if key}


def class_choice(visitor: Session, known: SceneView) -> None:
    """Draw the choice of a scheme, where a class of one's own is named, and what can be done with classes."""
    here = scheme_here(known)
    schemes = _schemes(known, here)
    chosen = next(name for name, one in schemes.items() if one.classes == here.classes and one.title == here.title)
    with st.container(horizontal=True, vertical_alignment="bottom", key="classify_scheme_bar"):
        with st.container(width=300):
            select(
                "Classes", list(schemes), chosen, key="scheme", title=lambda name: schemes[name].title,
                take=lambda name: attempt(visitor, partial(choose_scheme, known.scene, schemes[name])) and None,
            )  # fmt: skip
        st.text_input("Another class", key=NEW_NAME_KEY, placeholder="Type a name, press Enter", width=240,
                      on_change=_add, args=(visitor, known, here))  # fmt: skip
        if st.button("Edit classes", icon=":material/palette:", key="classify_edit"):
            scheme_dialog(visitor, known, _whole(known, here))


def _schemes(known: SceneView, here: Scheme) -> dict[str, Scheme]:
    """Return the schemes to choose from, by name: that of the scene first where it is no other's."""
    kept = {f"kept-{name}": one for name, one in KeptSchemes(engine().config.root).all().items()}
    found: dict[str, Scheme] = {**SCHEMES, **kept}
    if not any(one.classes == here.classes and one.title == here.title for one in found.values()):
        return {"here": here, **found}
    return found if here.name == OWN_SCHEME else {**found, OWN_SCHEME: own_classes(known)}


def _whole(known: SceneView, scheme: Scheme) -> Scheme:
    """Return a scheme with all classes that are offered, so that each can be changed."""
    by_key = keys(offered(known))
    return replace(scheme, classes=tuple(replace(one, key=by_key.get(one.name, "")) for one in offered(known)))


def _add(visitor: Session, known: SceneView, scheme: Scheme) -> None:
    """Take the class that was just typed, before the next run."""
    typed = str(shown(NEW_NAME_KEY) or "")
    if not typed.strip():
        return
    own = scheme if scheme.name == OWN_SCHEME else replace(scheme, name=OWN_SCHEME, title=OWN_TITLE, source="")
    whole = _whole(known, own)
    if attempt(visitor, lambda: name_class(known.scene, whole, typed)):
        visitor.classified = f"Class “{class_title(' '.join(typed.split()))}” is there to label by."
        show_text(NEW_NAME_KEY, "")
