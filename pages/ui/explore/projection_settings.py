"""Which layout the plot shows: PCA at once, UMAP as soon as it is there; and UMAP's settings in plain words."""

from __future__ import annotations

import streamlit as st

from core.errors import SettingsError
from core.features.recipe import Recipe
from core.projection.settings import ProjectionSettings
from pages.ui.common.escape import plain
from pages.ui.common.progress import FOLLOW_SECONDS, wanted
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, bound

FEWEST = 4
"""Patches below which there is nothing for UMAP to arrange."""
METRICS = {"cosine": "Kind of land (angle)", "euclidean": "Kind and brightness (distance)"}


def layout_wanted(visitor: Session, total: int) -> ProjectionSettings | None:
    """The UMAP that a visitor wants of so many patches; None when they are too few.

    Raises:
        SettingsError: when a setting is out of range.
    """
    if total < FEWEST:
        return None
    return ProjectionSettings(
        n_neighbors=min(visitor.layout_neighbours, total - 1),
        min_dist=visitor.layout_distance,
        metric=visitor.layout_metric,
    )


def layout_there(visitor: Session, recipe: Recipe, total: int) -> ProjectionSettings | None:
    """The UMAP that a visitor wants, once it is computed; else None. Draws nothing."""
    try:
        settings = layout_wanted(visitor, total)
    except SettingsError:
        return None
    return settings if settings is not None and engine().projected(recipe, settings) else None


def layout_to_show(visitor: Session, recipe: Recipe, total: int) -> ProjectionSettings | None:
    """The UMAP to draw, or None for PCA while it is being computed; draws the popover and what is going on."""
    _popover()
    try:
        settings = layout_wanted(visitor, total)
    except SettingsError as error:
        st.caption(plain(error))
        return None
    if settings is None:
        return None
    if engine().projected(recipe, settings):
        return settings
    key = f"layout-{recipe.key}-{settings.key}"
    job = wanted(key, lambda: engine().submit_projection(recipe, settings))
    if job.active:
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id)
    elif job.state == "failed":
        st.caption(f":material/error: {plain(job.message)}")
        st.button("Try again", key="layout_again", on_click=visitor.work.pop, args=(key, None))
    return None


def _popover() -> None:
    with st.popover("Layout", icon=":material/tune:", key="layout"):
        st.markdown("Points near each other are alike. These settings arrange them anew; nothing is encoded again.")
        st.slider(
            "Neighbours", 2, 100, **bound("layout_neighbours", "layout_neighbours"),
            help="How many alike patches each point is placed by. Few: fine groups. Many: the large picture.",
        )  # fmt: skip
        st.slider(
            "Minimum distance", 0.0, 0.95, step=0.05, **bound("layout_distance", "layout_distance"),
            help="How tightly alike points may be packed. Small: dense clumps. Large: an even spread.",
        )  # fmt: skip
        st.selectbox(
            "Alike means", list(METRICS), format_func=METRICS.__getitem__, **bound("layout_metric", "layout_metric")
        )


def _follow(job_id: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    share = f" {min(99, 100 * job.done // job.total)} %" if job.total else ""
    waiting = job.state == "queued" and job.position > 1
    st.caption(f"Waiting for {job.position} other layouts…" if waiting else f"Refining the layout…{share}")
