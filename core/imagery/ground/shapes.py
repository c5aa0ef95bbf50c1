"""Land, lakes and borders of the world as ``shapes.npz`` holds them: rings and lines in cells of the globe.

There are three levels, for far, middle and near. A level is cut into square cells, so that a tile needs a few of them.
Rings are cut at the edges of cells; what runs along such an edge is no coast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.scenes.location import Bounds
from core.scenes.webmercator import RADIUS, mercator_y

SHAPES_FILE = Path(__file__).with_name("shapes.npz")
LAND, LAKES, BORDERS = "land", "lakes", "borders"


@dataclass(frozen=True, kw_only=True)
class Level:
    """One generalisation.

    Attributes:
        cell: degrees a side of a cell.
        tolerance: degrees that lines may deviate from the source.
        step: degrees of the unit that coordinates are whole multiples of.
        least: square degrees below which islands and lakes are left out.
        zoom: of map tiles, from which on it is drawn.
    """

    cell: int
    tolerance: float
    step: float
    least: float
    zoom: int

    @property
    def columns(self) -> int:
        """Cells round the Earth."""
        return 360 // self.cell

    @property
    def rows(self) -> int:
        """Cells from pole to pole."""
        return 180 // self.cell


DETAILS = (
    Level(cell=90, tolerance=0.1, step=0.005, least=0.01, zoom=0),
    Level(cell=15, tolerance=0.02, step=0.001, least=0.0003, zoom=4),
    Level(cell=5, tolerance=0.0015, step=0.0005, least=0.0, zoom=7),
)
NEAR_DETAIL = len(DETAILS) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """A ring of land or a lake, or a line of a border.

    Attributes:
        places: longitudes and latitudes in degrees, float64 of shape (N, 2).
        metres: the same in web mercator, poles brought to its edges.
        hole: whether it is cut out of the ring around it.
        real: whether what follows a place is a line of the source, not an edge of a cell; shape (N − 1,).
    """

    places: NDArray[np.float64]
    metres: NDArray[np.float64]
    hole: bool
    real: NDArray[np.bool_]


def level_of(zoom: int) -> int:
    """Return which of ``DETAILS`` is drawn at a zoom of map tiles."""
    return max(number for number, level in enumerate(DETAILS) if level.zoom <= zoom)


def rings_in(layer: str, level: int, bounds: Bounds) -> Iterator[Trace]:
    """Yield what lies in the cells that a box touches, the largest of a cell first.

    Args:
        layer: ``LAND``, ``LAKES`` or ``BORDERS``.
        level: of ``DETAILS``.
        bounds: west, south, east, north in degrees, west of east; only what lies on −180 to 180 is found.
    """
    for cell in cells_in(level, bounds):
        yield from _rings_of(layer, level, cell)


def cells_in(level: int, bounds: Bounds) -> list[int]:
    """Return the numbers of the cells of a level that a box touches."""
    grid, (west, south, east, north) = DETAILS[level], bounds
    cols = range(max(0, math.floor((west + 180) / grid.cell)), min(grid.columns, math.ceil((east + 180) / grid.cell)))
    rows = range(max(0, math.floor((south + 90) / grid.cell)), min(grid.rows, math.ceil((north + 90) / grid.cell)))
    return [row * grid.columns + col for row in rows for col in cols]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Table:
    """A layer in one level: rings sorted by cell."""

    cells: NDArray[np.int32]
    holes: NDArray[np.bool_]
    ends: NDArray[np.int64]
    first: NDArray[np.int32]
    moves: NDArray[np.int32]


_PARTS = ("cells", "holes", "lengths", "first", "low", "high")


@lru_cache(maxsize=len(DETAILS) * 3)
def _table(layer: str, level: int) -> _Table:
    with np.load(SHAPES_FILE, allow_pickle=False) as data:
        parts = {part: data[f"{layer}{level}_{part}"] for part in _PARTS}
    folded = parts["low"].astype(np.int32) | parts["high"].astype(np.int32) << 8
    moves = np.where(folded & 1, -((folded + 1) >> 1), folded >> 1).T
    ends = np.cumsum(parts["lengths"].astype(np.int64) - 1)
    return _Table(cells=parts["cells"], holes=parts["holes"], ends=ends, first=parts["first"], moves=moves)


@lru_cache(maxsize=256)
def _rings_of(layer: str, level: int, cell: int) -> tuple[Trace, ...]:
    table, grid = _table(layer, level), DETAILS[level]
    begin, end = np.searchsorted(table.cells, [cell, cell + 1])
    edge = round(grid.cell / grid.step)
    return tuple(_ring(table, number, grid, edge) for number in range(begin, end))


def _ring(table: _Table, number: int, grid: Level, edge: int) -> Trace:
    start = table.ends[number - 1] if number else 0
    moves = table.moves[start : table.ends[number]]
    steps = np.vstack([table.first[number], table.first[number] + np.cumsum(moves, axis=0)])
    straight = (np.diff(steps, axis=0) == 0) & (steps[1:] % edge == 0)
    places = steps * grid.step
    metres = np.column_stack([np.radians(places[:, 0]) * RADIUS, mercator_y(places[:, 1])])
    return Trace(places=places, metres=metres, hole=bool(table.holes[number]), real=~straight.any(axis=1))
