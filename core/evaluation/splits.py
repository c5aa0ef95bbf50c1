"""Which labelled patches are held out: a random part of each class, whole blocks of land, or folds of such blocks.

Of the others, those may teach that show none of the land that is held out.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from core.export.geometry import Shapes
from core.scenes.patches import IntArray

BLOCK_DEGREES, LEAST_DEGREES = 0.25, 0.02
"""Side of the blocks of a spatial split, in degrees of latitude, at most and at least: about 28 and 2 km."""

BLOCKS_ACROSS = 5
"""Blocks that land smaller than that is cut into, from side to side."""

_HAIR = 1e-4
"""Share of its side by which an outline is drawn in, so that those that only touch share nothing by rounding."""


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
    block = land_blocks(lonlat)
    known = np.flatnonzero(block >= 0)
    sizes = np.bincount(block[known])
    if len(sizes) < 2:
        return None
    held, count = np.zeros(len(sizes), dtype=bool), 0
    for name in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if count >= share * len(known) or held.sum() == len(sizes) - 1:
            break
        held[name], count = True, count + int(sizes[name])
    found = np.zeros(len(lonlat), dtype=bool)
    found[known] = held[block[known]]
    return found


def land_blocks(lonlat: NDArray[np.float64]) -> IntArray:
    """Return the block of land of each patch, int64 of shape (N,), counted from 0; −1 where its place is unknown.

    Args:
        lonlat: centres in degrees, shape (N, 2), NaN where unknown.
    """
    known = np.flatnonzero(~np.isnan(lonlat).any(axis=1))
    found = np.full(len(lonlat), -1, np.int64)
    if len(known):
        square = [np.cos(np.radians(45)), 1.0]
        across = float(np.ptp(lonlat[known] * square, axis=0).max())
        side = min(BLOCK_DEGREES, max(LEAST_DEGREES, across / BLOCKS_ACROSS))
        found[known] = _numbered(np.floor(lonlat[known] / [side / square[0], side]).astype(np.int64))
    return found


def grid_blocks(places: IntArray) -> IntArray:
    """Return the block of each patch of a scene whose place on Earth is unknown, int64 of shape (N,), from 0.

    Args:
        places: row and column on the grid of patches, shape (N, 2).
    """
    if not len(places):
        return np.zeros(0, np.int64)
    side = max(2, int(np.ceil((np.ptp(places, axis=0).max() + 1) / BLOCKS_ACROSS)))
    return _numbered((places - places.min(axis=0)) // side)


def _numbered(blocks: IntArray) -> IntArray:
    """Return one number for each different row, counted from 0."""
    _, block = np.unique(blocks, axis=0, return_inverse=True)
    return block.ravel().astype(np.int64)


def held_together(blocks: IntArray) -> tuple[IntArray, bool]:
    """Return which patches are held out together, int64 of shape (N,) from 0, and whether that is by land.

    Patches of unknown place are each by itself. So are all where no two blocks are known: then it is not by land.

    Args:
        blocks: of shape (N,), −1 = unknown.
    """
    unknown = blocks < 0
    alone = blocks.max(initial=-1) + 1 + np.arange(int(unknown.sum()))
    together = blocks.copy()
    together[unknown] = alone
    if len(np.unique(together)) < 2 or bool(unknown.all()):
        return np.arange(len(blocks)), False
    return together, True


def sharing_land(outlines: Shapes) -> IntArray:
    """Return pairs of patches whose outlines share land, each both ways, int64 of shape (2, M).

    Args:
        outlines: of shape (N,), None = unknown, which shares nothing.
    """
    parts, owner = shapely.get_parts(outlines, return_index=True)
    bounds = shapely.bounds(parts)
    points, part = shapely.get_coordinates(parts, return_index=True)
    middle = (bounds[part, :2] + bounds[part, 2:]) / 2
    drawn_in = shapely.set_coordinates(parts.copy(), middle + (points - middle) * (1 - _HAIR))
    pairs: IntArray = owner[shapely.STRtree(drawn_in).query(drawn_in, predicate="intersects")].astype(np.int64)
    return pairs[:, pairs[0] != pairs[1]]


def left_to_learn(held: NDArray[np.bool_], pairs: IntArray) -> NDArray[np.bool_]:
    """Return which patches may teach what is tested on some others: none of these, and none that shares their land.

    Args:
        held: True = held out, shape (N,).
        pairs: as of ``sharing_land``.
    """
    left = ~held
    left[pairs[1, held[pairs[0]]]] = False
    return left


def block_folds(blocks: IntArray, labels: IntArray, folds: int, seed: int = 0) -> IntArray:
    """Deal blocks out to folds so that each has about as many patches of each class; int64 of shape (N,), from 0.

    The largest blocks come first, each to the fold where the classes are then spread most evenly, as scikit-learn's
    ``StratifiedGroupKFold`` does.

    Args:
        blocks: of shape (N,), from 0; patches of one block stay together.
        labels: of shape (N,), from 0.
        folds: how many, at most; there are no more than blocks.
        seed: in which order blocks of one size come.
    """
    table = np.zeros((int(blocks.max(initial=-1)) + 1, int(labels.max(initial=0)) + 1))
    np.add.at(table, (blocks, labels), 1)
    present = np.flatnonzero(table.sum(axis=1))
    folds = min(folds, len(present))
    share = table / np.maximum(table.sum(axis=0), 1)
    filled, of_block = np.zeros((folds, table.shape[1])), np.zeros(len(table), np.int64)
    mixed = np.random.default_rng(seed).permutation(present)
    for block in mixed[np.argsort(-table[mixed].sum(axis=1), kind="stable")].tolist():
        uneven = [_unevenness(filled, share[block], fold) for fold in range(folds)]
        of_block[block] = int(np.argmin(uneven))
        filled[of_block[block]] += share[block]
    found: IntArray = of_block[blocks]
    return found


def _unevenness(filled: NDArray[np.float64], added: NDArray[np.float64], fold: int) -> float:
    """Return how unevenly classes lie over folds once a block was added to one; of equals the emptier fold is less."""
    after = filled.copy()
    after[fold] += added
    return float(after.std(axis=0).mean() + 1e-6 * after[fold].sum())
