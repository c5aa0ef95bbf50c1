"""What a visitor sees: the scene, its encoded patches, the query with its neighbours, the selection. No drawing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.features.table import PatchTable
from core.imagery.render import renderings_of
from core.projection.settings import ProjectionSettings
from core.scenes.labels import PatchLabels
from core.scenes.outline_areas import HECTARE
from core.scenes.patches import IntArray, PatchRef, PatchRefs, patch_refs
from core.scenes.scene import Scene
from core.search.conditions import SCORE, Condition
from core.search.filters import Filters
from core.search.ranking import Ranking
from core.similarity.neighbours import Neighbours
from core.values.base import Asked
from pages.ui.common.cuts import area_ground
from pages.ui.common.escape import plain
from pages.ui.http.pictures import thumb_url
from pages.ui.state import cache
from pages.ui.state.question import Question
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """What is on show.

    Attributes:
        known: the scene and all that is known of its patches.
        query: the query, or None.
        question: good and bad examples, the query among them; empty when nothing is asked.
        neighbours: what answers, best first, with their scores; None where nothing is asked.
        least: the score from which on all patches are among them; None = they are the nearest.
        selection: selected patches, ascending.
        filters: the conditions that were set, as text; empty = none.
        mask: which patches meet the conditions that were set, bool of shape (N,); None = no condition is set.
        uncounted: the conditions that were set and cannot be asked of these patches now, so that they do not count.
        layout: settings of the UMAP in the plot, or None for PCA.
    """

    known: SceneView
    query: PatchRef | None
    question: Question
    neighbours: Neighbours | None
    selection: PatchRefs
    least: float | None = None
    filters: str = ""
    mask: NDArray[np.bool_] | None = None
    uncounted: tuple[Condition, ...] = ()
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
        examples = Question("") if self.question.plain else self.question
        return Asked(
            query=self.query_id, like=examples.like, unlike=examples.unlike, also=self.known.also(examples),
            layout=self.layout,
        )  # fmt: skip

    def hectares(self, ids: IntArray) -> float | None:
        """Return the ground that some patches show together, in hectares; None when the place is unknown."""
        areas = self.known.areas()
        return None if areas is None else areas.together(ids) / HECTARE  # Of those whose place is known.

    @property
    def left_out(self) -> IntArray:
        """Ids of the patches that do not meet the conditions that were set."""
        return self.table.patch_ids[:0] if self.mask is None else self.table.patch_ids[~self.mask]

    def thumbs(self, rendering: str) -> str:
        """Return the address of patches' pictures, ``{id}`` left open."""
        return thumb_url(self.scene.id, self.recipe.cut, rendering, 0, side=128).replace("/0.webp", "/{id}.webp")

    def rows(self, ids: IntArray | tuple[int, ...]) -> IntArray:
        """Return the rows of the table of some patches."""
        return self.table.positions(np.asarray(ids, dtype=np.int64))


def view_state(visitor: Session, scene: Scene, recipe: Recipe) -> ViewState:
    """Return what this visitor sees; patches that are not of those on show are dropped from the session first."""
    known = cache.scene_view(recipe, scene)
    table = known.table
    question = _examples_here(visitor, known)
    query = visitor.query
    if query is not None and not (query.scene == scene.id and table.holds(query.patch)):
        st.warning(f"Patch {query.patch} is not in {_here(known)} or has too little data.", icon=":material/warning:")
        query, question = None, Question(scene.id)
        visitor.correct(None)
    marked = visitor.selection.patches if visitor.selection.scene == scene.id else ()
    held = table.patch_ids[table.positions(np.array(marked, np.int64))].tolist()
    _say_gone(marked, held, "selected patches", known)
    visitor.selection = patch_refs(scene.id, held)
    mask, uncounted = _mask(visitor, known, question)
    try:
        found = _found(visitor, known, question, mask, least=visitor.least)
    except LandlikeError as error:  # Examples that cancel out: the next one may settle it.
        st.warning(plain(error), icon=":material/warning:")
        found = None
    return ViewState(
        known=known, query=query, question=question, neighbours=found, selection=visitor.selection,
        least=visitor.least, filters=visitor.filters, mask=mask, uncounted=uncounted,
    )  # fmt: skip


