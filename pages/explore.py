"""The Explore page: plot, map and gallery of one scene, linked, and why patches are alike. Layout and wording only."""

from __future__ import annotations

import streamlit as st

from core.features.recipe import Recipe
from core.scenes.scene import Scene
from pages.ui.common.progress import boundary
from pages.ui.cutting.form import cut_form, open_form, shown_cut, why_form
from pages.ui.explore import preparing
from pages.ui.explore.views import linked_views
from pages.ui.search.bar import keep_bar, search_bar
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.view_state import rendering_of


def page() -> None:
    """Draw the whole page."""
    visitor = current()
    scene = preparing.chosen_scene(visitor)
    if scene is None:
        return
    encoder = preparing.chosen_encoder(visitor, scene)
    if not preparing.encoder_tried(scene, encoder):
        return
    why = why_form(visitor, scene, encoder)
    if why and not visitor.cutting:
        open_form(visitor, scene)
    if visitor.cutting:
        cutting(scene, encoder)
        return
    recipe = engine().recipe(scene, encoder, cut=shown_cut(visitor, scene))
    waiting = st.empty()
    with waiting.container():
        there = preparing.features_there(scene, recipe)
    if there:
        waiting.empty()  # At once: else how far encoding was would stand below the views until they are drawn.
        search_bar(visitor, recipe)
        views(scene, recipe)


@st.fragment
def cutting(scene: Scene, encoder: str) -> None:
    """Draw the form for cutting; a click in it runs no more than this, until it is left."""
    with boundary():
        visitor = current()
        if not visitor.cutting:
            st.rerun()
        why = why_form(visitor, scene, encoder)
        cut_form(visitor, scene, encoder, rendering=rendering_of(visitor, scene), why=why or "")


@st.fragment
def views(scene: Scene, recipe: Recipe) -> None:
    """Everything that a click changes; a click runs no more than this."""
    if scene.id not in engine().library:
        st.rerun()  # Deleted in another window: the page says so and goes on.
    with boundary():
        if current().cutting:
            st.rerun()
        linked_views(scene, recipe)
        keep_bar(current(), scene.id)  # Last: what a click found is there by then.


with boundary():
    page()
