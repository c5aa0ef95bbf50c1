"""The Explore page: plot, map and gallery of one scene, linked, and why patches are alike. Layout and wording only."""

from __future__ import annotations

import streamlit as st

from core.features.recipe import Recipe
from core.scenes.scene import Scene
from pages.ui.common.progress import boundary
from pages.ui.explore import preparing
from pages.ui.explore.views import linked_views
from pages.ui.state.engine import engine
from pages.ui.state.session import current


def page() -> None:
    """Draw the whole page."""
    visitor = current()
    scene = preparing.chosen_scene(visitor)
    if scene is None:
        return
    recipe = engine().recipe(scene, preparing.chosen_encoder(visitor))
    if preparing.features_there(scene, recipe):
        views(scene, recipe)


@st.fragment
def views(scene: Scene, recipe: Recipe) -> None:
    """Everything that a click changes; a click runs no more than this."""
    if scene.id not in engine().library:
        st.rerun()  # Deleted in another window: the page says so and goes on.
    with boundary():
        linked_views(scene, recipe)


with boundary():
    page()
