"""Parting many short rows into cells of alike ones, so that only rows of near cells need be compared.

The split is that of a principal axis tree (each part is halved across the direction in which it is widest), so cells
are equally large and the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.scenes.patches import IntArray

CELL_ROWS, MOST_CELLS = 128, 4096
"""Most rows of a cell, where that does not make too many cells: each knows how near all others are."""

_AXIS_ROWS, _POWER_ITERATIONS = 1024, 4


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Rows parted into cells.

    Attributes:
        order: int64 of shape (N,), rows by cell.
        starts: int64 of shape (C + 1,), where in ``order`` each cell begins, and N.
        nearness: int64 of shape (C, C), for each cell all cells by the distance of their middles, itself first.
    """

    order: IntArray
    starts: IntArray
    nearness: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def slice(self, cell: int) -> slice:
        """Return where in ``order`` a cell lies."""
        return slice(int(self.starts[cell]), int(self.starts[cell + 1]))

    def places(self, cell: int, count: int) -> IntArray:
        """Return where in ``order`` the rows of the ``count`` cells nearest to one lie, its own first."""
        near = self.nearness[cell, :count]
        return np.concatenate([np.arange(self.starts[one], self.starts[one + 1]) for one in near])


def part(rows: FloatArray, cell_rows: int = CELL_ROWS) -> Cells:
    """Part rows into cells.

    Args:
        rows: float32 of shape (N, D), N ≥ 1.
        cell_rows: most rows of a cell, unless there would be more than ``MOST_CELLS``.
    """
    most = max(cell_rows, -(-len(rows) // MOST_CELLS))
    parts = [np.arange(len(rows))]
    while len(parts[0]) > most:
        parts = [half for one in parts for half in _halves(rows, one)]
    order, sizes = np.concatenate(parts), [len(one) for one in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    middles = np.stack([rows[one].mean(axis=0) for one in parts])
    squares = np.einsum("ij,ij->i", middles, middles)
    distances = squares - 2 * (middles @ middles.T)
    np.fill_diagonal(distances, -np.inf)
    return Cells(order=order, starts=starts, nearness=np.argsort(distances, axis=1, kind="stable"))


def _halves(rows: FloatArray, whole: IntArray) -> tuple[IntArray, IntArray]:
    """Return the two halves of some rows across their widest direction."""
    along = rows[whole] @ _widest(rows[whole[:: max(1, len(whole) // _AXIS_ROWS)]])
    middle = len(whole) // 2
    order = np.argpartition(along, middle)
    return np.sort(whole[order[:middle]]), np.sort(whole[order[middle:]])


def _widest(rows: FloatArray) -> FloatArray:
    """Return the first principal axis of rows, shape (D,), by power iterations from the column that varies most."""
    centred = rows - rows.mean(axis=0)
    axis = np.zeros(rows.shape[1], np.float32)
    axis[np.square(centred).sum(axis=0).argmax()] = 1
    for _ in range(_POWER_ITERATIONS):
        turned = centred.T @ (centred @ axis)
        length = np.linalg.norm(turned)
        if length == 0:
            break
        axis = turned / length
    return axis
