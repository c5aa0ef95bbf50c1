"""Placing new vectors into a layout that is there: scenes and dates to come, drawn among the points of before.

umap-learn's ``transform`` does it: each new vector begins at the mean of its neighbours' places, weighted by how near
they are, and is then moved by UMAP's own forces while all other points stay. ``transform`` wants a fitted model. One is
made around the layout, whatever method that is of: of distances to neighbours, not of vectors (umap-learn's metric
``precomputed``), fitted as far as its graph, which ``transform`` does not read, and with the layout as what it would
have made. So new vectors' neighbours are found by us, exactly, and the layout's own need not be found again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, part_of, silent
from core.projection.settings import LEAST_ROWS, ProjectionSettings
from core.projection.umap_learn import quiet_umap
from core.projection.umap_progress import LastTold, compilation_told, epochs_told
from core.similarity.knn_graph import knn_among
from core.similarity.neighbours import TIE_WIDTH

_NEIGHBOURS = 500
"""Thousandths of the work after which neighbours are known."""


def place(
    vectors: FloatArray,
    features: FloatArray,
    layout: FloatArray,
    settings: ProjectionSettings,
    progress: Progress = silent,
) -> FloatArray:
    """Find places in a layout for vectors that were not laid out; equal input and seed give equal places.

    Args:
        vectors: the new ones, float32 of shape (M, D), finite; any M, 0 included.
        features: those of the layout, float32 of shape (N, D), finite; N at least 1.
        layout: their places, float32 of shape (N, 2), by any method.
        settings: those that the layout was made by.
        progress: told thousandths; what it raises ends the work.

    Returns:
        float32 of shape (M, 2), in the coordinates of the layout. A vector equal to one of the layout begins at that
        one's place. In layouts of fewer than ``LEAST_ROWS`` points each gets the place of its nearest.

    Raises:
        SettingsError: when a number is not finite, or shapes do not fit each other.
    """
    _check_shapes(vectors, features, layout)
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    near = max(1, min(settings.n_neighbors, len(features) - 1))
    indices, distances = knn_among(vectors, features, near, settings.metric, progress=part_of(progress, 0, _NEIGHBOURS))
    if len(features) < LEAST_ROWS:
        return layout[indices[:, 0]].astype(np.float32)
    # Rounding must not part twins: to ``transform`` only a distance of zero means the same place.
    distances[distances < TIE_WIDTH * max(1.0, float(distances.max()))] = 0
    return _transform(indices, distances, layout, settings, part_of(progress, _NEIGHBOURS, 1000))


def _check_shapes(vectors: FloatArray, features: FloatArray, layout: FloatArray) -> None:
    asked = "Placing patches into a layout"
    if not len(features):
        raise SettingsError(asked, "the layout has no points", "arrange some patches first")
    if layout.shape != (len(features), 2):
        found = f"{len(features)} features and a layout of shape {layout.shape}"
        raise SettingsError(asked, found, "give a layout of just these features")
    if len(vectors) and vectors.shape[1] != features.shape[1]:
        found = f"{vectors.shape[1]} numbers a patch, and {features.shape[1]} in the layout"
        raise SettingsError(asked, found, "encode them by the encoder of the layout")


def _transform(
    indices: NDArray[np.int32],
    distances: FloatArray,
    layout: FloatArray,
    settings: ProjectionSettings,
    progress: Progress,
) -> FloatArray:
    """Return what umap-learn's ``transform`` gives for vectors with these neighbours in a layout."""
    from scipy.sparse import csr_matrix

    (count, near), total = indices.shape, len(layout)
    ring = (np.arange(total)[:, None] + np.arange(near)) % total
    told = LastTold(progress)
    with quiet_umap(told.again) as umap, compilation_told(told.again):
        model = umap.UMAP(
            n_neighbors=near,
            min_dist=settings.min_dist,
            metric="precomputed",
            precomputed_knn=(ring, np.ones(ring.shape, np.float32)),
            transform_mode="graph",
            random_state=settings.seed,
            transform_seed=settings.seed,
            n_jobs=1,
            tqdm_kwds=epochs_told(told, 100 if count <= 10_000 else 30),
        ).fit(csr_matrix((total, total), dtype=np.float32))
        model.transform_mode, model.embedding_ = "embedding", np.ascontiguousarray(layout, np.float32)
        starts = np.arange(0, count * near + 1, near)
        known = csr_matrix((distances.ravel(), indices.ravel(), starts), shape=(count, total))
        places: FloatArray = model.transform(known).astype(np.float32)
    return places
