"""The layouts of the plot: principal components at once, UMAP when ready. Keeping them on disk is the pipeline's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, silent
from core.similarity.knn_graph import METRICS, knn_graph, metric_rows
from core.similarity.neighbours import unit_rows
from core.similarity.pca import along_axes, principal_axes

RADIUS = 10.0
"""Largest coordinate of a layout by principal components, and the side of the square UMAP starts in (umap-learn's)."""

LARGE = 10_000
"""Rows above which 200 epochs do, below 500 (umap-learn's)."""


@dataclass(frozen=True, kw_only=True)
class ProjectionSettings:
    """The frozen settings of a UMAP layout.

    Attributes:
        n_neighbors: how many patches count as near, the patch itself included: 2 to 200. Few show fine detail, many
            the large picture.
        min_dist: how close points may lie in the plot: 0 (dense clumps) to 0.99 (spread out).
        metric: what near means, one of ``core.similarity.knn_graph.METRICS``.
        seed: 0 to 2³² − 1; equal seeds give equal layouts.

    Raises:
        SettingsError: when a setting is out of range.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    metric: str = "cosine"
    seed: int = 42

    def __post_init__(self) -> None:
        _check(self.n_neighbors, "number of neighbours", 2, 200, whole=True)
        _check(self.min_dist, "minimum distance", 0, 0.99)
        _check(self.seed, "seed", 0, 2**32 - 1, whole=True)
        if self.metric not in METRICS:
            found = f"the metric is “{self.metric}”"
            raise SettingsError("Setting up the projection", found, f"choose one of {', '.join(METRICS)}")

    @property
    def key(self) -> str:
        """A name for files made with these settings: letters, digits, ``.`` and ``-``."""
        return f"umap-{self.n_neighbors}-{float(self.min_dist):g}-{self.metric}-{self.seed}"


def _check(value: float, name: str, least: float, most: float, *, whole: bool = False) -> None:
    kind = int if whole else (int, float)
    if not isinstance(value, kind) or isinstance(value, bool) or not least <= value <= most:
        remedy = f"choose a {'whole ' if whole else ''}number from {least} to {most}"
        raise SettingsError("Setting up the projection", f"the {name} is {value}", remedy)


def pca_layout(vectors: FloatArray) -> FloatArray:
    """Unit vectors along their first two principal axes, scaled to −10 … 10; the same input gives the same layout.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.

    Returns:
        float32 of shape (N, 2).

    Raises:
        SettingsError: when a number is not finite.
    """
    layout = _leading_two(unit_rows(vectors)) if len(vectors) else np.zeros((0, 2), np.float32)
    largest = np.abs(layout).max(initial=0)
    return layout if largest == 0 else layout * np.float32(RADIUS / largest)


def _leading_two(rows: FloatArray) -> FloatArray:
    """Coordinates along two principal axes, zeros where the rows have fewer."""
    found = along_axes(rows, *principal_axes(rows, 2))
    layout = np.zeros((len(rows), 2), dtype=np.float32)
    layout[:, : found.shape[1]] = found
    return layout


def umap_layout(
    vectors: FloatArray, settings: ProjectionSettings | None = None, progress: Progress | None = None
) -> FloatArray:
    """Vectors laid out by UMAP (McInnes, Healy and Melville, arXiv:1802.03426) from a start by principal components.

    The graph of ties is umap-learn's, computed from ``core.similarity.knn_graph.knn_graph``; the descent is
    ``core.projection.descent``. Reproducible on one machine: equal vectors, settings and versions give equal layouts.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.
        settings: None = the defaults; ``n_neighbors`` above N counts as N.
        progress: told (done, total); the first half of the total is the neighbours, the second the descent.

    Returns:
        float32 of shape (N, 2), centred.

    Raises:
        SettingsError: when a number is not finite.
    """
    from core.projection.descent import descend
    from core.projection.fuzzy_graph import curve, fuzzy_graph

    settings, progress = settings or ProjectionSettings(), progress or silent
    if len(vectors) < 2:
        return pca_layout(vectors)
    epochs = 200 if len(vectors) > LARGE else 500
    indices, distances = knn_graph(
        vectors,
        min(settings.n_neighbors, len(vectors)),
        settings.metric,
        progress=lambda done, total: progress(epochs * done // total, 2 * epochs),
    )
    layout = descend(
        _start(metric_rows(vectors, settings.metric), settings.seed),
        fuzzy_graph(indices, distances),
        *curve(settings.min_dist),
        epochs=epochs,
        seed=settings.seed,
        progress=lambda done, _: progress(epochs + done, 2 * epochs),
    )
    layout -= layout.mean(axis=0)
    return layout


def _start(rows: FloatArray, seed: int) -> FloatArray:
    """Principal components in a square, shaken a little so that equal vectors can part."""
    layout = _leading_two(rows)
    low, span = layout.min(axis=0), np.ptp(layout, axis=0)
    layout -= low
    layout *= np.float32(RADIUS) / np.where(span == 0, np.float32(1), span)
    layout += np.random.default_rng(seed).normal(scale=1e-4, size=layout.shape).astype(np.float32)
    return layout


def warm_up() -> None:
    """Load and compile what ``umap_layout`` needs, so that the first real call is quick."""
    umap_layout(np.random.default_rng(0).random((64, 8), dtype=np.float32))
