"""Headings of pages and of their parts, in order from 1, whatever their size."""

from __future__ import annotations

import html
from typing import Literal

import streamlit as st


def heading(words: str, level: int = 2, *, look: Literal["small", "large", "unseen"] = "small") -> None:
    """Draw a heading.

    Args:
        words: what it says, as text.
        level: 1 for the page, 2 for a part of it, 3 for a part of that.
        look: ``unseen`` = for screen readers, where the page shows by other means what stands there.
    """
    st.html(f'<h{level} class="ll-title ll-{look}">{html.escape(words)}</h{level}>', width="content")
