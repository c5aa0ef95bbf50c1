"""How far labelling has come: how many labels, how well classes are told apart on held-out land."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from core.classification.heads import Taught
from core.classification.validation import LEAST_TESTED, OLDER_WAY
from core.engine.class_map import behind
from core.evaluation.retrieval import Share
from pages.ui.classify.doubts import mixed_advice, mixed_of
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView

FEW_LABELS = 5
"""Labels a class below which accuracy says little."""


def standing(known: SceneView, counts: Mapping[str, int]) -> None:
    """Draw the figures and a sentence on what to do next."""
    taught = known.taught()
    with st.container(horizontal=True, key="classify_figures"):
        st.metric("Labels", f"{sum(counts.values()):,}")
        st.metric("Right elsewhere", right_words(taught), help="Of labels on blocks of land it was not taught on")
        st.metric("Off in confidence", off_words(taught), help="How far what it is sure of is from what is right")
    if taught is None and behind(known):
        st.caption("So many labels take a moment to learn from: see below how far that is.")
    else:
        st.caption(advice(taught, counts))
        if unsure := nothing_sure(known):
            st.caption(unsure)
        if mixed := mixed_advice(mixed_of(known)):
            st.warning(plain(mixed), icon=":material/compare:")
        if taught is not None and not taught.validation.held_apart:
            st.caption(OLDER_WAY)


def nothing_sure(known: SceneView) -> str:
    """Return what helps where no patch of the map is sure enough of a class; empty where one is."""
    found = known.classified()
    if found is None or not (found.confidence < found.sure_from).all():
        return ""
    return (
        f"No patch gets a class, for none is {100 * found.sure_from:.0f} % likely to be of one. Label more of each "
        "class where it is plain, or lower “Leave unsure below” to see which class is the likeliest."
    )


def right_words(taught: Taught | None) -> str:
    """Return the share of held-out labels that were named rightly; a dash while fewer than a few were tested."""
    if taught is None or taught.validation.accuracy.count < LEAST_TESTED:
        return "–"
    return f"{100 * taught.validation.accuracy.value:.0f} %"


def off_words(taught: Taught | None) -> str:
    """Return the calibration error in points of a hundred; a dash while fewer than a few labels were tested."""
    if taught is None or taught.validation.accuracy.count < LEAST_TESTED:
        return "–"
    error = taught.validation.calibration_error
    return f"{100 * error:.0f} points" if np.isfinite(error) else "–"


def advice(taught: Taught | None, counts: Mapping[str, int]) -> str:
    """Return in a sentence or two what the figures mean and what to do next."""
    used = {name: number for name, number in counts.items() if number}
    if len(used) < 2:
        return "Give patches at least two classes; then every patch of the scene gets one."
    if taught is None:
        return "The labelled patches have no features in this cut; label patches of this one."
    return _told(taught.validation.accuracy, [name for name, number in used.items() if number < FEW_LABELS])


def _told(accuracy: Share, few: Sequence[str]) -> str:
    """Return what the share of held-out labels that were named rightly means."""
    if not accuracy.count:
        return "Labels of a class lie in one place only, so nothing could be held out. Label some elsewhere too."
    if accuracy.count < LEAST_TESTED:
        return (
            f"{count(accuracy.count, 'label')} could be held out so far; from {LEAST_TESTED} on, here stands how many "
            "were named rightly. Label each class in several places."
        )
    said = (
        f"{count(accuracy.count, 'label')} held out block by block: between {100 * accuracy.low:.0f} and "
        f"{100 * accuracy.high:.0f} % named rightly."
    )
    if few:
        return f"{said} Few labels yet of {', '.join(class_title(name) for name in few[:4])}."
    if accuracy.high - accuracy.low > 0.2:
        return f"{said} More labels narrow that."
    return said
