"""Teaching an encoder: choosing patches, base and name, and watching a training live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.encoders.bases import SCRATCH
from core.encoders.registry import EncoderListing
from core.jobs import Job
from core.labels import LabelSet
from pages.ui import cached
from pages.ui.engine import engine
from pages.ui.labels import plain
from pages.ui.progress import job_list, progress_words
from pages.ui.session import current
from pages.ui.theme import class_title
from pages.ui.upload import spool
from pages.ui.words import distinct, patches

PATCH, POLL_SECONDS = 64, 1.0
ADDED = "added patches"
"""What the job that takes a zip in is for, in the session."""

EPOCHS = {SCRATCH: 40, "": 10}
"""Passes that are offered first: from scratch, and from a model."""

INTRO = (
    "An encoder that has seen **your** classes finds them better. Give it patches with labels: a zip with a folder for "
    "each class (as EuroSAT comes), a scene with a class map, or patches you labelled on the Explore page. It runs "
    "beside everything else, and the model appears below when it is done."
)
NOTHING = "There are no labelled patches yet. Add a zip above, or label patches on the Explore page."
HELD_OUT = (
    "A fifth is held out to measure with; where their places are known, so are whole blocks of land, because patches "
    "near those it learned from are easier than land elsewhere."
)


def teach_panel(sets: Mapping[LabelSet, str]) -> None:
    """Everything needed to start a training on some of the sets of labelled patches, given with their titles."""
    with st.expander("Teach an encoder your classes", icon=":material/school:", expanded=False, key="teach"):
        st.markdown(INTRO)
        left, right = st.columns([3, 2], gap="large")
        with left:
            _add_patches()
            job_list(("ingest",))
            _without_labels()
            if not sets:
                st.info(NOTHING, icon=":material/info:")
                return
            # Options are plain text, which Streamlit knows again in every run.
            names = distinct({f"{one.by}-{one.scene_id}": title for one, title in sets.items()})
            by_key = dict(zip(names, sets, strict=True))
            newest = next(iter(names))
            # With the newest in its key, patches that were just added are chosen.
            picked = st.multiselect(
                "Patches to learn from", list(names), default=[newest], format_func=names.__getitem__,
                key=f"teach_sets_{newest}",
            )  # fmt: skip
            chosen = [by_key[key] for key in picked]
            counts = class_counts(chosen)
            _start_form(chosen, counts)
        with right:
            _show_counts(counts)


def _add_patches() -> None:
    files, button = st.columns([5, 1], vertical_alignment="bottom")
    upload = files.file_uploader("A zip of patches in class folders", type="zip", key="teach_zip")
    if button.button("Add", key="teach_add", disabled=upload is None, width="stretch") and upload is not None:
        current().work[ADDED] = engine().submit_ingest(spool([upload], engine().config.root / "uploads")).id
        st.rerun()


def _without_labels() -> None:
    """Say so when what was added cannot be learned from."""
    job = engine().jobs.get(current().work.get(ADDED, ""))
    if job is None or job.state != "done" or job.message not in engine().library:
        return
    scene = engine().library.get(job.message)
    if not scene.classes:
        found = f"“{plain(scene.name)}” has no classes, so nothing can be learned from it"
        st.warning(f"{found}; add a zip that holds a folder for each class.", icon=":material/warning:")


def class_counts(sets: Sequence[LabelSet]) -> dict[str, int]:
    """Patches a class that can be learned from; of scenes with a map, those that one class fills."""
    counts: dict[str, int] = {}
    for one in sets:
        scene = engine().library.get(one.scene_id)
        size = min(PATCH, scene.grid.width, scene.grid.height)
        truth = cached.labels_by(one, size)
        if truth is not None:
            numbers = np.bincount(truth.pure[truth.pure >= 0], minlength=len(truth.classes))
            for name, number in zip(truth.classes, numbers, strict=True):
                if number:
                    counts[name] = counts.get(name, 0) + int(number)
    return dict(sorted(counts.items()))


def _show_counts(counts: dict[str, int]) -> None:
    if not counts:
        return
    frame = pd.DataFrame({"Class": [class_title(name) for name in counts], "Patches": list(counts.values())})
    most = max(counts.values())
    column = st.column_config.ProgressColumn("Patches", format="%d", min_value=0, max_value=most)
    st.dataframe(frame, hide_index=True, column_config={"Patches": column}, height=min(420, 38 + 35 * len(frame)))
    fewest = min(counts.values())
    uneven = " Small classes are shown more often, so that each counts alike." if fewest * 2 < most else ""
    st.caption(f"{patches(sum(counts.values()))}. {HELD_OUT}{uneven}")


def _start_form(chosen: Sequence[LabelSet], counts: dict[str, int]) -> None:
    listings = cached.encoders()
    bases = distinct(
        {SCRATCH: "Nothing: a small network from scratch"}
        | {name: listing.title for name, listing in listings.items() if _trainable(listing)}
    )
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    base = left.selectbox(
        "Start from", list(bases), format_func=bases.__getitem__, index=1 % len(bases), key="teach_base"
    )
    offered = EPOCHS.get(base, EPOCHS[""])
    epochs = right.number_input("Passes over the patches", 1, 500, offered, key=f"teach_epochs_{offered}")
    freeze = st.toggle(
        "Keep what it sees, learn only the classes",
        key="teach_freeze",
        disabled=base == SCRATCH,
        help="Quick, and best with few patches: only the last step is learned anew.",
    )
    name, button = st.columns([5, 2], vertical_alignment="bottom")
    title = name.text_input("Name of the new model", placeholder="Alpine meadows", max_chars=60, key="teach_title")
    taken = title.strip().casefold() in {listing.title.casefold() for listing in listings.values()}
    ready = len(counts) >= 2 and min(counts.values()) >= 2 and bool(title.strip()) and not taken
    if button.button("Start", type="primary", disabled=not ready, key="teach_start", width="stretch"):
        engine().submit_training(
            chosen, base=base, freeze=freeze and base != SCRATCH, epochs=int(epochs), title=title.strip()
        )
        st.rerun()
    if not ready:
        st.caption(_lacking(counts, title, taken=taken))


def _trainable(listing: EncoderListing) -> bool:
    return listing.available and listing.spec is not None and listing.spec.backend != "numpy"


def _lacking(counts: dict[str, int], title: str, *, taken: bool) -> str:
    if len(counts) < 2:
        return "Two classes or more are needed."
    few = [class_title(name) for name, number in counts.items() if number < 2]
    if few:
        return f"Each class needs two patches or more: {plain(', '.join(few))} has one."
    if taken:
        return f"There is an encoder named {plain(title.strip())} already: give the new one another name."
    return "" if title.strip() else "Give the new model a name to start."


def trainings() -> None:
    """Trainings that wait or run, live, and what became of those that ended badly."""
    for job in engine().jobs.jobs():
        if job.kind == "train" and job.active:
            st.fragment(_watch, run_every=POLL_SECONDS)(job.id)
        elif job.kind == "train" and job.state in {"failed", "cancelled"} and job.id not in current().dismissed:
            words, button = st.columns([9, 1], vertical_alignment="center")
            tell = words.error if job.state == "failed" else words.info
            tell(plain(job.message), icon=":material/error:" if job.state == "failed" else ":material/info:")
            dismiss = current().dismissed.add
            button.button("Dismiss", key=f"dismiss_{job.id}", on_click=dismiss, args=(job.id,), width="content")


def _watch(job_id: str) -> None:
    """A training as it goes: bar, loss, accuracy, and a way to stop it."""
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        cached.encoders.clear()
        st.rerun(scope="app")
    with st.container(border=True, key=f"training_{job_id}"):
        bar, button = st.columns([8, 1], vertical_alignment="center")
        share = min(1.0, job.done / job.total) if job.total else 0.0
        history = engine().training_history(job_id)
        bar.progress(share, text=f"**{plain(job.title)}**: {_words(job, begun=bool(history))}")
        button.button("Stop", key=f"stop_{job_id}", on_click=engine().jobs.cancel, args=(job_id,), width="stretch")
        if history:
            _curves(history)
        elif job.state == "running":
            st.caption("Curves appear after the first pass.")


def _words(job: Job, *, begun: bool) -> str:
    if job.state == "queued" or not job.total:
        return progress_words(job)
    if not begun:  # How long passes take is not known before the first.
        return f"{100 * job.done // job.total} %, in the first pass…"
    if job.done >= job.total:
        return "measuring what it has learned, and writing its card…"
    return f"{progress_words(job)}. Stopping keeps the model as it is after its last whole pass."


def _curves(history: Sequence[dict[str, float]]) -> None:
    passes = [int(epoch["number"]) for epoch in history]
    loss, accuracy = st.columns(2, gap="medium")
    for column, key, title in ((loss, "loss", "Loss"), (accuracy, "accuracy", "Held-out patches named rightly, %")):
        factor = 100 if key == "accuracy" else 1
        frame = pd.DataFrame({"Pass": passes, title: [factor * epoch[key] for epoch in history]})
        column.caption(f"{title}: {frame[title].iloc[-1]:.3g}")
        column.line_chart(frame, x="Pass", y=title, height=180, x_label="", y_label="")
