"""One layout in a process of its own: ``python -m tests.bench.layout_once plain|ours VECTORS.npy LAYOUT.npy``.

Prints seconds from the start of this module to the layout, imports and compilation included, reading the vectors not.
"""

from __future__ import annotations

import sys
import time

STARTED = time.perf_counter()


def main(kind: str, source: str, target: str) -> None:
    import numpy as np

    began = time.perf_counter()
    vectors = np.load(source)
    reading = time.perf_counter() - began
    if kind == "plain":
        import umap

        layout = umap.UMAP(metric="cosine").fit_transform(vectors)
    else:
        from core.projection import umap_layout

        layout = umap_layout(vectors)
    sys.stdout.write(str(time.perf_counter() - STARTED - reading))
    np.save(target, layout)


if __name__ == "__main__":
    main(*sys.argv[1:])
