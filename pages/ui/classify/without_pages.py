"""What prints the figures of a panel of the Classify page without the pages."""

from __future__ import annotations

import streamlit as st

from core.engine.class_map import taught_kind
from core.engine.snippets import classify_command, classify_script
from pages.ui.common.spelled import spelled
from pages.ui.state.scene_view import SceneView


def classify_spelled(known: SceneView, panel: str, *options: str) -> None:
    """Offer the commands and the script that print what a panel draws.

    Args:
        known: the scene and its labels.
        panel: its name, for the key of the widget.
        options: of ``classify``, which say what is printed.
    """
    asked = (known.recipe, taught_kind(known.choice))
    with st.popover("As a command", icon=":material/terminal:", key=f"{panel}_spelled"):
        st.caption("It encodes the scene where it is not yet, writes the labels to a file and learns from them anew.")
        spelled(classify_command(*asked, *options), classify_script(*asked, *options))
