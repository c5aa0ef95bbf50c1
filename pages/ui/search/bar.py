"""The search bar in the sidebar: land in words, a place by its coordinates, a picture, a patch of another scene."""

from __future__ import annotations

import streamlit as st

from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.scenes.patches import PatchRef
from core.search.coordinates import are_coordinates, find_spot
from pages.ui.common.escape import plain
from pages.ui.search.elsewhere import other_scenes
from pages.ui.search.picture import DIALOG, encode_missing, picture_form, pictures_under_way, take_pictures
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from pages.ui.state.widgets import show_text, shown

KEY = "words"
PLACEHOLDER, PLACEHOLDER_WITHOUT_PIXELS = "lake · 37.2, −75.9", "37.2, −75.9 · a class"
_HELP = (
    "Kinds of land, with adjectives: dense forest, turbid water, bright roofs; classes and clusters by their names. "
    "Or a place: 37.2, −75.9, 37° 12′ N 75° 54′ W, 18S 431250 4118750, or coordinates of the scene's own system."
)
_HELP_WITHOUT_PIXELS = (
    "A place: 37.2, −75.9, 37° 12′ N 75° 54′ W, 18S 431250 4118750. Or classes and clusters by their names. Kinds of "
    "land, such as lake, are told by bands, which vectors without pixels do not have."
)


def search_bar(visitor: Session, recipe: Recipe) -> None:
    """Draw the bar; what is written or given there is looked for in the scene of a recipe, which is encoded."""
    scene_id = recipe.scene_id
    take_pictures(visitor, scene_id)
    visitor.bar = _told(visitor, scene_id)
    show_text(KEY, visitor.bar[0])
    pixels = engine().library.get(scene_id).has_pixels
    with st.sidebar, st.container(key="search_bar"):
        st.text_input(
            "Find land", key=KEY, placeholder=PLACEHOLDER if pixels else PLACEHOLDER_WITHOUT_PIXELS,
            icon=":material/search:", max_chars=200, help=_HELP if pixels else _HELP_WITHOUT_PIXELS, on_change=_written,
            args=(visitor, recipe),
        )  # fmt: skip
        title, icon = "Picture or scene", ":material/add_photo_alternate:"
        if st.button(title, icon=icon, key="by_picture", width="stretch"):
            _more(visitor, recipe)
        pictures_under_way(visitor)
        encode_missing(visitor, recipe)
        if visitor.found:
            st.caption(plain(visitor.found))


def _told(visitor: Session, scene_id: str) -> tuple[str, str]:
    """Return the text in the bar, and the sentence under it."""
    return visitor.typed or visitor.question(scene_id).words, visitor.found


def keep_bar(visitor: Session, scene_id: str) -> None:
    """Draw the page anew where the bar still tells of another search, which a click in the views does not draw."""
    if visitor.bar != _told(visitor, scene_id):
        st.rerun()


@st.dialog("Find land like a picture, or like a patch of another scene", width="large")
def _more(visitor: Session, recipe: Recipe) -> None:
    """Draw what else can be searched by; it closes as soon as something is."""
    if visitor.closing == DIALOG:
        visitor.closing = ""
        st.rerun()
    left, right = st.columns(2, gap="large")
    with left:
        picture_form(visitor, recipe)
    with right:
        other_scenes(visitor, recipe)


def _written(visitor: Session, recipe: Recipe) -> None:
    """Take what stands in the bar: coordinates, else words."""
    text = " ".join(str(shown(KEY) or "").split())
    visitor.typed = visitor.found = ""
    if are_coordinates(text):
        _go_to(visitor, recipe, text)
    elif text:
        visitor.limit(None)
        visitor.pursue(Question(recipe.scene_id, words=text))


def _go_to(visitor: Session, recipe: Recipe, text: str) -> None:
    """Ask about the patch at some coordinates or, where examples are listed, add it to them."""
    try:
        view = cache.scene_view(recipe)
        place = find_spot(text, view.scene, view.grid, view.table)
    except LandlikeError as error:
        visitor.typed, visitor.found = text, str(error)
        return
    listed = visitor.listing(recipe.scene_id)
    if listed:
        visitor.exemplify(PatchRef(recipe.scene_id, place.patch), 1)
    else:
        visitor.ask(PatchRef(recipe.scene_id, place.patch))
    note = f", {place.spot.note}" if place.spot.note else ""
    visitor.found = f"{place.spot.title}{note}: patch {place.patch}{' is one more good example' if listed else ''}."
