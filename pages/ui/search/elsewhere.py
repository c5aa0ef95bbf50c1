"""Patches of other scenes as examples: which scenes there are, their patches, and taking a query along to another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.imagery.render import renderings_of
from core.scenes.patches import PatchRef, PatchRefs
from core.scenes.scene import Scene
from core.search.examples import PatchExample
from pages.ui.explore.gallery import gallery, plain_items
from pages.ui.http.pictures import thumb_url
from pages.ui.search.picture import DIALOG
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.question import Question
from pages.ui.state.session import Session

OFFERED = 24
"""Patches of another scene to choose from, as different as can be."""
_HEIGHT = 320


def scenes_alike(recipe: Recipe) -> list[Scene]:
    """Return the other scenes that are encoded and cut as a recipe says, newest first."""
    found = []
    for scene in engine().library.scenes():
        try:
            if scene.id != recipe.scene_id and engine().encoded(engine().twin(recipe, scene.id)):
                found.append(scene)
        except LandlikeError:
            continue
    return found


def other_scenes(visitor: Session, recipe: Recipe) -> None:
    """Draw the choice of a scene, its patches, and the way there with what is asked here."""
    st.markdown("**A patch of another scene**")
    scenes = {scene.id: scene for scene in scenes_alike(recipe)}
    if not scenes:
        st.caption("No other scene is encoded by this encoder and cut like this one; open one first.")
        return
    chosen = st.selectbox("Scene", list(scenes), format_func=lambda one: scenes[one].name, key="other_scene")
    scene = scenes.get(chosen) or next(iter(scenes.values()))
    _patches_of(visitor, recipe, scene)
    if visitor.query is not None and visitor.query.scene == recipe.scene_id:
        st.button(
            f"Look there for land like patch {visitor.query.patch}", key="take_along", icon=":material/arrow_outward:",
            on_click=take_along, args=(visitor, scene.id, visitor.query),
        )  # fmt: skip


def _patches_of(visitor: Session, recipe: Recipe, scene: Scene) -> None:
    twin = engine().twin(recipe, scene.id)
    view = cache.scene_view(twin, scene)
    ids: Sequence[int] = view.examples(OFFERED).tolist()[:OFFERED]
    rendering = visitor.rendering if visitor.rendering in renderings_of(scene.bands) else renderings_of(scene.bands)[0]
    thumbs = thumb_url(scene.id, twin.cut, rendering, 0, side=128).replace("/0.webp", "/{id}.webp")
    items = plain_items(PatchRefs(scene.id, tuple(ids)), thumbs, view.labels.shown)
    gallery(
        items, top=scene.id, empty="", height=_HEIGHT, key="other_gallery",
        on_query=lambda ref: _add(visitor, recipe.scene_id, ref),
    )  # fmt: skip


def _add(visitor: Session, scene_id: str, ref: PatchRef) -> None:
    visitor.limit(None)
    visitor.having(scene_id, PatchExample(ref=ref), fresh=True)
    visitor.closing = DIALOG


def take_along(visitor: Session, scene_id: str, query: PatchRef) -> None:
    """Go to another scene and look there for land like a patch of this one."""
    visitor.open(scene_id)
    visitor.closing = DIALOG
    visitor.pursue(Question(scene_id, others=(PatchExample(ref=query),)))


def twin_of(recipe: Recipe, scene_id: str) -> Recipe | None:
    """Return the recipe of another scene cut and encoded likewise; None when there is no such scene any more."""
    try:
        return engine().twin(recipe, scene_id)
    except LandlikeError:
        return None
