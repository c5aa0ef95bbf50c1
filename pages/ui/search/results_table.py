"""The table beside the gallery: what is listed as rows, with score, class, indices and place; sorted by the browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.bands import FloatArray
from core.scenes.patches import IntArray
from core.values.base import PatchValue
from core.values.classes import LABEL
from core.values.legend import ClassLegend, ScaleLegend
from core.values.predicted import CONFIDENCE, PREDICTED
from core.values.registry import VALUES, choices
from core.values.similarity import SIMILARITY
from pages.ui.frontend import text
from pages.ui.state.view_state import ViewState

ROWS_IN_TABLE = 3000
"""Rows that a browser is given; files have all."""
_NOT_HERE = {SIMILARITY.name, "date", "stability", "distortion", "class", "hand"}
_component = st.components.v2.component(
    "landlike_table", html='<div class="rows" role="region" aria-label="Patches as rows"></div>',
    css=text("table.css"), js=text("rove.js", "table.js"),
)  # fmt: skip


def results_table(view: ViewState, ids: IntArray, scores: FloatArray | None, *, height: int) -> None:
    """Draw patches as rows, in the order given.

    Args:
        view: what is on show.
        ids: of the patches.
        scores: of each, or None.
        height: pixels.
    """
    data = table_data(view, ids[:ROWS_IN_TABLE], None if scores is None else scores[:ROWS_IN_TABLE])
    more = (
        f"The first {ROWS_IN_TABLE:,} of {len(ids):,}; files under Share have all." if len(ids) > ROWS_IN_TABLE else ""
    )
    _component(key="rows", data={**data, "height": height, "more": more}, height=height)


def table_data(view: ViewState, ids: IntArray, scores: FloatArray | None) -> dict[str, Any]:
    """Return columns, rows and decimals as the script takes them; None stands for what is unknown."""
    rows = view.rows(ids)
    columns: list[tuple[str, list[Any], int | None]] = [("Patch", ids.tolist(), None)]
    if scores is not None:
        columns = [("Rank", list(range(1, len(ids) + 1)), None), *columns, ("Score", _numbers(scores), 3)]
    offered = [VALUES[name] for name in choices(view.known, view.asked) if name not in _NOT_HERE]
    for value in [LABEL, *sorted(offered, key=lambda one: one.name not in {PREDICTED.name, CONFIDENCE.name})]:
        columns += _column(view, value, rows)
    places = view.known.places
    if places is not None:
        columns += [("Latitude", _numbers(places[rows, 1]), 4), ("Longitude", _numbers(places[rows, 0]), 4)]
    titles, cells, digits = zip(*columns, strict=True)
    return {
        "columns": list(titles), "rows": [list(row) for row in zip(*cells, strict=True)], "digits": list(digits),
        "id": titles.index("Patch"), "query": view.query_id,
    }  # fmt: skip


def _column(view: ViewState, value: PatchValue, rows: IntArray) -> list[tuple[str, list[Any], int | None]]:
    values = view.known.values(value, view.asked) if value.available(view.known, view.asked) else None
    if values is None:
        return []
    legend = view.known.legend(value, view.asked)
    if isinstance(legend, ScaleLegend):
        return [(legend.scale.title.partition(" (")[0], _numbers(values[rows]), legend.scale.digits)]
    if isinstance(legend, ClassLegend):
        names = [legend.names[int(one)] if np.isfinite(one) else "" for one in values[rows]]
        return [(value.title[:1].upper() + value.title[1:], names, None)]
    return []


def _numbers(values: np.ndarray[Any, Any]) -> list[float | None]:
    return [round(float(one), 5) if np.isfinite(one) else None for one in values]
