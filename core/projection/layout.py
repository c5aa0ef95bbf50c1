"""The layouts of the plot: principal components at once, UMAP when ready. Keeping them on disk is ``store``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.one_thread import one_thread
from core.progress import Progress, part_of, silent
from core.projection.reduction import reduced, worth_reducing
from core.projection.settings import ProjectionSettings
from core.scenes.patches import IntArray
from core.similarity.knn_graph import knn_graph, metric_rows
from core.similarity.neighbours import unit_rows
from core.similarity.pca import along_axes, principal_axes

SPREAD = 10.0
"""Largest coordinate of a layout by principal components, and the side of the square UMAP starts in (umap-learn's)."""

MANY_ROWS = 10_000
"""Rows above which 200 epochs do, below 500 (umap-learn's)."""


def pca_layout(vectors: FloatArray) -> FloatArray:
    """Return unit vectors along their first two principal axes, scaled to −10 … 10; equal input gives equal layouts.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.

    Returns:
        float32 of shape (N, 2).

    Raises:
        SettingsError: when a number is not finite.
    """
    layout = _leading_two(unit_rows(vectors)) if len(vectors) else np.zeros((0, 2), np.float32)
    largest = np.abs(layout).max(initial=0)
    return layout if largest == 0 else layout * np.float32(SPREAD / largest)


def _leading_two(rows: FloatArray) -> FloatArray:
    """Return coordinates along two principal axes, zeros where the rows have fewer."""
    found = along_axes(rows, *principal_axes(rows, 2))
    layout = np.zeros((len(rows), 2), dtype=np.float32)
    layout[:, : found.shape[1]] = found
    return layout


def fast_layout(
    vectors: FloatArray,
    settings: ProjectionSettings | None = None,
    _labels: IntArray | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Lay vectors out by UMAP (McInnes, Healy and Melville, arXiv:1802.03426) from a start by principal components.

    The graph of ties is umap-learn's, computed from ``core.similarity.knn_graph.knn_graph``; the descent is
    ``core.projection.descent``. Neighbours of many long vectors are those along 64 principal components. Equal vectors,
    settings and versions give equal layouts, whatever the number of threads.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.
        settings: None = the defaults; ``n_neighbors`` above N counts as N.
        progress: told (done, total); the first half of the total is the neighbours, the second the descent.

    Returns:
        float32 of shape (N, 2), centred.

    Raises:
        SettingsError: when a number is not finite.
    """
    from core.projection.descent import optimise_layout
    from core.projection.fuzzy_graph import curve, fuzzy_graph

    settings, progress = settings or ProjectionSettings(), progress or silent
    if len(vectors) < 2:
        return pca_layout(vectors)
    epochs = 200 if len(vectors) > MANY_ROWS else 500
    indices, distances, start = _near_and_start(
        vectors, settings, progress=lambda done, total: progress(epochs * done // total, 2 * epochs)
    )
    layout = optimise_layout(
        start,
        fuzzy_graph(indices, distances),
        *curve(settings.min_dist),
        epochs=epochs,
        seed=settings.seed,
        progress=lambda done, _: progress(epochs + done, 2 * epochs),
    )
    layout -= layout.mean(axis=0)
    return layout


def _near_and_start(
    vectors: FloatArray, settings: ProjectionSettings, progress: Progress
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Return neighbours, their distances, and where points start; of many long vectors by their components."""
    near, metric = min(settings.n_neighbors, len(vectors)), settings.metric
    if not worth_reducing(vectors):
        indices, distances = knn_graph(vectors, near, metric, progress=progress)
        return indices, distances, start_layout(metric_rows(vectors, metric), settings.seed)
    rows = reduced(vectors, metric, part_of(progress, 0, 300))
    indices, distances = knn_graph(rows, near, "euclidean", progress=part_of(progress, 300, 1000))
    if metric != "euclidean":
        distances *= distances / np.float32(2)  # of unit vectors, the distance that the metric names
    return indices, distances, start_layout(rows, settings.seed)


def start_layout(rows: FloatArray, seed: int) -> FloatArray:
    """Return principal components in a square, float32 of shape (N, 2), shaken a little so that equal rows can part."""
    with one_thread():
        layout = _leading_two(rows)
    low, span = layout.min(axis=0), np.ptp(layout, axis=0)
    layout -= low
    layout *= np.float32(SPREAD) / np.where(span == 0, np.float32(1), span)
    layout += np.random.default_rng(seed).normal(scale=1e-4, size=layout.shape).astype(np.float32)
    return layout


def warm_up() -> None:
    """Load and compile what ``fast_layout`` needs, so that the first real call is quick."""
    fast_layout(np.random.default_rng(0).random((64, 8), dtype=np.float32))
