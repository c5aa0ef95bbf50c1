"""The weighted graph UMAP lays out: how strongly each vector is tied to its neighbours. Laying out is elsewhere.

Formulas: McInnes, Healy and Melville, "UMAP", arXiv:1802.03426v3, section 3.1 and algorithms 2 to 3; the constants are
those of umap-learn 0.5, whose results the tests hold these against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_TOLERANCE = 1e-5
_BISECTIONS = 64
_LEAST_SIGMA = 1e-3


def fuzzy_graph(indices: NDArray[np.int32], distances: FloatArray) -> csr_matrix:
    """Return ties between vectors from their nearest neighbours.

    Args:
        indices: int32 of shape (N, k), each row itself first, then its neighbours.
        distances: float32 of shape (N, k), rising along each row.

    Returns:
        A symmetric scipy CSR matrix of shape (N, N) and float32 weights in (0, 1]: the probability that either of two
        vectors holds the other for near, a + b − ab.
    """
    import scipy.sparse

    total, k = indices.shape
    sigma, rho = smooth_distances(distances)
    excess = distances - rho[:, None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        weights = np.where(excess <= 0, 1, np.exp(-excess / sigma[:, None]))
    weights[indices == np.arange(total)[:, None]] = 0
    starts = np.arange(0, total * k + 1, k)
    parts = (weights.ravel(), indices.flatten(), starts)  # a copy: the matrix drops zeros in place
    directed = scipy.sparse.csr_matrix(parts, shape=(total, total))
    directed.eliminate_zeros()
    product = directed.multiply(directed.T)
    graph = (directed + directed.T - product).tocsr().astype(np.float32)
    graph.eliminate_zeros()
    graph.sort_indices()
    return graph


def smooth_distances(distances: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scale σ of each row, where its ties sum to log2(k), and ρ, the distance of its nearest other vector.

    Args:
        distances: float32 of shape (N, k), the first column the row itself.

    Returns:
        σ and ρ, each of shape (N,).
    """
    rows = distances.astype(np.float64)
    rho = np.where(rows > 0, rows, np.inf).min(axis=1)
    rho[~np.isfinite(rho)] = 0
    target = np.log2(rows.shape[1])
    excess = np.maximum(rows[:, 1:] - rho[:, None], 0)
    low, high, sigma = np.zeros(len(rows)), np.full(len(rows), np.inf), np.ones(len(rows))
    open_rows = np.arange(len(rows))
    for _ in range(_BISECTIONS):
        surplus = np.exp(-excess[open_rows] / sigma[open_rows, None]).sum(axis=1) - target
        unsettled = np.abs(surplus) >= _TOLERANCE
        open_rows, surplus = open_rows[unsettled], surplus[unsettled]
        above, below = open_rows[surplus > 0], open_rows[surplus <= 0]
        high[above], low[below] = sigma[above], sigma[below]
        bounded = np.isfinite(high[open_rows])
        halved, doubled = open_rows[bounded], open_rows[~bounded]
        sigma[halved] = (low[halved] + high[halved]) / 2
        sigma[doubled] *= 2
    floor = _LEAST_SIGMA * np.where(rho > 0, rows.mean(axis=1), rows.mean())
    return np.maximum(sigma, floor), rho


def curve(min_dist: float) -> tuple[float, float]:
    """Return a and b for which 1 / (1 + a·d^2b) is nearest to 1 up to ``min_dist`` and exp(min_dist − d) beyond."""
    from scipy.optimize import curve_fit

    distance = np.linspace(0, 3, 300)
    wanted = np.where(distance < min_dist, 1, np.exp(min_dist - distance))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), distance, wanted)
    return float(a), float(b)
