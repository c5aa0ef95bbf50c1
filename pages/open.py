"""The Scenes page: add scenes, watch them come in, and keep what is there. Exploring one is another page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.scenes.scene import Scene
from pages.ui.common.escape import plain
from pages.ui.common.folding import draw_news
from pages.ui.common.format import count, size
from pages.ui.common.progress import boundary, job_lines
from pages.ui.scenes.adding import add_panel
from pages.ui.scenes.bundle import bundle_panel
from pages.ui.scenes.deleted import bring_back, deleted_scenes, just_deleted, look_at
from pages.ui.scenes.details import details
from pages.ui.scenes.news import scenes_in
from pages.ui.scenes.rereading import reread_dialog
from pages.ui.scenes.table import chosen_row, looked_at, rows_of, scene_table
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current

JOB_KINDS = ("ingest", "sample", "synthetic", "delete")


def total(scenes: Sequence[Scene]) -> str:
    """Return one line over the list."""
    return f"{count(len(scenes), 'scene')}, {size(sum(engine().disk_bytes(scene.id) for scene in scenes))} on disk"


def gone_meanwhile(visitor: Session) -> None:
    """Say that the scene looked at was deleted elsewhere, by name, with a way back."""
    shown = visitor.listed or visitor.shown
    gone = engine().library.trash.find(shown) if shown else None
    if gone is None or gone.id in engine().library or gone.id in visitor.deleted:
        return
    if gone.successor is not None:
        visitor.listed = gone.successor
        return
    visitor.listed = gone.id  # Until that is dismissed, though the details are those of another one by then.
    with st.container(horizontal=True, vertical_alignment="center", key="gone_meanwhile"):
        with st.container():
            st.info(f"“{plain(gone.name)}” was deleted in another window.", icon=":material/delete:")
        if gone.whole:
            st.button("Bring it back", key="bring_back_listed", on_click=bring_back, args=([gone.id],))
        st.button("Dismiss", key="dismiss_listed", on_click=look_at, args=("",))


def news(visitor: Session) -> None:
    """Draw what goes on and what came of it."""
    with st.container(gap="xsmall", key="news"):
        draw_news([*job_lines(JOB_KINDS), *scenes_in(visitor)], "more_news")
        just_deleted(visitor)
        gone_meanwhile(visitor)


def page() -> None:
    """Draw the whole page."""
    visitor = current()
    st.title("Scenes", anchor=False)
    with boundary():
        add_panel()
        bundle_panel(visitor)
    news(visitor)
    scenes = engine().library.scenes()
    if scenes:
        rows = rows_of(scenes)
        st.caption(total(scenes))
        scene_table(rows, visitor)
        visitor.shown = details(chosen_row(rows, looked_at(visitor)), looked_at(visitor))
    elif not any(job.active and job.kind in JOB_KINDS for job in engine().jobs.jobs()):
        st.info("There is no scene yet. Add one of yours, or open the sample scene.", icon=":material/info:")
    deleted_scenes()
    reread_dialog(visitor)


with boundary():
    page()
