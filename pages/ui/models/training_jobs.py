"""Trainings on the page: watching them live, what became of them, and which model came of those a visitor started."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.encoders.registry import default_encoder
from core.jobs.queue import Job
from core.training.base_model import SCRATCH
from core.training.request import TrainingRequest
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

CURVE_HEIGHT, LEGEND_HEIGHT = 230, 76
FAIR = 50
"""Per cent of patches named rightly at which the axis begins, where all lines lie above."""

LINE, THIS = "Line", "This training"
LINE_COLOURS = ("#2C7FB8", "#CC6B2C", "#8A8780")
"""The training, a head, and the base as it is."""

STARTED = "train-"
"""In a visitor's work, what the key of a training begins with that the visitor started and has not seen end."""

LONGEST_TITLE = 60
"""Characters of the title of a model."""

HEAD_END = ", head"
"""Ends the title of a head that is made in place of a training."""

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
            ended_line(job, how_it_ended(job), again=_start_again)


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


def _start_again(job_id: str) -> None:
    """Ask for a training as it was asked for, in place of one that ended; one with an epoch done goes on."""
    job = engine().trainings.submit(TrainingRequest.from_payload(engine().jobs.payload(job_id)))
    note_started(job)
    if job.id != job_id:
        engine().dismiss(job_id)


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
            st.success(f"“{title}” is ready.{_verdict(name)}", icon=":material/check_circle:")
        _offer_head(job_id, name)
        if st.button("Use it", key=f"use_ready_{job_id}", type="primary"):
            current().work.pop(key)
            current().encoder = name
            st.switch_page("explore.py")
        forget = current().work.pop
        st.button("Dismiss", key=f"dismiss_ready_{job_id}", on_click=forget, args=(key, None))


def _verdict(name: str) -> str:
    """Return what to say beside a model that is ready and is not worth it; empty for any other."""
    card = cache.card_by_encoder(name)
    verdict = card.get("verdict")
    if not isinstance(verdict, dict) or verdict.get("worth"):
        return ""
    base = plain(str(verdict.get("against", "")))
    if card.get("kept_epoch") == 0:
        return f" But no pass was better than {base}, so its network is as it was: a head on that does as well."
    if verdict.get("worse"):
        return f" But it finds and names held-out patches worse than {base} does with a head."
    return f" But held-out patches cannot tell it from a head on {base}, which leaves the features as they are."


def _offer_head(job_id: str, name: str) -> None:
    """Draw the button that makes a head on the base of a model that is not worth it."""
    if _verdict(name):
        st.button("Make a head instead", key=f"head_{job_id}", on_click=make_head, args=(job_id,))


def make_head(job_id: str) -> None:
    """Ask for a head on the base of a training, on the same patches; stop the training where it runs."""
    asked = TrainingRequest.from_payload(engine().jobs.payload(job_id))
    title = asked.title[: LONGEST_TITLE - len(HEAD_END)] + HEAD_END
    base = default_encoder() if asked.base == SCRATCH else asked.base
    note_started(
        engine().trainings.submit(replace(asked, title=title, base=base, head=True, freeze=False, epochs=None))
    )
    job = engine().jobs.get(job_id)
    if job is not None and job.active:
        engine().jobs.cancel(job_id)
    current().work.pop(f"{STARTED}{job_id}", None)


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
        history, standing = engine().trainings.history(job_id), engine().trainings.standing(job_id)
        follow_bar(
            job,
            job_id,
            f"**{plain(job.title)}**: {_words(job, begun=bool(history), left=seconds_left(job_id, history))}",
        )
        if len(history) > 1:
            _curves(history, _asked_epochs(job_id) or len(history), standing)
        elif history:
            st.caption(_first_epoch(history[0]))
        elif job.state == "running":
            st.caption("Curves appear after the second pass.")
        if history and job.state == "running":
            _say_so_far(job, standing)


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
    return f"{done}. Stopping keeps the model of its best whole pass."


