"""Opening a bundle that somebody handed on: what it is, what it lacks here, and the ways on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandlikeError
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.handover import follow_view
from pages.ui.state.engine import engine
from pages.ui.state.session import Session

if TYPE_CHECKING:
    from core.engine.bundles import OpenedBundle


OPEN_BUNDLE = "Open a view that somebody handed on"
"""What the place for bundles is called."""


def bundle_panel(visitor: Session) -> None:
    """Draw where a bundle is opened, folded away until somebody wants it."""
    with st.expander(OPEN_BUNDLE, icon=":material/package_2:", key="open_bundle"):
        bundle_opener(visitor)


def bundle_opener(visitor: Session) -> None:
    """Draw the place for a bundle, what it lacks here, and the ways on."""
    from core.engine.bundles import open_bundle
    from core.export.bundle import MOST_BYTES, parse_bundle

    came = st.file_uploader("A bundle", type=["zip"], key="bundle_file", label_visibility="collapsed")
    if came is None:
        return
    try:
        opened = open_bundle(engine(), parse_bundle(bytes(came.getbuffer()[: MOST_BYTES + 1]), came.name), came.name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    for sentence in opened.lacking:
        st.warning(plain(sentence), icon=":material/warning:")
    if opened.view is None:
        return
    with st.container(horizontal=True, key="bundle_ways"):
        if st.button("Show this view", key="bundle_show", type="primary"):
            follow_view(visitor, opened)
            st.switch_page("explore.py")
        if opened.bundle.labels.get("classes") and st.button("Take its labels", key="bundle_labels"):
            _take(opened, came.name)


def _take(opened: OpenedBundle, name: str) -> None:
    from core.engine.bundles import take_labels

    try:
        taken = take_labels(engine(), opened, name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.caption(f"{count(taken, 'patch', 'patches')} labelled; those that had a label keep it.")
