"""One patch at a time to be given a class: its picture in its surroundings, the classes as buttons with keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.classification.schemes import LandClass
from core.classification.suggestions import fresh_head, label_next, places_apart, random_next
from core.evaluation.logistic import Spread, spread_of
from core.scenes.patches import PatchGrid
from pages.ui.classify.classes import keys
from pages.ui.common.theme import class_title
from pages.ui.frontend import text
from pages.ui.http.pictures import thumb_url
from pages.ui.state.label_desk import WHO_COOKIE
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import trigger

PICTURE_SIDE = 192
"""Pixels of each picture; nine of them show a patch and what lies around it."""

AHEAD = 4
"""Patches that are suggested at a time, so that the pictures of the next ones are there before they are asked for."""

SEEN = "What is most of the land in the frame?"
UNSEEN = "What is most of the land of the patch at the dot?"
"""Asked where there are no pixels: the picture shows all places, and the one that is asked about as a dot."""

_AROUND = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))

_component = st.components.v2.component(
    "landlike_labeller",
    html='<section class="labeller" aria-label="Label a patch"></section>',
    css=text("labeller.css"),
    js=text("labeller.js"),
)


def suggested(visitor: Session, known: SceneView) -> list[int]:
    """Return the patches to label next, best first: unsure, unlike what is labelled, and spread over the land."""
    given, table = known.labels.given, known.table
    labelled = np.zeros(len(table), np.bool_) if given is None else given.index[table.patch_ids] >= 0
    desk = visitor.desk
    passed = np.isin(table.patch_ids, np.array(desk.passed, np.int64))
    key = ("suggested", known.labels.version, desk.passed, desk.at_random)
    rows: np.ndarray[Any, Any] = known.answers.get(key, lambda: _rows(visitor, known, labelled, passed))
    return [int(patch) for patch in table.patch_ids[rows]]


def _rows(
    visitor: Session, known: SceneView, labelled: np.ndarray[Any, Any], passed: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    if visitor.desk.at_random:
        return random_next(len(labelled), np.flatnonzero(labelled | passed), AHEAD)
    rows, given, ids, unit = np.flatnonzero(labelled), known.labels.given, known.table.patch_ids, known.table.unit
    names = [] if given is None else [given.classes[number] for number in given.index[ids[rows]].tolist()]
    spread: Spread = known.answers.get("spread", lambda: spread_of(unit))
    return label_next(
        unit, rows, AHEAD, head=fresh_head(unit[rows], names, spread) if names else None,
        places=known.answers.get("places apart", lambda: _places(known)), usable=~passed,
    )  # fmt: skip


def _places(known: SceneView) -> np.ndarray[Any, Any] | None:
    """Return where patches lie in units of patches: on their grid, those of a collection on Earth; None = not known."""
    if not known.scene.is_collection:
        return np.stack(known.grid.rows_cols(known.table.patch_ids), axis=1).astype(np.float64)
    return None if known.places is None else places_apart(known.places)


def surroundings(grid: PatchGrid, patch: int, *, alone: bool) -> list[int | None]:
    """Return a patch and its eight neighbours, row by row, None where there is none; the patch itself is the fifth.

    Args:
        grid: the patches.
        patch: which.
        alone: True = what lies beside it in the picture does not on Earth, as in a collection.
    """
    top, left, side, _ = grid.window(patch)
    return [
        patch
        if (down, right) == (0, 0)
        else None
        if alone
        else grid.patch_of_window(top + down * side, left + right * side, side)
        for down, right in _AROUND
    ]


def labeller(
    known: SceneView,
    patch: int | None,
    classes: Sequence[LandClass],
    *,
    rendering: str,
    words: Mapping[str, str],
    counts: Mapping[str, int],
    on_class: Callable[[int, str], None],
    on_pass: Callable[[int], None],
    ahead: Sequence[int] = (),
    key: str = "labeller",
    settling: bool = False,
    who: str | None = None,
    on_step: Callable[[str], None] | None = None,
) -> None:
    """Draw a patch and the classes it can be given.

    Args:
        known: the scene.
        patch: to be labelled; None = none is left.
        classes: to choose from.
        rendering: of the pictures.
        words: ``pass`` on the button that leaves it, ``empty`` where no patch is left.
        counts: patches of each class so far, by name.
        on_class: called with the patch and the name of a class.
        on_pass: called with the patch that is left without one.
        ahead: patches that come next, whose pictures are fetched.
        key: names it on its page.
        settling: True = what takes longer than a key press waits until the keys rest.
        who: labels, as they call themselves, which the browser remembers; None = nobody asked.
        on_step: called with ``undo`` or ``redo`` when these are asked for by a key.
    """
    by_key, names = keys(tuple(classes)), [one.name for one in classes]
    data = _pictures(known, patch, ahead, rendering) | {
        "patch": patch,
        "scene": known.scene.id,
        "words": {"title": SEEN if known.scene.has_pixels else UNSEEN, **words},
        "settling": settling,
        "who": who,
        "cookie": WHO_COOKIE,
        "classes": [_button(one, by_key.get(one.name, ""), counts.get(one.name, 0)) for one in classes],
    }

    def acted() -> None:
        act = trigger(key, "act")
        if not isinstance(act, Mapping):
            return
        if act.get("what") in {"undo", "redo"} and on_step is not None:
            on_step(str(act["what"]))
        elif patch is None or act.get("patch") != patch:
            return  # Of the patch before: a second press while the page was under way.
        elif act.get("what") == "class" and act.get("name") in names:
            on_class(patch, str(act["name"]))
        elif act.get("what") == "pass":
            on_pass(patch)

    _component(key=key, data=data, height="content", on_act_change=acted)


def _pictures(known: SceneView, patch: int | None, ahead: Sequence[int], rendering: str) -> dict[str, Any]:
    """Return addresses of pictures: of a patch in its surroundings, alone where it has no pixels, and of the next."""

    def picture(one: int | None) -> str | None:
        return None if one is None else thumb_url(known.scene.id, known.recipe.cut, rendering, one, PICTURE_SIDE)

    around: list[int | None] = [] if patch is None else [patch]
    if patch is not None and known.scene.has_pixels:
        around = surroundings(known.grid, patch, alone=known.scene.is_collection)
    return {"pictures": [picture(one) for one in around], "ahead": [picture(one) for one in ahead]}


def _button(one: LandClass, key: str, count: int) -> dict[str, Any]:
    return {"name": one.name, "title": class_title(one.name), "colour": one.colour, "key": key, "count": count}
