"""What a file of vectors says of the patch asked about and of those like it, where no light can be shown."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from core.features.vector_table import given_values
from core.scenes.patches import IntArray
from core.scenes.places import source_names
from core.scenes.scene import GivenColumn
from core.values.given.columns import GIVEN_CLASSES, GIVEN_NUMBERS, GivenValue
from pages.ui.common.escape import safe_label
from pages.ui.state.scene_view import SceneView
from pages.ui.state.view_state import ViewState

NOTHING_MORE = "The file says nothing of its patches but where they lie."
_STYLE = """
<style>
.ll-given {width: 100%; border-collapse: collapse; font-size: .82rem; table-layout: fixed}
.ll-given th {text-align: left; font-weight: 600; padding: .15rem .6rem .15rem 0; opacity: .72; white-space: nowrap}
.ll-given td {padding: .15rem .6rem .15rem 0; overflow-wrap: anywhere; border-top: 1px solid rgba(128,128,128,.22)}
.ll-given-name {font-size: .8rem; opacity: .75; overflow-wrap: anywhere}
</style>
"""


def given_panel(view: ViewState, asked: IntArray, found: IntArray) -> None:
    """Draw a table: a line a thing that is known, a column for what is asked about, what was found, and all.

    Args:
        view: what is on show.
        asked: rows of the query or of good examples.
        found: rows of what answers, or of the selection.
    """
    every = np.arange(len(view.table))
    parts = [("Query" if view.question.plain else "Examples", asked)] if asked.size else []
    parts += [("Neighbours" if asked.size else "Found", found)] if found.size else []
    parts.append(("All", every))
    groups = [rows for _, rows in parts]
    lines = [_place(view, groups), *(_value(view, one, groups) for one in _values(view))]
    head = "".join(f"<th>{html.escape(title)}</th>" for title, _ in parts)
    body = "".join(
        f"<tr><td>{safe_label(name, 60)}</td>{''.join(f'<td>{safe_label(cell, 80)}</td>' for cell in cells)}</tr>"
        for name, cells in lines
    )
    st.html(f'{_STYLE}<table class="ll-given"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')
    if asked.size == 1:
        _named(view, int(view.table.patch_ids[asked[0]]))
    if not _values(view):
        st.caption(NOTHING_MORE)
    st.caption("The file holds no pixels, so there is no reflectance to compare.")


def _named(view: ViewState, patch: int) -> None:
    names = source_names(view.scene)
    if names is not None and names[patch]:
        st.html(f'<div class="ll-given-name">{safe_label(names[patch], 200)}</div>')


def _values(view: ViewState) -> list[GivenValue]:
    every = (one for one in (*GIVEN_CLASSES, *GIVEN_NUMBERS) if isinstance(one, GivenValue))
    return [one for one in every if one.available(view.known, view.asked)]


def _place(view: ViewState, parts: list[IntArray]) -> tuple[str, list[str]]:
    places, cells = view.known.places, []
    for rows in parts:
        some = None if places is None else places[rows][np.isfinite(places[rows]).all(axis=1)]
        if some is None or not len(some):
            cells.append("not known")
        elif len(rows) == 1:
            cells.append(degrees_words(float(some[0, 0]), float(some[0, 1])))
        else:
            ends = (f"{lat:.2f}, {lon:.2f}" for lon, lat in (some.min(axis=0), some.max(axis=0)))
            cells.append(" to ".join(ends).replace("-", "−"))
    return "Place", cells


def degrees_words(lon: float, lat: float) -> str:
    """Return a place in degrees: ``65.784° N, 167.130° W``."""
    return f"{_latitude(lat)}, {abs(lon):.3f}° {'E' if lon >= 0 else 'W'}"


def date_of_patch(known: SceneView, row: int) -> str:
    """Return the date of a patch, of its row in the file or of all of them; empty = not known."""
    given = () if known.scene.given is None else known.scene.given.columns
    for column in given:
        cells = given_values(known.scene, column.name) if column.kind == "date" else None
        cell = np.nan if cells is None else cells[known.table.patch_ids[row]]
        if np.isfinite(cell):
            return column.classes[int(cell)]
    return known.scene.date or ""


def _latitude(lat: float) -> str:
    return f"{abs(lat):.3f}° {'N' if lat >= 0 else 'S'}"


def _value(view: ViewState, value: GivenValue, parts: list[IntArray]) -> tuple[str, list[str]]:
    column, values = value.found(view.known), view.known.values(value, view.asked)
    if column is None or values is None:
        return value.title, ["not known"] * len(parts)
    return column.name, [_said(column, values[rows]) for rows in parts]


def _said(column: GivenColumn, values: np.ndarray) -> str:  # type: ignore[type-arg]
    """Return what some patches have: one number or the middle one, one class or the commonest with its share."""
    known = values[np.isfinite(values)]
    if not len(known):
        return "nothing"
    if column.kind == "number":
        word = f"{float(np.median(known)):.4g}".replace("-", "−")
        return word if len(values) == 1 else f"{word} at the median"
    counts = np.bincount(known.astype(np.int64), minlength=len(column.classes))
    name = column.classes[int(counts.argmax())]
    return name if len(values) == 1 else f"{name}, {counts.max() / len(values):.0%}".replace("%", " %")
