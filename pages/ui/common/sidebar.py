"""The sidebar of every page: which scene, which encoder."""

from __future__ import annotations

import streamlit as st

from core.bands import BAND_NAMES
from core.encoders.registry import default_encoder
from core.features.given import given_spec
from core.scenes.overview import metres_of
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from pages.ui.common.cuts import cut_title, recipes_there, take_cut
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.models.card import show_card
from pages.ui.models.getting import title_in_choice
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.widgets import choose, select

TROUBLE = "What others add or change meanwhile is not seen here yet."
"""What follows from a bucket that cannot be read."""


def sidebar() -> None:
    """Draw the pickers; they change the visitor's session."""
    with st.sidebar:
        scene = _scene_picker()
        if scene is None or scene.has_pixels:
            _encoder_picker()
        else:
            _given_encoder(scene)
        if scene is not None and not scene.is_collection:
            _cut_picker(scene)
        if engine().trouble:
            st.warning(f"{plain(engine().trouble)} {TROUBLE}", icon=":material/cloud_off:")


def _cut_picker(scene: Scene) -> None:
    """Offer the ways of cutting by which a scene is encoded, where there are several."""
    visitor = current()
    shown = visitor.cut(scene.id)
    cuts = {cut.key: cut for cut in (*(recipe.cut for recipe in recipes_there(scene, visitor.encoder)), shown)}
    if len(cuts) > 1:
        titles = {key: cut_title(cut, metres_of(scene), scene) for key, cut in cuts.items()}
        choose("Patches", titles, shown.key, key="cut", take=lambda key: take_cut(visitor, scene, cuts[key]))


def _scene_picker() -> Scene | None:
    """Draw the picker; return the scene it shows."""
    scenes = {scene.id: scene for scene in engine().library.scenes()}
    visitor = current()
    if not scenes:
        return None
    chosen = visitor.scene_id if visitor.scene_id in scenes else next(iter(scenes))
    select("Scene", list(scenes), chosen, key="scene", title=lambda name: scenes[name].name, take=visitor.open)
    st.caption(facts(scenes[chosen]))
    return scenes[chosen]


def facts(scene: Scene) -> str:
    """Tell what a scene is, in a few words of Markdown."""
    kind = "synthetic, no satellite saw it" if scene.synthetic else ""
    if not scene.has_pixels:
        kind = f"{scene.given.encoder['dimension']:,} numbers a patch, no pixels" if scene.given is not None else ""
    bands = "all 13 bands" if len(scene.bands) == len(BAND_NAMES) else f"{len(scene.bands)} of 13 bands"
    words = " · ".join(
        plain(part) for part in (scene.level, scene.date, bands if scene.has_pixels else "", kind) if part
    )
    assumed = len(load_quality(scene.directory).warnings())
    return f"{words}  \n:material/info: {count(assumed, 'assumption')}, see Scenes" if assumed else words


def _given_encoder(scene: Scene) -> None:
    """Say what made the vectors of a scene without pixels; no other encoder can look at it."""
    spec = given_spec(scene)
    if spec is not None:
        st.markdown("Encoder")
        st.caption(plain(f"{spec.title}: {spec.origin}. Other encoders would need pixels, and the file holds none."))


def _encoder_picker() -> None:
    listings = cache.encoders()
    visitor = current()
    wish = visitor.encoder or default_encoder()

    def take(encoder: str) -> None:
        # One that answers beside the chosen encoder changes places with it.
        visitor.compare(tuple(chosen if one == encoder else one for one in visitor.compared))
        visitor.encoder = encoder

    chosen = wish if wish in listings else default_encoder()
    help_text = "What turns a patch into numbers. Encoders that learned from many scenes see more than statistics do."
    select(
        "Encoder",
        list(listings),
        chosen,
        key="encoder",
        title=lambda name: title_in_choice(listings[name]),
        take=take,
        help_text=help_text,
    )
    with st.popover("What it has learned", icon=":material/badge:", key="encoder_card", width="stretch"):
        show_card(listings[chosen], "sidebar")
        # A link in any case: what is longer than the window is scrolled by keyboard where something takes the focus.
        get, icon = listings[chosen].fetchable, ":material/model_training:"
        st.page_link(
            "models.py", label="Get it on the Models page" if get else "All encoders on the Models page", icon=icon
        )
