"""The score of every patch of a scene, what it means, and what lies above a threshold: no list is cut short."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.areas import PatchAreas
from core.scenes.outline_areas import HECTARE
from core.scenes.patches import IntArray
from core.similarity.neighbours import Neighbours

BINS = 60
"""Bars of a histogram of scores."""

_DIGITS = 6
"""Decimals that count when patches are put in order; a matrix product is rounded finer than that by chance."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a score means.

    Attributes:
        name: for files: letters only.
        title: what it is.
        low: the least that it can be.
        high: the most.
    """

    name: str
    title: str
    low: float
    high: float


COSINE = Measure(name="cosine", title="cosine similarity", low=-1.0, high=1.0)
PROBABILITY = Measure(name="probability", title="probability", low=0.0, high=1.0)
MATCH = Measure(name="match", title="degree of match", low=0.0, high=1.0)
"""How well a patch fits words, which is no probability."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How scores are spread.

    Attributes:
        edges: ascending, float64 of shape (bins + 1,).
        counts: patches between two edges, int64 of shape (bins,); the last holds its upper edge.
    """

    edges: NDArray[np.float64]
    counts: IntArray


def histogram_of(
    values: FloatArray,
    bins: int = BINS,
    *,
    mask: NDArray[np.bool_] | None = None,
    otherwise: tuple[float, float] = (0, 1),
) -> Histogram:
    """Return how numbers are spread from the lowest to the highest known one.

    Args:
        values: float32 of shape (N,), NaN = unknown.
        bins: how many bars, at least 1.
        mask: which count, bool of shape (N,); the edges stay the same whatever it is. None = all.
        otherwise: from where to where when none is known.
    """
    known = np.isfinite(values)
    ends = (float(values[known].min()), float(values[known].max())) if known.any() else otherwise
    low, high = ends if ends[1] > ends[0] else (ends[0], ends[0] + max(1e-6, abs(ends[0]) * 1e-6))
    counted = values[known if mask is None else known & mask].astype(np.float64)
    counts, edges = np.histogram(counted, bins, (low, high))
    return Histogram(edges=edges, counts=counts.astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class Above:
    """What scores at or above a threshold.

    Attributes:
        count: patches.
        hectares: of ground that they show together, shared ground once; None when no place is known.
        unplaced: patches among them that have no known place and count no ground.
    """

    count: int
    hectares: float | None
    unplaced: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """All patches of a scene by how well they fit a search.

    Attributes:
        scene: id of the scene.
        patch_ids: int64 of shape (N,), each once.
        score: float32 of shape (N,), in the order of the ids, within the range of the measure; NaN = unknown.
        measure: what the score means.
        sentence: how it was made, without a stop.
        examples: rows of the patches that served as examples, int64, ascending.
        bad: rows of those among them that served as bad ones, likewise.
        note: what a person has to know of how it was compared, without a stop; empty = nothing.
        tie: what goes first among equal scores, the more the sooner, float32 of shape (N,); None = lower ids.
    """

    scene: str
    patch_ids: IntArray
    score: FloatArray
    measure: Measure
    sentence: str
    examples: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    bad: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    tie: FloatArray | None = None
    note: str = ""

    def __len__(self) -> int:
        return len(self.patch_ids)

    @cached_property
    def rounded(self) -> NDArray[np.float64]:
        """The scores as they count, float64 of shape (N,), NaN = unknown: equal where they differ by chance only."""
        return np.asarray(np.round(self.score.astype(np.float64), _DIGITS), np.float64)

    @cached_property
    def order(self) -> IntArray:
        """All rows, best first, int64 of shape (N,); equal scores by ``tie``, then by ids, unknown ones last."""
        known = np.where(np.isnan(self.rounded), -np.inf, self.rounded)
        tie = np.zeros(len(self)) if self.tie is None else np.round(self.tie.astype(np.float64), _DIGITS)
        found: IntArray = np.lexsort((self.patch_ids, -tie, -known))
        return found

    def among(
        self, least: float | None = None, mask: NDArray[np.bool_] | None = None, *, most: float | None = None
    ) -> NDArray[np.bool_]:
        """Return which patches have a score within two ends, both included, and are True in ``mask``, bool of (N,).

        A person sets an end by a number of few digits that was shown rounded, so that rounded scores count.
        """
        found: NDArray[np.bool_] = ~np.isnan(self.score)
        if least is not None:
            found &= self.rounded >= least
        if most is not None:
            found &= self.rounded <= most
        return found if mask is None else found & mask

    def best(
        self,
        k: int | None = None,
        *,
        least: float | None = None,
        mask: NDArray[np.bool_] | None = None,
        seen: Collection[int] = (),
    ) -> Neighbours:
        """Return the best patches, best first; their similarity is the score.

        Args:
            k: how many, at least 1; None = all.
            least: the score from which they count; None = any.
            mask: which count, bool of shape (N,), such as that of filters; None = all.
            seen: ids of patches to leave out, such as the examples or what was looked at before.

        Raises:
            SettingsError: when k is below 1.
        """
        if k is not None and k < 1:
            raise SettingsError("Listing the best patches", f"{k} were asked for", "ask for at least 1")
        wanted = self.among(least, mask)
        if len(seen):
            wanted &= ~np.isin(self.patch_ids, np.fromiter(seen, np.int64))
        rows = self.order[wanted[self.order]][:k]
        return Neighbours(scene=self.scene, ids=self.patch_ids[rows], similarity=self.score[rows])

    def histogram(self, bins: int = BINS, *, mask: NDArray[np.bool_] | None = None) -> Histogram:
        """Return how the scores are spread between the lowest and the highest of all; empty bars where there are none.

        Args:
            bins: how many bars, at least 1.
            mask: which patches count, as of ``best``; the edges stay the same whatever it is.
        """
        return histogram_of(self.score, bins, mask=mask, otherwise=(self.measure.low, self.measure.high))

    def above(
        self,
        least: float,
        areas: PatchAreas | None = None,
        *,
        mask: NDArray[np.bool_] | None = None,
    ) -> Above:
        """Return how many patches score at least so much, and how much ground they show together.

        Ground that several patches show counts once.

        Args:
            least: the score.
            areas: of the scene's patches; None when its place is unknown.
            mask: which patches count, as of ``best``.
        """
        rows = np.flatnonzero(self.among(least, mask))
        if areas is None:
            return Above(count=len(rows), hectares=None, unplaced=len(rows))
        ids = self.patch_ids[rows]
        return Above(count=len(rows), hectares=areas.together(ids) / HECTARE, unplaced=areas.unplaced(ids))
