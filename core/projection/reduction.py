"""Many long vectors as few principal components, in which the fast layout looks for neighbours."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray
from core.one_thread import one_thread
from core.progress import Progress, silent
from core.scenes.patches import IntArray
from core.similarity.knn_graph import EXACT_WORK, in_threads, metric_rows
from core.similarity.neighbours import finite
from core.similarity.pca import SAMPLE_ROWS, along_axes, principal_axes, regular_sample

KEPT_COMPONENTS = 64
"""Principal components kept. On real and made features the layout is as trustworthy as from all (``tests/bench``)."""

_BLOCK_ROWS = 1024


def worth_reducing(vectors: FloatArray) -> bool:
    """Tell whether there are so many numbers that neighbours are sought among principal components."""
    total, width = vectors.shape
    return bool(width > KEPT_COMPONENTS and total * total * width > EXACT_WORK)


def reduced(vectors: FloatArray, metric: str, progress: Progress = silent) -> FloatArray:
    """Return vectors along their leading principal axes in the space where a metric is a length.

    Args:
        vectors: float32 of shape (N, D), finite, N ≥ 1.
        metric: one of ``core.similarity.knn_graph.METRICS``. Squared lengths between rows are squared distances for
            ``euclidean``, and twice the distance for the others, less what the left-out components hold.
        progress: told (blocks done, blocks).

    Returns:
        float32 of shape (N, ``KEPT_COMPONENTS``), or fewer columns where N or D is less.

    Raises:
        SettingsError: for an unknown metric or numbers that are not finite.
    """

    def rows(some: FloatArray) -> FloatArray:
        return finite(some) if metric == "euclidean" else metric_rows(some, metric)

    with one_thread():
        mean, axes = principal_axes(rows(vectors[regular_sample(len(vectors), SAMPLE_ROWS)]), KEPT_COMPONENTS)
    found = np.empty((len(vectors), axes.shape[1]), np.float32)

    def fill(block: IntArray) -> None:
        part = slice(int(block[0]), int(block[-1]) + 1)
        found[part] = along_axes(rows(vectors[part]), mean, axes)

    starts = range(0, len(vectors), _BLOCK_ROWS)
    blocks = [np.arange(start, min(start + _BLOCK_ROWS, len(vectors))) for start in starts]
    in_threads(fill, blocks, progress)
    return found
