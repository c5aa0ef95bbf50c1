"""What a visitor sees: the scene, its encoded patches, the query with its neighbours, the selection. No drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.features.recipe import Recipe
from core.projection.settings import ProjectionSettings
from core.scenes.labels import PatchLabels
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from pages.ui.http.pictures import thumb_url
from pages.ui.state import cache
from pages.ui.state.cache import Table
from pages.ui.state.session import Session


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """What is on show.

    Attributes:
        scene: the scene.
        recipe: how it was encoded.
        table: its encoded patches.
        labels: classes of its patches, by people or by the truth, or None.
        given: those by people, or None.
        query: the query, or None.
        neighbours: of the query, or None.
        selection: selected patches, ascending.
        layout: settings of the UMAP in the plot, or None for PCA.
    """

    scene: Scene
    recipe: Recipe
    table: Table
    labels: PatchLabels | None
    given: PatchLabels | None
    query: int | None
    neighbours: Neighbours | None
    selection: tuple[int, ...]
    layout: ProjectionSettings | None = None

    def thumbs(self, rendering: str) -> str:
        """Address of patches' pictures, ``{id}`` left open."""
        cut = (self.recipe.patch_size, self.recipe.stride)
        return thumb_url(self.scene.id, cut, rendering, 0, side=128).replace("/0.webp", "/{id}.webp")

    def rows(self, ids: np.ndarray | tuple[int, ...]) -> np.ndarray:
        """Rows of the table of some patches."""
        return self.table.positions(np.asarray(ids, dtype=np.int64))


def view_state(visitor: Session, scene: Scene, recipe: Recipe) -> ViewState:
    """What this visitor sees; patches that are not in this scene are dropped from the session first."""
    table = cache.table(recipe)
    if visitor.query is not None and not table.holds(visitor.query):
        st.warning(f"Patch {visitor.query} is not in this scene or has too little data.", icon=":material/warning:")
        visitor.query = None
    visitor.selection = tuple(table.patch_ids[table.positions(np.array(visitor.selection, dtype=np.int64))].tolist())
    found = None
    if visitor.query is not None and len(table) > 1:
        found = cache.neighbours(recipe, visitor.query, visitor.count, visitor.leave_out_touching)
    return ViewState(
        scene=scene,
        recipe=recipe,
        table=table,
        labels=cache.shown_labels(recipe),
        given=cache.given_labels(recipe),
        query=visitor.query,
        neighbours=found,
        selection=visitor.selection,
    )
