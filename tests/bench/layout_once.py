"""One layout in a process of its own: ``python -m tests.bench.layout_once KIND VECTORS.npy LAYOUT.npy``.

``KIND`` is ``plain``, ``handed``, ``ours`` or ``manifolds``.

``plain`` is umap-learn as it comes; ``handed`` is umap-learn at its best for us: seeded, with our neighbours and our
start handed to it, and without TensorFlow, which it would import. ``manifolds`` is the Rust library manifolds-rs on 64
principal components, which no requirements file lists; see ``core/projection/README.md``.

Prints seconds from the start of this module to the layout, imports and compilation included, reading the vectors not.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

STARTED = time.perf_counter()


def handed(vectors: np.ndarray) -> np.ndarray:
    """umap-learn's layout from our neighbours and our first two principal components."""
    from core.projection.layout import pca_layout
    from core.similarity.knn_graph import knn_graph

    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    import umap

    start = pca_layout(vectors)
    start *= 10 / abs(start).max()
    return umap.UMAP(
        metric="cosine", precomputed_knn=(*knn_graph(vectors, 15), None), init=start, random_state=42, n_jobs=1
    ).fit_transform(vectors)


def manifolds(vectors: np.ndarray) -> np.ndarray:
    """The layout of manifolds-rs, given exact neighbours and as many epochs as ours."""
    from importlib import import_module

    from core.projection.reduction import reduced

    library = import_module("manifolds_rs")
    return library.UMAP(n_neighbors=15, min_dist=0.1, n_epochs=200, ann="kmknn", seed=42).fit_transform(
        reduced(vectors, "cosine")
    )


def main(kind: str, source: str, target: str) -> None:
    import numpy as np

    began = time.perf_counter()
    vectors = np.load(source)
    reading = time.perf_counter() - began
    if kind == "plain":
        import umap

        layout = umap.UMAP(metric="cosine").fit_transform(vectors)
    elif kind == "manifolds":
        layout = manifolds(vectors)
    elif kind == "handed":
        layout = handed(vectors)
    else:
        from core.projection.layout import fast_layout

        layout = fast_layout(vectors)
    sys.stdout.write(str(time.perf_counter() - STARTED - reading))
    np.save(target, layout)


if __name__ == "__main__":
    main(*sys.argv[1:])
