"""Trainings on the page: watching them live, what became of them, and which model came of those a visitor started."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import streamlit as st

from core.jobs.queue import Job
from pages.ui.common.escape import plain
from pages.ui.common.progress import ended_line, follow_bar, progress_words
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current

WATCH_SECONDS = 1.0
RECENT = 6
"""Epochs by which the time left is told."""

MOST_DOTS = 60
"""With more epochs than this the dots of a curve would be all one sees."""

STARTED = "train-"
"""In a visitor's work, what the key of a training begins with that the visitor started and has not seen end."""

GENERAL = "Learning from labelled patches: "
"""What errors on patches begin with; the title of their training says it already."""


def trainings() -> None:
    """Draw models that are ready, trainings that wait or run, live, and what became of those that ended badly."""
    for key, job_id in list(current().work.items()):
        if key.startswith(STARTED):
            _ready(key, job_id)
    for job in engine().jobs.jobs():
        if job.kind == "train" and job.active:
            st.fragment(_watch, run_every=WATCH_SECONDS)(job.id)
        elif job.kind == "train" and job.state in {"failed", "cancelled"}:
            ended_line(job, how_it_ended(job))


def note_started(job: Job) -> None:
    """Remember that this visitor started a training, who is then told when its model is ready."""
    current().work[f"{STARTED}{job.id}"] = job.id


def titles_in_training() -> set[str]:
    """Return titles, with case folded, of the models that are being trained or wait for it."""
    return {str(payload.get("title", "")).casefold() for payload in _under_way()}


def going_on_from(encoder: str) -> list[str]:
    """Return the titles of the models that are being trained on from an encoder, or wait for it."""
    return [str(payload.get("title", "")) for payload in _under_way() if payload.get("base") == encoder]


def _under_way() -> list[Mapping[str, object]]:
    return [engine().jobs.payload(job.id) for job in engine().jobs.jobs() if job.kind == "train" and job.active]


def how_it_ended(job: Job) -> str:
    """Return the sentence of a training that ended badly, with its title in front."""
    if job.message.startswith(job.title):
        return job.message
    words = job.message.removeprefix(GENERAL)
    return f"{job.title}: {words[:1].lower()}{words[1:]}"


def _ready(key: str, job_id: str) -> None:
    """Say that a model is ready that this visitor asked for, until it is used or that is dismissed."""
    job = engine().jobs.get(job_id)
    if job is not None and job.active:
        return
    name = _listed(job.message) if job is not None and job.state == "done" else None
    if name is None:
        current().work.pop(key)
        return
    title = plain(engine().jobs.payload(job_id).get("title", name))
    with st.container(horizontal=True, vertical_alignment="center", key=f"ready_{job_id}"):
        with st.container():
            st.success(f"“{title}” is ready.", icon=":material/check_circle:")
        if st.button("Use it", key=f"use_ready_{job_id}", type="primary"):
            current().work.pop(key)
            current().encoder = name
            st.switch_page("explore.py")
        forget = current().work.pop
        st.button("Dismiss", key=f"dismiss_ready_{job_id}", on_click=forget, args=(key, None))


def _listed(name: str) -> str | None:
    """Return what the list of encoders calls a model that was trained here; None when it is not there any more."""
    home = engine().trained.directory(name)
    if not home.is_dir():
        return None
    for fresh in (False, True):
        if fresh:
            cache.forget_encoders()
        for listing in cache.encoders().values():
            if listing.reference and Path(listing.reference) == home:
                return listing.name
    return None


def _watch(job_id: str) -> None:
    """Draw a training as it goes: bar, loss, accuracy, and a way to stop it."""
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        cache.forget_encoders()
        st.rerun(scope="app")
    with st.container(border=True, key=f"training_{job_id}"):
        history = engine().training_history(job_id)
        follow_bar(
            job,
            job_id,
            f"**{plain(job.title)}**: {_words(job, begun=bool(history), left=seconds_left(job_id, history))}",
        )
        if len(history) > 1:
            _curves(history, _asked_epochs(job_id) or len(history))
        elif history:
            st.caption(_first_epoch(history[0]))
        elif job.state == "running":
            st.caption("Curves appear after the second pass.")


