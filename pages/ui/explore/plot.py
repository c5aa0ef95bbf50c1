"""The plot of all patches: points that the browser fetches once, with query, neighbours and selection above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.evaluation.novelty import NOVEL_ABOVE
from core.projection.settings import ProjectionSettings
from core.scenes.patches import PatchRef, PatchRefs, patch_refs
from core.similarity.neighbours import Neighbours
from core.values.base import NOTHING_ASKED
from core.values.classes import CLASS, LABEL, titles
from core.values.novelty import UNFAMILIAR as NOVELTY
from pages.ui.common.theme import ACCENT
from pages.ui.explore.colouring import Colouring
from pages.ui.explore.novelty_marks import WORDS
from pages.ui.frontend import text
from pages.ui.http.assets import asset_url
from pages.ui.http.points import layout_url, values_url
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import trigger

PLOT_KEY = "plot"
_HTML = """
<div class="ll-plot" role="group" aria-label="Plot of all patches: near each other means alike">
  <div class="stage"><div class="graph"></div><div class="tools"></div>
    <div class="card" hidden><img alt=""><div><strong></strong><div></div></div></div>
    <div class="failed" hidden></div></div>
  <div class="key"></div>
</div>
"""
_component = st.components.v2.component(
    "landlike_plot",
    html=_HTML,
    css=text("plot.css"),
    js=text("plotly.js", "plot_parts.js", "plot_marks.js", "plot_legend.js", "plot.js"),
    isolate_styles=False,
)


def plot_data(
    view: SceneView,
    *,
    settings: ProjectionSettings | None,
    colours: Colouring,
    thumbs: str,
    query: int | None,
    neighbours: Neighbours | None,
    selection: Sequence[int],
    marked: bool = True,
) -> dict[str, Any]:
    """Return what the plot's script draws.

    Args:
        view: the scene.
        settings: of the UMAP to show, or None for PCA.
        colours: what colours the points.
        thumbs: address of the patches' pictures, with ``{id}`` where the patch id goes.
        query: the query's patch, or None.
        neighbours: its neighbours, or None.
        selection: selected patches.
        marked: True = unfamiliar patches are marked.
    """
    ids = neighbours.ids.tolist() if neighbours else []
    return {
        "layout": layout_url(view.recipe, settings),
        "values": colours.url(view),
        "legend": colours.script(),
        "classes": _classes(view),
        "strange": values_url(view.recipe, NOVELTY.name) if len(view.novel_patches()) else None,
        "unfamiliar": NOVEL_ABOVE,
        "marked": marked,
        "unfamiliarity": WORDS,
        "thumbs": thumbs,
        "accent": ACCENT,
        "plotly": asset_url("plotly.min.js"),
        "query": query,
        "neighbours": ids,
        "similarity": [f"{value:.2f}" for value in neighbours.similarity.tolist()] if neighbours else [],
        "selection": list(selection),
        "turn": f"{query}/{len(ids)}/{len(selection)}",
    }


def _classes(view: SceneView) -> dict[str, Any] | None:
    """Return where the script gets the class of each patch, which it names when a point is pointed at."""
    found = view.labels.shown
    if found is None:
        return None
    value = LABEL if view.labels.version else CLASS  # so that the browser fetches one array and not two
    return {"url": values_url(view.recipe, value.address(view, NOTHING_ASKED)), "names": list(titles(found.classes))}


def plot(
    data: dict[str, Any],
    *,
    height: int,
    screen: int,
    scene: str,
    on_query: Callable[[PatchRef], None],
    on_select: Callable[[PatchRefs], None],
    on_classes: Callable[[list[int]], None],
    on_room: Callable[[int], None],
) -> None:
    """Draw the plot; what a person does calls a function before the next run.

    Args:
        data: from ``plot_data``.
        height: pixels.
        screen: height of the browser's window that the page was laid out for, in pixels.
        scene: id of the scene that the points are of.
        on_query: called with the patch that was clicked.
        on_select: called with the patches inside a lasso or box, or with those that are unfamiliar.
        on_classes: called with the numbers of classes that were chosen in the legend, −1 = no class.
        on_room: called with the window's height when it is another.
    """

    def asked() -> None:
        value = trigger(PLOT_KEY, "query")
        if isinstance(value, int):
            on_query(PatchRef(scene, value))

    def selected() -> None:
        value = trigger(PLOT_KEY, "select")
        if isinstance(value, list):
            on_select(patch_refs(scene, [patch_id for patch_id in value if isinstance(patch_id, int)]))

    def chosen() -> None:
        value = trigger(PLOT_KEY, "classes")
        if isinstance(value, list):
            on_classes([number for number in value if isinstance(number, int)])

    def resized() -> None:
        value = trigger(PLOT_KEY, "room")
        if isinstance(value, int):
            on_room(value)

    _component(
        key=PLOT_KEY,
        data={**data, "height": height, "screen": screen},
        height=height,
        on_query_change=asked,
        on_select_change=selected,
        on_classes_change=chosen,
        on_room_change=resized,
    )