def _say_so_far(job: Job, standing: Mapping[str, Any]) -> None:
    """Say which pass is the best so far and, where a head would do as well, so; with a way to have one."""
    best, rivals = standing.get("best"), standing.get("rivals")
    if isinstance(best, dict):
        which = "the model as it was" if not best.get("number") else f"pass {best['number']:.0f}"
        st.caption(f"Best so far: {which}, {100 * best['accuracy']:.3g} %. The best is kept, not the last.")
    if not rivals or not isinstance(best, dict) or (best["number"] and best["accuracy"] > rivals["head"]):
        return
    title = plain(str(rivals["title"]))
    more = f"a head on {title} would: {100 * rivals['head']:.3g} %" if best["number"] else f"{title} did before it"
    with st.container(horizontal=True, vertical_alignment="center", key=f"so_far_{job.id}"):
        with st.container():
            st.info(
                f"No pass yet names more than {more}. A head leaves the features as they are, and takes seconds.",
                icon=":material/info:",
            )
        st.button(
            "Stop, and make a head", key=f"head_{job.id}", on_click=make_head, args=(job.id,), disabled=job.stopping
        )


def _first_epoch(epoch: Mapping[str, float]) -> str:
    """Say the figures of one epoch, of which no line can be drawn."""
    right = f"{100 * epoch['accuracy']:.3g} % of the held-out patches named rightly"
    return f"After the first pass: {right}, loss {epoch['loss']:.3g}. Curves appear after the second."


def _curves(history: Sequence[Mapping[str, float]], epochs: int, standing: Mapping[str, Any]) -> None:
    """Draw loss and accuracy of the epochs there were, on axes that hold all there will be.

    Beside the accuracy lie, as level lines, that of the base as it is and that of a head on it.
    """
    numbers = [int(epoch["number"]) for epoch in history]
    loss, accuracy = st.columns(2, gap="medium")
    for column, key, title, factor in (
        (loss, "loss", "Loss", 1),
        (accuracy, "accuracy", "Held-out patches named rightly, %", 100),
    ):
        values = [factor * epoch[key] for epoch in history]
        column.caption(f"{title}: {values[-1]:.3g}")
        last = max(epochs, numbers[-1])
        frame = pd.DataFrame({"Pass": numbers, title: values, LINE: THIS})
        if key == "accuracy":
            frame = pd.concat([frame, _level_lines(standing, title, last)], ignore_index=True)
        low = FAIR if key == "accuracy" and frame[title].min() >= FAIR else 0
        ends = low, 100 if key == "accuracy" else _round_up(max(values))
        lines = list(frame[LINE].unique())
        height = CURVE_HEIGHT + (LEGEND_HEIGHT if len(lines) > 1 else 0)
        column.vega_lite_chart(frame, _curve(title, last, ends, lines), height=height, width="stretch")


def _level_lines(standing: Mapping[str, Any], title: str, last: int) -> pd.DataFrame:
    """Return the level lines over all epochs, two points each; none where nothing is known to compare with."""
    rivals = standing.get("rivals") or {}
    levels = {f"A head on {rivals['title']}": rivals["head"], f"{rivals['title']}": rivals["nearest"]} if rivals else {}
    rows = [{"Pass": at, title: 100 * share, LINE: name} for name, share in levels.items() for at in sorted({1, last})]
    return pd.DataFrame(rows, columns=["Pass", title, LINE])


def _curve(title: str, epochs: int, ends: tuple[float, float], lines: Sequence[str]) -> dict[str, object]:
    """Return how a line over epochs is drawn, as Vega-Lite has it.

    Axes are fixed: Streamlit draws before it hands the data over, and the range of no data is infinite. While they stay
    the same, a line grows in place.
    """
    x = {"field": "Pass", "type": "quantitative", "title": None, "scale": {"domain": [1, epochs], "nice": False}}
    y = {"field": title, "type": "quantitative", "title": None, "scale": {"domain": list(ends), "nice": False}}
    whole = {"format": "d", "tickMinStep": 1, "tickCount": 10, "grid": False}
    tooltip = [{"field": "Pass", "type": "quantitative"}, {"field": title, "type": "quantitative", "format": ".3~g"}]
    encoding: dict[str, object] = {
        "x": x | {"axis": whole}, "y": y | {"axis": {"tickCount": 4}}, "tooltip": tooltip,
    }  # fmt: skip
    if len(lines) > 1:
        scale = {"domain": list(lines), "range": list(LINE_COLOURS[: len(lines)])}
        legend = {"orient": "bottom", "title": None, "labelLimit": 320}
        encoding["color"] = {"field": LINE, "type": "nominal", "scale": scale, "legend": legend}
        tooltip.insert(0, {"field": LINE, "type": "nominal"})
    return {"mark": {"type": "line", "point": epochs <= MOST_DOTS}, "encoding": encoding}


def _round_up(value: float) -> float:
    """Return the next half at or above a loss, at least a half; 1 for what is no number."""
    return max(1, math.ceil(2 * value)) / 2 if math.isfinite(value) else 1.0
