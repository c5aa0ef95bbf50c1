"""How much of their land neighbours share: overlap of the classes that patches hold, and their commonest class.

A patch of mixed land has no one class, so precision by class leaves it out; here it counts for what it holds. Where the
shares come from is ``core.scenes.truth``; what features they are asked of is told from outside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.evaluation.retrieval import MAX_QUERIES, nearest_rows, others_of_class, sample, touching
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.truth import LEAST_COVERED, Truth, pixel_counts
from core.similarity.neighbours import unit_rows

K = 10
"""Neighbours that are looked at, unless somebody says otherwise."""

MOST_NEIGHBOURS = 1000

LEAST_SHARE = 0.5
"""A patch of which this share or more is of classes that are not asked about is no query."""

FEWEST_BLOCKS = 20
LARGEST_BLOCK = 8
"""Blocks of land are squares of this many patches a side, or of as many fewer as it takes to have enough of them."""

RESAMPLES = 2000
_ROWS = 64
_ASKED_FOR = "Measuring how much land neighbours share"

Verdict = Literal["better than", "not told apart from", "worse than"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean with its 95 % interval.

    Attributes:
        value: the mean.
        low: lower end of the interval; NaN where there are too few blocks of land for one.
        high: upper end, likewise.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return text such as ``0.732 (0.706–0.757)``."""
        return f"{self.value:.3f}" + ("" if math.isnan(self.low) else f" ({self.low:.3f}–{self.high:.3f})")


@dataclass(frozen=True, kw_only=True)
class LandScore:
    """What some choice of neighbours gives.

    Attributes:
        overlap: mean over patches of the mean over their neighbours of 1 − ½ · Σ |difference of shares|, 0 to 1.
        dominant: share of neighbours whose commonest class is that of the patch, 0 to 1.
    """

    overlap: Estimate
    dominant: Estimate


@dataclass(frozen=True, kw_only=True)
class LandOfClass:
    """The patches of which one class is the commonest.

    Attributes:
        number: column of the class in the shares.
        asked: how many of them were asked.
        own: overlap by the features.
        plain: overlap by the plain spectrum; NaN where that is not known.
        dominant: share of their neighbours that are of the class too.
    """

    number: int
    asked: int
    own: float
    plain: float
    dominant: float


