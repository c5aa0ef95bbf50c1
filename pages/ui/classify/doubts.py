"""Labels that held-out land speaks against, each with its picture and the reason, kept or changed by one click."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.classification.doubtful import DoubtfulLabel, MixedClasses, doubtful_labels, mixed_classes, mixed_labels
from core.classification.schemes import LandClass
from core.classification.validation import LEAST_TESTED
from core.engine.class_map import behind
from core.scenes.given.history import confirm_labels
from core.scenes.patches import IntArray
from pages.ui.classify.acts import attempt, give_class
from pages.ui.classify.without_pages import classify_spelled
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, patches
from pages.ui.common.theme import class_title
from pages.ui.http.pictures import thumb_url
from pages.ui.state.label_state import annotations_of
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session

AT_A_TIME = 8
"""Labels that are shown; the next come as these are decided."""

MOST_PAIRS = 2
"""Pairs of classes that are named; of labels given at random all pairs are mixed up."""

DOUBTS_VIEW = "probable errors"


def doubts_of(known: SceneView) -> tuple[DoubtfulLabel, ...]:
    """Return the labels that held-out land speaks against and that nobody has looked at again, the worst first."""
    taught = known.taught()
    if taught is None or behind(known) or taught.validation.accuracy.count < LEAST_TESTED:
        return ()  # While a job teaches, what was held out are the labels before, which are of other patches.
    found: tuple[DoubtfulLabel, ...] = known.answers.get(
        ("doubts", known.labels.version, taught.head.kind), lambda: doubtful_labels(taught.validation, _labelled(known))
    )
    kept = annotations_of(known).confirmed
    return tuple(one for one in found if known.grid.window(one.patch_id)[:3] not in kept)


def mixed_of(known: SceneView) -> tuple[MixedClasses, ...]:
    """Return the classes that held-out land does not tell apart, the worst first."""
    taught = known.taught()
    return () if taught is None or behind(known) else mixed_classes(taught.validation)


def mixed_advice(pairs: Sequence[MixedClasses]) -> str:
    """Return which classes are not told apart, and what helps, in two or three sentences; empty where all are."""
    if not pairs:
        return ""
    said = [
        f"{class_title(one.one)} and {class_title(one.other)} are not told apart: {one.wrong} of {one.tested} labels "
        "were taken for the other."
        for one in pairs[:MOST_PAIRS]
    ]
    if len(pairs) > MOST_PAIRS:
        said.append(f"So are {count(len(pairs) - MOST_PAIRS, 'more pair')}.")
    return (
        f"{' '.join(said)} Look at these patches below, label more of each class where it is plain, in several places, "
        "or join classes that are one kind of land to you under “Edit classes”."
    )


def mixed_panel(visitor: Session, known: SceneView, classes: tuple[LandClass, ...], *, rendering: str) -> None:
    """Draw, folded, the labels of classes that are not told apart; nothing where all are."""
    taught = known.taught()
    pairs = mixed_of(known)
    if taught is None or not pairs:
        return
    kept = annotations_of(known).confirmed
    for pair in pairs[:MOST_PAIRS]:
        found = [
            one
            for one in mixed_labels(taught.validation, _labelled(known), pair)
            if known.grid.window(one.patch_id)[:3] not in kept
        ]
        title = f"{class_title(pair.one)} or {class_title(pair.other)}? {patches(len(found))} to look at"
        key = "_".join(("classify_mixed", *sorted((pair.one, pair.other))))
        fold = st.expander(plain(title), key=key, icon=":material/compare:", on_change="rerun")
        if fold.open:
            with fold:
                for one in found[:AT_A_TIME]:
                    _row(visitor, known, one, classes, rendering=rendering, of="mixed")


def _labelled(known: SceneView) -> IntArray:
    given, ids = known.labels.given, known.table.patch_ids
    return ids if given is None else ids[given.index[ids] >= 0]


def doubts_panel(visitor: Session, known: SceneView, classes: tuple[LandClass, ...], *, rendering: str) -> None:
    """Draw them, folded; nothing where no label is doubtful."""
    found = doubts_of(known)
    if not found:
        return
    fold = st.expander(f"{count(len(found), 'label')} may be wrong", key="classify_doubts", icon=":material/rule:",
                       on_change="rerun")  # fmt: skip
    if not fold.open:
        return
    with fold:
        st.caption(
            "Each was named by a classifier that saw none of its block of land and is surer of another class than it "
            "usually is of patches of that class (confident learning, Northcutt et al. 2021). Look, then decide."
        )
        for one in found[:AT_A_TIME]:
            _row(visitor, known, one, classes, rendering=rendering)
        if len(found) > AT_A_TIME:
            st.caption(f"The {AT_A_TIME} most doubtful of {len(found)}; the next come as these are decided.")
        classify_spelled(known, "doubts", "--doubts")


def _row(
    visitor: Session, known: SceneView, one: DoubtfulLabel, classes: tuple[LandClass, ...], *, rendering: str,
    of: str = "doubt",
) -> None:  # fmt: skip
    picture, words = st.columns([1, 8], vertical_alignment="center")
    address = thumb_url(known.scene.id, known.recipe.cut, rendering, one.patch_id, 96)
    given, other = class_title(one.given), class_title(one.likelier)
    picture.html(f'<img class="ll-doubt" alt="Patch {one.patch_id}" src="{safe_label(address)}">')
    with words:
        st.markdown(plain(doubt_words(one)))
        with st.container(horizontal=True, key=f"{of}_{one.patch_id}"):
            st.button(f"Keep {plain(given)}", key=f"{of}_keep_{one.patch_id}", on_click=_keep,
                      args=(visitor, known, one))  # fmt: skip
            st.button(f"Change to {plain(other)}", key=f"{of}_change_{one.patch_id}",
                      on_click=_change, args=(visitor, known, one, classes))  # fmt: skip


def doubt_words(one: DoubtfulLabel) -> str:
    """Return why a label is doubtful, in a sentence."""
    return (
        f"Patch {one.patch_id} is labelled {class_title(one.given)}; by labels elsewhere it is "
        f"{class_title(one.likelier)} with {100 * one.likelier_probability:.0f} % and "
        f"{class_title(one.given)} with {100 * one.given_probability:.0f} %."
    )


def _keep(visitor: Session, known: SceneView, one: DoubtfulLabel) -> None:
    window = known.grid.window(one.patch_id)[:3]
    attempt(visitor, lambda: confirm_labels(known.scene, [window]),
            f"Patch {one.patch_id} stays {class_title(one.given)} and is not doubted again.")  # fmt: skip


def _change(visitor: Session, known: SceneView, one: DoubtfulLabel, classes: tuple[LandClass, ...]) -> None:
    if give_class(visitor, known, [one.patch_id], one.likelier, classes, view=DOUBTS_VIEW):
        visitor.classified = f"Patch {one.patch_id} is {class_title(one.likelier)} now."
