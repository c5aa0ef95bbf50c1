"""Getting ready before the first visitor: the pages' modules are imported, and the scene that opens is read."""

from __future__ import annotations

import logging
from importlib import import_module

from streamlit.runtime import Runtime

from core.encoders.registry import default_encoder
from core.errors import LandlikeError
from pages.ui.state import cache
from pages.ui.state.engine import engine

MODULES = (
    "streamlit_folium",
    "pages.ui.http.pictures",
    "pages.ui.http.points",
    "pages.ui.common.sidebar",
    "pages.ui.explore.preparing",
    "pages.ui.explore.views",
    "pages.ui.models.training_form",
    "pages.ui.scenes.adding",
    "pages.ui.scenes.details",
)
"""What pages and routes are made of, in the order in which the first visit needs them."""


_NO_PAGE = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
"""Warns that a component is declared outside of a page, as it is here."""


def import_pages() -> None:
    """Import what pages need, and tell Streamlit of the map's component, which only a page's own import would."""
    _NO_PAGE.disabled = True
    try:
        for module in MODULES:
            import_module(module)
    finally:
        _NO_PAGE.disabled = False
    if Runtime.exists():
        import streamlit_folium

        Runtime.instance().component_registry.register_component(streamlit_folium._component_func)


def read_newest_scene() -> None:
    """Read what the page shows to a visitor without a link: the newest scene, where it is encoded; nothing is begun."""
    try:
        scenes = engine().library.scenes()
        recipe = engine().recipe(scenes[0], default_encoder()) if scenes else None
        if recipe is not None and engine().encoded(recipe):
            view = cache.scene_view(recipe, scenes[0])
            view.novel_patches()
            view.examples()
        cache.encoders()
    except (LandlikeError, OSError):
        return  # The page says it to who comes.
