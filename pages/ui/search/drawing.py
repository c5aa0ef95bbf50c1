"""What becomes of what somebody drew: an area of the map as example or condition, a selection as examples."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import LandlikeError
from core.search.conditions import AreaCondition
from core.search.examples import AreaExample
from core.search.filters import Filters
from pages.ui.state.other_examples import drawn_area
from pages.ui.state.question import Question
from pages.ui.state.session import NOTHING_SELECTED, Session
from pages.ui.state.view_state import ViewState

ASK, GOOD, BAD, FILTER = "ask", "good", "bad", "filter"
"""What may be wanted of an area: land like it alone, it as one more example, or patches in it only."""


def like_these(visitor: Session, view: ViewState) -> None:
    """Draw the button that looks for land like what is selected, by a lasso or otherwise."""
    st.button(
        "Find land like these", key="like_these", icon=":material/add:", on_click=_ask_for, args=(visitor, view),
        help="Each patch of the selection becomes a good example.",
    )  # fmt: skip


def _ask_for(visitor: Session, view: ViewState) -> None:
    visitor.limit(None)
    visitor.pursue(Question(view.scene.id, view.selection.patches))
    visitor.select(NOTHING_SELECTED)


def take_area(visitor: Session, scene_id: str, told: Mapping[str, object]) -> str:
    """Do what the map's script asks with the area that it tells; return a sentence where it cannot be, else nothing.

    Args:
        visitor: who drew it.
        scene_id: the scene on the map.
        told: ``corners``, each (lat, lon), and ``as``, what is wanted.
    """
    corners, wanted = told.get("corners"), told.get("as")
    try:
        area = drawn_area(corners if isinstance(corners, list) else ())
    except LandlikeError as error:
        return str(error)
    if wanted == FILTER:
        visitor.filter((Filters.parse(visitor.filters) or Filters()).having(AreaCondition(area=area)).link())
    elif wanted == ASK:
        visitor.limit(None)
        visitor.pursue(Question(scene_id, others=(AreaExample(area=area),)))
    elif wanted in {GOOD, BAD}:
        visitor.having(scene_id, AreaExample(area=area, good=wanted == GOOD))
    return ""
