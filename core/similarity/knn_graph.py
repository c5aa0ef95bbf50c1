"""The nearest neighbours of every row among all rows, in bounded memory; one query is ``similarity.neighbours``."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.one_thread import one_thread
from core.progress import Progress, silent
from core.scenes.patches import IntArray
from core.similarity.cells import Cells, part
from core.similarity.neighbours import TIE_WIDTH, finite, unit_rows
from core.similarity.pca import along_axes, principal_axes

METRICS = ("cosine", "euclidean", "correlation")
"""What "near" can mean: the angle between vectors, their distance, or the angle after removing each one's mean."""

EXACT_WORK = 6000 * 6000 * 2048
"""Multiplications up to which all pairs are compared in full (about a second on two cores)."""

WANTED_RECALL = 0.97
"""Share of true neighbours that ``knn_graph`` aims at on its sample of rows."""

_RUNGS = ((64, 32), (128, 48), (128, 96), (256, 96))
"""Components and surplus of the shortlist, from cheap to thorough."""

SHORT, MANY = 64, 8192
"""Components up to which, and rows above which, rows are compared within near cells only."""

_PROBED_CELLS, _FEWEST_CELLS = 16, 8
_PROBES = 128
_BLOCK_ELEMENTS = 6_000_000


def knn_graph(
    vectors: FloatArray, k: int, metric: str = "cosine", *, exact_work: int = EXACT_WORK, progress: Progress = silent
) -> tuple[NDArray[np.int32], FloatArray]:
    """Find the k nearest of every row among all rows, itself first.

    Up to ``exact_work`` all pairs are compared in full. Beyond, pairs are compared along the leading principal
    components and a shortlist of each row is ranked by full distance; rows that are short already are compared within
    near cells (``core.similarity.cells``). How many components are needed for
    ``WANTED_RECALL`` of the true neighbours is measured on a sample of rows; where even the most do not reach it,
    distances are mostly noise and the best found stand. Memory beside the input: one copy of it and about 150 MB a
    processor.

    Args:
        vectors: float32 of shape (N, D), finite.
        k: neighbours, the row itself counted; at most N.
        metric: one of ``METRICS``. Cosine and correlation distances are 1 − similarity, 0 to 2.
        exact_work: multiplications up to which all pairs are compared in full.
        progress: told (blocks done, blocks); what it raises ends the work.

    Returns:
        Indices, int32 of shape (N, k), and distances, float32 of shape (N, k), rising along each row.

    Raises:
        SettingsError: for an unknown metric, a k outside 1 to N, or numbers that are not finite.
    """
    if not 1 <= k <= len(vectors):
        raise SettingsError("Finding nearest neighbours", f"{k} of {len(vectors)} rows", "ask for 1 to all of them")
    space = _Space.of(vectors, metric)
    if k > 1 and _many_and_short(space.rows):
        return _by_cells(space, k, progress)
    fast, surplus = _affordable(space, k - 1, exact_work)
    indices = np.empty((len(vectors), k), dtype=np.int32)
    distances = np.zeros((len(vectors), k), dtype=np.float32)
    indices[:, 0] = np.arange(len(vectors))

    def fill(block: IntArray) -> None:
        indices[block, 1:], scores = _search(space, fast, surplus, block, k - 1)
        distances[block, 1:] = space.distances(block, scores)

    in_threads(fill, _blocks(len(vectors)) if k > 1 else [], progress)
    return indices, distances


def _many_and_short(rows: FloatArray) -> bool:
    """Tell whether comparing all pairs takes longer than parting rows into cells first."""
    total, width = rows.shape
    return bool(total > MANY and width <= SHORT)


