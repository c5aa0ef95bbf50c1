"""The learning curve: how many held-out labels are named rightly by the number of labels, beside random order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.classification.curves import LEAST_LABELS, curves_by_view
from core.classification.label_log import RANDOM, SUGGESTED
from core.classification.suggestions import CurvePoint
from core.engine.class_map import labels_that_teach
from pages.ui.classify.without_pages import classify_spelled
from pages.ui.state.label_state import labels_state, log_of
from pages.ui.state.scene_view import SceneView

if TYPE_CHECKING:
    import altair as alt

TITLES = {SUGGESTED: "As suggested", RANDOM: "At random", "": "All labels, in their order"}
_COLOURS = {SUGGESTED: "#D1196F", RANDOM: "#7B7374", "": "#1074EC"}


def curves(known: SceneView) -> Mapping[str, tuple[CurvePoint, ...]]:
    """Return a curve for each view that gave enough labels: suggested, and at random as the control; else of all."""
    teaching = labels_that_teach(known)
    if teaching is None:
        return {}
    return curves_by_view(teaching, log_of(known))


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
        classify_spelled(known, "learning", "--curve")


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
