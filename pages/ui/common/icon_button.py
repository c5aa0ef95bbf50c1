"""Buttons that show no more than an icon, and have a name all the same."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.common.escape import plain


def icon_button(words: str, icon: str, *, key: str, help_text: str | None = None, **more: Any) -> bool:  # noqa: ANN401
    """Draw a button that shows an icon alone; screen readers say the words, and so does the mouse.

    Args:
        words: its name, as text.
        icon: of Material, such as ``close``.
        key: of the widget.
        help_text: what the mouse says, in place of the words.
        more: what ``st.button`` takes beside.

    Returns:
        Whether it was just pressed.
    """
    with st.container(key=f"icon_{key}", width="content"):  # ``page.css`` hides words in there
        return st.button(plain(words), icon=f":material/{icon}:", key=key, help=help_text or plain(words), **more)
