"""Layouts by umap-learn: UMAP as its authors wrote it, densMAP, and UMAP supervised by labels.

umap-learn gets our nearest neighbours and our start, and does the rest. The neighbours go in through its argument
``precomputed_knn``: ours are compared pair by pair and the same in every run, its own are approximate and depend on
chance and threads, take about half of its time at 2048 features, and tell neither progress nor let themselves be
stopped. The start is by principal components, as that of the fast layout, so that the methods' pictures can be laid
side by side; its own, spectral one can be neither watched nor stopped. All that follows runs in one thread, which
umap-learn needs to give the same layout for the same seed.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, part_of, silent
from core.projection.layout import pca_layout, start_layout
from core.projection.machine_code import keep_compiled
from core.projection.settings import LEAST_ROWS, ProjectionSettings
from core.projection.umap_progress import LastTold, compilation_told, epochs_told, watched
from core.scenes.patches import IntArray
from core.similarity.knn_graph import knn_graph, metric_rows

UNLABELLED = -1
"""What umap-learn takes for the class of a row that has none."""

_NEIGHBOURS, _GRAPH, _MOVING = 250, 270, 300
"""Thousandths of the work after which neighbours and their graph are known, and after which points begin to move."""

_PACKAGES = ("numba", "sklearn.metrics", "pynndescent", "umap")
"""What takes longest to import, one after the other."""

_FARTHEST = np.float32(1.9999)
"""umap-learn takes a row out of the layout when all others are opposite, at a cosine or correlation distance of 2."""


def umap_learn_layout(
    vectors: FloatArray,
    settings: ProjectionSettings,
    labels: IntArray | None = None,
    progress: Progress = silent,
) -> FloatArray:
    """Lay vectors out by umap-learn; equal input, seed and versions give equal layouts.

    Sources: McInnes, Healy and Melville (arXiv:1802.03426) for UMAP, with labels by its section on supervised
    dimension reduction in umap-learn's manual; Narayan, Berger and Cho, "Assessing single-cell transcriptomic
    variability through density-preserving data visualization" (2021) for densMAP.

    Args:
        vectors: float32 of shape (N, D), finite; below ``LEAST_ROWS`` rows they are laid out by principal components.
        settings: method, metric and the rest; ``n_neighbors`` above N − 1 counts as N − 1.
        labels: classes of shape (N,), counted from 0, −1 = none; for the supervised method only.
        progress: told thousandths; what it raises ends the work: between epochs, in the loop that looks distances up
            for densMAP, between steps of numba's compiling, and between packages that are imported.

    Returns:
        float32 of shape (N, 2), centred.

    Raises:
        SettingsError: when a number is not finite, when a supervised layout has fewer than two classes to go by, or
            when umap-learn finds no place for some rows.
    """
    told = LastTold(progress)
    target = _target(labels, len(vectors)) if settings.method == "supervised" else None
    if len(vectors) < LEAST_ROWS:
        return pca_layout(vectors)
    near = min(settings.n_neighbors, len(vectors) - 1)
    indices, distances = knn_graph(vectors, near, settings.metric, progress=part_of(told, 0, _NEIGHBOURS))
    if settings.metric != "euclidean":
        distances = np.minimum(distances, _FARTHEST)
    start = start_layout(metric_rows(vectors, settings.metric), settings.seed)
    told.again()
    dense = settings.method == "densmap" and _densities_differ(distances)
    with quiet_umap(told.again) as umap, compilation_told(told.again):
        model = umap.UMAP(
            n_neighbors=near,
            min_dist=settings.min_dist,
            metric=settings.metric,
            target_metric="categorical",
            densmap=dense,
            init=start,
            precomputed_knn=(indices, distances),
            random_state=settings.seed,
            n_jobs=1,
            tqdm_kwds=epochs_told(part_of(told, _MOVING, 1000), _epochs(len(vectors), dense=dense)),
        )
        watched(model, part_of(told, _GRAPH, _MOVING))
        layout: FloatArray = model.fit(vectors, target).embedding_.astype(np.float32)
    if not np.isfinite(layout).all():
        found = "umap-learn finds no place for some of them"
        raise SettingsError("Arranging patches", found, "choose the method “fast”")
    layout -= layout.mean(axis=0)
    return layout


def _target(labels: IntArray | None, count: int) -> IntArray:
    """Return labels that umap-learn can be taught by.

    Raises:
        SettingsError: when there are fewer than two classes.
    """
    found = np.full(count, UNLABELLED) if labels is None else labels
    classes = np.unique(found[found >= 0])
    if len(classes) < 2:
        what = "no patch has a label" if not len(classes) else "all labelled patches are of one class"
        raise SettingsError("Arranging patches by their labels", what, "label patches of two classes or more")
    return np.where(found >= 0, found, UNLABELLED)


def _densities_differ(distances: FloatArray) -> bool:
    """Tell whether there are densities for densMAP to keep: where all are equal it divides by zero, and UMAP does."""
    reach = distances[:, 1:].mean(axis=1)
    return bool(np.ptp(reach) > 1e-6 * max(float(reach.max()), 1e-12))


def _epochs(count: int, *, dense: bool) -> int:
    """Return umap-learn's own number of epochs for so many rows."""
    return (500 if count <= 10_000 else 200) + (200 if dense else 0)


@contextmanager
def quiet_umap(heard: Callable[[], None] = lambda: None) -> Iterator[ModuleType]:
    """Give umap-learn, imported without TensorFlow, which it would load for a variant that is not used here.

    Inside, its warnings are silent: on precomputed neighbours and on the one thread that a seed asks for. Afterwards
    numba has as many threads as before; umap-learn sets it to one for a seed, and leaves it so when it is stopped.

    Args:
        heard: called after each package that takes long to import; what it raises ends the work.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        umap = _imported(heard)
        import numba

        threads = numba.get_num_threads()
        try:
            yield umap
        finally:
            numba.set_num_threads(threads)


def _imported(heard: Callable[[], None]) -> ModuleType:
    """Import umap-learn, what it needs first, with no TensorFlow to be found."""
    absent = "tensorflow" not in sys.modules
    if absent:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        for name in _PACKAGES:
            importlib.import_module(name)
            heard()
    finally:
        if absent:
            del sys.modules["tensorflow"]
    keep_compiled(name for name in list(sys.modules) if name.partition(".")[0] == "umap")
    return sys.modules["umap"]
