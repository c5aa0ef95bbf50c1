"""The table beside the gallery: what is listed as rows, with score, class, indices and place.

All rows are sorted here, by any column; a browser is given a page of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.bands import FloatArray
from core.scenes.patches import IntArray
from core.similarity.scores import score_digits
from core.values.base import NOTHING_ASKED, PatchValue
from core.values.classes import LABEL
from core.values.legend import ClassLegend, ScaleLegend
from core.values.named.predicted import CONFIDENCE, PREDICTED, PredictedValue
from core.values.named.unsure import WHY_UNSURE, unsure_words, why_unsure
from core.values.registry import VALUES, choices
from core.values.similarity import SIMILARITY
from pages.ui.frontend import text
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import trigger

ROWS_ON_PAGE = 500
"""Rows that a browser is given at a time."""
PATCH, RANK = "Patch", "Rank"
_KEY = "rows"
_NOT_HERE = {SIMILARITY.name, "date", "stability", "distortion", "class", "hand"}
_component = st.components.v2.component(
    "landlike_table", html='<div class="rows" role="region" aria-label="Patches as rows"></div>',
    css=text("table.css"), js=text("tell.js", "rove.js", "table.js"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a column of the table holds.

    Attributes:
        title: over it.
        values: a number of each patch, float or int of shape (N,); NaN where it is unknown. Classes by their place
            among ``names``.
        names: of classes; none = the numbers are what is shown.
        digits: after the point; None = as many as there are.
    """

    title: str
    values: FloatArray | IntArray
    names: tuple[str, ...] = ()
    digits: int | None = None

    def order(self, *, descending: bool) -> IntArray:
        """Return the rows sorted by this column, as places of shape (N,): unknown last, ties as they were."""
        keys = self.values.astype(np.float64)
        if self.names:
            alphabetic = np.argsort(np.argsort([name.casefold() for name in self.names], kind="stable"))
            keys = np.array([*alphabetic, np.nan])[np.where(np.isfinite(keys), keys, len(self.names)).astype(np.int64)]
        return np.argsort(-keys if descending else keys, kind="stable")

    def cells(self, rows: IntArray) -> list[Any]:
        """Return what stands in some rows: numbers, or names of classes; None or empty where it is unknown."""
        values = self.values[rows]
        if self.names:
            return [self.names[int(one)] if np.isfinite(one) else "" for one in values]
        return values.tolist() if values.dtype.kind == "i" else _numbers(values)


def results_table(visitor: Session, view: ViewState, ids: IntArray, scores: FloatArray | None, *, height: int) -> None:
    """Draw a page of patches as rows, sorted by what the visitor chose, else in the order given.

    Args:
        visitor: who looks.
        view: what is on show.
        ids: of all the patches.
        scores: of each, or None.
        height: pixels.
    """
    columns = table_columns(view, ids, scores)
    marked = view.selection.patches or ((view.query_id,) if view.query_id is not None else ())
    data = table_page(columns, sorted_by=visitor.sorted_by, page=visitor.page, marked=marked, reached=visitor.reached)
    visitor.page = data["page"]
    _component(
        key=_KEY,
        data={**data, "height": height, "query": view.query_id},
        height=height,
        on_sort_change=lambda: _sort(columns),
        on_turn_change=_turn,
        on_reach_change=lambda: _reach(columns, marked),
    )


def table_columns(view: ViewState, ids: IntArray, scores: FloatArray | None) -> list[Column]:
    """Return the columns of some patches: rank and score where there are scores, classes, indices, place."""
    rows = view.rows(ids)
    columns = [Column(title=PATCH, values=ids)]
    if scores is not None:
        rank = Column(title=RANK, values=np.arange(1, len(ids) + 1))
        columns = [rank, *columns, Column(title="Score", values=scores, digits=score_digits(scores.tolist(), least=3))]
    offered = [VALUES[name] for name in choices(view.known, view.asked) if name not in _NOT_HERE]
    for value in [LABEL, *sorted(offered, key=lambda one: one.name not in {PREDICTED.name, CONFIDENCE.name})]:
        columns += _column(view, value, rows)
    places = view.known.places
    if places is not None:
        columns += [Column(title=title, values=places[rows, axis], digits=4)
                    for title, axis in (("Latitude", 1), ("Longitude", 0))]  # fmt: skip
    return columns


