"""Teaching an encoder: adding patches, choosing patches, base and name, and starting. Watching it is ``trainings``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from core.encoders.registry import EncoderListing, default_encoder
from core.encoders.spectral import SPECTRAL
from core.ingest.formats.archives.names import PACKED_TAR_SUFFIXES, TAR_SUFFIXES, ZIP_SUFFIXES
from core.scenes.cut import Cut
from core.scenes.labels import LabelSet, labels_elsewhere
from core.scenes.patches import patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.scenes.truth import truth_of
from core.training.base_model import SCRATCH
from core.training.dataset import cut_to_learn
from core.training.hyperparameters import MOST_EPOCHS
from core.training.request import TrainingRequest
from pages.ui.common.escape import plain
from pages.ui.common.format import count, distinct, patches
from pages.ui.common.progress import boundary, job_list
from pages.ui.common.theme import class_title
from pages.ui.http.uploads import let_go
from pages.ui.models.label_choice import ADDED, set_key
from pages.ui.models.training_jobs import note_started, titles_in_training
from pages.ui.scenes.upload import spool
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.widgets import show_text

PATCH = 64
HERE = "models"
STARTED_NOW, TITLE = "started now", "teach_title"
"""Who asks for the zips that are added here: what becomes of them is told here."""

EPOCHS = {SCRATCH: 40, "": 10}
"""Passes that are offered first: from scratch, and from a model."""

ALL, LAST_STEP, HEAD = "all", "step", "head"
WAYS = {ALL: "All of it", LAST_STEP: "The last step", HEAD: "Names only: a head"}
"""What can be learned, and what it is called."""

_LIST = {ALL: "", LAST_STEP: "_step", HEAD: "_head"}
"""Ends of the keys of the lists of what can be started from, which differ."""

WAYS_TOLD = {
    ALL: "wants many patches",
    LAST_STEP: "in a minute",
    HEAD: "features stay; seconds",
}
FEW_PATCHES = 64
"""With fewer patches than this no pass can be chosen over another (``core.training.split``)."""

FEW_SAY = "So few patches cannot tell a good pass from a bad one: the last is kept. A head is the better choice."

HOW_TO_TEACH = (
    "An encoder that has seen **your** classes finds them better. Give it patches with labels: a zip with a folder for "
    "each class (as EuroSAT comes), a scene with a class map, or patches you labelled on the Explore page. It runs "
    "beside everything else, and the model appears below when it is done."
)
NO_PATCHES = "There are no labelled patches yet. Add a zip above, or label patches on the Explore page."
ARCHIVE_TYPES = sorted({suffix.rpartition(".")[2] for suffix in ZIP_SUFFIXES | TAR_SUFFIXES | PACKED_TAR_SUFFIXES})
"""By the last part of their names, as dialogs of files know them."""
NO_ZIP = "What is wanted here is a zip or tar with a folder for each class, and GeoTIFF or JPEG patches in the folders."
WHAT_IS_HELD_OUT = (
    "Copies count once. A fifth is held out to measure with; where their places are known, so are whole blocks of "
    "land, because patches near those it learned from are easier than land elsewhere. Others are held out to choose "
    "the best pass by."
)


def teach_panel(sets: Mapping[LabelSet, str]) -> None:
    """Draw everything needed to start a training on some of the sets of labelled patches, given with their titles."""
    wanted = current().teach
    with st.expander("Teach an encoder your classes", icon=":material/school:", expanded=bool(wanted), key="teach"):
        st.markdown(HOW_TO_TEACH)
        left, right = st.columns([3, 2], gap="large")
        with left:
            _add_patches()
            job_list(("ingest",), asked_by=HERE)
            _on_what_was_added()
            if not sets:
                st.info(NO_PATCHES, icon=":material/info:")
                return
            # Options are plain text, which Streamlit knows again in every run.
            names = distinct({set_key(one): title for one, title in sets.items()})
            by_key = dict(zip(names, sets, strict=True))
            came = wanted in names and ADDED not in current().work
            newest = wanted if came else next(iter(names))
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
            _say_how_cut(chosen)


def _add_patches() -> None:
    files, button = st.columns([5, 1], vertical_alignment="bottom")
    upload = files.file_uploader(
        "A zip or tar of patches in class folders",
        type=ARCHIVE_TYPES,
        key=f"teach_zip_{current().uploads}",
    )
    if button.button("Add", key="teach_add", disabled=upload is None, width="stretch") and upload is not None:
        with boundary():
            paths = spool([upload], engine().config.root / "uploads")
            current().work[ADDED] = engine().submit_ingest(paths, asked_by=HERE).id
            let_go(upload)
            current().uploads += 1
            st.rerun()


def _on_what_was_added() -> None:
    """Say what is wrong with the zip that was added last."""
    job = engine().jobs.get(current().work.get(ADDED, ""))
    if job is None:
        return
    if job.state == "failed" and job.id in [listed.id for listed in engine().jobs.jobs()]:
        st.caption(NO_ZIP)
    elif job.state == "done" and job.message in engine().library:
        with boundary():
            lines = _amiss(engine().library.get(job.message))
            if lines:
                st.warning("\n\n".join(map(plain, lines)), icon=":material/warning:")


def _amiss(scene: Scene) -> list[str]:
    """Return what a person should know before learning from a scene, a sentence each."""
    lines = [
        f"{scene.name}: {finding.topic} {finding.value}; {finding.because}."
        for finding in load_quality(scene.directory).findings
        if finding.basis == "warning"
    ]
    if truth_of(scene) is None:
        found = f"“{scene.name}” has no classes, so nothing can be learned from it"
        lines.insert(0, f"{found}; add a zip that holds a folder for each class.")
    return lines


def class_counts(sets: Sequence[LabelSet]) -> dict[str, int]:
    """Count the patches a class that can be learned from; of scenes with a map, those that one class fills."""
    counts: dict[str, int] = {}
    for one in sets:
        scene = engine().library.get(one.scene_id)
        truth = cache.labels_of_set(one, _cut(scene, one))
        if truth is not None:
            numbers = np.bincount(truth.pure[truth.pure >= 0], minlength=len(truth.classes))
            for name, number in zip(truth.classes, numbers, strict=True):
                if number:
                    counts[name] = counts.get(name, 0) + int(number)
    return dict(sorted(counts.items()))


def _cut(scene: Scene, one: LabelSet) -> Cut:
    """Return how a scene is cut to learn from a set of its labels."""
    return cut_to_learn(scene, one.by) if one.by == "hand" else Cut.of(min(PATCH, scene.grid.width, scene.grid.height))


def _say_how_cut(chosen: Sequence[LabelSet]) -> None:
    """Say what is learned otherwise than the Explore page shows it."""
    elsewhere = 0
    for one in chosen:
        scene = engine().library.get(one.scene_id)
        if scene.is_collection:
            continue
        cut, shown = _cut(scene, one), current().cut(scene.id)
        if one.by == "hand":
            elsewhere += labels_elsewhere(scene, patch_grid(scene, cut))
        elif cut.size != shown.size or cut.stride != shown.stride:
            side = f"{cut.size} × {cut.size} pixels"
            st.caption(f"For learning, {plain(scene.name)} is cut into patches of {side}, whatever Explore shows.")
    if elsewhere:
        st.caption(f"{count(elsewhere, 'label')} of patches that were cut another way will not be learned from.")


def _show_counts(counts: dict[str, int]) -> None:
    if not counts:
        return
    rows = {"Class": [class_title(name) for name in counts], "Patches": list(counts.values())}
    most = max(counts.values())
    column = st.column_config.ProgressColumn("Patches", format="%d", min_value=0, max_value=most)
    st.dataframe(rows, hide_index=True, column_config={"Patches": column}, height=min(420, 38 + 35 * len(counts)))
    fewest = min(counts.values())
    uneven = " Small classes are shown more often, so that each counts alike." if fewest * 2 < most else ""
    st.caption(f"{patches(sum(counts.values()))}. {WHAT_IS_HELD_OUT}{uneven}")


def _start_form(chosen: Sequence[LabelSet], counts: dict[str, int]) -> None:
    how = st.radio(
        "What is learned",
        list(WAYS),
        format_func=WAYS.__getitem__,
        captions=list(WAYS_TOLD.values()),
        horizontal=True,
        key="teach_how",
    )
    if how != HEAD and 2 <= sum(counts.values()) < FEW_PATCHES:
        st.caption(FEW_SAY)
    bases = _bases(how)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    base = left.selectbox(
        "Start from", list(bases), format_func=bases.__getitem__, index=_first(bases), key=f"teach_base{_LIST[how]}"
    )
    offered = EPOCHS.get(base, EPOCHS[""])
    # Without limits of its own: beyond them it would go back to what was offered, and that be trained.
    epochs = right.number_input(
        "Passes over the patches, at most", value=offered, step=1, key=f"teach_epochs_{offered}", disabled=how == HEAD
    )
    name, button = st.columns([5, 2], vertical_alignment="bottom")
    if current().work.pop(STARTED_NOW, ""):
        show_text(TITLE, "")
    title = name.text_input("Name of the new model", placeholder="Alpine meadows", max_chars=60, key=TITLE)
    lacking = _lacking_patches(counts) or _lacking_epochs(epochs) or _lacking_name(title.strip())
    if button.button("Start", type="primary", disabled=bool(lacking), key="teach_start", width="stretch"):
        request = TrainingRequest(
            title=title.strip(), sets=tuple(chosen), base=base, freeze=how == LAST_STEP, head=how == HEAD,
            epochs=None if how == HEAD else int(epochs),
        )  # fmt: skip
        job = engine().trainings.submit(request)
        note_started(job)
        current().work[STARTED_NOW] = job.id  # Its name is taken now: the box is empty for the next one.
        st.rerun()
    if lacking:
        st.caption(lacking)


def _first(bases: Mapping[str, str]) -> int:
    """Return the place of what is offered first: the encoder that is used when none is asked for."""
    names = list(bases)
    return names.index(default_encoder()) if default_encoder() in names else len(names) - 1


def _bases(how: str) -> dict[str, str]:
    """Return what a training of a kind can start from, with titles."""
    listings = cache.encoders()
    nothing = {SCRATCH: "Nothing: a small network from scratch"} if how == ALL else {}
    suits = _can_have_head if how == HEAD else _trainable
    return distinct(nothing | {name: listing.title for name, listing in listings.items() if suits(listing)})


def _can_have_head(listing: EncoderListing) -> bool:
    """Return whether there are features to learn classes on, and files to keep with them."""
    return listing.available and listing.spec is not None and listing.name != SPECTRAL


def _trainable(listing: EncoderListing) -> bool:
    return listing.available and listing.spec is not None and listing.spec.trainable


def _lacking_patches(counts: Mapping[str, int]) -> str:
    if len(counts) < 2:
        return "Two classes or more are needed."
    few = [class_title(name) for name, number in counts.items() if number < 2]
    if few:
        return (
            f"Each class needs two patches or more: {plain(', '.join(few))} {'has' if len(few) == 1 else 'have'} one."
        )
    return ""


def _lacking_epochs(epochs: int) -> str:
    return "" if 1 <= epochs <= MOST_EPOCHS else f"Passes over the patches go from 1 to {MOST_EPOCHS:,}."


def _lacking_name(title: str) -> str:
    if not title:
        return "Give the new model a name to start."
    if title.casefold() in {listing.title.casefold() for listing in cache.encoders().values()}:
        return f"There is an encoder named {plain(title)} already: give the new one another name."
    if title.casefold() in titles_in_training():
        where = "how far it is stands at the top of this page. The next one needs another name."
        return f"“{plain(title)}” is being trained; {where}"
    return ""
