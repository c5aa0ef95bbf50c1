"""Choosing a part of what is about to be added: a picture of it, a rectangle on the picture, and its numbers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

import streamlit as st

from core.ingest.embeddings.kind import PARQUET_SUFFIXES
from core.ingest.grid.resample import PixelWindow
from core.ingest.preview.making import SourcePreview
from core.ingest.settings import IngestSettings
from pages.ui.common.progress import follow_line, wanted
from pages.ui.frontend import text
from pages.ui.http.uploads import Upload
from pages.ui.scenes.upload import spool, upload_names
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.widgets import number_box, trigger

_LABELS = ("Column", "Row", "Width", "Height")
_component = st.components.v2.component(
    "landlike_part", html='<div class="part"></div>', css=text("part.css"), js=text("part.js")
)


def part_panel(uploads: Sequence[Upload], settings: IngestSettings) -> IngestSettings | None:
    """Draw the choice between the whole and a part; return the settings with it, None while it cannot be made.

    Args:
        uploads: the files of one scene.
        settings: what else a person wishes.
    """
    if any(PurePath(name).suffix.lower() in PARQUET_SUFFIXES for name in upload_names(uploads)):
        return settings  # Vectors have no picture.
    paths = put_for_part(uploads)
    if not paths:
        if st.button(
            "Only a part…", icon=":material/crop:", key="part_begin", type="tertiary",
            help="Shows a picture of it, on which you choose a rectangle. Otherwise the whole is taken in.",
        ):  # fmt: skip
            with st.spinner("Taking the files in…"):
                _begin(uploads)  # No callback: what a disk refuses would be a traceback there.
            st.rerun()
        return settings
    key = f"part_{paths[0].parent.name}_{settings.digest[:8]}"
    preview = _made(key)
    if preview is None:
        job = wanted(key, lambda: engine().submit_preview(paths, settings))
        follow_line(job, key, "Looking at it", stop=True)
        _leave_button()
        return settings if job.state in {"failed", "cancelled"} else None
    window = _window(preview, key)
    _leave_button()
    whole = (0, 0, preview.height, preview.width)
    return settings if window == whole else replace(settings, window=window, bounds=None)


def _made(key: str) -> SourcePreview | None:
    """Return the picture that was asked for; None while it is not there."""
    job = engine().jobs.get(current().work.get(key, ""))
    return engine().preview(job) if job is not None and job.state == "done" else None


def put_for_part(uploads: Sequence[Upload]) -> list[Path]:
    """Return where files were put to choose a part of them; empty where they were not."""
    paths = [Path(path) for path in current().part_of]
    same = [path.name for path in paths] == upload_names(uploads)
    return paths if paths and same and all(path.exists() for path in paths) else []


def _begin(uploads: Sequence[Upload]) -> None:
    current().part = None
    current().part_of = tuple(map(str, spool(uploads, engine().config.root / "uploads")))


def _leave() -> None:
    current().part_of = ()


def _leave_button() -> None:
    st.button("Take in the whole", icon=":material/crop_free:", key="part_leave", type="tertiary", on_click=_leave)


def _window(preview: SourcePreview, key: str) -> PixelWindow:
    """Draw the picture and the four numbers; return row, column, height and width."""
    row, col, height, width = window = _cut(current().part or (0, 0, preview.height, preview.width), preview)
    picture, numbers = st.columns([3, 2], gap="medium")
    with numbers:
        st.markdown(f"**{preview.width:,} × {preview.height:,} pixels.** Drag a rectangle over the part to take in.")
        fields = zip([*st.columns(2), *st.columns(2)], _LABELS, strict=True)
        for (column, label), at, most in zip(
            fields,
            (col, row, width, height),
            (preview.width - 1, preview.height - 1, preview.width, preview.height),
            strict=True,
        ):
            with column:
                least = 0 if label in ("Column", "Row") else 1
                number_box(label, least, most, at, key=f"{key}_{label}", take=partial(_typed, preview, window, label))
        share = width * height / (preview.width * preview.height)
        st.caption(f"{width:,} × {height:,} pixels are taken in, {share:.0%} of it.")
    with picture:
        _component(
            key=f"{key}_picture", on_box_change=partial(_dragged, preview, f"{key}_picture"),
            data={
                "src": f"data:image/png;base64,{base64.b64encode(preview.png).decode()}",
                "width": preview.width, "height": preview.height, "box": [col, row, col + width, row + height],
            },
        )  # fmt: skip
    return window


def _cut(window: PixelWindow, preview: SourcePreview) -> PixelWindow:
    """Return a part as far as it lies on the scene."""
    row, col = min(window[0], preview.height - 1), min(window[1], preview.width - 1)
    return row, col, min(window[2], preview.height - row), min(window[3], preview.width - col)


def _typed(preview: SourcePreview, window: PixelWindow, label: str, number: int) -> None:
    """Take one of the four numbers over."""
    changed = list(window)
    changed[("Row", "Column", "Height", "Width").index(label)] = number
    current().part = _cut((changed[0], changed[1], changed[2], changed[3]), preview)


def _dragged(preview: SourcePreview, key: str) -> None:
    """Take the rectangle that was dragged over."""
    box = trigger(key, "box")
    if not isinstance(box, Sequence) or len(box) != 4 or not all(isinstance(one, int | float) for one in box):
        return
    left, right = (min(max(round(x), 0), preview.width) for x in sorted(box[::2]))
    top, bottom = (min(max(round(y), 0), preview.height) for y in sorted(box[1::2]))
    if right > left and bottom > top:
        current().part = top, left, bottom - top, right - left
