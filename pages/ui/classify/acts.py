"""What a click or a key does to labels, before the next run; what went wrong is said and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from core.classification.label_log import RANDOM, SUGGESTED
from core.classification.schemes import LandClass, scheme_json
from core.errors import LandlikeError
from core.scenes.given.history import redo_labels, undo_labels, undoable
from core.scenes.labels import give_label, give_labels
from core.scenes.scene import Scene
from pages.ui.classify.offered import scheme_here
from pages.ui.common.escape import plain
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session


def attempt(visitor: Session, act: Callable[[], object], said: str = "") -> bool:
    """Do something and say so; where it cannot be done say why, and return False."""
    try:
        act()
    except LandlikeError as error:
        visitor.classified = str(error)
        return False
    visitor.classified = said
    return True


def take(visitor: Session, known: SceneView, patch: int, name: str, classes: Sequence[LandClass]) -> None:
    """Give the patch that was asked for a class."""
    view = RANDOM if visitor.desk.at_random else SUGGESTED
    give_class(visitor, known, [patch], name, classes, view=view)
    visitor.desk.hurried = True


def give_class(
    visitor: Session, known: SceneView, ids: Iterable[int], name: str | None, classes: Sequence[LandClass], *, view: str
) -> bool:
    """Give patches a class, or with None take theirs away; return whether it could be done."""
    colour = next((one.colour for one in classes if one.name == name), "")
    who, scheme = visitor.desk.who, scheme_json(scheme_here(known))
    return attempt(
        visitor,
        lambda: give_label(
            known.scene, known.grid, ids, name, who=who, view=view, colour=colour, scheme=scheme if name else ""
        ),
    )


def label_each(
    visitor: Session,
    known: SceneView,
    labels: Mapping[int, str],
    classes: Sequence[LandClass],
    *,
    view: str,
    said: str,
    keep: bool = False,
) -> bool:
    """Give each of some patches its class, as one step, ``keep`` as of ``give_labels``; return whether it could be."""
    colours, scheme = {one.name: one.colour for one in classes}, scheme_json(scheme_here(known))
    return attempt(
        visitor,
        lambda: give_labels(
            known.scene, known.grid, labels, who=visitor.desk.who, view=view, colours=colours, scheme=scheme, keep=keep
        ),
        said,
    )


def leave(visitor: Session, patch: int) -> None:
    """Pass a patch over."""
    visitor.desk.leave(patch)
    visitor.desk.hurried = True


def undo(known: SceneView, say: Callable[[str], None]) -> None:
    """Take the latest change of labels back, whichever page it was made on."""
    _step(known, undo_labels, "Taken back", say)


def redo(known: SceneView, say: Callable[[str], None]) -> None:
    """Do the latest change that was taken back again."""
    _step(known, redo_labels, "Done again", say)


def step_buttons(known: SceneView, say: Callable[[str], None], *, key: str) -> None:
    """Draw the buttons that take the latest change of labels back and do it again.

    Args:
        known: the scene.
        say: takes a sentence on what became of it.
        key: what the keys of the buttons begin with.
    """
    last, following = undoable(known.scene)
    for name, what, act in (("Undo", last, undo), ("Redo", following, redo)):
        st.button(
            name, help=plain(f"{name}: {what}") if what else None, key=f"{key}_{name.lower()}",
            icon=f":material/{name.lower()}:", disabled=not what, on_click=act, args=(known, say),
        )  # fmt: skip


def _step(known: SceneView, step: Callable[[Scene], str], verb: str, say: Callable[[str], None]) -> None:
    try:
        what = step(known.scene)
    except LandlikeError as error:
        say(str(error))
        return
    say(f"{verb}: {what}." if what else "")
