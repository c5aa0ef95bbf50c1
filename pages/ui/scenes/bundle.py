"""Opening a bundle that somebody handed on: what it is, what it lacks here, and the ways on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandlikeError
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.handover import follow_view
from pages.ui.common.progress import follow_line, wanted
from pages.ui.state.cache import uploaded_bundle
from pages.ui.state.engine import engine
from pages.ui.state.session import Session

if TYPE_CHECKING:
    from core.engine.bundles import OpenedBundle
    from core.jobs.queue import Job


OPEN_BUNDLE = "Open a view that somebody handed on"
"""What the place for bundles is called."""


def bundle_panel(visitor: Session) -> None:
    """Draw where a bundle is opened, folded away until somebody wants it."""
    with st.expander(OPEN_BUNDLE, icon=":material/package_2:", key="open_bundle"):
        bundle_opener(visitor)


def bundle_opener(visitor: Session) -> None:
    """Draw the place for a bundle, what it lacks here, and the ways on."""
    from core.engine.bundles import open_bundle

    came = st.file_uploader("A bundle", type=["zip"], key="bundle_file", label_visibility="collapsed")
    if came is None:
        return
    try:
        opened = open_bundle(engine(), uploaded_bundle(came.file_id, came), came.name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    said = opened.bundle.scene
    st.caption(plain(f"A view of “{said.get('name')}”{', ' + str(said['date']) if said.get('date') else ''}."))
    if opened.to_find and opened.shows_clusters:
        found = _after_clusters(opened, came.name)
        if found is None:
            return
        opened = found
    for sentence in opened.lacking:
        st.warning(plain(sentence), icon=":material/warning:")
    if opened.view is None:
        return
    with st.container(horizontal=True, key="bundle_ways"):
        if st.button("Show this view", key="bundle_show", type="primary"):
            _show(visitor, opened)
        if opened.bundle.labels.get("classes") and st.button("Take its labels", key="bundle_labels"):
            _take(opened, came.name)


def _after_clusters(opened: OpenedBundle, name: str) -> OpenedBundle | None:
    """Have the clusters found that a bundle shows, and draw how far that is; return it without where that failed.

    Only then can be said whether they are the same here. None = it still goes on.
    """
    from core.engine.bundles import open_bundle

    view, clusters = opened.view, opened.clusters
    if view is None or clusters is None:
        return opened
    recipe, settings = view.recipe, clusters.settings

    def submit() -> Job:
        there = engine().clustered.has(recipe, settings.key)  # Then it is their features that are gone.
        return engine().submit_encode(recipe) if there else engine().submit_clusters(recipe, settings)

    key = f"clusters-{recipe.key}-{settings.key}"
    job = wanted(key, submit)
    follow_line(job, key, "Finding the clusters of the bundle", stop=True)
    if job.active:
        return None
    again = open_bundle(engine(), opened.bundle, name) if job.state == "done" else opened
    return again.without_clusters("The clusters of the bundle were not found here.") if again.to_find else again


def _show(visitor: Session, opened: OpenedBundle) -> None:
    from core.engine.bundles import take_clusters

    try:
        take_clusters(engine(), opened)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    follow_view(visitor, opened)
    st.switch_page("explore.py")


def _take(opened: OpenedBundle, name: str) -> None:
    from core.engine.bundles import take_labels

    try:
        taken = take_labels(engine(), opened, name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.caption(f"{count(taken, 'patch', 'patches')} labelled; those that had a label keep it.")
