"""The strip that lists good and bad examples over the views: what is looked for, undone, taken away."""

from __future__ import annotations

import streamlit as st

from pages.ui.frontend import text
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

STRIP_HEIGHT = 56
"""Pixels of a window's height that it takes, with the gap below."""

_component = st.components.v2.component(
    "landlike_evidence",
    html='<div class="evidence" role="group" aria-label="Examples of what is looked for"></div>',
    css=text("evidence.css"),
    js=text("evidence.js"),
)


def strip_there(view: ViewState) -> bool:
    """Return whether examples are listed: more than one patch says what is looked for."""
    return len(view.question) > 0 and not view.question.plain


def evidence_strip(visitor: Session, view: ViewState, thumbs: str) -> None:
    """Draw the strip, where there are examples.

    Args:
        visitor: whose examples they are.
        view: what is on show.
        thumbs: address of the patches' pictures, with ``{id}`` where the patch id goes.
    """
    if not strip_there(view):
        return
    data = {"like": list(view.question.like), "unlike": list(view.question.unlike), "thumbs": thumbs}
    with st.container(horizontal=True, vertical_alignment="center", key="evidence_bar"):
        _component(key="evidence", data=data, height=44)
        st.button("Undo", icon=":material/undo:", key="evidence_undo", type="tertiary",
                  help="Take back the latest example", disabled=not visitor.past, on_click=visitor.back)  # fmt: skip
