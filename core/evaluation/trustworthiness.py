"""How true a layout is to the features it was made from, point by point: trustworthiness and continuity.

Both compare who is near in the plane with who is near among the features. Making layouts is ``core.projection.layout``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, silent
from core.scenes.patches import IntArray
from core.similarity.knn_graph import in_threads, metric_rows, top_columns

PLOT_NEAREST = 10
"""Neighbours of each point that are compared."""

MISPLACED = 0.25
"""Distortion from which a point is called misplaced: half of what a layout at random would give."""

BLOCK_SCORES = 4_000_000
"""Scores of pairs that a thread holds at once."""


@dataclass(frozen=True, kw_only=True)
class Trustworthiness:
    """How true a layout is to the features.

    Attributes:
        k: how many nearest were compared.
        rows: int64 of shape (M,), the points that were asked; all others were candidates.
        trust: float32 of shape (M,), 1 = the nearest in the plane are nearest among the features too; the less, the
            farther off some of them are. Its mean is the trustworthiness.
        continuity: float32 of shape (M,), 1 = the nearest among the features are nearest in the plane too. Its mean is
            the continuity.
        kept: float32 of shape (M,), share of the k nearest that are the same in both.
    """

    k: int
    rows: IntArray
    trust: FloatArray
    continuity: FloatArray
    kept: FloatArray

    @property
    def distortion(self) -> FloatArray:
        """How badly each point is placed, float32 of shape (M,): 0 = perfectly, about 0.5 = at random."""
        worse: FloatArray = np.clip(1 - np.minimum(self.trust, self.continuity), 0, 1)
        return worse


def trustworthiness(
    vectors: FloatArray,
    layout: FloatArray,
    metric: str = "cosine",
    *,
    k: int = PLOT_NEAREST,
    rows: IntArray | None = None,
    block_scores: int = BLOCK_SCORES,
    progress: Progress = silent,
) -> Trustworthiness:
    """Compare neighbours in the plane with neighbours among features, exactly.

    Source: J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods" (ICANN 2001), with the
    factor of ``sklearn.manifold.trustworthiness``; continuity is the same with plane and features exchanged. Memory
    beside the input: a copy of it and about 100 MB a processor.

    Args:
        vectors: float32 of shape (N, D), finite.
        layout: shape (N, 2), finite.
        metric: what near means among the features, one of ``core.similarity.knn_graph.METRICS``.
        k: nearest to compare; fewer where there are not twice as many points, as the measure needs.
        rows: points to ask, or None for all.
        block_scores: scores of pairs that a thread holds at once.
        progress: told (blocks done, blocks); what it raises ends the work.

    Raises:
        SettingsError: with fewer than four points, or numbers that are not finite.
    """
    total = len(vectors)
    if total < 4 or len(layout) != total or not np.isfinite(layout).all():
        found = f"there are {total} patches and {len(layout)} places, or a place is not a number"
        raise SettingsError("Measuring how true the plot is", found, "arrange four patches or more")
    k = min(k, (total - 1) // 2)
    asked = np.arange(total) if rows is None else rows
    high, low = metric_rows(vectors, metric), np.ascontiguousarray(layout, dtype=np.float32)
    squares = np.einsum("ij,ij->i", high, high) / np.float32(2 if metric == "euclidean" else np.inf)
    trust, continuity, kept = (np.empty(len(asked), np.float32) for _ in range(3))
    scale = 2.0 / (k * (2 * total - 3 * k - 1))

    def fill(block: IntArray) -> None:
        mine = asked[block]
        scores = _alike(high, squares, mine), _near(low, mine)
        near = [np.sort(top_columns(one, k), axis=1) for one in scores]
        off = [_ranks(scores[side], near[1 - side]) - k for side in (0, 1)]
        trust[block], continuity[block] = (1 - scale * np.maximum(side, 0).sum(axis=1) for side in off)
        kept[block] = _shared(near[0], near[1])

    size = max(1, min(256, block_scores // total))
    blocks = [np.arange(start, min(start + size, len(asked))) for start in range(0, len(asked), size)]
    in_threads(fill, blocks, progress)
    return Trustworthiness(k=k, rows=asked, trust=trust, continuity=continuity, kept=kept)


def _alike(rows: FloatArray, offsets: FloatArray, block: IntArray) -> FloatArray:
    """Return how near all rows are to some among the features, shape (rows of the block, N); themselves come last."""
    found: FloatArray = rows[block] @ rows.T
    found -= offsets
    found[np.arange(len(block)), block] = -np.inf
    return found


def _near(layout: FloatArray, block: IntArray) -> FloatArray:
    """Return the same in the plane: minus the squared distance, by differences, so that clumps keep their order."""
    found: FloatArray = np.square(layout[block, :1] - layout[:, 0])
    found += np.square(layout[block, 1:] - layout[:, 1])
    np.negative(found, out=found)
    found[np.arange(len(block)), block] = -np.inf
    return found


def _ranks(scores: FloatArray, chosen: IntArray) -> IntArray:
    """Return ranks, from 1, of some columns of each row by falling score; equals share the best rank."""
    rising = np.sort(scores, axis=1)
    values = np.take_along_axis(scores, chosen, axis=1)
    after = [np.searchsorted(row, wanted, side="right") for row, wanted in zip(rising, values, strict=True)]
    ranks: IntArray = scores.shape[1] - np.stack(after) + 1
    return ranks


def _shared(first: IntArray, second: IntArray) -> NDArray[np.float64]:
    """Return the share of the columns of each row that both have; each has a column once."""
    joined = np.sort(np.concatenate([first, second], axis=1), axis=1)
    share: NDArray[np.float64] = (joined[:, 1:] == joined[:, :-1]).sum(axis=1) / first.shape[1]
    return share
