"""What became of what a visitor added: a scene that is in, one that was here already, labels that were kept."""

from __future__ import annotations

import datetime
import math

import streamlit as st

from core.engine.tasks import LABELS_TOPIC
from core.errors import SceneError
from core.jobs.queue import Job
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from pages.ui.common.escape import plain
from pages.ui.common.folding import NewsLine
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current


def note_asked(job: Job, at: float) -> None:
    """Remember that this visitor asked for a scene, who is then told when it is in."""
    current().added[job.id] = at


def forget_told(visitor: Session) -> None:
    """Drop what was told already; what was asked for since is what a person waits for."""
    visitor.latest = latest_in(visitor)
    for job_id in list(visitor.added):
        job = engine().jobs.get(job_id)
        if job is None or not job.active:
            visitor.added.pop(job_id)


def scenes_in(visitor: Session) -> list[NewsLine]:
    """Return which scenes are in that this visitor asked for, each with a way to explore it, until it is dismissed."""
    lines = []
    for job_id, asked in list(visitor.added.items()):
        job = engine().jobs.get(job_id)
        if job is None or job.state in {"failed", "cancelled"}:
            visitor.added.pop(job_id)  # Why it failed is told beside it.
        elif job.state == "done":
            try:
                lines.append(_came(visitor, job, asked, engine().library.get(job.message)))
            except SceneError:
                visitor.added.pop(job_id)
    return lines


def latest_in(visitor: Session) -> str:
    """Return the id of the scene that came in last of those this visitor asked for; empty when none is there."""
    jobs = [job for job in map(engine().jobs.get, visitor.added) if job is not None and job.state == "done"]
    there = [job for job in jobs if job.message in engine().library]
    told = visitor.latest if visitor.latest and visitor.latest in engine().library else ""
    return max(there, key=lambda job: job.ended or 0.0).message if there else told


def _came(visitor: Session, job: Job, asked: float, scene: Scene) -> NewsLine:
    return NewsLine(
        about="here already" if was_here(scene, asked) else "in",
        at=job.ended or 1.0,
        draw=lambda: _line(job, asked, scene),
        dismiss=lambda: _forget(visitor, job.id),
    )


def _forget(visitor: Session, job_id: str) -> None:
    visitor.latest = latest_in(visitor)
    visitor.added.pop(job_id, None)


def _line(job: Job, asked: float, scene: Scene) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"in_{job.id}"):
        with st.container():
            if was_here(scene, asked):
                st.info(plain(_here_already(job, scene)), icon=":material/info:")
            else:
                st.success(plain(_is_in(scene)), icon=":material/check_circle:")
        if st.button("Explore it", key=f"explore_in_{job.id}", type="primary"):
            current().added.pop(job.id, None)
            current().open(scene.id)
            st.switch_page("explore.py")
        st.button("Dismiss", key=f"dismiss_in_{job.id}", on_click=_forget, args=(current(), job.id))


def was_here(scene: Scene, asked: float) -> bool:
    """Tell whether a scene was in the library before somebody asked for it, in seconds since 1970."""
    try:
        return datetime.datetime.fromisoformat(scene.created).timestamp() < math.floor(asked)
    except ValueError:
        return False


def _here_already(job: Job, scene: Scene) -> str:
    what = job.title.removeprefix("Opening ").removeprefix("Making ")
    called = f" as “{scene.name}”" if what != f"“{scene.name}”" else ""
    return f"{what[:1].upper()}{what[1:]} is here already{called}, since {scene.created[:10]}; nothing was added."


def _is_in(scene: Scene) -> str:
    return " ".join([f"“{scene.name}” is in.", *labels_told(scene)])


def labels_told(scene: Scene) -> list[str]:
    """Return a sentence on what became of labels given by hand when a scene was read again; none otherwise."""
    try:
        findings = load_quality(scene.directory).findings
    except SceneError:
        return []
    return [f"Labels given by hand: {line.value}." for line in findings if line.topic == LABELS_TOPIC]
