"""Searching by a picture that a visitor brings: the form, how far it is, and what was assumed of it."""

from __future__ import annotations

import streamlit as st

from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.ingest.settings import IngestSettings
from core.jobs.queue import Job
from core.search.chips import MOST_CHIP_BYTES, ChipExample
from pages.ui.common.escape import plain
from pages.ui.common.format import patches, size
from pages.ui.common.progress import follow_line, wanted
from pages.ui.scenes.upload import SCALE_WORDS, parse_bands, spool
from pages.ui.state.engine import engine
from pages.ui.state.session import Session
from pages.ui.state.widgets import shown

DIALOG = "by_picture"
"""What ``Session.closing`` calls the dialog in which pictures are given."""
LIKE, UNLIKE = "chip_like", "chip_unlike"
"""What the jobs are called that make a picture a good, or a bad, example."""
_MOST_MB = MOST_CHIP_BYTES // 2**20
ENDINGS = ["tif", "tiff", "png", "jpg", "jpeg", "jp2"]


def picture_form(visitor: Session, recipe: Recipe) -> None:
    """Draw where a picture is given, and the buttons that search by it."""
    key = f"chip_file_{visitor.chips}"
    st.markdown("**A picture**")
    if not engine().library.get(recipe.scene_id).has_pixels:
        st.caption("The model that made these vectors is not at hand, so no picture can be compared with them.")
        return
    st.file_uploader(
        "A GeoTIFF of Sentinel-2, or a picture in colours", type=ENDINGS, key=key, max_upload_size=_MOST_MB
    )
    if shown(key) is None:
        return
    with st.container(horizontal=True, key="chip_signs"):
        for work, title in ((LIKE, "Find land like it"), (UNLIKE, "Not like it")):
            st.button(
                title, key=work, type="primary" if work == LIKE else "secondary", on_click=_give,
                args=(visitor, recipe, work, key),
            )  # fmt: skip
    st.text_input(
        "Its bands, in the order of the file", key="chip_bands", placeholder="as the file says",
        help="Such as B02 B03 B04 B08, where the file does not name them; - leaves one out.",
    )  # fmt: skip
    st.selectbox("Its numbers", list(SCALE_WORDS), format_func=SCALE_WORDS.__getitem__, key="chip_scale")


def _give(visitor: Session, recipe: Recipe, work: str, key: str) -> None:
    """Have a worker take the picture in and encode it."""
    upload = shown(key)
    visitor.found, visitor.closing = "", DIALOG
    if upload is None:
        return
    if upload.size > MOST_CHIP_BYTES:
        visitor.found = (
            f"“{upload.name}” has {size(upload.size)}, and a picture to search by at most {size(MOST_CHIP_BYTES)}; "
            "cut out what you look for, or add it on the Scenes page."
        )
        return
    try:
        bands, scale = parse_bands(str(shown("chip_bands") or "")), str(shown("chip_scale") or "auto")
        settings = IngestSettings(bands=bands, scale=scale)
        paths = spool([upload], engine().config.root / "uploads")
        visitor.work[work] = engine().submit_chip(paths, recipe, settings).id
    except LandlikeError as error:
        visitor.found = str(error)


def take_pictures(visitor: Session, scene_id: str) -> None:
    """Make pictures that the visitor gave, and that are encoded now, examples of a scene."""
    for work in (LIKE, UNLIKE):
        job = _job(visitor, work)
        if job is None or not job.active:
            visitor.work.pop(work, None)
        if job is not None and not job.active:
            _ended(visitor, scene_id, job, good=work == LIKE)


def pictures_under_way(visitor: Session) -> None:
    """Draw how far pictures are that the visitor gave."""
    for work in (LIKE, UNLIKE):
        if (job := _job(visitor, work)) is not None:
            follow_line(job, work, plain(job.title), stop=True)


def _job(visitor: Session, work: str) -> Job | None:
    return engine().jobs.get(visitor.work[work]) if work in visitor.work else None


def _ended(visitor: Session, scene_id: str, job: Job, *, good: bool) -> None:
    if job.state != "done":
        visitor.found = job.message if job.state == "failed" else f"{job.title}: stopped."
        return
    chip = engine().chips.scene(job.message)
    title = "Picture" if chip is None else chip.name
    visitor.limit(None)
    visitor.having(scene_id, ChipExample(chip=job.message, good=good, title=title), fresh=good)
    visitor.chips += 1  # The uploader is emptied by it.
    visitor.found = " ".join([f"“{title}” is {'a good' if good else 'a bad'} example.", *chip_notes_of(job.message)])


def chip_notes_of(chip: str) -> tuple[str, ...]:
    """Return what was assumed of a picture; nothing where its record cannot be read."""
    try:
        return engine().chips.notes(chip)
    except LandlikeError:
        return ()


def encode_missing(visitor: Session, recipe: Recipe) -> None:
    """Have pictures among the examples encoded as a recipe says, where they are not, as after another choice of it."""
    for one in visitor.question(recipe.scene_id).others:
        if not isinstance(one, ChipExample) or engine().chips.example(one, recipe.fingerprint, recipe.cut.size):
            continue
        if engine().chips.scene(one.chip) is None:
            st.caption(f"The picture “{plain(one.title)}” is not here; give it again, or take it away.")
            continue
        key, again = f"{one.chip}-{recipe.key}", one
        job = wanted(key, lambda again=again: engine().submit_chip_again(again.chip, recipe, again.title))  # type: ignore[misc]
        follow_line(job, key, f"Encoding “{plain(one.title)}”")


def picture_words(one: ChipExample, recipe: Recipe) -> str:
    """Return what a picture among the examples is, for who points at it."""
    found = engine().chips.features(one.chip, recipe.fingerprint, recipe.cut.size)
    cut = "" if found is None or found.patches == 1 else f", the mean of {patches(found.patches)}"
    return " ".join([f"{one.title}{cut}.", *chip_notes_of(one.chip)])
