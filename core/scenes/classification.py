"""The scene classification of Sentinel-2 L2A: its classes, their colours, and what part of a scene lies in which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.scenes.patches import PatchGrid
from core.scenes.scene import Scene
from core.scenes.truth import truth_counts

SCL_NAMES: tuple[str, ...] = (
    "No data", "Saturated or defective", "Dark area", "Cloud shadow", "Vegetation", "Bare soil", "Water",
    "Unclassified", "Cloud, medium probability", "Cloud, high probability", "Thin cirrus", "Snow or ice",
)  # fmt: skip
"""Meaning of the numbers 0 to 11 (ESA, Sentinel-2 Level-2A algorithm: scene classification)."""

SCL_COLOURS: tuple[str, ...] = (
    "#000000", "#ff0000", "#2f2f2f", "#643200", "#00a000", "#ffe65a", "#0000ff", "#808080", "#c0c0c0", "#ffffff",
    "#64c8ff", "#ff96ff",
)  # fmt: skip
"""Colours of the numbers 0 to 11 as ESA's processor and browser portals paint them."""

CLOUD_CLASSES = (8, 9, 10)
SHADOW_CLASSES = (3,)


def class_shares(counts: NDArray[np.int64]) -> Mapping[int, float]:
    """Return the share of each class that is there, but for no data.

    Args:
        counts: pixels of each class, shape (12,).
    """
    seen = counts[1:]
    total = int(seen.sum())
    return MappingProxyType({number: int(n) / total for number, n in enumerate(seen, 1) if n}) if total else {}


def patch_classes(scene: Scene, grid: PatchGrid) -> NDArray[np.int16] | None:
    """Return the commonest class of each patch, int16 of shape (count,), −1 = none; None for a scene without a map."""
    if scene.classification_path is None:
        return None
    counts = _class_counts(scene.classification_path, grid)[:, 1:]
    best = counts.argmax(axis=1)
    return np.where(counts.max(axis=1) > 0, best + 1, -1).astype(np.int16)


def clear_shares(scene: Scene, grid: PatchGrid) -> NDArray[np.float32] | None:
    """Return the share of each patch's classified pixels that are neither cloud nor shadow, float32 of shape (count,).

    NaN where no pixel is classified; None for a scene without a map.
    """
    if scene.classification_path is None:
        return None
    counts = _class_counts(scene.classification_path, grid)
    seen = counts[:, 1:].sum(axis=1).astype(np.float64)
    seen[seen == 0] = np.nan
    hidden = counts[:, [*CLOUD_CLASSES, *SHADOW_CLASSES]].sum(axis=1)
    return np.asarray(1 - hidden / seen, np.float32)


def _class_counts(path: Path, grid: PatchGrid) -> NDArray[np.int64]:
    """Return pixels of each class in all patches, shape (count, 12)."""
    with rasterio.open(path, driver="GTiff") as data:
        numbers = data.read(1).astype(np.uint16)
    return np.concatenate([truth_counts(numbers, grid, row, len(SCL_NAMES) - 1) for row in range(grid.n_rows)])
