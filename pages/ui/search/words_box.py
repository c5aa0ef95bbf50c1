"""The box in the sidebar where land is looked for in words."""

from __future__ import annotations

import streamlit as st

from pages.ui.state.question import Question
from pages.ui.state.session import Session
from pages.ui.state.widgets import show_text, shown

KEY = "words"
PLACEHOLDER = "lake, bare soil, dry grass …"


def words_box(visitor: Session, scene_id: str) -> None:
    """Draw the box; what is written there is looked for in a scene.

    Args:
        visitor: who writes.
        scene_id: the scene.
    """

    def asked() -> None:
        words = " ".join(str(shown(KEY) or "").split())
        if words:
            visitor.limit(None)
            visitor.pursue(Question(scene_id, words=words))

    show_text(KEY, visitor.question(scene_id).words)
    with st.sidebar:
        st.text_input(
            "Find land by words", key=KEY, placeholder=PLACEHOLDER, icon=":material/search:", max_chars=200,
            on_change=asked,
            help="Kinds of land, with adjectives: dense forest, turbid water, bright roofs. Classes that were taught, "
            "indices and clusters say where it is.",
        )  # fmt: skip
