"""Moving points until tied ones lie together and others apart: the stochastic descent of UMAP, compiled and threaded.

The descent of McInnes, Healy and Melville (arXiv:1802.03426v3, section 3.2 and algorithm 5), with one change: in an
epoch every point moves seeing the others where the epoch before left them, as in the batch mode of uwot. So threads
need no locks, and the result depends on the input and the seed alone, never on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.progress import Progress, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_MAX_WORKERS = 8


def _epoch(  # noqa: PLR0917 -- compiled functions take positions
    old: FloatArray,
    new: FloatArray,
    starts: NDArray[np.int64],
    ends: NDArray[np.int32],
    rates: FloatArray,
    a: np.float32,
    b: np.float32,
    alpha: np.float32,
    epoch: int,
    seed: int,
    first: int,
    last: int,
) -> None:
    """Move the points first … last − 1 once: reads ``old``, writes ``new``.

    A tie of rate r takes part in r of all epochs. It pulls twice, for it stands in the graph in both directions, and
    each time five points at random push (umap-learn's ``negative_sample_rate``); no step exceeds 4 along an axis.
    """
    total = np.uint64(old.shape[0])
    one, four, tiny = np.float32(1), np.float32(4), np.float32(0.001)
    for i in range(first, last):
        x, y = old[i, 0], old[i, 1]
        # xorshift64* (Vigna 2016), started from a multiplicative hash of seed, epoch and point.
        state = (np.uint64(seed) * np.uint64(1_000_003) + np.uint64(epoch)) * np.uint64(1_000_003) + np.uint64(i + 1)
        state *= np.uint64(0x9E3779B97F4A7C15)
        state ^= state >> np.uint64(29)
        for edge in range(starts[i], starts[i + 1]):
            rate = rates[edge]
            if np.floor((epoch + 1) * rate) == np.floor(epoch * rate):
                continue
            j = np.int64(ends[edge])
            dx, dy = x - old[j, 0], y - old[j, 1]
            square = dx * dx + dy * dy
            if square > 0:
                power = square**b
                pull = np.float32(-2) * a * b * power / (square * (a * power + one))
                x += np.float32(2) * alpha * min(max(pull * dx, -four), four)
                y += np.float32(2) * alpha * min(max(pull * dy, -four), four)
            # All five push from one place, so that the processor can work on them side by side.
            from_x, from_y = x, y
            for _ in range(5):
                state ^= state >> np.uint64(12)
                state ^= state << np.uint64(25)
                state ^= state >> np.uint64(27)
                drawn = (state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(32)
                j = np.int64((drawn * total) >> np.uint64(32))
                dx, dy = from_x - old[j, 0], from_y - old[j, 1]
                square = dx * dx + dy * dy
                if square > 0 and i != j:
                    push = np.float32(2) * b / ((tiny + square) * (a * square**b + one))
                    x += alpha * min(max(push * dx, -four), four)
                    y += alpha * min(max(push * dy, -four), four)
        new[i, 0] = x
        new[i, 1] = y


@cache
def compiled() -> Callable[..., None]:
    """Return ``_epoch`` as machine code; kept on disk beside this module, or in the user's cache, for next time."""
    import numba

    try:
        function: Callable[..., None] = numba.njit(cache=True, nogil=True, fastmath=True)(_epoch)
    except RuntimeError:  # no directory numba may write to
        function = numba.njit(nogil=True, fastmath=True)(_epoch)
    return function


def optimise_layout(
    start: FloatArray, graph: csr_matrix, a: float, b: float, *, epochs: int, seed: int, progress: Progress = silent
) -> FloatArray:
    """Return positions after the descent.

    Args:
        start: float32 of shape (N, 2), no two points at one place.
        graph: symmetric scipy CSR matrix of shape (N, N), weights in (0, 1], at least one of them.
        a: shape of the attraction, from ``core.projection.fuzzy_graph.curve``.
        b: likewise.
        epochs: how often each point moves.
        seed: 0 or more; equal seeds give equal results.
        progress: told after every epoch.

    Returns:
        float32 of shape (N, 2).
    """
    move = compiled()
    kept = graph.multiply(graph >= graph.data.max() / epochs).tocsr()
    kept.sort_indices()
    rates = (kept.data / kept.data.max()).astype(np.float32)
    ties = (kept.indptr.astype(np.int64), kept.indices.astype(np.int32), rates, np.float32(a), np.float32(b))
    old = np.array(start, dtype=np.float32, order="C")
    new = old.copy()
    workers = min(_MAX_WORKERS, os.cpu_count() or 1, 1 + len(old) // 500)
    bounds = [int(bound) for bound in np.linspace(0, len(old), workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        for epoch in range(epochs):
            rest = (*ties, np.float32(1 - epoch / epochs), epoch, seed)
            parts = [pool.submit(move, old, new, *rest, *bounds[i : i + 2]) for i in range(workers)]
            for part in parts:
                part.result()
            old, new = new, old
            progress(epoch + 1, epochs)
    return old
