"""The plot to take away, as a picture with its legend: points in their colours, what was asked about ringed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.bands import FloatArray
from core.projection.settings import METHODS
from core.values.legend import Legend
from core.values.palette import UNKNOWN_COLOUR
from core.values.registry import VALUES
from pages.ui.common.maps import coloured_by, legend_lines, source_words
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

MOST_RINGED = 100
"""Patches found that are ringed; of more, the best."""
_KINDS = {"PNG": "image/png", "SVG": "image/svg+xml"}


def plot_downloads(visitor: Session, view: ViewState) -> None:
    """Draw the ways to take the plot away; nothing while it has no points or no colours."""
    name = coloured_by(visitor, view)
    if not name or view.known.layout(view.layout) is None:
        return
    value = VALUES[name]
    values = view.known.values(value, view.asked)
    if values is None:
        return
    legend = view.known.legend(value, view.asked)
    st.markdown(f"The plot, coloured by {value.title}:")
    with st.container(horizontal=True, key="plot_downloads"):
        for words, kind in _KINDS.items():
            st.download_button(
                words, lambda words=words: _drawn(words, view, values, legend, value.title),
                f"plot-{view.scene.id}-{name}.{words.lower()}", kind, key=f"download_plot_{words}",
                on_click="ignore", icon=":material/download:", help="A picture with legend",
            )  # fmt: skip


def _drawn(kind: str, view: ViewState, values: FloatArray, legend: Legend, title: str) -> bytes:
    from core.export import picture
    from core.export.scatter import plotted

    points = view.known.layout(view.layout)
    if points is None:
        return b""
    colours, known = legend.paint(values)
    colours[~known] = [int(UNKNOWN_COLOUR[at : at + 2], 16) for at in (1, 3, 5)]
    asked = [] if view.query_id is None else [view.query_id]
    found = [] if view.neighbours is None else view.neighbours.ids[:MOST_RINGED].tolist()
    ringed = view.rows(np.array([*asked, *found], np.int64))
    method = "principal components" if view.layout is None else METHODS[view.layout.method].title
    sheet = picture.MapPicture(
        image=plotted(points, colours, ringed=ringed), metres=None, title=f"{view.scene.name} · {title}",
        legend=legend_lines(legend, values),
        source=f"Each point is a patch; near points look alike to {view.recipe.encoder}, by {method}. "
        f"{source_words(view.scene)}",
    )  # fmt: skip
    return picture.map_png(sheet) if kind == "PNG" else picture.map_svg(sheet)
