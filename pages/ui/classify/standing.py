"""How far labelling has come: how many labels, how well classes are told apart on held-out land, the map so far."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from PIL import Image

from core.classification.heads import Taught
from core.classification.schemes import LandClass
from core.evaluation.classifier import Named
from core.evaluation.retrieval import Share
from core.values.predicted import UNSURE_COLOUR, sure_patches
from pages.ui.common.escape import safe_label
from pages.ui.common.format import count
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView

FEW_LABELS = 5
"""Labels a class below which accuracy says little."""

LEAST_TESTED = 10
"""Labels that have to be tested before a share of them is shown: of three, one more would move it by a quarter."""


def standing(known: SceneView, classes: Sequence[LandClass], counts: Mapping[str, int]) -> None:
    """Draw the figures, a sentence on what to do next, and the map."""
    taught, found = known.taught(), known.classified()
    with st.container(horizontal=True, key="classify_figures"):
        st.metric("Labels", f"{sum(counts.values()):,}")
        st.metric("Right elsewhere", right_words(taught), help="Of labels on blocks of land it was not taught on")
        st.metric("Off in confidence", off_words(taught), help="How far what it is sure of is from what is right")
    st.caption(advice(taught, counts))
    if found is not None:
        small_map(known, found, classes)


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


def small_map(known: SceneView, found: Named, classes: Sequence[LandClass]) -> None:
    """Draw the class of every patch as a small map with its legend."""
    sure = sure_patches(known, found)
    colours = {one.name: one.colour for one in classes}
    painted = np.array([_rgb(colours.get(name, UNSURE_COLOUR)) for name in found.classes] + [_rgb(UNSURE_COLOUR)])
    index = np.where(sure, found.index, len(found.classes))
    rows, cols = known.grid.rows_cols(known.table.patch_ids)
    image = np.zeros((known.grid.n_rows, known.grid.n_cols, 4), np.uint8)
    image[rows, cols, :3], image[rows, cols, 3] = painted[index], 255
    names = [*found.classes, "Unsure"]
    shares = np.bincount(index, minlength=len(names)) / max(1, len(index))
    items = "".join(
        f'<li><i style="background:rgb{tuple(painted[at].tolist())}"></i>{safe_label(class_title(names[at]))} '
        f"<b>{100 * shares[at]:.0f} %</b></li>"
        for at in np.argsort(-shares, kind="stable").tolist()
        if shares[at]
    )
    alt = "Map of classes: the class of every patch of the scene"
    picture = f'<img alt="{alt}" src="data:image/png;base64,{_png(image)}">'
    st.html(f'<figure class="ll-classmap">{picture}<ul>{items}</ul></figure>')


def _rgb(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _png(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
