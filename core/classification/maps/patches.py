"""The class of every patch of a scene by a head, as its map is wanted."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from core.bands import FloatArray
from core.classification.cells import patch_chances, smoothed_cells
from core.classification.heads import Head
from core.classification.maps.choice import MapChoice
from core.evaluation.classifier import Named
from core.scenes.patches import IntArray, PatchGrid


@lru_cache(maxsize=16)
def head_key(head: Head) -> str:
    """Return what tells a head from any other, 16 hexadecimal digits."""
    state = hashlib.blake2b(repr((head.kind, head.classes, head.temperature)).encode(), digest_size=8)
    for name, part in sorted(head.model.arrays().items()):
        state.update(name.encode())
        state.update(np.ascontiguousarray(part).tobytes())
    return state.hexdigest()


def named_patches(
    head: Head, vectors: FloatArray, choice: MapChoice, *, key: str, grid: PatchGrid | None, ids: IntArray
) -> Named:
    """Return the class of every patch, its probability, and from which probability on it counts.

    Args:
        head: that names them.
        vectors: features of shape (N, D), of any length.
        choice: how the map is wanted.
        key: what tells this map from any other.
        grid: of the patches; None = it is not known which lie beside each other, so that nothing is smoothed.
        ids: of the patches, int64 of shape (N,).

    Raises:
        EncoderError: when the features are not of the head's encoder.
    """
    found = head.predict(vectors)
    if choice.smoothing != "none" and grid is not None:
        cells = smoothed_cells(patch_chances(grid, ids, found.chances), choice.smoothing)
        found = found.with_chances(cells.chances[grid.rows_cols(ids)], 0.0)
    return Named(
        classes=found.classes, index=found.index, confidence=found.confidence, calibrated=head.calibrated, key=key,
        heard=None if choice.strange else ~found.novel, sure_from=choice.below, strange=choice.strange,
    )  # fmt: skip