def _by_cells(space: _Space, k: int, progress: Progress) -> tuple[NDArray[np.int32], FloatArray]:
    """Find neighbours among the rows of near cells; how many are near enough is measured on a sample of rows."""
    total = len(space.rows)
    with one_thread():  # Some processors round these small products otherwise when two threads share them.
        cells = part(space.rows)
        sorted_space = _Space(space.rows[cells.order], space.offsets[cells.order], space.euclidean)
        near = _cells_needed(sorted_space, cells, k - 1)
    indices = np.empty((total, k), dtype=np.int32)
    distances = np.zeros((total, k), dtype=np.float32)
    indices[cells.order, 0] = cells.order

    def fill(block: IntArray) -> None:
        for cell in block.tolist():
            own = np.arange(*cells.slice(cell).indices(total))
            found, scores = _among(sorted_space, own, cells.places(cell, near), k - 1)
            indices[cells.order[own], 1:] = cells.order[found]
            distances[cells.order[own], 1:] = sorted_space.distances(own, scores)

    in_threads(fill, np.array_split(np.arange(len(cells)), max(1, len(cells) // 4)), progress)
    return indices, distances


def _cells_needed(space: _Space, cells: Cells, k: int) -> int:
    """Return how many cells hold ``WANTED_RECALL`` of the true neighbours of a sample of rows, of all if need be."""
    total, sample = len(space.rows), np.linspace(0, len(cells) - 1, _PROBED_CELLS).astype(np.int64)
    probes = [np.linspace(cells.starts[cell], cells.starts[cell + 1] - 1, 8).astype(np.int64) for cell in sample]
    least = _among(space, np.concatenate(probes), np.arange(total), k)[1][:, -1].reshape(-1, 8)
    near = _FEWEST_CELLS
    while near < len(cells):
        scores = [
            _among(space, rows, cells.places(int(cell), near), k)[1] for cell, rows in zip(sample, probes, strict=True)
        ]
        if np.mean(np.stack(scores) >= least[:, :, None] - TIE_WIDTH) >= WANTED_RECALL:
            break
        near += near // 2
    return min(near, len(cells))


def _among(space: _Space, rows: IntArray, others: IntArray, k: int) -> tuple[IntArray, FloatArray]:
    """Find the k best of some rows among others and their scores, best first, themselves left out."""
    scores = space.rows[rows] @ space.rows[others].T
    if space.euclidean:
        scores -= space.offsets[others]
    scores[rows[:, None] == others] = -np.inf
    found = np.sort(top_columns(scores, k), axis=1)
    values = np.take_along_axis(scores, found, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return others[np.take_along_axis(found, order, axis=1)], np.take_along_axis(values, order, axis=1)


def knn_among(
    queries: FloatArray, vectors: FloatArray, k: int, metric: str = "cosine", *, progress: Progress = silent
) -> tuple[NDArray[np.int32], FloatArray]:
    """Find the k rows of ``vectors`` nearest to each query, exactly.

    Args:
        queries: float32 of shape (M, D), finite.
        vectors: float32 of shape (N, D), finite.
        k: neighbours, 1 to N.
        metric: one of ``METRICS``; distances are those of ``knn_graph``.
        progress: told (blocks done, blocks); what it raises ends the work.

    Returns:
        Indices, int32 of shape (M, k), and distances, float32 of shape (M, k), rising along each row.

    Raises:
        SettingsError: for an unknown metric, a k outside 1 to N, or numbers that are not finite.
    """
    total = len(vectors)
    if not 1 <= k <= total:
        raise SettingsError("Finding nearest neighbours", f"{k} of {total} rows", "ask for 1 to all of them")
    space = _Space.of(np.concatenate([vectors, queries]), metric)
    indices = np.empty((len(queries), k), dtype=np.int32)
    distances = np.empty((len(queries), k), dtype=np.float32)

    def fill(block: IntArray) -> None:
        scores = space.rows[block + total] @ space.rows[:total].T - space.offsets[:total]
        found = np.sort(top_columns(scores, k), axis=1)
        values = np.take_along_axis(scores, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        indices[block] = np.take_along_axis(found, order, axis=1)
        distances[block] = space.distances(block + total, np.take_along_axis(values, order, axis=1))

    size = max(1, min(256, _BLOCK_ELEMENTS // total))
    starts = range(0, len(queries), size)
    in_threads(fill, [np.arange(start, min(start + size, len(queries))) for start in starts], progress)
    return indices, distances


def in_threads(work: Callable[[IntArray], None], blocks: list[IntArray], progress: Progress) -> None:
    """Do all blocks; what ``progress`` or ``work`` raises drops those not yet begun."""
    with one_thread(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        waiting = [pool.submit(work, block) for block in blocks]
        try:
            for done, future in enumerate(waiting, 1):
                future.result()
                progress(done, len(blocks))
        finally:
            pool.shutdown(cancel_futures=True)


def metric_rows(vectors: FloatArray, metric: str) -> FloatArray:
    """Return vectors in whose space the metric is an angle or a length: unit rows, centred unit rows, centred columns.

    Raises:
        SettingsError: for an unknown metric or numbers that are not finite.
    """
    if metric == "cosine":
        return unit_rows(vectors)
    if metric == "correlation":
        return unit_rows(finite(vectors) - vectors.mean(axis=1, keepdims=True))
    if metric == "euclidean":
        rows: FloatArray = np.array(finite(vectors), dtype=np.float32, order="C")
        rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        return rows
    raise SettingsError("Measuring distances", f"the metric is “{metric}”", f"choose one of {', '.join(METRICS)}")


@dataclass(frozen=True)
class _Space:
    """Rows and offsets such that ``rows[i] · rows[j] − offsets[j]`` is greatest for the j nearest to i."""

    rows: FloatArray
    offsets: FloatArray
    euclidean: bool

    @classmethod
    def of(cls, vectors: FloatArray, metric: str) -> _Space:
        """Return the space in which a metric is a product."""
        rows = metric_rows(vectors, metric)
        if metric == "euclidean":
            return cls(rows, _half_squares(rows), euclidean=True)
        return cls(rows, np.zeros(len(rows), dtype=np.float32), euclidean=False)

    def reduced(self, width: int) -> _Space:
        """Return the same rows along ``width`` principal axes, ordered by distance."""
        rows = along_axes(self.rows, *principal_axes(self.rows, width))
        return _Space(rows, _half_squares(rows), euclidean=True)

    def distances(self, block: IntArray, scores: FloatArray) -> FloatArray:
        """Return the distances of scored pairs; never negative."""
        if not self.euclidean:
            found: FloatArray = np.clip(1 - scores, 0, 2)
        else:
            found = np.sqrt(np.maximum(2 * (self.offsets[block, None] - scores), 0))
        return found


def _half_squares(rows: FloatArray) -> FloatArray:
    """Return |row|² / 2."""
    halves: FloatArray = np.einsum("ij,ij->i", rows, rows) / np.float32(2)
    return halves


def _blocks(total: int) -> list[IntArray]:
    """Return the positions in blocks whose score matrix stays small."""
    size = max(1, min(256, _BLOCK_ELEMENTS // total))
    return [np.arange(start, min(start + size, total)) for start in range(0, total, size)]


def _affordable(space: _Space, k: int, exact_work: int) -> tuple[_Space, int]:
    """Choose the cheapest space and surplus whose shortlists hold the neighbours; the full one where that is cheap."""
    total, width = space.rows.shape
    if total * total * width <= exact_work or k == 0:
        return space, 0
    probes = np.linspace(0, total - 1, _PROBES).astype(np.int64)
    least = _search(space, space, 0, probes, k)[1][:, -1:]
    reduced, surplus = space, 0
    for rung, surplus in _RUNGS:
        if rung >= width:
            return space, 0
        reduced = reduced if reduced.rows.shape[1] == rung else space.reduced(rung)
        if np.mean(_search(space, reduced, surplus, probes, k)[1] >= least - TIE_WIDTH) >= WANTED_RECALL:
            break
    return reduced, surplus


def _search(full: _Space, fast: _Space, surplus: int, block: IntArray, k: int) -> tuple[IntArray, FloatArray]:
    """Find the k best of each row of a block and their full scores, best first, themselves left out."""
    scores = fast.rows[block] @ fast.rows.T
    if fast.euclidean:
        scores -= fast.offsets
    scores[np.arange(len(block)), block] = -np.inf
    found = np.sort(top_columns(scores, min(k + surplus, len(full.rows) - 1)), axis=1)
    values = np.take_along_axis(scores, found, axis=1) if fast is full else _full_scores(full, block, found)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)


def _full_scores(full: _Space, block: IntArray, found: IntArray) -> FloatArray:
    """Return the scores in the full space of each row's shortlist, a few rows at a time to stay in the cache."""
    values = np.empty(found.shape, dtype=np.float32)
    for start in range(0, len(block), 8):
        part = slice(start, start + 8)
        others = full.rows[found[part]]
        values[part] = np.matmul(others, full.rows[block[part], :, None])[:, :, 0]
    values -= full.offsets[found]
    return values


def top_columns(scores: FloatArray, k: int) -> IntArray:
    """Return the columns of the k largest scores of each row, in no order.

    Columns are dealt into groups; the k largest lie in the k groups of largest maxima, so only those are looked at.
    """
    total = scores.shape[1]
    depth = int(np.sqrt(total / k))
    groups = total // depth
    if depth < 2 or groups <= k:
        return np.argpartition(scores, total - k, axis=1)[:, total - k :]
    maxima = scores[:, : groups * depth].reshape(-1, depth, groups).max(axis=1)
    best = np.argpartition(maxima, groups - k, axis=1)[:, groups - k :]
    columns = (best[:, :, None] + groups * np.arange(depth)).reshape(len(scores), -1)
    rest = np.broadcast_to(np.arange(groups * depth, total), (len(scores), total - groups * depth))
    columns = np.concatenate([columns, rest], axis=1)
    values = np.take_along_axis(scores, columns, axis=1)
    inner = np.argpartition(values, values.shape[1] - k, axis=1)[:, values.shape[1] - k :]
    return np.take_along_axis(columns, inner, axis=1)
