"""All patches from a score on, in place of the nearest: how scores are spread, and a slider with count and hectares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.areas import PatchAreas
from core.scenes.outline_areas import HECTARE
from core.search.ranking import Ranking
from core.similarity.scores import score_digits, step_digits
from pages.ui.common.panels import filled_last
from pages.ui.frontend import text
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import bound, trigger

STEPS = 400
"""Positions of the slider above its lowest."""
SHOWN_DIGITS = 3
"""Of a score, at least."""

_component = st.components.v2.component(
    "landlike_threshold",
    html='<div class="threshold"></div>',
    css=text("threshold.css"),
    js=text("bars.js", "threshold.js"),
)


def threshold_button(visitor: Session, view: ViewState, *, short: bool) -> None:
    """Draw the button that opens the slider; it says from which score on patches are shown.

    A ``short`` one stands where there is little room.
    """
    if view.neighbours is None:
        return
    title = (
        ("Score" if short else "Above a score")
        if view.least is None
        else f"At least {view.least:.{score_digits([view.least], SHOWN_DIGITS)}f}"
    )
    filled_last(st.popover(title, icon=":material/equalizer:", key="threshold"), lambda: _content(visitor, view))


def touching_switch() -> None:
    """Draw the switch that leaves out patches beside what was asked about, where the nearest are shown."""
    st.toggle(
        "Leave touching patches out of the nearest",
        help="Patches beside the query are nearly always alike; leaving them out shows the places farther away.",
        **bound("leave_out_touching", "leave_out_touching"),
    )


def _content(visitor: Session, view: ViewState) -> None:
    with st.container(key="threshold_panel"):
        _panel(visitor, view)


def _panel(visitor: Session, view: ViewState) -> None:
    st.markdown("**Show all that are alike enough**, not only the nearest.")
    try:
        ranking = view.known.ranking(view.question)
    except SettingsError:
        return
    mask = view.mask
    key = "spread", view.known.ranking_key(view.question), None if mask is None else hash(mask.tobytes())
    data = view.known.answers.get(key, lambda: spread(ranking, view.known.areas(), mask))
    nearest = view.neighbours.similarity if view.neighbours is not None else np.zeros(0, np.float32)
    default = float(nearest[-1]) if len(nearest) else data["high"]
    _slider({**data, "least": default if view.least is None else view.least}, visitor.limit)
    asked = f"{ranking.measure.title} to patch {view.question.like[0]}" if view.question.plain else ranking.sentence
    st.caption(f"{asked[:1].upper()}{asked[1:]}.")
    if view.least is None:
        touching_switch()
    else:
        st.button("Only the nearest again", key="threshold_off", on_click=visitor.limit, args=(None,))


def spread(ranking: Ranking, areas: PatchAreas | None, mask: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Return what the slider's script draws: bars, and for each of its positions how many patches and hectares.

    What counts is what the list has from there on: what is True in ``mask``, bool of shape (N,), and no bad example.
    Hectares are left out where patches overlap: what they show together depends on which they are.
    """
    known = ranking.among(mask=mask)
    known[ranking.bad] = False
    bars = ranking.histogram(mask=known)
    low, high = float(bars.edges[0]), float(bars.edges[-1])
    steps = low + (high - low) * np.arange(STEPS + 1) / STEPS
    hectares = None
    if areas is not None and not areas.overlapping:
        each = np.nan_to_num(areas.of(ranking.patch_ids[known])) / HECTARE
        hectares = np.round(_at_least(ranking.score[known], steps, each), 2).tolist()
    return {
        "edges": bars.edges.tolist(),
        "counts": bars.counts.tolist(),
        "low": low,
        "high": high,
        "above": _at_least(ranking.score[known], steps, np.ones(int(known.sum()))).astype(int).tolist(),
        "hectares": hectares,
        "measure": ranking.measure.title,
        "digits": step_digits((high - low) / STEPS, SHOWN_DIGITS),
    }


def _at_least(scores: FloatArray, steps: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return for each step the weights of all scores that reach it, as a threshold of six decimals counts them."""
    order = np.argsort(scores)
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    reached = np.searchsorted(np.round(scores[order].astype(np.float64), 6), np.round(steps, 6))
    return np.asarray(below[-1] - below[reached])


def _slider(data: dict[str, Any], on_least: Callable[[float], None]) -> None:
    def moved() -> None:
        value = trigger("least", "least")
        if isinstance(value, int | float):
            on_least(float(value))

    _component(key="least", data=data, height=160, on_least_change=moved)
