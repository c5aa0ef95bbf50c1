"""A view as a value to hand on, and going where one leads that somebody handed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import LandlikeError, SettingsError
from core.projection.settings import ProjectionSettings
from core.scenes.patches import PatchRefs, patch_refs
from core.search.examples import Evidence
from core.search.filters import Filters
from core.values.registry import VALUES
from pages.ui.state.engine import engine
from pages.ui.state.question import Question, question_of
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState, seen_key

if TYPE_CHECKING:
    from core.engine.bundles import OpenedBundle
    from core.engine.views import SearchView

_FEWEST, _MOST = 5, 100
"""Neighbours that the page can show."""


def search_view(visitor: Session, view: ViewState) -> SearchView:
    """Return what is looked for on the page."""
    from core.engine.views import SearchView

    try:
        evidence = view.known.evidence(view.question)
    except LandlikeError:  # A picture that is not here, or not encoded yet; the page says so, and lists nothing.
        evidence = Evidence()
    return SearchView(
        recipe=view.recipe, evidence=evidence, filters=_counting(view),
        count=visitor.count if view.least is None else None, least=view.least, apart=visitor.leave_out_touching,
        words=view.question.words, seen=tuple(sorted(visitor.seen.out(seen_key(view.recipe)))),
    )  # fmt: skip


def _counting(view: ViewState) -> Filters:
    """Return the conditions that count on the page: those that can be asked of these patches."""
    filters = Filters.parse(view.filters) or Filters()
    return Filters(conditions=tuple(one for one in filters.conditions if one not in view.uncounted))


def follow_view(visitor: Session, opened: OpenedBundle) -> None:
    """Go where a bundle leads, as far as the page can show it; does nothing where its scene is not here."""
    view = opened.view
    if view is None:
        return
    recipe = view.recipe
    visitor.open(recipe.scene_id)
    if recipe.cut != visitor.cut(recipe.scene_id):
        visitor.recut(recipe.scene_id, recipe.cut, None)
    if recipe.scene_id not in engine().library or engine().library.get(recipe.scene_id).has_pixels:
        visitor.encoder = recipe.encoder
    size = recipe.cut.size
    asked = question_of(view.evidence, recipe.scene_id, lambda one: engine().chips.keep(one, size))
    visitor.pursue(Question(recipe.scene_id, words=view.words) if view.words else asked)
    visitor.filter(view.filters.link())
    visitor.seen.take(seen_key(recipe), view.seen)
    visitor.count = min(max(view.count or visitor.count, _FEWEST), _MOST)
    visitor.leave_out_touching = view.apart
    visitor.limit(view.least)
    visitor.select(_selected(recipe.scene_id, opened.bundle.view.get("patches")))
    visitor.show = "similar"
    colour = opened.bundle.view.get("colour")
    visitor.colour = colour if isinstance(colour, str) and colour in VALUES else None
    _arrange(visitor, opened.bundle.layout)


def _selected(scene_id: str, listed: object) -> PatchRefs:
    """Return the patches that a bundle says are selected; none where it makes no sense."""
    ids = listed if isinstance(listed, list) else []
    return patch_refs(scene_id, sorted({one for one in ids if type(one) is int and 0 <= one < 2**31}))


def _arrange(visitor: Session, layout: Mapping[str, Any]) -> None:
    """Take settings of the plot, if they are some; those of labels need the labels of there, and are left."""
    try:
        found = ProjectionSettings(**layout)
    except (SettingsError, TypeError):
        return
    if not found.labels:
        visitor.layout_neighbours, visitor.layout_distance = found.n_neighbors, found.min_dist
        visitor.layout_metric, visitor.layout_method = found.metric, found.method
