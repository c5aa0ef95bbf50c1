"""Which labelled patches are held out: a random part of each class, or whole blocks of land."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.scenes.patches import IntArray

BLOCK_DEGREES, LEAST_DEGREES = 0.25, 0.02
"""Side of the blocks of a spatial split, in degrees of latitude, at most and at least: about 28 and 2 km."""

BLOCKS_ACROSS = 5
"""Blocks that land smaller than that is cut into, from side to side."""


def random_split(labels: IntArray, share: float, seed: int, groups: IntArray | None = None) -> NDArray[np.bool_]:
    """Return a random part of each class, at least one place and never all: True = held out.

    Args:
        labels: of shape (N,).
        share: of each class.
        seed: of what is drawn.
        groups: a number of shape (N,) that patches of one place share, which are held out together; None = each by
            itself.
    """
    random = np.random.default_rng(seed)
    groups = np.arange(len(labels)) if groups is None else groups
    held = np.zeros(len(labels), dtype=bool)
    for name in np.unique(labels):
        of_class = np.flatnonzero(labels == name)
        places = np.unique(groups[of_class])
        chosen = random.permutation(places)[: min(len(places) - 1, max(1, round(share * len(places))))]
        held[of_class] = np.isin(groups[of_class], chosen)
    return held


def leaves_every_class(labels: IntArray, held: NDArray[np.bool_]) -> bool:
    """Return whether patches of every class are left to learn from when some are held out."""
    return len(np.unique(labels[~held])) == len(np.unique(labels))


def spatial_split(lonlat: NDArray[np.float64], share: float, seed: int) -> NDArray[np.bool_] | None:
    """Return whole blocks of land, about a share of all patches: True = held out; None where there are no two blocks.

    Patches whose place is unknown (NaN) are never held out. Neighbouring patches look alike, so that a random split
    asks for land the network has nearly seen (Ploton et al., “Spatial validation reveals poor predictive performance of
    large-scale ecological mapping models”, 2020).
    """
    known = np.flatnonzero(~np.isnan(lonlat).any(axis=1))
    if not len(known):
        return None
    square = [np.cos(np.radians(45)), 1.0]
    across = float(np.ptp(lonlat[known] * square, axis=0).max())
    side = min(BLOCK_DEGREES, max(LEAST_DEGREES, across / BLOCKS_ACROSS))
    blocks = np.floor(lonlat[known] / [side / square[0], side]).astype(np.int64)
    _, block = np.unique(blocks, axis=0, return_inverse=True)
    sizes = np.bincount(block.ravel())
    if len(sizes) < 2:
        return None
    held, count = np.zeros(len(sizes), dtype=bool), 0
    for name in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if count >= share * len(known) or held.sum() == len(sizes) - 1:
            break
        held[name], count = True, count + int(sizes[name])
    found = np.zeros(len(lonlat), dtype=bool)
    found[known] = held[block.ravel()]
    return found
