"""Adding scenes: the uploader, what its files will become, and adding them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.errors import LandlikeError
from core.export.bundle import is_bundle
from core.ingest.files import source_name, source_title
from core.ingest.grouping import sources_of
from core.ingest.settings import IngestSettings
from core.jobs.queue import Job
from pages.ui.common.escape import plain
from pages.ui.common.format import count, size
from pages.ui.http.uploads import Upload, let_go, opened
from pages.ui.scenes.bundle import OPEN_BUNDLE
from pages.ui.scenes.news import forget_told, note_asked
from pages.ui.scenes.part import part_panel, put_for_part
from pages.ui.scenes.upload import folder_of, spool, upload_names, wished
from pages.ui.state.engine import engine
from pages.ui.state.session import current

MOST_NAMED = 12
"""Scenes that can be named before they are added; of more the files' names are taken."""

SAMPLE_HELP = "A real one: a coast of Virginia as Sentinel-2 saw it on 12 January 2016. The data are CC0."
FOLDER_HELP = "Such as a product that was unpacked, or a Zarr: all that is in it is one scene."
SYNTHETIC_HELP = "A made-up landscape. The class of each place in it is known."
_ELSEWHERE = f"give it to “{OPEN_BUNDLE}” on this page."
UPLOADER = (
    "Add scenes: products, GeoTIFFs, band files, NetCDF, a zip or tar of bands, of a Zarr or of labelled patches, "
    "NumPy arrays, Parquet of vectors"
)


@dataclass(frozen=True, kw_only=True)
class PlannedScene:
    """Files that will become one scene.

    Attributes:
        positions: of its files among what the uploads become on disk.
        title: what it is called unless a person says otherwise.
        files: its files in words.
    """

    positions: tuple[int, ...]
    title: str
    files: str


def planned_scenes(uploads: Sequence[Upload], bands: tuple[str, ...] | None) -> list[PlannedScene]:
    """Part uploads into those that will become one scene each, by names and sizes.

    Args:
        uploads: not written anywhere yet.
        bands: as a person named them, or None.
    """
    paths = [Path(name) for name in upload_names(uploads)]
    folder, each = folder_of(uploads), [upload.size for upload in uploads]
    sizes = dict(zip(paths, [sum(each)] if folder else each, strict=True))
    plans = []
    for source in sources_of(paths, bands, size=sizes.__getitem__):
        taken = size(sum(sizes[path] for path in source))
        names = source[0].name if len(source) == 1 else f"{source[0].name} … {source[-1].name}"
        names, number = (f"the folder {folder}", len(uploads)) if folder else (names, len(source))
        plans.append(
            PlannedScene(
                positions=tuple(paths.index(path) for path in source),
                title=source_title(source, source_name(source)),
                files=f"{count(number, 'file')}, {taken}: {names}",
            )
        )
    return plans


def add_panel() -> None:
    """Draw uploader, settings, the sample and the synthetic landscape; and what chosen files will become."""
    left, right = st.columns([3, 2], gap="medium")
    place = left.container()
    whole = left.toggle("Choose a whole folder", key="upload_whole_folder", help=FOLDER_HELP)
    kind = "folder" if whole else "files"
    uploads = place.file_uploader(
        UPLOADER, accept_multiple_files="directory" if whole else True, key=f"upload_{kind}_{current().uploads}"
    )
    with right:
        with st.popover("How to read files", icon=":material/tune:", key="upload_settings", width="stretch"):
            st.caption("Bands, values, level and date are found out by themselves; say here what you know better.")
            settings = wished("upload")
        sample, synthetic = st.columns(2)
        if sample.button("Open the sample scene", key="open_sample", width="stretch", help=SAMPLE_HELP):
            _ask(engine().submit_sample)
        if synthetic.button("Open a synthetic one", key="open_synthetic", width="stretch", help=SYNTHETIC_HELP):
            _ask(engine().submit_synthetic)
    scenes = [upload for upload in uploads or [] if _is_scene(upload)]
    if scenes:
        _plan(scenes, settings)


def _is_scene(upload: Upload) -> bool:
    """Return whether a file can be added; where it cannot, draw why."""
    try:
        with opened(upload) as file:
            bundle = is_bundle(file)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return False
    if bundle:
        st.info(f"“{plain(upload.name)}” is a bundle and no scene: {_ELSEWHERE}", icon=":material/package_2:")
    return not bundle


def _ask(submit: Callable[[], Job]) -> None:
    """Ask for a scene of ours; what was told before makes room for what is told of it."""
    forget_told(current())
    note_asked(submit(), time.time())
    st.rerun()


def _plan(uploads: Sequence[Upload], settings: IngestSettings | None) -> None:
    """Draw what will be added, a line a scene with its name, and the button."""
    plans = planned_scenes(uploads, settings.bands if settings is not None else None)
    with st.container(border=True, key="upload_plan"):
        names = [_named(number, plan) for number, plan in enumerate(plans[:MOST_NAMED])]
        if len(plans) > MOST_NAMED:
            rest = count(len(plans) - MOST_NAMED, "more scene", "more scenes")
            st.caption(f"And {rest}, named by their files.")
        if len(plans) == 1 and settings is not None and settings.window is None:
            settings = part_panel(uploads, settings)
        ready = settings is not None and all(name is None or name for name in names)
        label = "Add" if len(plans) == 1 else f"Add {len(plans)} scenes"
        if st.button(label, type="primary", disabled=not ready, key="upload_add") and settings is not None:
            with st.spinner("Taking the files in…"):
                _add(uploads, plans, names, settings)
            st.rerun()


def _named(number: int, plan: PlannedScene) -> str | None:
    """Draw one scene to be; return the name a person gave it, None = as its files say."""
    name, files = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    typed = name.text_input(
        "Name of the scene", plan.title, key=f"upload_name_{number}_{plan.title}_{len(plan.positions)}", max_chars=120,
        label_visibility="visible" if number == 0 else "collapsed",
    )  # fmt: skip
    files.caption(plain(plan.files))
    clean = typed.strip()
    return None if clean == plan.title else clean


def _add(
    uploads: Sequence[Upload], plans: Sequence[PlannedScene], names: Sequence[str | None], settings: IngestSettings
) -> None:
    """Hand the files over and empty the uploader."""
    paths = put_for_part(uploads) or spool(uploads, engine().config.root / "uploads")
    forget_told(current())
    for number, plan in enumerate(plans):
        name = names[number] if number < len(names) else None
        source = [paths[position] for position in plan.positions]
        note_asked(engine().submit_ingest(source, settings, name), time.time())
    for upload in uploads:
        let_go(upload)
    current().uploads += 1
    current().part_of = ()
