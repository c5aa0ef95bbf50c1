"""What a visitor sees: the scene, its encoded patches, the query with its neighbours, the selection. No drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.features.recipe import Recipe
from core.features.table import PatchTable
from core.projection.settings import ProjectionSettings
from core.scenes.labels import PatchLabels
from core.scenes.patches import IntArray, PatchRef, PatchRefs, patch_refs
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from core.values.base import Asked
from pages.ui.http.pictures import thumb_url
from pages.ui.state import cache
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """What is on show.

    Attributes:
        known: the scene and all that is known of its patches.
        query: the query, or None.
        neighbours: of the query, or None.
        selection: selected patches, ascending.
        layout: settings of the UMAP in the plot, or None for PCA.
    """

    known: SceneView
    query: PatchRef | None
    neighbours: Neighbours | None
    selection: PatchRefs
    layout: ProjectionSettings | None = None

    @property
    def scene(self) -> Scene:
        """The scene."""
        return self.known.scene

    @property
    def recipe(self) -> Recipe:
        """How it was encoded."""
        return self.known.recipe

    @property
    def table(self) -> PatchTable:
        """Its encoded patches."""
        return self.known.table

    @property
    def labels(self) -> PatchLabels | None:
        """Classes of its patches, by people or by the truth, or None."""
        return self.known.labels.shown

    @property
    def given(self) -> PatchLabels | None:
        """Classes by people, or None."""
        return self.known.labels.given

    @property
    def query_id(self) -> int | None:
        """Id of the query in the scene's table, or None."""
        return None if self.query is None else self.query.patch

    @property
    def asked(self) -> Asked:
        """What values of patches may depend on."""
        return Asked(query=self.query_id, layout=self.layout)

    def thumbs(self, rendering: str) -> str:
        """Return the address of patches' pictures, ``{id}`` left open."""
        return thumb_url(self.scene.id, self.recipe.cut, rendering, 0, side=128).replace("/0.webp", "/{id}.webp")

    def rows(self, ids: IntArray | tuple[int, ...]) -> IntArray:
        """Return the rows of the table of some patches."""
        return self.table.positions(np.asarray(ids, dtype=np.int64))


def view_state(visitor: Session, scene: Scene, recipe: Recipe) -> ViewState:
    """Return what this visitor sees; patches that are not in this scene are dropped from the session first."""
    known = cache.scene_view(recipe, scene)
    table = known.table
    query = visitor.query
    if query is not None and not (query.scene == scene.id and table.holds(query.patch)):
        st.warning(f"Patch {query.patch} is not in this scene or has too little data.", icon=":material/warning:")
        query = visitor.query = None
    marked = visitor.selection.patches if visitor.selection.scene == scene.id else ()
    visitor.selection = patch_refs(scene.id, table.patch_ids[table.positions(np.array(marked, np.int64))].tolist())
    found = None
    if query is not None and len(table) > 1:
        found = known.neighbours(query.patch, visitor.count, leave_out_touching=visitor.leave_out_touching)
    return ViewState(known=known, query=query, neighbours=found, selection=visitor.selection)
