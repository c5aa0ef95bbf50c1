"""The Scenes page: add a scene, watch it come in, and keep what is there. Exploring it is another page."""

from __future__ import annotations

from itertools import zip_longest

import streamlit as st

from core.errors import LandlikeError
from core.ingest.grouping import sources_of
from core.ingest.settings import IngestSettings
from core.scenes.labels import hand_version
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, size
from pages.ui.common.progress import boundary, job_list
from pages.ui.http.pictures import quicklook_url
from pages.ui.scenes.provenance import show_record
from pages.ui.scenes.upload import settings_form, spool
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current

JOB_KINDS = ("ingest", "sample", "synthetic", "delete")
SAMPLE_HELP = "A real one: a coast of Virginia as Sentinel-2 saw it on 12 January 2016. The data are CC0."
SYNTHETIC_HELP = "A made-up landscape. The class of each place in it is known."
CARD_STYLE = """
<style>
.card-facts {font-size: .875rem; opacity: .78; line-height: 1.5}
.card-name {font-size: 1.125rem; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere}
.card-tag {font-size: .75rem; padding: 0 .55em; border-radius: .8em; margin-left: .5em;
  background: rgba(128,128,128,.18)}
.card-picture {width: 100%; aspect-ratio: 4 / 3; object-fit: cover; border-radius: .5rem; display: block;
  background: rgba(128,128,128,.12)}
</style>
"""


def card_facts(scene: Scene) -> list[str]:
    """Return what a card says about a scene, line by line; plain text."""
    grid = scene.grid
    what = "Collection of labelled patches" if scene.kind == "collection" else "Scene"
    when = f"{scene.date}, {scene.level}" if scene.date and scene.level else scene.date or scene.level or "date unknown"
    lines = [f"{what}, {when}", f"{grid.width:,} × {grid.height:,} pixels, {len(scene.bands)} bands"]
    if scene.grid.crs is None and scene.kind == "scene":
        lines.append("No place on Earth is known: no map")
    lines.append(f"{size(engine().disk_bytes(scene.id))} on disk")
    return lines


def add_panel() -> None:
    """Draw uploader, settings, the sample and the synthetic landscape."""
    left, right = st.columns([3, 2], gap="medium")
    uploads = left.file_uploader(
        "Add a scene: one GeoTIFF, the band files of one scene, or a zip of bands or of labelled patches",
        accept_multiple_files=True,
        key="upload_files",
    )
    with right:
        with st.popover("Read it differently", icon=":material/tune:", key="upload_settings", width="stretch"):
            st.caption("Bands, values, level and date are found out by themselves; say here what you know better.")
            settings = wished("upload")
        ready = bool(uploads) and settings is not None
        if st.button("Add", type="primary", disabled=not ready, key="upload_add", width="stretch") and settings:
            for source in sources_of(spool(uploads, engine().config.root / "uploads"), settings.bands):
                engine().submit_ingest(source, settings)
        sample, synthetic = st.columns(2)
        if sample.button("Open the sample scene", key="open_sample", width="stretch", help=SAMPLE_HELP):
            engine().submit_sample()
        if synthetic.button("Open a synthetic one", key="open_synthetic", width="stretch", help=SYNTHETIC_HELP):
            engine().submit_synthetic()


def card(scene: Scene) -> None:
    """Draw one scene: picture, facts, and what can be done with it."""
    with st.container(border=True, key=f"card_{scene.id}"):
        picture, words = st.columns([2, 3], gap="medium")
        picture.html(f'<img class="card-picture" alt="" src="{quicklook_url(scene.id)}">')
        with words:
            tag = '<span class="card-tag">synthetic</span>' if scene.synthetic else ""
            lines = "<br>".join(safe_label(line) for line in card_facts(scene))
            st.html(f'<div class="card-name">{safe_label(scene.name)}{tag}</div><div class="card-facts">{lines}</div>')
            actions(scene)
        with st.expander("What was read, decided and assumed", icon=":material/fact_check:"):
            show_record(load_quality(scene.directory))
            read_again(scene)


def wished(key: str) -> IngestSettings | None:
    """Return the settings a person chose; None, and the sentence, when they cannot be."""
    try:
        return settings_form(key)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def read_again(scene: Scene) -> None:
    """Override what was decided: the kept source is read by other settings, into a scene of its own."""
    origin = engine().library.origin(scene.id)
    if not origin:
        return
    with st.popover("Read it differently", icon=":material/tune:", key=f"again_{scene.id}"):
        st.caption("Say what you know better. The scene as it is stays until you delete it.")
        settings = wished(f"again_{scene.id}")
        if st.button("Read again", key=f"reread_{scene.id}", type="primary", disabled=settings is None):
            engine().submit_ingest(origin, settings, scene.name)
            st.rerun()


def actions(scene: Scene) -> None:
    """Draw the buttons: explore, rename, delete."""
    explore, rename, delete = st.columns(3)
    if explore.button("Explore", key=f"explore_{scene.id}", type="primary", width="stretch"):
        current().open(scene.id)
        st.switch_page("explore.py")
    with rename.popover("Rename", width="stretch", key=f"rename_{scene.id}"):
        name = st.text_input("Name", scene.name, key=f"name_{scene.id}", max_chars=120)
        if st.button("Save", key=f"save_{scene.id}"):
            with boundary():
                engine().library.rename(scene.id, name)
                st.rerun()
    with delete.popover("Delete", width="stretch", key=f"delete_{scene.id}"):
        labels = ", the labels given to its patches" if hand_version(scene) else ""
        st.markdown(f"This removes the scene{labels}, its features and its layouts from this computer.")
        if st.button("Delete for good", key=f"sure_{scene.id}", type="primary"):
            engine().delete_scene(scene.id)
            cache.forget()
            if current().scene_id == scene.id:
                current().open(None)
            st.rerun()


def total(scenes: list[Scene]) -> str:
    """Return one line over the list."""
    return f"{count(len(scenes), 'scene')}, {size(sum(engine().disk_bytes(scene.id) for scene in scenes))} on disk"


def page() -> None:
    """Draw the whole page."""
    st.html(CARD_STYLE)
    st.header("Scenes", anchor=False)
    add_panel()
    job_list(JOB_KINDS)
    scenes = engine().library.scenes()
    if not scenes:
        st.info("There is no scene yet. Add one of yours, or open the sample scene.", icon=":material/info:")
        return
    st.caption(total(scenes))
    for pair in zip_longest(scenes[::2], scenes[1::2]):
        for column, scene in zip(st.columns(2, gap="medium"), pair, strict=True):
            if scene is not None:
                with column, boundary():
                    card(scene)


with boundary():
    page()
