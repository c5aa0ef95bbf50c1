"""The plot of all patches: points that the browser fetches once, with query, neighbours and selection above them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.evaluation.novelty import NOVEL_ABOVE
from core.projection.settings import ProjectionSettings
from core.scenes.patches import PatchRef, PatchRefs, patch_refs
from core.similarity.neighbours import Neighbours
from core.similarity.scores import score_texts
from core.values.base import NOTHING_ASKED
from core.values.classes import CLASS, LABEL, titles
from core.values.novelty import UNFAMILIAR as NOVELTY
from pages.ui.common.theme import ACCENT
from pages.ui.explore.colouring import Colouring
from pages.ui.explore.novelty_marks import WORDS
from pages.ui.frontend import text
from pages.ui.http.assets import asset_url
from pages.ui.http.points import layout_url, values_url
from pages.ui.state.question import Question
from pages.ui.state.scene_view import SceneView
from pages.ui.state.widgets import trigger

PLOT_KEY = "plot"
_HTML = """
<div class="ll-plot" role="group" aria-label="Plot of all patches: near each other means alike">
  <div class="stage" tabindex="0" role="application"
    aria-label="Points. Arrow keys go from point to point, Enter finds land like it, a and x make it an example.">
    <div class="graph"></div><div class="tools"></div>
    <div class="card" hidden><img alt=""><div><strong></strong><div></div></div></div>
    <div class="keys" role="group" aria-label="Keys" hidden><dl></dl></div>
    <div class="failed" hidden></div><div class="said" role="status"></div></div>
  <div class="key"></div>
  <div class="said told" role="status"></div>
</div>
"""
_component = st.components.v2.component(
    "landlike_plot",
    html=_HTML,
    css=text("plot.css"),
    js=text("plotly.js", "plot_parts.js", "plot_marks.js", "plot_legend.js", "plot_acts.js", "early.js", "plot.js"),
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
    question: Question | None = None,
    marked: bool = True,
    mask: NDArray[np.bool_] | None = None,
    told: str = "",
    early: str | None = None,
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
        question: the good and bad examples; None = there are none.
        marked: True = unfamiliar patches are marked.
        mask: which patches meet the conditions that were set, bool of shape (N,); None = all.
        told: a sentence on what was found, for screen readers.
        early: where the script gets what views show for a patch, with ``{id}`` where the patch id goes; None = nowhere.
    """
    return {
        "layout": layout_url(view.recipe, settings),
        "values": colours.url(view),
        "legend": colours.script(),
        "classes": class_names_url(view),
        "strange": values_url(view.recipe, NOVELTY.name) if len(view.novel_patches()) else None,
        "unfamiliar": NOVEL_ABOVE,
        "marked": marked,
        "unfamiliarity": WORDS,
        "thumbs": thumbs,
        "accent": ACCENT,
        "plotly": asset_url("plotly.min.js"),
        "selection": list(selection),
        "mask": _bits(mask),
        "early": early,
        **asked_data(query, neighbours, selected=len(selection), question=question, told=told),
    }


def asked_data(
    query: int | None, neighbours: Neighbours | None, *, selected: int, question: Question | None, told: str
) -> dict[str, Any]:
    """Return the part of ``plot_data`` that follows from what is asked; ``selected`` is how many patches are."""
    ids = neighbours.ids.tolist() if neighbours else []
    return {
        "query": query,
        "neighbours": ids,
        "similarity": score_texts(neighbours.similarity.tolist()) if neighbours else [],
        "like": [] if question is None else list(question.like),
        "unlike": [] if question is None else list(question.unlike),
        "asked": question is not None,
        "told": told,
        "turn": f"{query}/{len(ids)}/{selected}/{0 if question is None else len(question)}",
    }


def _bits(mask: NDArray[np.bool_] | None) -> str | None:
    return None if mask is None else base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def class_names_url(view: SceneView) -> dict[str, Any] | None:
    """Return where scripts get the class of each patch, which they name when it is pointed at; None without classes."""
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
    on_example: Callable[[PatchRef, int], None] = lambda _patch, _sign: None,
    on_region: Callable[[Mapping[str, object]], None] = lambda _told: None,
    on_pick: Callable[[int], None] = lambda _id: None,
    on_clear: Callable[[], None] = lambda: None,
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
        on_example: called with a patch that becomes a good (1) or bad (−1) example or none (0), wherever on the page.
        on_region: called with the ``corners`` of an area, each (lat, lon), and what is wanted of it (``as``).
        on_pick: called with a patch that is to be selected, or no longer.
        on_clear: called when Esc is pressed.
    """

    def exemplify(told: Mapping[str, object]) -> None:
        patch, sign = told.get("id"), told.get("sign")
        if isinstance(patch, int) and isinstance(sign, int) and sign in {-1, 0, 1}:
            on_example(PatchRef(scene, patch), sign)

    _component(
        key=PLOT_KEY,
        data={**data, "height": height, "screen": screen},
        height=height,
        on_query_change=_heard("query", int, lambda patch: on_query(PatchRef(scene, patch))),
        on_select_change=_heard("select", list, lambda ids: on_select(patch_refs(scene, _numbers(ids)))),
        on_classes_change=_heard("classes", list, lambda numbers: on_classes(_numbers(numbers))),
        on_room_change=_heard("room", int, on_room),
        on_evidence_change=_heard("evidence", Mapping, exemplify),
        on_region_change=_heard("region", Mapping, on_region),
        on_pick_change=_heard("pick", int, on_pick),
        on_clear_change=_heard("clear", bool, lambda _: on_clear()),
    )


def _heard(event: str, kind: type[Any], take: Callable[[Any], None]) -> Callable[[], None]:
    """Return what is called when the script tells something; it passes on what is of the right kind."""

    def heard() -> None:
        value = trigger(PLOT_KEY, event)
        if isinstance(value, kind):
            take(value)

    return heard


def _numbers(told: list[object]) -> list[int]:
    return [number for number in told if isinstance(number, int)]
