"""How many patches of its own class a patch may find among its neighbours."""

from __future__ import annotations

from itertools import product

import numpy as np

from core.scenes.patches import IntArray


def others_of_class(labels: IntArray, places: IntArray | None, reach: int) -> IntArray:
    """Of each patch, how many others of its class it may find, int64 of shape (N,).

    Args:
        labels: int64 of shape (N,), at least 0.
        places: int64 of shape (N, 2), row and column on the grid: those that touch do not count; None = all count.
        reach: rows and columns up to which patches touch.
    """
    if places is None:
        others: IntArray = np.bincount(labels)[labels] - 1
        return others
    row, col = (_closed_up(axis, reach) for axis in places.T)
    width, height = (int(axis.max()) + 2 * reach + 1 for axis in (col, row))
    keys = (labels * height + row + reach) * width + col + reach
    order = np.sort(keys)
    others = np.bincount(labels)[labels]
    for down, right in product(range(-reach, reach + 1), repeat=2):
        there = keys + down * width + right
        others -= np.searchsorted(order, there, "right") - np.searchsorted(order, there, "left")
    return others


def _closed_up(axis: IntArray, reach: int) -> IntArray:
    """Numbers from 0 that lie as near each other as those given, where these are no more than ``reach`` apart."""
    values, place = np.unique(axis, return_inverse=True)
    closed: IntArray = np.concatenate([[0], np.minimum(np.diff(values), reach + 1).cumsum()])[place]
    return closed
