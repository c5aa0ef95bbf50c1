"""What several encoders answer to the question of a visitor, each of the scene as it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.encoders.base import EncoderSpec
from core.encoders.registry import EncoderListing, default_encoder
from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.scenes.patches import PatchRef
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from pages.ui.common.format import distinct
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState


@dataclass(frozen=True, kw_only=True)
class EncoderAnswer:
    """What one encoder says to the question.

    Attributes:
        encoder: its name.
        title: what people call it, another one in each column.
        listing: what it is; None = there is none of that name.
        recipe: how it encodes this scene, cut as it is; None when it cannot be used here.
        neighbours: of the query, best first; None while the scene is not encoded by it.
        why_not: why it cannot be asked, a sentence; empty when it can.
    """

    encoder: str
    title: str
    listing: EncoderListing | None
    recipe: Recipe | None = None
    neighbours: Neighbours | None = None
    why_not: str = ""

    @property
    def spec(self) -> EncoderSpec | None:
        """What it is; None when it is not at hand."""
        return None if self.listing is None else self.listing.spec


def is_comparing(visitor: Session) -> bool:
    """Tell whether answers stand side by side now: there is an encoder to compare with, and one patch asks."""
    return bool(visitor.compared) and isinstance(visitor.asking, PatchRef) and visitor.show == "similar"


def another(scene: Scene, recipe: Recipe, taken: Sequence[str]) -> str:
    """Return the encoder to compare with next: one that has encoded the scene as it is cut, else one at hand."""
    free = [name for name in cache.encoders() if name not in taken]
    there = {one.encoder for one in engine().store.recipes(scene.id) if one.cut == recipe.cut}
    at_hand = [name for name in free if cache.encoders()[name].available]
    ranked = [*(name for name in at_hand if name in there), default_encoder(), *reversed(at_hand), *free]
    return next((name for name in ranked if name in free), "")


def answers_of(visitor: Session, view: ViewState) -> list[EncoderAnswer]:
    """Return the answer of the chosen encoder, and those of the ones it is compared with."""
    own = view.recipe.encoder
    others = [name for name in visitor.compared if name != own]
    listings = cache.encoders()
    titles = distinct({name: listings[name].title if name in listings else name for name in (own, *others)})
    first = EncoderAnswer(
        encoder=own, title=titles[own], listing=listings.get(own), recipe=view.recipe, neighbours=view.neighbours
    )
    return [first, *(_answer(visitor, view, name, titles[name]) for name in others)]


def _answer(visitor: Session, view: ViewState, name: str, title: str) -> EncoderAnswer:
    """Return what an encoder says; names come from links, so only those on offer are looked up."""
    answer = EncoderAnswer(encoder=name, title=title, listing=cache.encoders().get(name))
    if answer.listing is None:
        return replace(answer, why_not="It is not among the encoders here; choose another one.")
    if answer.listing.spec is None:
        return replace(answer, why_not=answer.listing.why_not or "It cannot be used here.")
    try:
        answer = replace(answer, recipe=engine().recipe(view.scene, name, cut=view.recipe.cut))
        return replace(answer, neighbours=_neighbours(visitor, view, answer.recipe))
    except LandlikeError as error:
        return replace(answer, why_not=str(error))


def _neighbours(visitor: Session, view: ViewState, recipe: Recipe | None) -> Neighbours | None:
    if recipe is None or view.query is None or not engine().encoded(recipe):
        return None
    known = cache.scene_view(recipe, view.scene)
    if not known.table.holds(view.query.patch):
        return None
    return known.neighbours(view.query.patch, visitor.count, leave_out_touching=visitor.leave_out_touching)


def outlined_view(visitor: Session, view: ViewState, answers: Sequence[EncoderAnswer]) -> ViewState:
    """Return the view as plot and map show it: with the neighbours of the encoder whose outlines were asked for."""
    return replace(view, neighbours=outlined_answer(visitor, answers).neighbours) if answers else view


def outlined_answer(visitor: Session, answers: Sequence[EncoderAnswer]) -> EncoderAnswer:
    """Return the answer that plot and map show: the one asked for once it is there, else that of the chosen encoder."""
    ready = (one for one in answers if one.encoder == visitor.outlined and one.neighbours is not None)
    return next(ready, answers[0])
