"""The mark of patches that are unfamiliar to the encoder, a diamond, in gallery and map; the plot draws its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scenes.location import outlines
from core.scenes.patches import PatchGrid
from core.scenes.scene import Scene

Ring = list[list[float]]
"""Corners as (lat, lon)."""
MARK = "◇"
WORDS = (
    "Unfamiliar: farther from what the encoder learned from than 99 in 100 patches like those. "
    "What is found for such a patch deserves a second look"
)
"""What the mark means, wherever it or the word stands."""

MOST_DIAMONDS = 500
"""Patches that are marked on a map, the strangest ones."""


def mark_novel(items: list[dict[str, Any]], strange: Collection[int]) -> list[dict[str, Any]]:
    """Return items of the gallery, those of some patches with the mark and what it means."""
    for item in items:
        item["mark"] = MARK if item["id"] in strange else ""
        item["alt"] += f". {WORDS}" if item["mark"] else ""
    return items


def diamonds(scene: Scene, grid: PatchGrid, ids: NDArray[np.int64]) -> list[Ring]:
    """Return a diamond in each of the first ``MOST_DIAMONDS`` patches, half as wide, corners as (lat, lon)."""
    rings = outlines(scene, grid, ids[:MOST_DIAMONDS]) if ids.size else np.empty((0, 4, 2))
    rings = rings[np.isfinite(rings).all(axis=(1, 2))]
    middles, edges = rings.mean(axis=1, keepdims=True), (rings + np.roll(rings, -1, axis=1)) / 2
    corners = np.round(middles + (edges - middles) / 2, 6)[:, :, ::-1]
    shown: list[Ring] = corners.tolist()
    return shown


def diamonds_legend(count: int) -> list[dict[str, Any]]:
    """Draw what the diamonds of a map mean, where there are any."""
    shown = f", {MOST_DIAMONDS} shown" if count > MOST_DIAMONDS else ""
    return [{"title": f"{MARK} Unfamiliar {count:,}{shown}", "about": WORDS}] if count else []
