"""What was deleted and can still be brought back: on the Scenes page, and where somebody still looks at it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from core.scenes.trash import DeletedScene
from pages.ui.common.escape import plain
from pages.ui.common.format import count, moment, size
from pages.ui.common.progress import boundary
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current


def delete(scene_ids: Sequence[str]) -> None:
    """Delete scenes so that they can be brought back, and say so; as a callback."""
    visitor, done = current(), []
    with boundary():
        for scene_id in scene_ids:
            if scene_id in engine().library:
                engine().set_scene_aside(scene_id)
                done.append(scene_id)
            if visitor.scene_id == scene_id:
                visitor.open(None)
            if scene_id in (visitor.listed, visitor.shown):
                visitor.listed = visitor.shown = ""
    cache.forget()
    visitor.deleted = tuple(done)


def bring_back(scene_ids: Sequence[str]) -> None:
    """Undo a deletion and show the first of the scenes; as a callback."""
    visitor = current()
    visitor.missing = visitor.notice = ""
    back = [scene_id for scene_id in scene_ids if engine().library.bring_back(scene_id)]
    if set(scene_ids) >= set(visitor.deleted):
        visitor.deleted = ()
    if back:
        visitor.listed = back[0]


def look_at(scene_id: str) -> None:
    """Show the details of a scene; as a callback."""
    current().listed = scene_id


def just_deleted(visitor: Session) -> None:
    """Say what this visitor deleted last, with a way back, until that is undone or dismissed."""
    trash, library = engine().library.trash, engine().library
    found = [trash.find(scene_id) for scene_id in visitor.deleted if scene_id not in library]
    gone = [one for one in found if one is not None and one.whole]
    if not gone:
        visitor.deleted = ()
        return
    what = f"“{plain(gone[0].name)}” is" if len(gone) == 1 else f"{len(gone)} scenes are"
    with st.container(horizontal=True, vertical_alignment="center", key="just_deleted"):
        with st.container():
            st.info(f"{what} deleted. {_until(gone[0])}", icon=":material/delete:")
        ids = [one.id for one in gone]
        st.button("Undo", key="undo_deletion", type="primary", on_click=bring_back, args=(ids,))
        st.button("Dismiss", key="dismiss_deletion", on_click=_dismiss)


def deleted_scenes() -> None:
    """List all that can be brought back; nothing when there is none."""
    engine().sweep_trash()
    gone = [one for one in engine().library.trash.scenes() if one.id not in engine().library]
    if not gone:
        return
    taken = size(sum(engine().disk_bytes(one.id) for one in gone))
    title = f"Deleted: {count(len(gone), 'scene')}, {taken} until removed for good"
    with st.expander(title, icon=":material/delete:", key="deleted"):
        for one in gone:
            _line(one)


def _line(one: DeletedScene) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"deleted_{one.id}"):
        replaced = ", replaced by another reading" if one.successor is not None else ""
        st.markdown(
            f"**{plain(one.name)}**{replaced}  \n:small[{size(engine().disk_bytes(one.id))} on disk. {_until(one)}]",
            width="stretch",
        )
        back = "Undo" if one.successor is None else "Bring it back"
        st.button(back, key=f"undo_{one.id}", on_click=bring_back, args=([one.id],))
        st.button("Remove for good", key=f"remove_{one.id}", on_click=_remove, args=(one.id,))


def _until(one: DeletedScene) -> str:
    """Say how long it can come back; the button stands beside it."""
    return f"It can be brought back until {moment(one.until, time.time(), st.context.timezone)}."


def _dismiss() -> None:
    current().deleted = ()


def _remove(scene_id: str) -> None:
    with boundary():
        engine().delete_scene(scene_id)
