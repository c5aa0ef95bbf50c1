"""The Filter panel: conditions that hold in plot, map, gallery and table together, each on one value of patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from core.bands import FloatArray
from core.errors import LandlikeError
from core.scenes.given.classes import NOBODYS
from core.search.conditions import SCORE, ClassCondition, Condition, RangeCondition
from core.search.filters import Filters
from core.search.ranking import histogram_of
from core.similarity.scores import step_digits
from core.values.base import PatchValue, ScaleValue
from core.values.distortion import DISTORTION
from core.values.legend import ClassLegend, ScaleLegend
from core.values.registry import VALUES, choices
from core.values.similarity import SIMILARITY
from pages.ui.common.escape import plain
from pages.ui.common.format import patches
from pages.ui.common.icon_button import icon_button
from pages.ui.common.panels import filled_last
from pages.ui.frontend import text
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState, seen_key
from pages.ui.state.widgets import shown, trigger

BARS = 50
_component = st.components.v2.component(
    "landlike_brush", html='<div class="brush"></div>', css=text("brush.css"), js=text("bars.js", "brush.js")
)


def filter_button(visitor: Session, view: ViewState) -> None:
    """Draw the button and what it opens; the button says how many conditions there are."""
    filters = Filters.parse(visitor.filters) or Filters()
    title = f"Filter · {len(filters)}" if len(filters) else "Filter"
    box = st.popover(title, icon=":material/filter_alt:", key="filter")
    filled_last(box, lambda: _content(visitor, view, filters))


def _content(visitor: Session, view: ViewState, filters: Filters) -> None:
    with st.container(key="filter_panel"):
        _panel(visitor, view, filters)


def _panel(visitor: Session, view: ViewState, filters: Filters) -> None:
    if view.mask is None:
        st.markdown("Only patches that meet all conditions count, in plot, map and lists.")
    else:
        st.markdown(f"**{patches(int(view.mask.sum()))}** of {len(view.table):,} meet these conditions.")
    for one in filters.conditions:
        with st.container(horizontal=True, vertical_alignment="center", key=f"condition_{one.value}"):
            unknown = " · not known of these patches, so it does not count" if one in view.uncounted else ""
            st.markdown(f"{plain(one.told(view.known))}{unknown}", width="stretch")
            icon_button("Take this condition away", "close", key=f"condition_drop_{one.value}", type="tertiary",
                        on_click=visitor.filter, args=(filters.without(one.value).link(),))  # fmt: skip
    names = [name for name in choices(view.known, view.asked) if name != SIMILARITY.name]
    names = [SCORE, *names] if view.neighbours is not None else names
    name = st.selectbox(
        "A condition on", names, format_func=partial(_title, view), index=None,
        placeholder="Choose what to filter by", key="filter_by",
    )  # fmt: skip
    if name == SCORE:
        _score(visitor, view, filters)
    elif name is not None:
        _condition(visitor, view, filters, VALUES[name])
    _seen(visitor, view)


def _seen(visitor: Session, view: ViewState) -> None:
    """Draw how many patches searches showed, and the buttons that leave them out and show them again."""
    key = seen_key(view.recipe)
    out, fresh = len(visitor.seen.out(key)), visitor.seen.count(key)
    with st.container(horizontal=True, vertical_alignment="center", key="seen_bar"):
        left = f"{patches(out)} found before {'is' if out == 1 else 'are'} left out."
        st.markdown(left if out else "", width="stretch")
        found = f"the {patches(fresh)} found {'since' if out else 'so far'}"
        st.button(
            f"Leave out {found if fresh else 'what was found'}",
            key="seen_out", disabled=not fresh, icon=":material/visibility_off:", on_click=visitor.leave_out_seen,
            args=(key,), help="Go on with patches that no search has shown you as pictures since you came.",
        )  # fmt: skip
        if out:
            st.button("Show them again", key="seen_reset", on_click=visitor.forget_seen, args=(key,))


def _score(visitor: Session, view: ViewState, filters: Filters) -> None:
    """Draw the histogram of the scores of what is looked for, which is brushed to set a condition."""
    try:
        ranking = view.known.ranking(view.question)
    except LandlikeError as error:
        st.caption(plain(error))
        return
    title, known = ranking.measure.title, ranking.score[np.isfinite(ranking.score)]
    digits = step_digits(float(np.ptp(known)) / BARS if len(known) else 1.0)
    _bars(visitor, filters, SCORE, ranking.score, title=title[:1].upper() + title[1:], digits=digits)


def _title(view: ViewState, name: str) -> str:
    title = "score of the search" if name == SCORE else VALUES[name].title_of(view.known)
    return title[:1].upper() + title[1:]


def _condition(visitor: Session, view: ViewState, filters: Filters, value: PatchValue) -> None:
    values, legend = view.known.values(value, view.asked), view.known.legend(value, view.asked)
    if values is None:
        st.caption("That is not known of these patches yet; colour them by it first.")
        return
    if isinstance(value, ScaleValue) and isinstance(legend, ScaleLegend):
        # Distortion is that of a layout, which conditions do not know but by its address.
        name = value.address(view.known, view.asked) if value is DISTORTION else value.name
        _bars(visitor, filters, name, values, title=legend.scale.title, digits=legend.scale.digits)
    elif isinstance(legend, ClassLegend):
        before = next((one for one in filters.conditions if one.value == value.name), None)
        _classes(legend, value.name, before, lambda one: visitor.filter(filters.having(one).link()))


def _bars(visitor: Session, filters: Filters, name: str, values: FloatArray, *, title: str, digits: int) -> None:
    """Draw how numbers are spread, which is brushed to set a condition on them."""
    bars = histogram_of(values, BARS)
    before = next((one for one in filters.conditions if one.value == name), None)
    low, high = (before.low, before.high) if isinstance(before, RangeCondition) else (None, None)
    data = {
        "title": title, "digits": digits, "low": low, "high": high, "edges": bars.edges.tolist(),
        "counts": bars.counts.tolist(),
    }  # fmt: skip
    _brush(data, name, lambda one: visitor.filter(filters.having(one).link()))


def _brush(data: dict[str, object], name: str, take: Callable[[Condition], None]) -> None:
    key = f"brush_{name}"

    def brushed() -> None:
        told = trigger(key, "range")
        if isinstance(told, Mapping):
            take(RangeCondition(value=name, low=told.get("low"), high=told.get("high")))

    _component(key=key, data=data, height=112, on_range_change=brushed)


def _classes(legend: ClassLegend, name: str, before: Condition | None, take: Callable[[Condition], None]) -> None:
    key = f"classes_{name}"

    def chosen() -> None:
        take(ClassCondition(value=name, classes=tuple(shown(key) or ())))

    st.pills(
        "Classes that count",
        [*legend.names, NOBODYS],
        selection_mode="multi",
        default=[one for one in before.classes if one in {*legend.names, NOBODYS}]
        if isinstance(before, ClassCondition)
        else [],
        key=key,
        on_change=chosen,
    )