def seconds_left(job_id: str, history: Sequence[Mapping[str, float]]) -> float | None:
    """Tell how long the epochs to come take, by the last few of those there were; None before the first is over."""
    epochs = _asked_epochs(job_id)
    recent = [epoch["seconds"] for epoch in history[-RECENT:]]
    if epochs is None or not recent:
        return None
    # A training that went on counts its seconds anew.
    taken = [after - before for before, after in pairwise(recent) if after > before] or [recent[-1]]
    return max(0.0, (epochs - len(history)) * sum(taken) / len(taken))


def _asked_epochs(job_id: str) -> int | None:
    epochs = engine().jobs.payload(job_id).get("epochs")
    return epochs if isinstance(epochs, int) else None


def _words(job: Job, *, begun: bool, left: float | None = None) -> str:
    writing = "measuring what it has learned, and writing its card…"
    if job.stopping and begun:
        return f"stopping; {writing}"
    if job.stopping or job.state == "queued" or not job.total:
        return progress_words(job)
    if not begun:  # How long epochs take is not known before the first.
        return f"{100 * job.done // job.total} %, in the first pass…"
    if job.done >= job.total:
        return writing
    done = progress_words(replace(job, seconds_left=left))
    return f"{done}. Stopping keeps the model as it is after its last whole pass."


def _first_epoch(epoch: Mapping[str, float]) -> str:
    """Say the figures of one epoch, of which no line can be drawn."""
    right = f"{100 * epoch['accuracy']:.3g} % of the held-out patches named rightly"
    return f"After the first pass: {right}, loss {epoch['loss']:.3g}. Curves appear after the second."


def _curves(history: Sequence[Mapping[str, float]], epochs: int) -> None:
    """Draw loss and accuracy of the epochs there were, on axes that hold all there will be."""
    numbers = [int(epoch["number"]) for epoch in history]
    loss, accuracy = st.columns(2, gap="medium")
    for column, key, title, factor in (
        (loss, "loss", "Loss", 1),
        (accuracy, "accuracy", "Held-out patches named rightly, %", 100),
    ):
        values = [factor * epoch[key] for epoch in history]
        column.caption(f"{title}: {values[-1]:.3g}")
        frame = pd.DataFrame({"Pass": numbers, title: values})
        most = 100 if key == "accuracy" else _round_up(max(values))
        column.vega_lite_chart(frame, _curve(title, max(epochs, numbers[-1]), most), height=180, width="stretch")


def _curve(title: str, epochs: int, most: float) -> dict[str, object]:
    """Return how a line over epochs is drawn, as Vega-Lite has it.

    Axes are fixed: Streamlit draws before it hands the data over, and the range of no data is infinite. While they stay
    the same, a line grows in place.
    """
    x = {"field": "Pass", "type": "quantitative", "title": None, "scale": {"domain": [1, epochs], "nice": False}}
    y = {"field": title, "type": "quantitative", "title": None, "scale": {"domain": [0, most], "nice": False}}
    whole = {"format": "d", "tickMinStep": 1, "tickCount": 10, "grid": False}
    tooltip = [{"field": "Pass", "type": "quantitative"}, {"field": title, "type": "quantitative", "format": ".3~g"}]
    return {
        "mark": {"type": "line", "point": epochs <= MOST_DOTS},
        "encoding": {"x": x | {"axis": whole}, "y": y | {"axis": {"tickCount": 4}}, "tooltip": tooltip},
    }


def _round_up(value: float) -> float:
    """Return the next half at or above a loss, at least a half; 1 for what is no number."""
    return max(1, math.ceil(2 * value)) / 2 if math.isfinite(value) else 1.0