@dataclass(frozen=True, kw_only=True)
class LandRetrieval:
    """How much of their land neighbours share.

    Attributes:
        k: neighbours of each patch.
        patches: with known land; all of them may be found.
        asked: how many were asked.
        skipped: how many were not, because they are mostly of classes that are not asked about.
        sampled: True = more could be asked, and these were drawn at random.
        own: by the features.
        plain: by the plain spectrum; None when it is not known, or the features are that themselves.
        best: by the k best there are, of overlap and of the commonest class each for itself.
        chance: by all patches that may be found.
        gain: own less plain; None where plain is.
        blocks: blocks of land that were drawn again for the intervals.
        side: of a block, in patches.
        classes: by commonest class.
    """

    k: int
    patches: int
    asked: int
    skipped: int
    sampled: bool
    own: LandScore
    plain: LandScore | None
    best: LandScore
    chance: LandScore
    gain: LandScore | None
    blocks: int
    side: int
    classes: tuple[LandOfClass, ...]

    @property
    def verdict(self) -> Verdict | None:
        """What the overlap says of the features beside the plain spectrum; None where that is not known."""
        if self.gain is None:
            return None
        if self.gain.overlap.low > 0:
            return "better than"
        return "worse than" if self.gain.overlap.high < 0 else "not told apart from"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, NaN as None."""
        found: dict[str, Any] = _without_nan(asdict(self) | {"verdict": self.verdict})
        return found


def _without_nan(value: Any) -> Any:  # noqa: ANN401  JSON values
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


@dataclass(frozen=True, kw_only=True)
class KnownLand:
    """What a truth says of some patches.

    Attributes:
        rows: which of them have known land, ascending, int64 of shape (M,).
        shares: float64 of shape (M, C), the share of each class in what is known of a patch.
        unknown: how many others there are, of which too little is known.
    """

    rows: IntArray
    shares: NDArray[np.float64]
    unknown: int


def known_land(truth: Truth, grid: PatchGrid, ids: IntArray) -> KnownLand:
    """Return the land of patches of some ids, those of which ``LEAST_COVERED`` or more has a class.

    Raises:
        SceneError: when the truth cannot be read.
    """
    counts = pixel_counts(truth, grid)[ids, 1:]
    known = counts.sum(axis=1)
    rows = np.flatnonzero(known >= LEAST_COVERED * grid.size**2)
    shares = counts[rows] / known[rows, None]
    return KnownLand(rows=rows, shares=shares, unknown=len(ids) - len(rows))


def land_retrieval(
    vectors: FloatArray,
    shares: NDArray[np.floating],
    places: IntArray,
    *,
    reach: int,
    plain: FloatArray | None = None,
    skip: NDArray[np.bool_] | None = None,
    k: int = K,
    max_queries: int = MAX_QUERIES,
    seed: int = 0,
    progress: Progress = silent,
) -> LandRetrieval:
    """Ask patches for their nearest by cosine and compare the land.

    Patches that touch the one asked about are left out, under every choice of neighbours alike. Intervals are those of
    a bootstrap over blocks of land (Künsch 1989), for patches near each other are no independent cases; features,
    spectrum, best and chance are drawn by the same blocks, and so is the difference.

    Args:
        vectors: float32 of shape (N, D).
        shares: float of shape (N, C), the share of each class in a patch; rows sum to 1.
        places: int64 of shape (N, 2), row and column of the first pixel of each patch.
        reach: side of a patch in pixels; patches that begin no farther apart touch.
        plain: the plain spectrum of the same patches, float32 of shape (N, 32), or None.
        skip: shape (N,), True = not asked, but may be found.
        k: neighbours, 1 to ``MOST_NEIGHBOURS``; fewer where no patch has so many others.
        max_queries: patches that are asked at most, drawn at random.
        seed: of the sample and the bootstrap.
        progress: told queries done and all.

    Raises:
        SettingsError: when k is out of range, or the patches leave nothing to ask.
    """
    check_count(k)
    shares = np.asarray(shares, np.float32)
    wanted, skipped = _wanted(shares, places, reach, skip)
    asked = wanted[sample(len(wanted), max_queries, seed)]
    k = min(k, int(others_of_class(np.zeros(len(shares), np.int64), places, reach)[asked].max()))
    truth = _truth(shares, asked, places, reach=reach, k=k, progress=progress)
    own = _found(vectors, shares, asked, places, reach=reach, k=k)
    other = None if plain is None else _found(plain, shares, asked, places, reach=reach, k=k)
    columns = [own, truth.best, truth.chance, *([] if other is None else [other, own - other])]
    blocks, side = _blocks(places[asked], reach)
    own_score, best, chance, *more = _scores(columns, blocks, seed)
    return LandRetrieval(
        k=k,
        patches=len(shares),
        asked=len(asked),
        skipped=skipped,
        sampled=len(asked) < len(wanted),
        own=own_score,
        plain=more[0] if more else None,
        best=best,
        chance=chance,
        gain=more[1] if more else None,
        blocks=int(blocks.max()) + 1,
        side=side,
        classes=tuple(_by_class(shares.argmax(axis=1)[asked], own, other)),
    )


def check_count(k: int) -> int:
    """Return a number of neighbours.

    Raises:
        SettingsError: when it is not 1 to ``MOST_NEIGHBOURS``.
    """
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise SettingsError(_ASKED_FOR, f"{k} neighbours", f"choose 1 to {MOST_NEIGHBOURS}")
    return k


def _wanted(shares: FloatArray, places: IntArray, reach: int, skip: NDArray[np.bool_] | None) -> tuple[IntArray, int]:
    """Return the rows of patches that can be asked, and how many others are skipped.

    Raises:
        SettingsError: when there is nothing to ask.
    """
    if len(np.flatnonzero(shares.any(axis=0))) < 2:
        raise SettingsError(_ASKED_FOR, "all land is of one class", "give a map that tells two classes or more apart")
    wanted = np.flatnonzero(np.ones(len(shares), bool) if skip is None else ~skip)
    skipped = len(shares) - len(wanted)
    wanted = wanted[others_of_class(np.zeros(len(shares), np.int64), places, reach)[wanted] > 0]
    if not len(wanted):
        found = "every patch is one that is not asked about" if skipped == len(shares) else "all patches touch"
        raise SettingsError(_ASKED_FOR, found, "ask about more classes, or choose a larger scene or smaller patches")
    return wanted, skipped


def mostly(shares: NDArray[np.floating], columns: list[int]) -> NDArray[np.bool_]:
    """Return which patches some classes together cover by ``LEAST_SHARE`` or more, shape (N,)."""
    total: NDArray[np.float64] = np.asarray(shares, np.float64)[:, columns].sum(axis=1)
    return total >= LEAST_SHARE - 1e-9


@dataclass(frozen=True, kw_only=True)
class _Yardsticks:
    """Overlap and share of the commonest class of each query, each of shape (Q, 2)."""

    best: NDArray[np.float64]
    chance: NDArray[np.float64]


def _truth(
    shares: FloatArray, asked: IntArray, places: IntArray, *, reach: int, k: int, progress: Progress
) -> _Yardsticks:
    """Return what the best k and all patches that may be found give."""
    classes, by_class = np.flatnonzero(shares.any(axis=0)), np.ascontiguousarray(shares.T)
    dominant = shares.argmax(axis=1)
    best, chance = np.empty((len(asked), 2)), np.empty((len(asked), 2))
    for first in range(0, len(asked), _ROWS):
        rows = asked[first : first + _ROWS]
        away = ~touching(places[rows], places, reach)
        apart, one = np.zeros(away.shape, np.float32), np.empty(away.shape, np.float32)
        for number in classes:
            np.subtract(shares[rows, number][:, None], by_class[number], out=one)
            apart += np.abs(one, out=one)
        overlap = np.where(away, 1 - apart / 2, -1)
        others = away.sum(axis=1)
        most = min(k, len(shares))
        top = -np.sort(np.partition(-overlap, most - 1, axis=1)[:, :most], axis=1)
        some = np.minimum(k, others)
        alike = (away & (dominant[rows][:, None] == dominant)).sum(axis=1)
        here = slice(first, first + len(rows))
        best[here, 0] = np.where(np.arange(most) < some[:, None], top, 0).sum(axis=1, dtype=np.float64) / some
        best[here, 1] = np.minimum(alike, some) / some
        chance[here, 0] = np.where(away, overlap, 0).sum(axis=1, dtype=np.float64) / others
        chance[here, 1] = alike / others
        progress(here.stop, len(asked))
    return _Yardsticks(best=best, chance=chance)


def _found(
    vectors: FloatArray, shares: FloatArray, asked: IntArray, places: IntArray, *, reach: int, k: int
) -> NDArray[np.float64]:
    """Return overlap and share of the commonest class among the k nearest of each query, shape (Q, 2)."""
    near = nearest_rows(unit_rows(vectors), asked, k, places, reach)
    there, dominant = near >= 0, shares.argmax(axis=1)
    found = np.empty((len(asked), 2))
    for first in range(0, len(asked), _ROWS):
        rows = slice(first, first + _ROWS)
        apart = np.abs(shares[asked[rows]][:, None] - shares[near[rows]]).sum(axis=2)
        alike = dominant[near[rows]] == dominant[asked[rows]][:, None]
        count = there[rows].sum(axis=1)
        found[rows, 0] = np.where(there[rows], 1 - apart / 2, 0).sum(axis=1, dtype=np.float64) / count
        found[rows, 1] = (alike & there[rows]).sum(axis=1) / count
    return found


def _blocks(places: IntArray, reach: int) -> tuple[IntArray, int]:
    """Return the block of land that each query lies in, counted from 0, and the side of a block in patches."""
    for side in range(LARGEST_BLOCK, 0, -1):
        rows, cols = (places // (side * reach)).T
        blocks: IntArray = np.unique(rows * (cols.max() + 1) + cols, return_inverse=True)[1]
        if blocks.max() + 1 >= FEWEST_BLOCKS:
            break
    return blocks, side


def _scores(columns: list[NDArray[np.float64]], blocks: IntArray, seed: int) -> Iterator[LandScore]:
    """Return means of columns of shape (Q, 2), each with the interval that drawing blocks anew gives."""
    values = np.concatenate([*columns, np.ones((len(blocks), 1))], axis=1)
    sums = np.zeros((int(blocks.max()) + 1, values.shape[1]))
    np.add.at(sums, blocks, values)
    mean = values.mean(axis=0)
    if len(sums) < FEWEST_BLOCKS:
        low = high = np.full(values.shape[1], np.nan)
    else:
        random = np.random.default_rng(seed)
        drawn = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES) @ sums
        low, high = np.quantile(drawn / drawn[:, -1:], (0.025, 0.975), axis=0)
    for first in range(0, 2 * len(columns), 2):
        pair = [Estimate(value=float(mean[n]), low=float(low[n]), high=float(high[n])) for n in (first, first + 1)]
        yield LandScore(overlap=pair[0], dominant=pair[1])


def _by_class(dominant: IntArray, own: NDArray[np.float64], plain: NDArray[np.float64] | None) -> Iterator[LandOfClass]:
    for number in np.unique(dominant).tolist():
        here = dominant == number
        yield LandOfClass(
            number=number,
            asked=int(here.sum()),
            own=float(own[here, 0].mean()),
            plain=math.nan if plain is None else float(plain[here, 0].mean()),
            dominant=float(own[here, 1].mean()),
        )
