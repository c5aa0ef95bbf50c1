"""Groups of patches that are alike, for colouring the plot; no labels, no files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.similarity.neighbours import unit_rows
from core.similarity.pca import principal_axes, project

CHOICES = range(4, 11)
"""Numbers of clusters tried when none is given; there are as many colours that people can tell apart."""

_COMPONENTS = 20
_SAMPLE = 2500
_SILHOUETTE_SAMPLE = 1200
_FEW = 512
_RESTARTS = 2
_ROUNDS = 40
_NEARLY_BEST = 0.95


def cluster(vectors: FloatArray, n_clusters: int | None = None, seed: int = 0) -> NDArray[np.int16]:
    """K-means on the leading principal components of unit vectors; equal input gives equal clusters.

    Without a number, the largest of ``CHOICES`` is taken whose mean silhouette (Rousseeuw 1987) on a sample comes
    within 5 % of the best: more groups tell more where they are as distinct.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.
        n_clusters: 1 to 100, or None; fewer come back where fewer vectors differ.
        seed: for the starting centres.

    Returns:
        int16 of shape (N,): 0 is the largest cluster, 1 the next.

    Raises:
        SettingsError: for a number out of range, or features that are not finite.
    """
    if n_clusters is not None and not 1 <= n_clusters <= 100:
        raise SettingsError("Grouping patches", f"{n_clusters} groups were asked for", "ask for 1 to 100")
    if not len(vectors):
        return np.zeros(0, dtype=np.int16)
    rows = unit_rows(vectors)
    points = project(rows, *principal_axes(rows, _COMPONENTS))
    sample = points[_spread(len(points), _SAMPLE)]
    random = np.random.default_rng(seed)
    centres = _best(sample, random) if n_clusters is None else k_means(sample, n_clusters, random)
    return _by_size(_assign(points, centres))


def _spread(total: int, wanted: int) -> NDArray[np.int64]:
    return np.linspace(0, total - 1, min(total, wanted)).astype(np.int64)


def _best(sample: FloatArray, random: np.random.Generator) -> FloatArray:
    """Centres for the number of clusters that suits the sample."""
    few = sample[_spread(len(sample), _SILHOUETTE_SAMPLE)]
    distances = np.sqrt(np.maximum(_squares(few, few), 0))
    found = [k_means(sample, count, random) for count in CHOICES if 2 * count <= len(sample)]
    if not found:
        return k_means(sample, 1, random)
    scores = [silhouette(distances, _assign(few, centres)) for centres in found]
    good = [position for position, score in enumerate(scores) if score >= _NEARLY_BEST * max(scores)]
    return found[max(good, key=lambda position: len(found[position]))] if good else found[int(np.argmax(scores))]


def k_means(points: FloatArray, count: int, random: np.random.Generator) -> FloatArray:
    """Centres by Lloyd's rounds from k-means++ starts (Arthur and Vassilvitskii 2007), the best of a few restarts.

    Returns:
        float32 of shape (at most count, D): fewer where fewer points differ.
    """
    best, least = points[:1], np.inf
    for _ in range(_RESTARTS):
        centres = _starts(points, count, random)
        owner = _assign(points, centres)
        for _ in range(_ROUNDS):
            centres = _means(points, owner, centres)
            before, owner = owner, _assign(points, centres)
            if np.array_equal(before, owner):
                break
        cost = float(np.square(points - centres[owner], dtype=np.float64).sum())
        if cost < least:
            best, least = centres, cost
    return best


def _starts(points: FloatArray, count: int, random: np.random.Generator) -> FloatArray:
    """Points far from each other, each drawn with the square of its distance to those before."""
    chosen = [int(random.integers(len(points)))]
    nearest = _squares(points, points[chosen])[:, 0].astype(np.float64)
    tiny = 1e-10 * max(1.0, float(np.square(points).sum(axis=1).max()))
    while len(chosen) < count:
        nearest[nearest < tiny] = 0
        if not nearest.any():
            break
        chosen.append(int(np.searchsorted(np.cumsum(nearest), random.random() * nearest.sum(), side="right")))
        nearest = np.minimum(nearest, _squares(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _means(points: FloatArray, owner: NDArray[np.int64], centres: FloatArray) -> FloatArray:
    """The mean of each cluster; an empty one keeps its centre."""
    counts = np.bincount(owner, minlength=len(centres))
    filled = np.flatnonzero(counts)
    # Summing sorted runs beats a product with a membership matrix, whose threads cost more than the work.
    starts = np.concatenate([[0], np.cumsum(counts[filled])[:-1]])
    sums = np.add.reduceat(points[np.argsort(owner, kind="stable")], starts, axis=0)
    means = centres.copy()
    means[filled] = sums / counts[filled, None]
    return means


def _squares(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Squared distances, shape (points, centres)."""
    lengths = np.einsum("ij,ij->i", points, points)[:, None] + np.einsum("ij,ij->i", centres, centres)
    squares: FloatArray = lengths - 2 * points @ centres.T
    return np.maximum(squares, 0, out=squares)


def _assign(points: FloatArray, centres: FloatArray) -> NDArray[np.int64]:
    """The nearest centre of each point."""
    halves = np.einsum("ij,ij->i", centres, centres) / np.float32(2)
    # Products this small stay on one thread, whose start and end would cost more than the work on a busy machine.
    parts = [points[at : at + _FEW] @ centres.T for at in range(0, len(points), _FEW)]
    owner: NDArray[np.int64] = (np.concatenate(parts) - halves).argmax(axis=1)
    return owner


def silhouette(distances: FloatArray, owner: NDArray[np.int64]) -> float:
    """Mean silhouette of clustered points from all their distances (N, N); 0 for a single cluster.

    Rousseeuw (1987): (b − a) / max(a, b), with a the mean distance to the own cluster's others and b the least mean
    distance to another cluster; 0 for a point alone in its cluster.
    """
    names, owner = np.unique(owner, return_inverse=True)
    if len(names) < 2:
        return 0.0
    members = (owner[:, None] == np.arange(len(names))).astype(np.float32)
    counts, rows = members.sum(axis=0), np.arange(len(owner))
    sums = distances @ members
    own = sums[rows, owner] / np.maximum(counts[owner] - 1, 1)
    means = sums / counts
    means[rows, owner] = np.inf
    other = means.min(axis=1)
    widest = np.maximum(own, other)
    values = np.where((counts[owner] > 1) & (widest > 0), (other - own) / np.where(widest > 0, widest, 1), 0)
    return float(values.mean())


def _by_size(owner: NDArray[np.int64]) -> NDArray[np.int16]:
    """Clusters renamed so that 0 is the largest; equal sizes by their first member."""
    names, first, inverse, counts = np.unique(owner, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=np.int16)
    rank[np.lexsort((first, -counts))] = np.arange(len(names))
    return rank[inverse]
