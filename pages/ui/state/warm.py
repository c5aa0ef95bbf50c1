"""Getting ready before the first visitor: the pages' modules are imported, and the scene that opens is read."""

from __future__ import annotations

import logging
from importlib import import_module

from streamlit import delta_generator
from streamlit.runtime import Runtime

from core.errors import LandlikeError
from core.features.given import first_encoder
from pages.ui.common.later import later
from pages.ui.state import cache
from pages.ui.state.engine import engine

FIRST = (
    "pages.ui.common.sidebar",
    "pages.ui.explore.preparing",
    "streamlit_folium",
    "pages.ui.explore.views",
    "pages.ui.http.points",
    "pages.ui.http.pictures",
)
"""What the Explore page and its routes are made of, in the order in which a first visit needs them."""

NEXT = ("pages.ui.scenes.adding", "pages.ui.scenes.details", "pages.ui.models.training_form")
"""What the other pages are made of."""


_NO_PAGE = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
"""Warns that a component is declared outside of a page, as it is here."""


def import_first() -> None:
    """Import what the first page needs, and tell Streamlit of the map's component, as only a page's import would."""
    _NO_PAGE.disabled = True
    try:
        # folium asks whether what it is given is a table of pandas, and fetches addresses by requests; nothing here is.
        with later("pandas"), later("requests"):
            import_module("folium")
        for module in FIRST:
            import_module(module)
    finally:
        _NO_PAGE.disabled = False
    if Runtime.exists():
        import streamlit_folium

        # Else the first element asks whether this is a Python prompt, which reads the source of half the modules.
        delta_generator._use_warning_has_been_displayed = True
        Runtime.instance().component_registry.register_component(streamlit_folium._component_func)


def import_next() -> None:
    """Import what the other pages need."""
    for module in NEXT:
        import_module(module)


def read_newest_scene() -> None:
    """Read what the page shows to a visitor without a link: the newest scene, where it is encoded; nothing is begun."""
    try:
        scenes = engine().library.scenes()
        recipe = engine().recipe(scenes[0], first_encoder(scenes[0])) if scenes else None
        if recipe is not None and engine().encoded(recipe):
            view = cache.scene_view(recipe, scenes[0])
            view.novel_patches()
            view.examples()
        cache.encoders()
    except (LandlikeError, OSError):
        return  # The page says it to who comes.
