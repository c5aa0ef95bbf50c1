"""Which land the examples of a number, or the encoder, do not know, so that what is predicted there is a guess."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.numbers.regression import ValueModel
from core.evaluation.novelty import NOVEL_ABOVE
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

BY_ENCODER, BY_EXAMPLES, BY_BOTH = "encoder", "examples", "both"
"""Whom land is unfamiliar to, as files say it."""

_MOST_EXAMPLES = 2000
_AT_ONCE = 4096


def unfamiliar_land(
    model: ValueModel, ids: IntArray, vectors: FloatArray, novelty: FloatArray | None
) -> NDArray[np.object_]:
    """Return whom the land of each patch is unfamiliar to, of shape (N,): one of the words above, or None.

    Args:
        model: of the number.
        ids: of the patches, int64 of shape (N,), those that it was learned from among them.
        vectors: their features, shape (N, D), of any length.
        novelty: how strange each is to the encoder, percentiles of shape (N,); None = not known.
    """
    examples = unlike_examples(model, ids, vectors)
    strange = np.zeros(len(ids), np.bool_) if novelty is None else novelty > NOVEL_ABOVE
    found = np.full(len(ids), None, dtype=object)
    found[strange], found[examples], found[strange & examples] = BY_ENCODER, BY_EXAMPLES, BY_BOTH
    return found


def unlike_examples(model: ValueModel, ids: IntArray, vectors: FloatArray) -> NDArray[np.bool_]:
    """Return which patches are less like any example than examples are like those of other blocks, bool of shape (N,).

    It is the area of applicability (Meyer and Pebesma, “Predicting into unknown space?”, Methods in Ecology and
    Evolution 12, 2021): distances weigh features by the weights of the model; the limit is the largest distance of an
    example to those of other blocks that is no outlier, which is one above the third quartile by more than 1.5 times
    the distance between the quartiles. Examples themselves are known. Of many, some evenly chosen stand for all.

    Args:
        model: of the number.
        ids: of the patches, int64 of shape (N,); none is said to be unlike where no example is among them.
        vectors: their features, shape (N, D), of any length.
    """
    points = unit_rows(vectors).astype(np.float64) * model.weights
    own = np.isin(ids, model.patch_ids)
    blocks = np.arange(len(model.patch_ids)) if model.blocks is None else model.blocks
    place = {patch: row for row, patch in enumerate(ids.tolist())}
    rows = [(place[patch], block) for patch, block in zip(model.patch_ids.tolist(), blocks, strict=True)
            if patch in place]  # fmt: skip
    if len(rows) < 2:
        return np.zeros(len(ids), np.bool_)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_EXAMPLES)).round().astype(np.int64)
    at, block = np.array(rows, np.int64)[chosen].T
    known = points[at]
    apart = nearest(known, known, block[:, None] == block[None, :])
    low, high = np.quantile(apart[np.isfinite(apart)], [0.25, 0.75]) if np.isfinite(apart).any() else (0.0, np.inf)
    usual = apart[apart <= high + 1.5 * (high - low)]
    limit = float(usual.max()) if len(usual) else np.inf
    return (nearest(points, known) > limit * (1 + 1e-6)) & ~own


def nearest(
    points: NDArray[np.float64], known: NDArray[np.float64], left_out: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the distance of each point to the nearest of others, float64 of shape (N,); infinite where there is none.

    Args:
        points: shape (N, D).
        known: the others, shape (M, D).
        left_out: True = that one does not count for this point, shape (N, M).
    """
    found = np.empty(len(points))
    lengths = np.square(known).sum(axis=1)
    for start in range(0, len(points), _AT_ONCE):
        some = points[start : start + _AT_ONCE]
        squares = np.square(some).sum(axis=1)[:, None] + lengths - 2 * some @ known.T
        if left_out is not None:
            squares[left_out[start : start + _AT_ONCE]] = np.inf
        found[start : start + _AT_ONCE] = np.sqrt(np.maximum(squares.min(axis=1), 0.0))
    return found
