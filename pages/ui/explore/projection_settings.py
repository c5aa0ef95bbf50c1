"""Which layout the plot shows: PCA at once, the wanted one as soon as it is there; and its settings in plain words."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import SettingsError
from core.features.recipe import Recipe
from core.jobs.queue import Job
from core.projection.labels import labels_version
from core.projection.settings import LEAST_ROWS, METHODS, ProjectionSettings
from pages.ui.common.escape import plain
from pages.ui.common.format import patches
from pages.ui.common.panels import filled_last
from pages.ui.common.progress import FOLLOW_SECONDS, wanted
from pages.ui.state.engine import engine
from pages.ui.state.session import Session
from pages.ui.state.widgets import bound

METRIC_TITLES = {"cosine": "Kind of land (angle)", "euclidean": "Kind and brightness (distance)"}


def layout_wanted(visitor: Session, recipe: Recipe, total: int) -> ProjectionSettings | None:
    """Return the layout that a visitor wants of so many patches; None when they are too few.

    Raises:
        SettingsError: when a setting is out of range, or it is to go by labels and there are none.
    """
    if total < LEAST_ROWS:
        return None
    labelled = METHODS[visitor.layout_method].labelled
    return ProjectionSettings(
        n_neighbors=min(visitor.layout_neighbours, total - 1),
        min_dist=visitor.layout_distance,
        metric=visitor.layout_metric,
        method=visitor.layout_method,
        labels=_labels_wanted(visitor, recipe.scene_id) if labelled else "",
    )


def _labels_wanted(visitor: Session, scene_id: str) -> str:
    """Return the version of labels that a visitor arranges a scene by: the one of when they began to.

    With the latest instead, the plot would be arranged anew at every patch that somebody labels.
    """
    if not visitor.layout_labels.get(scene_id):
        visitor.layout_labels[scene_id] = labels_version(engine().library.get(scene_id))
    return visitor.layout_labels[scene_id]


def layout_there(visitor: Session, recipe: Recipe, total: int) -> ProjectionSettings | None:
    """Return the layout that a visitor wants, once it is computed; else None. Draws nothing."""
    try:
        settings = layout_wanted(visitor, recipe, total)
    except SettingsError:
        return None
    return settings if settings is not None and engine().projected(recipe, settings) else None


def layout_to_show(visitor: Session, recipe: Recipe, total: int) -> ProjectionSettings | None:
    """Return the layout to draw, None for PCA while it is computed; draws the popover and what is going on."""
    filled_last(st.popover("Layout", icon=":material/tune:", key="layout"), lambda: _panel(visitor, recipe, total))
    try:
        settings = layout_wanted(visitor, recipe, total)
    except SettingsError as error:
        st.caption(plain(error))
        return None
    if settings is None:
        return None
    key = f"layout-{recipe.key}-{settings.key}"
    _stop_unwanted(visitor, recipe.scene_id, key)
    if engine().projected(recipe, settings):
        return settings
    job = _asked(visitor, key, recipe, settings)
    if job.active:
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id)
    else:
        _ended(visitor, key, recipe.scene_id, job)
    return None


def _ended(visitor: Session, key: str, scene_id: str, job: Job) -> None:
    """Tell why a layout is not there, and offer to go on; the sentence of a failure may take a line of its own."""
    again = partial(st.button, key="layout_again", on_click=_again, args=(visitor, key, scene_id))
    if job.state == "failed":
        st.caption(f":material/error: {plain(job.message)}")
        again("Try again")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="layout_line"):
        st.caption("Arranging was stopped.")
        again("Go on", type="tertiary")


def _stop_unwanted(visitor: Session, scene_id: str, key: str) -> None:
    """Stop the layout of a scene that a visitor began, when they want the one of another key instead.

    One that somebody else began goes on, and so does one of a scene that the visitor has left. Whoever joined later and
    waits for the one that is stopped reads so, and can go on.
    """
    earlier = visitor.layout_asked.get(scene_id, key)
    if earlier == key:
        return
    del visitor.layout_asked[scene_id]
    job = engine().jobs.get(visitor.work.get(earlier, ""))
    if job is not None and job.active:
        del visitor.work[earlier]  # Nobody stopped it by hand: wanted again, it begins again by itself.
        engine().jobs.cancel(job.id)


def _asked(visitor: Session, key: str, recipe: Recipe, settings: ProjectionSettings) -> Job:
    """Return the job of a layout that a visitor wants; notes in the session when it is they who began it."""
    new = key not in visitor.work

    def submit() -> Job:
        before = {job.id for job in engine().jobs.jobs() if job.active}
        job = engine().submit_projection(recipe, settings)
        if job.id not in before:
            visitor.layout_asked[recipe.scene_id] = key
        return job

    job = wanted(key, submit)
    if new and job.stopping:
        del visitor.work[key]  # It was stopped before it was wanted again: the run of the page after its end asks anew.
    return job


def _again(visitor: Session, key: str, scene_id: str) -> None:
    """Ask for a layout once more, by the labels as they are now."""
    visitor.work.pop(key, None)
    visitor.layout_labels.pop(scene_id, None)


def _panel(visitor: Session, recipe: Recipe, total: int) -> None:
    st.markdown("Points near each other are alike. These settings arrange them anew; nothing is encoded again.")
    st.radio(
        "Method", list(METHODS), format_func=lambda name: METHODS[name].title,
        captions=[method.about for method in METHODS.values()], **bound("layout_method", "layout_method"),
    )  # fmt: skip
    if total < LEAST_ROWS:
        are, they_are = ("is", "it is") if total == 1 else ("are", "they are")
        few = f"{patches(total)} {are} too few for a layout of this kind"
        st.caption(f"{few}; {they_are} arranged by principal components.")
    elif METHODS[visitor.layout_method].labelled:
        _labels_line(visitor, recipe.scene_id)
    st.slider(
        "Neighbours", 2, 100, **bound("layout_neighbours", "layout_neighbours"),
        help="How many alike patches each point is placed by. Few: fine groups. Many: the large picture.",
    )  # fmt: skip
    st.slider(
        "Minimum distance", 0.0, 0.95, step=0.05, **bound("layout_distance", "layout_distance"),
        help="How tightly alike points may be packed. Small: dense clumps. Large: an even spread.",
    )  # fmt: skip
    st.selectbox(
        "Alike means",
        list(METRIC_TITLES),
        format_func=METRIC_TITLES.__getitem__,
        **bound("layout_metric", "layout_metric"),
    )


def _labels_line(visitor: Session, scene_id: str) -> None:
    """Offer labels as they are now, where they are others than those that the layout goes by."""
    now, used = labels_version(engine().library.get(scene_id)), visitor.layout_labels.get(scene_id)
    if now and used and now != used:
        st.caption("Labels have changed since this layout was made.")
        st.button(
            "Arrange by the labels as they are now",
            key="layout_relabel",
            on_click=visitor.layout_labels.pop,
            args=(scene_id, None),
        )


def _follow(job_id: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    share = f" {min(99, 100 * job.done // job.total)} %" if job.total else ""
    waiting = job.state == "queued" and job.position > 1
    with st.container(horizontal=True, vertical_alignment="center", key="layout_line"):
        st.caption(f"{job.position} layouts go first…" if waiting else f"Layout…{share}")
        stop = engine().jobs.cancel
        st.button("Stop", key="layout_stop", type="tertiary", disabled=job.stopping, on_click=stop, args=(job_id,))
