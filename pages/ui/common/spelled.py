"""What gives the same result as a view without the pages, to be copied."""

from __future__ import annotations

import streamlit as st


def spelled(command: str, script: str) -> None:
    """Draw a shell command and a script of Python, each with a button that copies it."""
    words, lines = st.tabs(["As a command", "As Python"])
    words.code(command, language="bash", wrap_lines=True)
    lines.code(script, language="python", wrap_lines=True)