def view_of_patch(visitor: Session, known: SceneView, patch_id: int) -> ViewState | None:
    """Return what a visitor will see after asking for the like of a patch; None where that is asked, or unknown.

    The session stays as it is, and the settings of the layout are left open.
    """
    scene, query = known.scene, PatchRef(known.scene.id, patch_id)
    if not known.table.holds(patch_id) or query == visitor.asking:
        return None
    question = Question(scene.id, (patch_id,))
    mask, uncounted = _mask(visitor, known, question)
    return ViewState(
        known=known, query=query, question=question, neighbours=_found(visitor, known, question, mask, least=None),
        selection=visitor.selection if visitor.selection.scene == scene.id else patch_refs(scene.id, ()),
        filters=visitor.filters, mask=mask, uncounted=uncounted,
    )  # fmt: skip


def rendering_of(visitor: Session, scene: Scene) -> str:
    """Return what the visitor wants to see of a scene, or its true colours where it lacks the bands for that."""
    possible = renderings_of(scene.bands)
    return visitor.rendering if visitor.rendering in possible else possible[0]


def _here(known: SceneView) -> str:
    """Return what the patches on show are of: a scene, or the area that it is cut by."""
    area = known.recipe.cut.area
    return f"the area of {area_ground(known.scene, area)} that this scene is cut by" if area else "this scene"


def _examples_here(visitor: Session, known: SceneView) -> Question:
    """Return what is asked of a scene; examples that are not among its patches are dropped from the session first."""
    scene, table, asked = known.scene, known.table, visitor.examples
    if asked is not None:
        there = frozenset(one for one in (*asked.like, *asked.unlike) if table.holds(one))
        if asked.scene == scene.id:
            _say_gone((*asked.like, *asked.unlike), there, "examples", known)
        visitor.correct(asked.only(there) if asked.scene == scene.id else Question(scene.id))
    return visitor.question(scene.id)


def _say_gone(named: Collection[int], there: Collection[int], what: str, known: SceneView) -> None:
    """Say how many patches that a link names are left out, and that the others stay."""
    gone = len(named) - len(there)
    if gone:
        st.warning(
            f"{gone:,} of {len(named):,} {what} are not in {_here(known)} or have too little data; the others stay.",
            icon=":material/warning:",
        )


def seen_key(recipe: Recipe) -> str:
    """Return what patches that were seen are remembered under: their scene and how it is cut."""
    return f"{recipe.scene_id}-{recipe.cut.key}"


def _mask(
    visitor: Session, known: SceneView, question: Question
) -> tuple[NDArray[np.bool_] | None, tuple[Condition, ...]]:
    """Return which patches count: those that meet the visitor's conditions and are not left out as seen; None = all.

    With it go the conditions that cannot be asked of the patches now.
    """
    filters, out = Filters.parse(visitor.filters) or Filters(), visitor.seen.out(seen_key(known.recipe))
    if not filters and not out:
        return None, ()
    query = question.like[0] if question.plain else None
    scored = any(one.value == SCORE for one in filters.conditions) and question.answerable
    key = (
        "mask", visitor.filters, query, known.labels.state, known.classified_version(), known.cluster_version(),
        "" if (learned := known.learned()) is None else learned.version, question if scored else None,
    )  # fmt: skip
    found: NDArray[np.bool_] | None = known.answers.peek(key)
    uncounted: tuple[Condition, ...] = ()
    if found is None:
        source = known.filtered(Asked(query=query), _ranking(known, question) if scored else None)
        uncounted = filters.unknown(source)
        found = filters.askable(source).mask(source)
        found.flags.writeable = False
        if not uncounted:  # What is not known yet may come to be, as what a worker measures.
            known.answers.put(key, found)
    return (found & ~np.isin(known.table.patch_ids, list(out)) if out else found), uncounted


def _ranking(known: SceneView, question: Question) -> Ranking | None:
    """Return the ranking by a question; None where its examples say nothing."""
    try:
        return known.ranking(question)
    except LandlikeError:
        return None


def _found(
    visitor: Session, known: SceneView, question: Question, mask: NDArray[np.bool_] | None, *, least: float | None
) -> Neighbours | None:
    """Return what answers a question, the nearest or all from a score on; None where nothing good is asked for.

    From a score on, examples and what touches them count too: they are of the land that is looked for.
    """
    if not question.answerable or len(known.table) < 2:
        return None
    apart = visitor.leave_out_touching
    if least is not None:
        ranking = known.ranking(question)
        return ranking.best(least=least, mask=mask, seen=ranking.patch_ids[ranking.bad].tolist())
    if question.plain and mask is None:
        return known.neighbours(question.like[0], visitor.count, leave_out_touching=apart)
    ranking = known.ranking(question)
    left_out = {
        *ranking.patch_ids[ranking.examples].tolist(),
        *(known.touching(question).tolist() if apart and question.like else ()),
    }
    return ranking.best(visitor.count, mask=mask, seen=left_out)
