"""The browser's address and its history: where they lead, and that they lead to what is shown, on every page."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.encoders.registry import default_encoder
from pages.ui.state.session import current


def follow_history() -> None:
    """Follow the browser's Back and Forward on a page whose address ``show_address`` writes.

    Any other run leaves the address alone: it may be older than what the visitor did last.
    """
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        current().revisit(st.query_params.to_dict())


def show_address(parameters: dict[str, str]) -> None:
    """Make the browser's address lead here; what changes it is an entry of the browser's history."""
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def keep_address() -> None:
    """Make the address of a page that shows no scene lead to the visitor's too, so that a reload keeps it."""
    visitor = current()
    if visitor.scene_id is not None:
        show_address(visitor.link(visitor.encoder or default_encoder()))
