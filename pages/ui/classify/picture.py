"""The map of classes as a picture with its legend, and in words how it was made."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.classification.cells import ChanceCells
from core.classification.maps.choice import SMOOTHING_WORDS
from core.classification.schemes import LandClass
from core.engine.class_map import cut_of_map, head_or_none, map_cells_of
from core.evaluation.classifier import Named
from core.export.scatter import dot_radius
from core.imagery.locator import dots_of_patches
from core.values.named.predicted import predicted_colours
from core.values.named.unsure import UNSURE, UNSURE_COLOUR, sure_patches
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView

DOTS_SIDE = 840
"""Pixels of the square that patches without pixels are drawn in as dots."""

_SEEN = 100.0
_Classes = NDArray[np.int64]


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
    # Patches of a collection lie anywhere: rows and columns of its grid are the order of its files, and no map.
    places = dots_of_patches(known.scene, DOTS_SIDE) if known.scene.is_collection else None
    if places is not None or not known.scene.has_pixels:
        _map_of_dots(known, found, classes, places)
        return
    cells = map_cells_of(known) if cut_of_map(known) is not None else None
    index = _patches(known, found) if cells is None else _cells(cells, known.choice.below, len(classes))
    st.html(map_html(index, classes))
    st.caption(how_made(known, finer=cells is not None))


def _map_of_dots(
    known: SceneView, found: Named, classes: Sequence[LandClass], places: NDArray[np.float64] | None
) -> None:  # fmt: skip
    """Draw a dot for each patch where the files say that it lies, x and y by patch id; None = they do not say."""
    named = _named(known, found)
    key = ("class dots", tuple(classes), hash(named.tobytes()))
    here = None if places is None else places[known.table.patch_ids]
    st.html(known.answers.get(key, lambda: map_html(named, classes, here)))
    if places is None:
        st.caption("The file does not say where the patches lie, so that they cannot be drawn as a map.")


def _named(known: SceneView, found: Named) -> _Classes:
    return np.where(sure_patches(known, found), found.index, len(found.classes)).astype(np.int64)


def _patches(known: SceneView, found: Named) -> _Classes:
    """Return the class of each patch as they lie: one more than the last = unsure, −1 = no patch."""
    laid = np.full((known.grid.n_rows, known.grid.n_cols), -1, np.int64)
    laid[known.grid.rows_cols(known.table.patch_ids)] = _named(known, found)
    return laid


def _cells(cells: ChanceCells, below: float, count: int) -> _Classes:
    return np.where(cells.abstained(below), count, cells.index).astype(np.int64)


def map_html(index: _Classes, classes: Sequence[LandClass], places: NDArray[np.float64] | None = None) -> str:
    """Return a map and its legend, with the share of the patches that each class has, as HTML.

    Args:
        index: class of each cell, of shape (rows, columns), or of each dot, (N,): one more than the last = unsure,
            −1 = none.
        classes: with their colours.
        places: x and y of dots in a square of ``DOTS_SIDE``, shape (N, 2); without them dots have a legend alone.
    """
    colours = [*(one.colour for one in classes), UNSURE_COLOUR]
    names = [*(class_title(one.name) for one in classes), UNSURE]
    painted = np.array([[*bytes.fromhex(colour[1:]), 255] for colour in colours] + [[0, 0, 0, 0]], np.uint8)
    there = index[index >= 0]
    shares = np.bincount(there, minlength=len(names)) / max(1, len(there))
    items = "".join(
        f'<li><i style="background:{colours[at]}"></i>{safe_label(names[at])} <b>{_percent(shares[at])}</b></li>'
        for at in np.argsort(-shares, kind="stable").tolist()
        if shares[at]
    )
    picture = _dots(painted[index], places) if index.ndim == 1 else _embedded(painted[index], "pixelated")
    return f'<figure class="ll-classmap">{picture}<ul>{items}</ul></figure>'


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "under 1 %"


def _dots(colours: NDArray[np.uint8], places: NDArray[np.float64] | None) -> str:
    """Return a picture of dots as large as there is room for; colours of shape (N, 4). Empty where none has a place."""
    there = None if places is None else np.isfinite(places).all(axis=1)
    if places is None or there is None or not there.any():
        return ""
    least = float(np.clip(_SEEN / np.sqrt(there.sum()), 1, 7))  # In heaps each is still seen.
    radius = round(dot_radius(places[there], least))
    drawn = np.zeros((DOTS_SIDE, DOTS_SIDE, 4), np.uint8)
    x, y = np.round(places[there]).astype(np.int64).T
    across, down = np.meshgrid(*[np.arange(-radius, radius + 1)] * 2)
    disc = across**2 + down**2 <= radius**2 + 1
    for right, below in zip(across[disc].tolist(), down[disc].tolist(), strict=True):
        drawn[np.clip(y + below, 0, DOTS_SIDE - 1), np.clip(x + right, 0, DOTS_SIDE - 1)] = colours[there]
    rows, cols = (np.flatnonzero(drawn[..., 3].any(axis=axis)) for axis in (1, 0))
    return _embedded(drawn[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1], "auto")


def _embedded(pixels: NDArray[np.uint8], rendering: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    alt = "Map of classes: the class of every patch of the scene"
    return f'<img alt="{alt}" style="image-rendering:{rendering}" src="data:image/png;base64,{source}">'


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