def table_page(
    columns: list[Column], *, sorted_by: str = "", page: int = 0, marked: tuple[int, ...] = (),
    reached: int | None = None, rows_on_page: int = ROWS_ON_PAGE,
) -> dict[str, Any]:  # fmt: skip
    """Return a page of the table as the script takes it.

    Args:
        columns: of all rows.
        sorted_by: the title of one, after a ``-`` the largest first; of none of them = in the order given.
        page: from 0; one behind the last is the last.
        marked: patches that are selected or asked about.
        reached: the one among them whose row is to be in sight, or None.
        rows_on_page: at most.
    """
    order = _order(columns, sorted_by)
    page = max(0, min(page, (len(order) - 1) // rows_on_page))
    shown = order[page * rows_on_page :][:rows_on_page]
    titles = [column.title for column in columns]
    patches = columns[titles.index(PATCH)].values
    listed = int(np.isin(patches, marked).sum())
    return {
        "columns": titles,
        "rows": [list(row) for row in zip(*(column.cells(shown) for column in columns), strict=True)],
        "digits": [column.digits for column in columns],
        "id": titles.index(PATCH),
        "sorted": sorted_by if sorted_by.removeprefix("-") in titles else "",
        "page": page,
        "first": page * rows_on_page,
        "total": len(order),
        "pages": -(-len(order) // rows_on_page),
        "marked": [int(one) for one in patches[shown] if int(one) in set(marked)],
        "reachable": listed if listed < len(order) else 0,  # Of a list of the selection each row is one.
        "reached": reached,
    }


def _order(columns: list[Column], sorted_by: str) -> IntArray:
    column = next((one for one in columns if one.title == sorted_by.removeprefix("-")), None)
    if column is None:
        return np.arange(len(columns[0].values))
    return column.order(descending=sorted_by.startswith("-"))


def next_marked(
    columns: list[Column], *, sorted_by: str, marked: tuple[int, ...], reached: int | None,
    rows_on_page: int = ROWS_ON_PAGE,
) -> tuple[int, int] | None:  # fmt: skip
    """Return the marked patch whose row comes after that of ``reached``, and its page; None where none is listed.

    After the last comes the first.
    """
    patches = next(column for column in columns if column.title == PATCH).values[_order(columns, sorted_by)]
    places = np.flatnonzero(np.isin(patches, marked))
    if not places.size:
        return None
    before = np.flatnonzero(patches == reached) if reached is not None else places[:0]
    after = places[places > before[0]] if before.size else places
    place = int(after[0] if after.size else places[0])
    return int(patches[place]), place // rows_on_page


def _sort(columns: list[Column]) -> None:
    """Sort by a column, numbers with the largest first; by the same column the other way."""
    visitor = current()
    column = next((one for one in columns if one.title == trigger(_KEY, "sort")), None)
    if column is None:
        return
    rising = bool(column.names) or column.title in {RANK, PATCH}
    first, other = (column.title, f"-{column.title}")[:: 1 if rising else -1]
    visitor.sorted_by = other if visitor.sorted_by == first else first
    visitor.page, visitor.reached = 0, None


def _turn() -> None:
    step = trigger(_KEY, "turn")
    if isinstance(step, int) and step in {-1, 1}:
        current().turn_page(step)
        current().reached = None


def _reach(columns: list[Column], marked: tuple[int, ...]) -> None:
    """Bring the row of the next marked patch into sight, on whichever page it is."""
    visitor = current()
    found = next_marked(columns, sorted_by=visitor.sorted_by, marked=marked, reached=visitor.reached)
    if trigger(_KEY, "reach") and found is not None:
        visitor.reached, visitor.page = found


def _column(view: ViewState, value: PatchValue, rows: IntArray) -> list[Column]:
    values = view.known.values(value, view.asked) if value.available(view.known, view.asked) else None
    if values is None:
        return []
    legend = view.known.legend(value, view.asked)
    if isinstance(legend, ScaleLegend):
        return [Column(title=legend.scale.title.partition(" (")[0], values=values[rows], digits=legend.scale.digits)]
    if isinstance(legend, ClassLegend):
        title, shown, names = value.title_of(view.known), values[rows], tuple(legend.names)
        if isinstance(value, PredictedValue) and (found := value.found(view.known, NOTHING_ASKED)) is not None:
            # Beside a confidence of 0.9 a bare “Unsure” would look like a mistake.
            reasons = why_unsure(view.known, found)[rows]
            shown = np.where(reasons < 0, shown, len(found.classes) + reasons).astype(np.float32)
            names = (*names[:-1], *map(unsure_words, range(len(WHY_UNSURE))))
        return [Column(title=title[:1].upper() + title[1:], values=shown, names=names)]
    return []


def _numbers(values: np.ndarray[Any, Any]) -> list[float | None]:
    return [round(float(one), 5) if np.isfinite(one) else None for one in values]
