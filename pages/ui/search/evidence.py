"""The strip that lists good and bad examples over the views: what is looked for, undone, taken away."""

from __future__ import annotations

import streamlit as st

from pages.ui.common.escape import plain
from pages.ui.frontend import text
from pages.ui.search.keeping import kept_searches
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

STRIP_HEIGHT = 56
"""Pixels of a window's height that it takes, with the gap below."""

MOST_SHOWN = 14
"""Good, and bad, examples that are shown as pictures; of an area there may be thousands."""

_component = st.components.v2.component(
    "landlike_evidence",
    html='<div class="evidence" role="group" aria-label="Examples of what is looked for"></div>',
    css=text("evidence.css"),
    js=text("evidence.js"),
)


def strip_there(view: ViewState) -> bool:
    """Return whether examples are listed: more than one patch says what is looked for."""
    return not view.question.empty and not view.question.plain


def evidence_strip(visitor: Session, view: ViewState, thumbs: str) -> None:
    """Draw the strip, where there are examples.

    Args:
        visitor: whose examples they are.
        view: what is on show.
        thumbs: address of the patches' pictures, with ``{id}`` where the patch id goes.
    """
    # Always there, so that the map below keeps its place and is not made anew when examples come and go.
    with st.container(key="evidence_holder"):
        if strip_there(view):
            _strip(visitor, view, thumbs)


def _strip(visitor: Session, view: ViewState, thumbs: str) -> None:
    question = view.question
    if question.words:
        _words(visitor, view)
        return
    data = {"like": list(question.like), "unlike": list(question.unlike), "thumbs": thumbs, "most": MOST_SHOWN}
    with st.container(horizontal=True, vertical_alignment="center", key="evidence_bar"):
        _component(key="evidence", data=data, height=44)
        kept_searches(visitor, view)
        _undo(visitor)


def _words(visitor: Session, view: ViewState) -> None:
    """Say how the words that are looked for were understood."""
    said = "" if view.neighbours is None else view.known.ranking(view.question).sentence
    with st.container(horizontal=True, vertical_alignment="center", key="evidence_bar"):
        st.markdown(f"“**{plain(view.question.words)}**” · {plain(said)}" if said else "", width="stretch")
        _undo(visitor)


def _undo(visitor: Session) -> None:
    st.button("Undo", icon=":material/undo:", key="evidence_undo", type="tertiary",
              help="Go back to what was asked before", disabled=not visitor.past, on_click=visitor.back)  # fmt: skip
