"""What plot, map and gallery show for a patch that is about to be asked about: the same as the page's run draws."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from core.features.recipe import Recipe
from core.scenes.location import bounds_lonlat
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from pages.ui.explore.colouring import colour_choices, colouring
from pages.ui.explore.gallery import listed_data
from pages.ui.explore.header import announcement
from pages.ui.explore.listing import found_pictures
from pages.ui.explore.map_marks import outlined, told_neighbours
from pages.ui.explore.plot import asked_data
from pages.ui.state import cache
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState, rendering_of, view_of_patch


def offer_early(visitor: Session, scene: Scene, recipe: Recipe) -> None:
    """Have the plot ask early for what answers a patch, unless several encoders are to answer it."""
    visitor.early.offer(None if visitor.compared else partial(_answer, visitor, scene, recipe))


def _answer(visitor: Session, scene: Scene, recipe: Recipe, patch_id: int) -> dict[str, Any] | None:
    """Return what changes in the views, as their scripts take it; it reads the session and leaves it as it is."""
    view = view_of_patch(visitor, cache.scene_view(recipe, scene), patch_id)
    if view is None or view.neighbours is None:
        return None
    asked = asked_data(
        patch_id, view.neighbours, selected=len(view.selection), question=view.question, told=announcement(view)
    )
    listed = visitor.listed_as == "pictures"
    return {
        "plot": asked,
        "gallery": _gallery(visitor, view, view.neighbours) if listed else None,
        "map": _map(view, view.neighbours) if bounds_lonlat(scene) is not None else None,
    }


def _gallery(visitor: Session, view: ViewState, found: Neighbours) -> dict[str, Any]:
    _, name = colour_choices(view.known, view.asked, visitor.colour)
    colours, thumbs = colouring(view.known, name, view.asked), view.thumbs(rendering_of(visitor, view.scene))
    return listed_data(*found_pictures(visitor, view, found, colours, thumbs=thumbs))


def _map(view: ViewState, found: Neighbours) -> dict[str, Any]:
    marks = outlined(
        view.scene, view.known.grid, view.query_id, found, selection=np.array(view.selection.patches, np.int64),
        question=view.question, left_out=view.left_out, there=view.table.patch_ids,
    )  # fmt: skip
    return {"marks": marks, "tell": told_neighbours(view.query_id, found)}
