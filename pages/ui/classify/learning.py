"""The learning curve: how many held-out labels are named rightly by the number of labels, beside random order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.classification.label_log import rows_among
from core.classification.suggestions import CurvePoint, learning_curve
from core.engine.class_map import labels_that_teach
from pages.ui.classify.acts import RANDOM, SUGGESTED
from pages.ui.state.label_state import labels_state, log_of
from pages.ui.state.scene_view import SceneView

if TYPE_CHECKING:
    import altair as alt

LEAST_LABELS = 20
"""Labels from one view, from which on a curve says something."""

TITLES = {SUGGESTED: "As suggested", RANDOM: "At random", "": "All labels, in their order"}
_COLOURS = {SUGGESTED: "#D1196F", RANDOM: "#7B7374", "": "#1074EC"}


def curves(known: SceneView) -> Mapping[str, tuple[CurvePoint, ...]]:
    """Return a curve for each view that gave enough labels: suggested, and at random as the control; else of all."""
    teaching = labels_that_teach(known)
    if teaching is None:
        return {}
    log = log_of(known)
    ordered = {view: log.in_order(view) for view in (SUGGESTED, RANDOM)}
    enough = [view for view, ids in ordered.items() if len(rows_among(teaching, ids)) >= LEAST_LABELS]
    if enough:  # Labels of other views, such as a file's, may be of other classes: curves are tested without them.
        teaching = teaching.some(np.sort(rows_among(teaching, np.concatenate([*ordered.values()]))))
    elif len(teaching) >= LEAST_LABELS:
        enough, ordered = [""], {"": log.in_order()}
    curves_of = {view: learning_curve(teaching, rows=rows_among(teaching, ordered[view])) for view in enough}
    return {view: points for view, points in curves_of.items() if points}


def learning_panel(known: SceneView) -> None:
    """Draw the curve, folded, where there are labels."""
    if known.labels.given is None:
        return
    fold = st.expander("Learning curve", key="classify_learning", icon=":material/show_chart:", on_change="rerun")
    if not fold.open:
        return
    with fold:
        found = known.answers.get(("curves", known.labels.version, labels_state(known)), lambda: curves(known))
        if not found:
            st.markdown(
                f"From {LEAST_LABELS} labels of two classes on, a curve shows how much each further label helps."
            )
            return
        st.altair_chart(chart(found), width="stretch")
        st.caption(words(found))


def words(found: Mapping[str, tuple[CurvePoint, ...]]) -> str:
    """Return in sentences what the curves say."""
    said = "Each label was tested by classifiers that saw none of its block of land; bands are of 95 %."
    for points in found.values():
        if len(points) > 1 and points[-1].accuracy.value - points[-2].accuracy.value < 0.01:
            said += " The last doubling of labels helped by less than 1 point in 100."
            break
    if RANDOM not in found:
        said += f" For a control, label {LEAST_LABELS} patches with “At random” on; their curve will stand beside it."
    return said


def chart(found: Mapping[str, tuple[CurvePoint, ...]]) -> alt.Chart | alt.LayerChart:
    """Return the curves with their intervals."""
    import altair as alt

    rows = [
        {"Labels": point.labels, "Right": point.accuracy.value, "low": point.accuracy.low, "high": point.accuracy.high,
         "Order": TITLES[view]}
        for view, points in found.items()
        for point in points
    ]  # fmt: skip
    names = [TITLES[view] for view in found]
    colour = alt.Color("Order:N", title=None, scale=alt.Scale(domain=names, range=[_COLOURS[view] for view in found]))
    doubling = alt.Scale(type="log", nice=False)
    across = alt.X("Labels:Q", title="Labels learned from", scale=doubling, axis=alt.Axis(format="d"))
    base = alt.Chart(pd.DataFrame(rows)).encode(x=across, color=colour)
    percent = alt.Axis(format="%")
    band = base.mark_area(opacity=0.15).encode(
        y=alt.Y("low:Q", title="Named rightly", axis=percent, scale=alt.Scale(domain=[0, 1])), y2="high:Q"
    )
    tips = ["Order:N", "Labels:Q", alt.Tooltip("Right:Q", format=".0%")]
    line = base.mark_line(point=True, strokeWidth=2.5).encode(y=alt.Y("Right:Q", axis=percent), tooltip=tips)
    return (band + line).properties(height=260)
