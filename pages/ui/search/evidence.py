"""The strip that lists good and bad examples over the views: what is looked for, undone, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.search.chips import ChipExample
from core.search.examples import LEAST_WEIGHT, MOST_WEIGHT, AreaExample
from pages.ui.common.escape import plain
from pages.ui.common.format import patches
from pages.ui.frontend import text
from pages.ui.http.pictures import quicklook_url, thumb_url
from pages.ui.search.elsewhere import twin_of
from pages.ui.search.keeping import kept_searches
from pages.ui.search.picture import picture_words
from pages.ui.state.engine import engine
from pages.ui.state.other_examples import OtherExample
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import trigger

STRIP_HEIGHT = 56
"""Pixels of a window's height that it takes, with the gap below."""

MOST_SHOWN = 14
"""Good, and bad, examples that are shown as pictures; of an area there may be thousands."""

_component = st.components.v2.component(
    "landlike_evidence",
    html='<div class="evidence" role="group" aria-label="Examples of what is looked for"></div>',
    css=text("evidence.css"),
    js=text("tell.js", "evidence.js"),
)


def strip_there(view: ViewState) -> bool:
    """Return whether examples are listed: more than one patch says what is looked for."""
    return not view.question.empty and not view.question.plain


def evidence_strip(visitor: Session, view: ViewState, thumbs: str) -> None:
    """Draw the strip, where there are examples.

    Args:
        visitor: whose examples they are.
        view: what is on show.
        thumbs: address of the patches' pictures, with ``{id}`` where the patch id goes.
    """
    # Always there, so that the map below keeps its place and is not made anew when examples come and go.
    with st.container(key="evidence_holder"):
        if strip_there(view):
            _strip(visitor, view, thumbs)


def _strip(visitor: Session, view: ViewState, thumbs: str) -> None:
    question = view.question
    if question.words:
        _words(visitor, view)
        return
    data = {
        "like": list(question.like), "unlike": list(question.unlike), "thumbs": thumbs, "most": MOST_SHOWN,
        "weights": {str(patch): weight for patch, weight in question.weights},
        "others": [other_data(view, visitor.rendering, at, one) for at, one in enumerate(question.others)],
    }  # fmt: skip

    def changed() -> None:
        told = trigger("evidence", "other")
        if isinstance(told, Mapping):
            visitor.pursue(changed_question(visitor.question(view.scene.id), told))

    with st.container(horizontal=True, vertical_alignment="center", key="evidence_bar"):
        _component(key="evidence", data=data, height=44, on_other_change=changed)
        kept_searches(visitor, view)
        _undo(visitor)


def changed_question(asked: Question, told: Mapping[str, Any]) -> Question:
    """Return a question as a click in the strip changes it; as it is where the click makes no sense."""
    at, patch, weight = (told.get(name) for name in ("at", "patch", "weight"))
    known = isinstance(weight, int | float) and LEAST_WEIGHT <= weight <= MOST_WEIGHT
    if told.get("what") == "weigh" and known and isinstance(patch, int):
        return asked.weighed(patch, float(weight))
    if not isinstance(at, int):
        return asked
    if told.get("what") == "weigh":
        return asked.weighing(at, float(weight)) if known else asked
    return asked.turning(at) if told.get("what") == "turn" else asked.dropping(at)


def other_data(view: ViewState, rendering: str, at: int, one: OtherExample) -> dict[str, Any]:
    """Return an area, a picture or a patch of another scene as the strip's script draws it.

    Args:
        view: what is on show.
        rendering: of ``core.imagery.render.RENDERINGS``.
        at: its position among those of the question.
        one: the example.
    """
    told = {"at": at, "good": one.good, "weight": one.weight}
    if isinstance(one, AreaExample):
        return {**told, **_area_data(view, rendering, one)}
    if isinstance(one, ChipExample):
        there = engine().chips.scene(one.chip) is not None
        source = quicklook_url(one.chip, side=128) if there else ""
        return {**told, "kind": "picture", "src": source, "title": picture_words(one, view.recipe)}
    twin = twin_of(view.recipe, one.ref.scene)
    source = "" if twin is None else thumb_url(one.ref.scene, twin.cut, "true", one.ref.patch, side=128)
    where = "a scene that is not here" if twin is None else f"“{engine().library.get(one.ref.scene).name}”"
    title = f"Patch {one.ref.patch} of {where}."
    return {**told, "kind": "scene", "src": source, "title": title}


def _area_data(view: ViewState, rendering: str, one: AreaExample) -> dict[str, Any]:
    """Return how many patches an area has, and the picture of the one nearest to its middle."""
    places = view.known.places
    inside = np.zeros(len(view.table), bool) if places is None else one.area.holds(places)
    count = int(inside.sum())
    source = ""
    if places is not None and count:
        middle = np.nanmean(places[inside], axis=0)
        rows = np.flatnonzero(inside)
        nearest = rows[np.argmin(np.square(places[rows] - middle).sum(axis=1))]
        source = view.thumbs(rendering).replace("{id}", str(int(view.table.patch_ids[nearest])))
    title = f"{one.title}: {patches(count)}, each of which counts as one example."
    return {"kind": "area", "src": source, "title": title, "count": f"×{count:,}"}


def _words(visitor: Session, view: ViewState) -> None:
    """Say how the words that are looked for were understood."""
    said = "" if view.neighbours is None else view.known.ranking(view.question).sentence
    with st.container(horizontal=True, vertical_alignment="center", key="evidence_bar"):
        st.markdown(f"“**{plain(view.question.words)}**” · {plain(said)}" if said else "", width="stretch")
        _undo(visitor)


def _undo(visitor: Session) -> None:
    st.button("Undo", icon=":material/undo:", key="evidence_undo", type="tertiary",
              help="Go back to what was asked before", disabled=not visitor.past, on_click=visitor.back)  # fmt: skip
