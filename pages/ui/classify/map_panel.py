"""How the map is wanted: by which head, from which confidence on, smoothed, finer; what that leaves, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.classification.cells import ChanceCells, Smoothing
from core.classification.maps.choice import PARTS, MapChoice
from core.classification.schemes import LandClass
from core.engine.class_map import cut_of_map, head_or_none, map_cells_of
from core.errors import LandlikeError
from core.evaluation.classifier import Named
from core.evaluation.novelty import NOVEL_ABOVE
from core.scenes.areas import cell_ground
from core.scenes.cut import Cut
from core.scenes.outline_areas import HECTARE
from core.scenes.overview import metres_of
from core.scenes.patches import patch_grid
from core.values.base import NOTHING_ASKED
from core.values.named.classified import CLASSIFIED
from core.values.named.finer import FINER
from core.values.named.unsure import sure_patches
from pages.ui.classify.files import map_files
from pages.ui.classify.heads import changed, head_choice
from pages.ui.common.escape import plain
from pages.ui.common.format import duration, ground_words, patches
from pages.ui.common.progress import follow_line
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import segments, slide, switch

SMOOTHING_TITLES: dict[Smoothing, str] = {"none": "As it is", "majority": "Majority", "probability": "Mean"}
SMOOTHING_HELP = (
    "Majority: the class that most of a patch and its eight neighbours have. Mean: the mean of their probabilities, "
    "nearer ones counting more. Small fields and narrow rivers can vanish."
)
MOST_FEATURES = 250_000_000
"""Numbers of features of overlapping patches up to which a finer map is offered: a gigabyte."""


def map_panel(visitor: Session, known: SceneView, classes: Sequence[LandClass]) -> None:
    """Draw how the map is wanted; where there is a map, what that leaves and its files."""
    st.subheader("Map", anchor=False)
    left, middle, right = st.columns(3, gap="large")
    with left:
        head_choice(visitor, known)
    found = known.classified()
    if found is None:
        return
    with middle:
        _sureness(visitor, known, found)
    with right:
        _looks(visitor, known)
    with st.container(horizontal=True, vertical_alignment="center", key="classify_map_bar"):
        if st.button("Show it on Explore", key="classify_show", type="primary"):
            shown_there = FINER if FINER.available(known, NOTHING_ASKED) else CLASSIFIED
            visitor.colour, visitor.overlay = shown_there.name, True
            st.switch_page("explore.py")
        map_files(visitor, known)


def _sureness(visitor: Session, known: SceneView, found: Named) -> None:
    slide(
        "Leave unsure below", 0, 95, round(100 * known.choice.below), key="map_below", step=5, unit="%",
        take=lambda percent: changed(visitor, known, below=percent / 100),
        help_text="A patch gets no class where the likeliest is less probable than this.",
    )  # fmt: skip
    if known.novelty() is not None or found.heard is not None:
        switch(
            "Leave unfamiliar land unsure", not known.choice.strange, key="map_strange",
            take=lambda on: changed(visitor, known, strange=not on),
            help_text="On land unlike all that the encoder learned from, a classifier is often sure and wrong.",
        )  # fmt: skip
    cells = map_cells_of(known) if cut_of_map(known) is not None else None
    st.caption(left_unsure(known, found) if cells is None else cells_unsure(known, cells))


def left_unsure(known: SceneView, found: Named) -> str:
    """Return how many patches, and hectares, have a class and how many are left unsure, and why."""
    sure, areas = sure_patches(known, found), known.standing_hectares()
    doubtful = found.confidence < found.sure_from

    def amount(rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> str:
        said = patches(int(rows.sum()))
        if areas is None or not rows.any():
            return said
        return f"{said} ({ground_words(float(np.nansum(areas[rows])))})"

    if sure.all():
        return f"All {amount(sure)} have a class."
    novelty = known.novelty()
    strange = ~sure & ~doubtful
    because = (
        [f"{int((~sure & doubtful).sum()):,} below {100 * found.sure_from:.0f} %"] if (~sure & doubtful).any() else []
    )
    if strange.any():
        unlike = "on unfamiliar land" if novelty is not None and (novelty > NOVEL_ABOVE).any() else "on unknown land"
        because.append(f"{int(strange.sum()):,} {unlike}")
    return f"{amount(sure)} have a class; {amount(~sure)} are left unsure: {', '.join(because)}."


def _ground_of_cells(known: SceneView) -> NDArray[np.float64] | None:
    """Return square metres with data of the cells of the finer map; None when the place is unknown."""
    cut, areas = cut_of_map(known), known.areas()
    grid = known.grid if cut is None else patch_grid(known.scene, cut)
    whole = areas is not None and not areas.partial(known.table.patch_ids) and len(known.table) == known.grid.count
    # Patches that overlap reach land at the edge that these do not, and which may have no data.
    whole = whole and grid.left_over == known.grid.left_over
    return cell_ground(known.scene, grid, whole=whole)


def cells_unsure(known: SceneView, cells: ChanceCells) -> str:
    """Return what part of the finer map has a class and what is left unsure, with hectares."""
    left, there = cells.abstained(known.choice.below), cells.known
    ground = known.answers.get(("cell ground", cells.known.shape), lambda: _ground_of_cells(known))
    weights = there.astype(np.float64) if ground is None else np.where(there, ground, 0.0) / HECTARE
    whole = float(weights.sum())
    share = float(weights[left].sum()) / (whole or 1.0)

    def amount(part: float) -> str:
        said = f"{100 * part:.0f} % of the land"
        return said if ground is None else f"{said} ({ground_words(part * whole)})"

    return f"{amount(1 - share)} has a class; {amount(share)} is left unsure."


def _looks(visitor: Session, known: SceneView) -> None:
    """Draw whether the map is smoothed, and how fine it is."""
    if known.scene.is_collection:
        return
    segments(
        "Smooth it", dict(SMOOTHING_TITLES), known.choice.smoothing, key="map_smoothing", help_text=SMOOTHING_HELP,
        take=lambda how: changed(visitor, known, smoothing=how),
    )  # fmt: skip
    offered = cells_offered(known)
    if len(offered) > 1:
        at = str(known.choice.parts) if str(known.choice.parts) in offered else "1"
        segments(
            "Cells", offered, at, key="map_parts", take=lambda parts: changed(visitor, known, parts=int(parts)),
            help_text="Finer cells need patches that overlap, which are encoded first; each cell gets the mean "
            "probability of all patches over it. It shows edges better, not smaller things.",
        )  # fmt: skip
        _finer(visitor, known)


def cells_offered(known: SceneView) -> dict[str, str]:
    """Return how fine the map can be, by the parts of a side of a patch, with the width of a cell."""
    cut, metres, width = known.recipe.cut, metres_of(known.scene), known.table.unit.shape[1]
    found = {"1": _wide(cut.stride, metres)}
    for parts in PARTS[1:]:
        finer = MapChoice(parts=parts).finer_cut(cut)
        fits = finer is not None and len(known.table) * (cut.stride / finer.stride) ** 2 * width <= MOST_FEATURES
        if finer is not None and fits:
            found[str(parts)] = _wide(finer.stride, metres)
    return found


def _wide(pixels: int, metres: float | None) -> str:
    return f"{pixels} px" if metres is None else f"{pixels * metres:,.0f} m"


def _finer(visitor: Session, known: SceneView) -> None:
    """Draw how far the finer map is, or the button that makes it."""
    cut = cut_of_map(known)
    if cut is None or map_cells_of(known) is not None:
        return
    key = f"finer-{known.recipe.key}-{cut.key}"
    jobs = [engine().jobs.get(visitor.work.get(name, "")) for name in (f"{key}-encode", key)]
    going = [job for job in jobs if job is not None and job.state != "done"]
    if going:
        doing = "Encoding overlapping patches" if going[0].kind == "encode" else "Mapping"
        follow_line(going[0], f"{key}-encode" if going[0].kind == "encode" else key, doing, stop=True)
        if not going[0].active:
            visitor.work.pop(key, None)
        return
    st.button("Make the finer map", key="map_finer", on_click=_make_finer, args=(visitor, known, cut, key))
    st.caption(_takes(known, cut))


def _takes(known: SceneView, cut: Cut) -> str:
    recipe = replace(known.recipe, cut=cut)
    if engine().encoded(recipe):
        return "Overlapping patches are encoded already; it takes a moment."
    found = engine().forecast(known.scene, recipe)
    took = "" if found.seconds is None else f", about {duration(found.seconds)}"
    return f"Encodes {patches(found.patches)}{took}. Until then the map is of patches."


def _make_finer(visitor: Session, known: SceneView, cut: Cut, key: str) -> None:
    head = head_or_none(known)
    if head is None:
        return
    try:
        recipe, made = replace(known.recipe, cut=cut), engine().classifications
        encoding = None if engine().encoded(recipe) else engine().submit_encode(recipe)
        if encoding is not None:
            visitor.work[f"{key}-encode"] = encoding.id
        visitor.work[key] = made.submit_finer(known.recipe, cut, head, encoding).id
        visitor.classified = ""
    except LandlikeError as error:
        visitor.classified = plain(str(error))
