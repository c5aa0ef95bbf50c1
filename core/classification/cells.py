"""The map of a head: probabilities on cells of ground, finer where patches overlap, smoothed where that is wished."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

Smoothing = Literal["none", "majority", "probability"]
"""How a map is smoothed: not at all, by what most of the cells around say, or by the mean of their probabilities."""

SMOOTHINGS: tuple[Smoothing, ...] = ("none", "majority", "probability")
MOST_CELLS_OF_MAP = 20_000_000

_AROUND = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
"""How much a cell and the eight around it count for a mean: a binomial filter."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChanceCells:
    """Probabilities of classes on cells.

    Attributes:
        chances: float32 of shape (rows, columns, classes), each cell's sum to 1; NaN where there is no patch.
        novel: float32 of shape (rows, columns), share of the cell's patches that are land the encoder does not know.
        place: where the cells lie; None = they are the patches of a grid, whose place is not asked.
    """

    chances: FloatArray
    novel: FloatArray
    place: GeoBox | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which cells have a patch, bool of shape (rows, columns)."""
        return np.isfinite(self.chances[..., 0])

    @property
    def index(self) -> NDArray[np.int16]:
        """The likeliest class of each cell, int16 of shape (rows, columns), −1 = no patch."""
        best = np.nan_to_num(self.chances, nan=-1.0).argmax(axis=2)
        return np.where(self.known, best, -1).astype(np.int16)

    @property
    def confidence(self) -> FloatArray:
        """Its probability, float32 of shape (rows, columns), NaN = no patch."""
        best = np.nan_to_num(self.chances, nan=-1.0).max(axis=2)
        return np.where(self.known, best, np.nan).astype(np.float32)

    def abstained(self, below: float) -> NDArray[np.bool_]:
        """Return where a cell is less probable than ``below``, or mostly of land the encoder does not know."""
        return self.known & ((np.nan_to_num(self.confidence) < below) | (self.novel > 0.5))


def chance_cells(
    place: GeoBox, grid: PatchGrid, ids: IntArray, chances: FloatArray, novel: NDArray[np.bool_] | None = None
) -> ChanceCells:
    """Return probabilities on cells as wide as patches lie apart: the mean of all patches over a cell, by area.

    Where patches lie side by side a cell is a patch. Where they overlap, cells are finer than patches, and each is
    seen by several of them.

    Args:
        place: where the pixels of the scene lie.
        grid: its patches.
        ids: of patches, int64 of shape (N,).
        chances: of these, shape (N, classes).
        novel: True = land that the encoder does not know, shape (N,); None = none.

    Raises:
        SettingsError: when there would be too many cells.
    """
    side = grid.cut.stride
    down, across = (_shares(starts, grid.size, side) for starts in (grid.tops, grid.lefts))
    classes = chances.shape[1]
    if len(down) * len(across) * classes > MOST_CELLS_OF_MAP:
        found = f"there would be {len(down):,} × {len(across):,} cells of {classes} classes"
        raise SettingsError("Making a map of classes", found, "choose a wider step from patch to patch")
    table = np.zeros((grid.n_rows, grid.n_cols, classes + 2))
    rows, cols = grid.rows_cols(ids)
    table[rows, cols, :classes], table[rows, cols, classes + 1] = chances, 1.0
    table[rows, cols, classes] = 0.0 if novel is None else novel
    laid = np.einsum("rp,pqc->rqc", down, table, optimize=True)
    summed = np.einsum("sq,rqc->rsc", across, laid, optimize=True)
    weight = summed[..., -1]
    mean = summed[..., :-1] / np.where(weight > 1e-9, weight, np.nan)[..., None]
    cells = cells_place(place, grid)
    novelty = np.nan_to_num(mean[..., classes]).astype(np.float32)
    return ChanceCells(chances=mean[..., :classes].astype(np.float32), novel=novelty, place=cells)


def cells_place(place: GeoBox, grid: PatchGrid) -> GeoBox:
    """Return where cells as wide as patches lie apart lie, from the first pixel to beyond the last patch.

    Args:
        place: where the pixels of the scene lie.
        grid: its patches.
    """
    side, (a, b, c, d, e, f) = grid.cut.stride, place.transform
    rows, cols = (math.ceil((int(starts[-1]) + grid.size) / side) for starts in (grid.tops, grid.lefts))
    return GeoBox(
        crs=place.crs, transform=(a * side, b * side, c, d * side, e * side, f), height=rows, width=cols
    )  # fmt: skip


def _shares(starts: IntArray, size: int, side: int) -> NDArray[np.float64]:
    """Return how much of each cell along a side each patch covers, shape (cells, patches), 0 to 1."""
    first = np.arange(math.ceil((int(starts[-1]) + size) / side)) * side
    low = np.maximum(first[:, None], starts[None, :])
    high = np.minimum(first[:, None] + side, starts[None, :] + size)
    found: NDArray[np.float64] = np.maximum(high - low, 0) / side
    return found


def cut_to_patches(
    cells: GeoBox, grid: PatchGrid, tables: list[NDArray[Any]], *, most: int = MOST_CELLS_OF_MAP
) -> tuple[GeoBox, list[NDArray[Any]]]:
    """Cut what lies on cells to the ground that patches cover, so that who counts its pixels counts no other land.

    Where cells as wide as patches lie apart reach beyond the last patches, each is parted into smaller ones that do
    not. Where these would be more than ``most``, all stays as it is.

    Args:
        cells: where they lie, as of ``chance_cells``.
        grid: the patches.
        tables: of shape (rows, columns) each.
        most: cells of a map.

    Returns:
        Where the new cells lie, and the tables on them.
    """
    side = grid.cut.stride
    rows, cols = int(grid.tops[-1]) + grid.size, int(grid.lefts[-1]) + grid.size
    fine = math.gcd(side, rows, cols)
    rows, cols, parts = rows // fine, cols // fine, side // fine
    if rows * cols > most:
        return cells, tables
    a, b, c, d, e, f = cells.transform
    place = GeoBox(crs=cells.crs, transform=(a / parts, b / parts, c, d / parts, e / parts, f), height=rows, width=cols)
    return place, [table.repeat(parts, axis=0)[:rows].repeat(parts, axis=1)[:, :cols] for table in tables]


def commonest(index: IntArray, first: IntArray, size: int, side: int) -> FloatArray:
    """Return the number that most cells of each patch have, float32 of shape (N,), NaN where none has one.

    Args:
        index: of the cells, shape (rows, columns), −1 = none.
        first: row and column of the first pixel of each patch, shape (N, 2).
        size: pixels along a patch.
        side: pixels along a cell.
    """
    kinds = np.arange(int(index.max(initial=-1)) + 1)
    sums = np.pad((index[..., None] == kinds).cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32),
                  ((1, 0), (1, 0), (0, 0)))  # fmt: skip
    top, left = first.T // side
    bottom, right = (np.minimum(-(-(at + size) // side), most) for at, most in zip(first.T, index.shape, strict=True))
    counts = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    best = counts.argmax(axis=1) if len(kinds) else np.zeros(len(first), np.int64)
    return np.where(counts.any(axis=1), best, np.nan).astype(np.float32)


def patch_chances(grid: PatchGrid, ids: IntArray, chances: FloatArray) -> ChanceCells:
    """Return probabilities of patches laid out as they lie beside each other, to be smoothed.

    Args:
        grid: the patches.
        ids: int64 of shape (N,).
        chances: shape (N, classes).
    """
    laid = np.full((grid.n_rows, grid.n_cols, chances.shape[1]), np.nan, np.float32)
    laid[grid.rows_cols(ids)] = chances
    return ChanceCells(chances=laid, novel=np.zeros(laid.shape[:2], np.float32))


def smoothed_cells(cells: ChanceCells, how: Smoothing) -> ChanceCells:
    """Return a map smoothed over the eight cells around each; cells without a patch stay so and do not count.

    ``probability`` takes the mean of probabilities, nearer cells counting more. ``majority`` takes the class that most
    of the nine have, of equals the cell's own, and then the likelier; its probability is that of the mean.

    Raises:
        SettingsError: for an unknown way.
    """
    if how not in SMOOTHINGS:
        raise SettingsError("Smoothing a map", f"there is no “{how}”", f"choose {', '.join(SMOOTHINGS)}")
    if how == "none":
        return cells
    known = cells.known
    mean = _summed(np.nan_to_num(cells.chances), _AROUND)
    mean /= np.maximum(mean.sum(axis=2, keepdims=True), 1e-12)
    if how == "majority":
        mean = _voted(cells, mean)
    return replace(cells, chances=np.where(known[..., None], mean, np.nan).astype(np.float32))


def _voted(cells: ChanceCells, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean probabilities, changed so far that the class of most cells is the likeliest."""
    index, size = cells.index, mean.shape[2]
    own = np.eye(size + 1)[index][..., :size]  # An index of −1 is the last: none.
    votes = _summed(own, np.ones((3, 3))) + 0.5 * own + 0.25 * mean
    best = votes.argmax(axis=2)[..., None]
    top = np.take_along_axis(mean, best, axis=2)
    capped = np.minimum(mean, top * (1 - 1e-6))
    np.put_along_axis(capped, best, top, axis=2)
    found: NDArray[np.float64] = capped / np.maximum(capped.sum(axis=2, keepdims=True), 1e-12)
    return found


def _summed(table: NDArray[np.float64] | FloatArray, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weighted sums over the nine cells around each, of shape (rows, columns, classes)."""
    padded = np.pad(np.asarray(table, np.float64), ((1, 1), (1, 1), (0, 0)))
    rows, cols = table.shape[:2]
    parts = [weights[r, c] * padded[r : r + rows, c : c + cols] for r in range(3) for c in range(3)]
    found: NDArray[np.float64] = np.sum(parts, axis=0)
    return found
