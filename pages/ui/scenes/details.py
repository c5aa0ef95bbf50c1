"""The scene that was chosen in the table: its picture, what can be done with it, and how it was read."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.scenes.truth import truth_of
from pages.ui.common.escape import safe_label
from pages.ui.common.format import count, distinct
from pages.ui.common.progress import boundary
from pages.ui.http.pictures import quicklook_url
from pages.ui.scenes.deleted import delete, look_at
from pages.ui.scenes.provenance import show_record
from pages.ui.scenes.rereading import reread_button
from pages.ui.scenes.table import SceneRow
from pages.ui.scenes.truth_map import truth_panel
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from pages.ui.state.widgets import closing_popover, select

CARD_STYLE = """
<style>
.card-facts {font-size: .875rem; opacity: .78; line-height: 1.5}
.card-name {font-size: 1.25rem; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere}
.card-tag {font-size: .75rem; padding: 0 .55em; border-radius: .8em; margin-left: .5em;
  background: rgba(128,128,128,.18)}
.card-picture {width: 100%; aspect-ratio: 4 / 3; object-fit: cover; border-radius: .5rem; display: block;
  background: rgba(128,128,128,.12)}
</style>
"""


def card_facts(scene: Scene) -> list[str]:
    """Return what is said about a scene beside its row in the table, line by line; plain text."""
    grid = scene.grid
    if scene.given is not None:
        spec = scene.given.encoder
        return [f"Vectors of {spec['dimension']:,} numbers, without pixels", f"{spec['title']}: {spec['origin']}",
                *_classes_and_date(scene)]  # fmt: skip
    what = "Collection of labelled patches" if scene.is_collection else "Scene"
    lines = [f"{what} of {grid.width:,} × {grid.height:,} pixels, {count(len(scene.bands), 'band')}"]
    lines += _classes_and_date(scene)
    if scene.grid.crs is None and not scene.is_collection:
        lines.append("No place on Earth is known: no map")
    return lines


def _classes_and_date(scene: Scene) -> list[str]:
    truth = truth_of(scene)
    lines = [] if truth is None else [count(len(truth.classes), "class", "classes")]
    dated = scene.given is not None and any(one.kind == "date" for one in scene.given.columns)
    return lines if scene.date is not None or dated else [*lines, "Its date is unknown"]


def details(row: SceneRow, listed: str) -> str:
    """Draw the chosen row: one scene of it, of a series that of one date; return the scene's id."""
    scene = next((scene for scene in row.scenes if scene.id == listed), row.scenes[0])
    with st.container(border=True, key=f"card_{scene.id}"):
        picture, words = st.columns([1, 3], gap="medium")
        picture.html(f'{CARD_STYLE}<img class="card-picture" alt="" src="{quicklook_url(scene.id)}">')
        with words:
            tag = '<span class="card-tag">synthetic</span>' if scene.synthetic else ""
            facts = " · ".join(safe_label(line) for line in card_facts(scene))
            st.html(f'<div class="card-name">{safe_label(scene.name)}{tag}</div><div class="card-facts">{facts}</div>')
            if row.series is not None:
                _dates(row, scene)
            actions(row, scene)
        truth_panel(scene)
        with st.expander("What was read, decided and assumed", icon=":material/fact_check:"), boundary():
            show_record(load_quality(scene.directory))
    return scene.id


def _dates(row: SceneRow, scene: Scene) -> None:
    """Choose a date of a series."""
    titles = distinct({one.id: one.date or f"Date {number + 1}" for number, one in enumerate(row.scenes)})
    select("Date", list(titles), scene.id, key=f"date_{row.key}", title=titles.__getitem__, take=look_at, width=220)


def actions(row: SceneRow, scene: Scene) -> None:
    """Draw the buttons: explore, rename, read differently, delete."""
    together = len(row.scenes) > 1
    explore, rename, again, remove, *more = st.columns([2, 2, 3, 3, 3] if together else [2, 2, 3, 2])
    if explore.button("Explore", key=f"explore_{scene.id}", type="primary", width="stretch"):
        current().open(scene.id)
        st.switch_page("explore.py")
    with rename:
        _rename(row, scene)
    with again, boundary():
        reread_button(scene)
    with remove:
        _delete([scene.id], scene.id, "Delete this date" if together else "Delete")
    for column in more:
        with column:
            _delete([one.id for one in row.scenes], "all", f"Delete all {len(row.scenes)}")


def _delete(scene_ids: Sequence[str], key: str, title: str = "Delete") -> None:
    """Draw a button that deletes at once, for that can be undone."""
    st.button(
        title, key=f"delete_{key}", width="stretch", on_click=delete, args=(scene_ids,),
        icon=":material/delete:", help="This can be undone for a day.",
    )  # fmt: skip


def _rename(row: SceneRow, scene: Scene) -> None:
    key = f"rename_{row.key}"
    popover = st.popover("Rename", icon=":material/edit:", width="stretch", key=closing_popover(key), on_change="rerun")
    if not popover.open:
        return
    with popover, st.form(f"{key}_form", border=False), boundary():
        label = "Name" if row.series is None else "Name of the series"
        name = st.text_input(label, row.name, key=f"name_{row.key}", max_chars=120)
        if st.form_submit_button("Save", key=f"save_{row.key}"):
            if row.series is None:
                engine().library.rename(scene.id, name)
            else:
                engine().library.rename_series(row.series, name)
            current().closing = key
            st.rerun()
