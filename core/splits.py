"""Which labelled patches are held out: a random part of each class, or whole blocks of land."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.patches import IntArray

BLOCK_DEGREES = 0.25
"""Side of the blocks of a spatial split, in degrees of latitude: about 28 km."""


def random_split(labels: IntArray, share: float, seed: int) -> NDArray[np.bool_]:
    """A random part of each class, at least one patch and never all: True = held out."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(labels), dtype=bool)
    for name in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == name))
        held[members[: min(len(members) - 1, max(1, round(share * len(members))))]] = True
    return held


def spatial_split(lonlat: NDArray[np.float64], share: float, seed: int) -> NDArray[np.bool_] | None:
    """Whole blocks of land, about a share of all patches: True = held out; None where places are unknown.

    Neighbouring patches look alike, so that a random split asks for land the network has nearly seen (Ploton et al.,
    “Spatial validation reveals poor predictive performance of large-scale ecological mapping models”, 2020).
    """
    if np.isnan(lonlat).any():
        return None
    blocks = np.floor(lonlat / [BLOCK_DEGREES / np.cos(np.radians(45)), BLOCK_DEGREES]).astype(np.int64)
    _, block = np.unique(blocks, axis=0, return_inverse=True)
    sizes = np.bincount(block)
    if len(sizes) < 2:
        return None
    held, count = np.zeros(len(sizes), dtype=bool), 0
    for name in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if count >= share * len(block) or held.sum() == len(sizes) - 1:
            break
        held[name], count = True, count + int(sizes[name])
    return held[block.ravel()]
