"""The map of classes as a picture with its legend, and in words how it was made."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from PIL import Image

from core.classification.cells import ChanceCells
from core.classification.maps.choice import SMOOTHING_WORDS
from core.classification.schemes import LandClass
from core.engine.class_map import cut_of_map, head_or_none, map_cells_of
from core.evaluation.classifier import Named
from core.values.predicted import UNSURE, UNSURE_COLOUR, predicted_colours, sure_patches
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView


def classes_of_map(known: SceneView, offered: Sequence[LandClass]) -> tuple[LandClass, ...]:
    """Return the classes of the map in the order of its head, with codes and colours; none where there is no map.

    Args:
        known: the scene.
        offered: the classes to label by, whose codes and colours count where the labels teach the head.
    """
    head = head_or_none(known)
    if head is None:
        return ()
    by_name = {one.name: one for one in offered} if known.choice.by_labels else {}
    colours = predicted_colours(known.labels, head.names)
    return tuple(
        by_name.get(one.name) or replace(one, colour=colour)
        for one, colour in zip(head.classes, colours, strict=True)
    )  # fmt: skip


def draw_map(known: SceneView, classes: Sequence[LandClass]) -> None:
    """Draw the map as it is: of patches, or on finer cells where these are there; nothing where there is no map."""
    found = known.classified()
    if found is None or not classes:
        return
    cells = map_cells_of(known) if cut_of_map(known) is not None else None
    index = _patches(known, found) if cells is None else _cells(cells, known.choice.below, len(classes))
    st.html(map_html(index, classes))
    st.caption(how_made(known, finer=cells is not None))


def _patches(known: SceneView, found: Named) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the class of each patch as they lie: one more than the last = unsure, −1 = no patch."""
    laid = np.full((known.grid.n_rows, known.grid.n_cols), -1, np.int64)
    named = np.where(sure_patches(known, found), found.index, len(found.classes))
    laid[known.grid.rows_cols(known.table.patch_ids)] = named
    return laid


def _cells(cells: ChanceCells, below: float, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.where(cells.abstained(below), count, cells.index).astype(np.int64)


def map_html(index: np.ndarray[tuple[int, ...], np.dtype[np.int64]], classes: Sequence[LandClass]) -> str:
    """Return a map and its legend, with the share of the land that each class has, as HTML.

    Args:
        index: class of each cell, of shape (rows, columns); one more than the last = unsure, −1 = none.
        classes: with their colours.
    """
    colours = [*(one.colour for one in classes), UNSURE_COLOUR]
    names = [*(class_title(one.name) for one in classes), UNSURE]
    painted = np.array([[*bytes.fromhex(colour[1:]), 255] for colour in colours] + [[0, 0, 0, 0]], np.uint8)
    there = index[index >= 0]
    shares = np.bincount(there, minlength=len(names)) / max(1, len(there))
    items = "".join(
        f'<li><i style="background:{colours[at]}"></i>{safe_label(names[at])} <b>{100 * shares[at]:.0f} %</b></li>'
        for at in np.argsort(-shares, kind="stable").tolist()
        if shares[at]
    )
    alt = "Map of classes: the class of every patch of the scene"
    buffer = io.BytesIO()
    Image.fromarray(painted[index]).save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    picture = f'<img alt="{alt}" src="data:image/png;base64,{source}">'
    return f'<figure class="ll-classmap">{picture}<ul>{items}</ul></figure>'


def how_made(known: SceneView, *, finer: bool) -> str:
    """Return in a sentence or two how the map is made, as far as it is not the usual way; else empty."""
    choice, said = known.choice, []
    if finer:
        said.append(
            f"Each side of a patch in {choice.parts} parts: a cell has the mean probability of all patches over it."
        )
    if choice.smoothing != "none":
        words = SMOOTHING_WORDS[choice.smoothing]
        said.append(f"{words[:1].upper()}{words[1:]}.")
    return " ".join(said)
