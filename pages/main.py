"""The shell around every page: configuration, navigation, sidebar."""

from __future__ import annotations

import streamlit as st

from pages.ui.common.progress import boundary
from pages.ui.common.sidebar import sidebar
from pages.ui.frontend import path, text
from pages.ui.state.address import follow_history, keep_address
from pages.ui.state.turns import TURNS

SIDEBAR_WIDTH = 236


def shell() -> None:
    """Set the page up, draw the sidebar, run the page that was chosen."""
    st.set_page_config(
        page_title="Landlike", page_icon=path("icon.svg"), layout="wide", initial_sidebar_state=SIDEBAR_WIDTH
    )
    st.logo(path("logo.svg"), size="large")
    st.html(f"<style>{text('page.css')}</style>")
    explore = st.Page("explore.py", title="Explore", icon=":material/travel_explore:", default=True)
    classify = st.Page("classify.py", title="Classify", icon=":material/category:", url_path="classify")
    page = st.navigation(
        [
            explore,
            classify,
            st.Page("open.py", title="Scenes", icon=":material/satellite_alt:", url_path="scenes"),
            st.Page("models.py", title="Models", icon=":material/model_training:", url_path="models"),
        ]
    )
    if page in (explore, classify):
        follow_history()
    with boundary():
        sidebar()
        if page not in (explore, classify):  # These two say it themselves, once they know which scene it is.
            keep_address()
    page.run()


# A worker process that is started while this runs reads this file under another name, and must not draw.
if __name__ == "__main__":
    with TURNS.turn():
        shell()
