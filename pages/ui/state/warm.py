"""Getting ready before the first visitor: the pages' modules are imported, and the scene that opens is read."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import suppress
from importlib import import_module

from streamlit import delta_generator
from streamlit.components.v2.bidi_component import serialization
from streamlit.dataframe_util import is_dataframe_like
from streamlit.runtime import Runtime

from core.encoders.registry import default_encoder
from core.errors import LandlikeError
from core.features.given import first_encoder
from pages.ui.common.later import giving_way, later
from pages.ui.state import cache
from pages.ui.state.engine import engine

FIRST = (
    "pages.ui.common.sidebar",
    "pages.ui.explore.preparing",
    "pages.ui.explore.views",
    "pages.ui.http.points",
    "pages.ui.http.pictures",
)
"""What the Explore page and its routes are made of but for the map, in the order in which a first visit needs them."""

MAP = "pages.ui.explore.map"
"""Draws the map; what it needs takes as long to import as half of all else."""

NEXT = ("pages.ui.scenes.adding", "pages.ui.scenes.details", "pages.ui.models.training_form")
"""What the other pages are made of."""


_NO_PAGE = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
"""Warns that a component is declared outside of a page, as it is here."""


_IMPORTING = threading.Lock()


def spare() -> None:
    """Keep Streamlit from what its first elements would do for nothing, each half a second and more."""
    if Runtime.exists():
        # Else the first element asks whether this is a Python prompt, which reads the source of half the modules.
        delta_generator._use_warning_has_been_displayed = True
    # Else the first component imports pandas, to ask whether a list or a dict is a table of it. Ours never are.
    serialization.is_dataframe_like = _is_table


def _is_table(something: object) -> bool:
    return not isinstance(something, (dict, list)) and is_dataframe_like(something)


def import_first() -> None:
    """Import what the first page needs to draw all but its map; and keep Streamlit from what it does for nothing."""
    spare()
    for module in FIRST:
        import_module(module)


def import_map() -> None:
    """Import what draws the map, and tell Streamlit of its component, as only a page's import would; once."""
    if MAP in sys.modules and not _IMPORTING.locked():
        return
    with _IMPORTING:
        if MAP not in sys.modules:
            _import_folium()
            import_module(MAP)


def _import_folium() -> None:
    _NO_PAGE.disabled = True
    try:
        with giving_way():
            # folium asks whether what it gets is a table of pandas, and fetches addresses by requests; nothing here is.
            with later("pandas"), later("requests"):
                import_module("folium")
            import_module("folium.utilities").pd = None  # as where there is no pandas
            streamlit_folium = import_module("streamlit_folium")
    finally:
        _NO_PAGE.disabled = False
    if Runtime.exists():
        Runtime.instance().component_registry.register_component(streamlit_folium._component_func)


def import_next() -> None:
    """Import what the other pages need, and the map where no page asked for it."""
    import_map()
    for module in NEXT:
        import_module(module)


def try_encoder() -> None:
    """Have the encoder tried that visitors begin with, where that is still to do: the first scene would wait for it."""
    with suppress(LandlikeError, OSError):  # The page says it to who comes.
        if engine().untried(default_encoder()):
            engine().submit_trial(default_encoder())


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
