"""Searches that are kept with a scene under a name: keeping, opening and deleting them."""

from __future__ import annotations

import streamlit as st

from core.errors import LandlikeError
from core.scenes.patches import PatchGrid, patch_grid
from core.search.saved import delete_search, load_evidence, save_evidence, saved_searches
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.icon_button import icon_button
from pages.ui.state.engine import engine
from pages.ui.state.question import question_of
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import shown

NAME_KEY = "search_name"


def kept_searches(visitor: Session, view: ViewState) -> None:
    """Draw the button that keeps the examples and opens those kept before; nothing where there is neither."""
    try:
        names = saved_searches(view.scene)
    except LandlikeError as error:
        visitor.kept, names = str(error), ()
    savable = len(view.question) > 0 and not view.question.plain
    if not (names or savable or visitor.kept):
        return
    with st.popover("Searches", icon=":material/bookmark:", key="searches"), st.container(key="searches_panel"):
        if savable:
            st.text_input("Keep these examples as", key=NAME_KEY, max_chars=60, placeholder="Such as: salt marsh")
            st.button("Keep", key="search_keep", icon=":material/bookmark_add:", on_click=_keep, args=(visitor, view))
        if visitor.kept:
            st.markdown(plain(visitor.kept))
        for place, name in enumerate(names):
            with st.container(horizontal=True, vertical_alignment="center", key=f"search_{place}"):
                st.button(plain(name), key=f"search_open_{place}", on_click=_open, args=(visitor, view, name))
                icon_button(f"Delete {name}", "delete", key=f"search_delete_{place}", type="tertiary",
                            on_click=_delete, args=(visitor, view, name))  # fmt: skip


def _grid_of(view: ViewState, scene_id: str) -> PatchGrid | None:
    """Return the patches of a scene cut as the open one is; None when it is not here or too small."""
    if scene_id == view.scene.id:
        return view.known.grid
    try:
        return patch_grid(engine().library.get(scene_id), view.recipe.cut)
    except LandlikeError:
        return None


def _keep(visitor: Session, view: ViewState) -> None:
    name = str(shown(NAME_KEY) or "")
    try:
        save_evidence(view.scene, view.known.evidence(view.question, name), lambda scene_id: _grid_of(view, scene_id))
    except LandlikeError as error:
        visitor.kept = str(error)
        return
    visitor.kept = f"“{name.strip()}” is kept with this scene."


def _open(visitor: Session, view: ViewState, name: str) -> None:
    size = view.recipe.cut.size
    try:
        found = load_evidence(view.scene, name, lambda scene_id: _grid_of(view, scene_id))
        question = question_of(found.evidence, view.scene.id, lambda one: engine().chips.keep(one, size))
    except LandlikeError as error:
        visitor.kept = str(error)
        return
    gone = f" {count(found.lost, 'example')} of it cannot be shown here." if found.lost else ""
    visitor.kept = f"“{name}” is open.{gone}"
    visitor.pursue(question)


def _delete(visitor: Session, view: ViewState, name: str) -> None:
    try:
        delete_search(view.scene, name)
    except LandlikeError as error:
        visitor.kept = str(error)
        return
    visitor.kept = f"“{name}” is deleted."
