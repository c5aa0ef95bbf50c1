"""How often neighbours share a class: precision, nearest-neighbour and linear accuracy, each with an interval.

Whose labels they are, and which features, is told from outside. How true a layout is, is ``trustworthiness``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

DEPTHS = (1, 5, 10)
"""Numbers of neighbours at which precision is given."""

VOTERS = 5
"""Neighbours that vote for a class."""

MAX_QUERIES = 5000
"""More patches than this are asked by a sample; all of them stay candidates."""

NORMAL_95 = 1.959964
_BLOCK = 512

BLOCK_DRAWS = 1000
"""Draws of blocks with replacement that an interval is made of."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of all cases, 0 to 1, with its 95 % interval.

    The interval is Wilson's (1927) for ``count`` independent cases. Where a case is itself a mean, as the precision of
    one query at 10 neighbours is, it is wider than need be.
    """

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        """Return text such as ``0.780 (0.729–0.824)``."""
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def share(values: NDArray[np.floating] | NDArray[np.bool_]) -> Share:
    """Return the mean of some cases of 0 to 1; NaN with the interval 0 to 1 when there are none."""
    count = len(values)
    if not count:
        return Share(value=math.nan, low=0.0, high=1.0, count=0)
    mean, spread = float(np.mean(values)), NORMAL_95**2 / count
    centre = (mean + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (mean * (1 - mean) + spread / 4)) / (1 + spread)
    low, high = min(max(0.0, centre - half), mean), max(min(1.0, centre + half), mean)
    return Share(value=mean, low=low, high=high, count=count)


def with_drawn(plain: Share, drawn: NDArray[np.float64]) -> Share:
    """Return a share whose interval is the wider of Wilson's and of that of blocks drawn with replacement.

    Cases of a block are alike, so that Wilson's may be too narrow; of few blocks without an error, the drawn one is.

    Args:
        plain: with Wilson's interval.
        drawn: the share in each draw, NaN where a draw has no case.
    """
    known = drawn[np.isfinite(drawn)]
    if not plain.count or not len(known):
        return plain
    low, high = np.quantile(known, [0.025, 0.975]).tolist()
    return replace(plain, low=min(plain.low, low, plain.value), high=max(plain.high, high, plain.value))


def share_by_blocks(values: NDArray[np.bool_], blocks: NDArray[np.int64]) -> Share:
    """Return the share of cases that hold, its interval as of ``with_drawn``.

    Args:
        values: of shape (N,).
        blocks: of shape (N,); cases of a block are alike.
    """
    _, block = np.unique(blocks, return_inverse=True)
    sums = np.stack([np.bincount(block, weights=values), np.bincount(block)], axis=1)
    even = np.full(len(sums), 1 / max(1, len(sums)))
    drawn = np.random.default_rng(0).multinomial(len(sums), even, size=BLOCK_DRAWS) @ sums
    return with_drawn(share(values), drawn[:, 0] / np.where(drawn[:, 1], drawn[:, 1], np.nan))


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """How well one class is found again.

    Attributes:
        name: the class.
        number: its place in the list of classes, and in the confusion matrix.
        count: its patches.
        precision: share of the ``DEPTHS[-1]`` nearest that are of the class too; of no cases when none was asked.
        recall: share of its patches that their ``VOTERS`` nearest name rightly; likewise.
    """

    name: str
    number: int
    count: int
    precision: Share
    recall: Share


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How often neighbours share the class of the patch that was asked about; every patch left out of its own answer.

    Attributes:
        count: labelled patches.
        queries: how many of them were asked.
        unasked: how many could not be asked, because no other patch of their class may be among their neighbours.
        chance: precision of neighbours drawn at random.
        precision: by number of neighbours.
        accuracy: share of patches whose ``VOTERS`` nearest name their class rightly.
        classes: one row a class.
        confusion: int64 of shape (classes, classes): true class by the class that the nearest name.
    """

    count: int
    queries: int
    unasked: int
    chance: float
    precision: Mapping[int, Share]
    accuracy: Share
    classes: tuple[ClassRow, ...]
    confusion: IntArray

    @property
    def singletons(self) -> tuple[str, ...]:
        """Classes of one patch, which has nothing to be found by."""
        return tuple(row.name for row in self.classes if row.count == 1)


def retrieval(
    vectors: FloatArray,
    labels: IntArray,
    classes: Sequence[str],
    *,
    places: IntArray | None = None,
    reach: int = 1,
    max_queries: int = MAX_QUERIES,
    seed: int = 0,
) -> Retrieval:
    """Ask every labelled patch, or a sample, for its neighbours among all others.

    A patch is asked for at most as many neighbours as there are others of its class that it may find: with nine others
    no encoder could do better than 0.9 among ten. So precision at ``k`` is that at the smaller of ``k`` and R, the
    number of relevant ones (R-precision: Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008,
    section 8.4), and no more neighbours vote than that. A patch with no such other is not asked; it stays a candidate.

    Args:
        vectors: float32 of shape (N, D).
        labels: int64 of shape (N,), indices into ``classes``; all at least 0.
        classes: names.
        places: int64 of shape (N, 2), where each patch begins, row and column of a grid or of pixels; patches that
            touch the query are then left out, because land beside land is alike under any encoder. None = all count.
        reach: how far apart, at most, patches begin that touch: of a grid 1, of pixels the size of a patch.
        max_queries: patches that are asked at most, drawn at random; all of them stay candidates.
        seed: of the sample.

    Raises:
        SettingsError: with fewer than two classes or fewer than three patches, or when no patch can be asked.
    """
    others = findable_others(labels, places, reach)
    asked = np.flatnonzero(others)
    asked = asked[sample(len(asked), max_queries, seed)]
    near = nearest_rows(unit_rows(vectors), asked, max(*DEPTHS, VOTERS), places, reach)
    precision = _precision((labels[near] == labels[asked][:, None]) & (near >= 0), others[asked])
    voters = np.where(np.arange(near.shape[1]) < np.minimum(others[asked], VOTERS)[:, None], near, -1)
    named, truth = _vote(voters, labels, len(classes)), labels[asked]
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (truth, named), 1)
    rows = tuple(
        ClassRow(
            name=classes[number],
            number=number,
            count=int((labels == number).sum()),
            precision=share(precision[DEPTHS[-1]][truth == number]),
            recall=share(named[truth == number] == number),
        )
        for number in np.unique(labels).tolist()
    )
    return Retrieval(
        count=len(labels),
        queries=len(asked),
        unasked=int((others == 0).sum()),
        chance=_chance(labels),
        precision={depth: share(values) for depth, values in precision.items()},
        accuracy=share(named == truth),
        classes=rows,
        confusion=confusion,
    )


def findable_others(labels: IntArray, places: IntArray | None = None, reach: int = 1) -> IntArray:
    """Return what ``others_of_class`` does, where there is something to measure by.

    Raises:
        SettingsError: with fewer than two classes or fewer than three patches, or when no patch can be asked.
    """
    present = np.unique(labels)
    if len(present) < 2 or len(labels) < 3:
        few = {0: "no patch has a label", 1: "all labelled patches are of one class"}
        raise _unmeasurable(few.get(len(present), f"only {len(labels)} patches have labels"))
    others = others_of_class(labels, places, reach)
    if not others.any():
        raise _unmeasurable("no patch has another of its class to find")
    return others


def others_of_class(labels: IntArray, places: IntArray | None, reach: int) -> IntArray:
    """Return, of each patch, how many others of its class it may find, int64 of shape (N,).

    Args:
        labels: int64 of shape (N,), at least 0.
        places: as of ``retrieval``: those that touch do not count; None = all count.
        reach: likewise.
    """
    if places is None:
        others: IntArray = np.bincount(labels)[labels] - 1
        return others
    (row, downs), (col, rights) = (_offsets(axis, reach) for axis in places.T)
    width, height = len(col.values) + 2 * len(rights), len(row.values) + 2 * len(downs)
    keys = (labels * height + row.index + len(downs)) * width + col.index + len(rights)
    order = np.sort(keys)
    others = np.bincount(labels)[labels]
    for (down, near_rows), (right, near_cols) in product(downs.items(), rights.items()):
        near = near_rows & near_cols
        there = keys[near] + down * width + right
        others[near] -= np.searchsorted(order, there, "right") - np.searchsorted(order, there, "left")
    return others


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Rows or columns of patches: the different ones, ascending, and of each patch which of them it has."""

    values: IntArray
    index: IntArray


def _offsets(axis: IntArray, reach: int) -> tuple[_Axis, dict[int, NDArray[np.bool_]]]:
    """Return an axis, and by steps among its different values which patches have one there that is in reach.

    Differences need not be alike: where the edge of a scene is covered, the last row is nearer to the one before.
    """
    values, index = np.unique(axis, return_inverse=True)
    most = int((np.searchsorted(values, values + reach, "right") - np.arange(len(values))).max())
    steps = {}
    for step in range(1 - most, most):
        there = np.arange(len(values)) + step
        inside = (there >= 0) & (there < len(values))
        near = inside & (np.abs(values[np.clip(there, 0, len(values) - 1)] - values) <= reach)
        steps[step] = near[index]
    return _Axis(values=values, index=index), steps


def _chance(labels: IntArray) -> float:
    """Return the share of others that are of a patch's class, averaged over the patches that are no singletons."""
    sizes = np.bincount(labels)
    return float((sizes * (sizes - 1)).sum() / (sizes[sizes > 1].sum() * (len(labels) - 1)))


def _unmeasurable(found: str) -> SettingsError:
    remedy = "label at least three patches, of two classes or more"
    return SettingsError("Measuring how well classes are found", found, remedy)


def _precision(same: NDArray[np.bool_], most: IntArray) -> dict[int, NDArray[np.float64]]:
    """Return the share of the nearest that are of the class, by depth; of each query at most ``most``, 1 or more.

    Args:
        same: shape (queries, k), True = of the class of the query.
        most: shape (queries,).
    """
    found = same.cumsum(axis=1)
    queries = np.arange(len(same))
    return {depth: found[queries, np.minimum(depth, most) - 1] / np.minimum(depth, most) for depth in DEPTHS}


def sample(count: int, wanted: int, seed: int) -> IntArray:
    """Return ``wanted`` numbers below ``count``, drawn at random and ascending, or all where there are no more."""
    if count <= wanted:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:wanted])


def touching(of: IntArray, places: IntArray, reach: int) -> NDArray[np.bool_]:
    """Return which patches touch which, shape (M, N), from where they begin, shapes (M, 2) and (N, 2)."""
    down = np.abs(of[:, :1] - places[:, 0]) <= reach
    found: NDArray[np.bool_] = down & (np.abs(of[:, 1:] - places[:, 1]) <= reach)
    return found


def nearest_rows(unit: FloatArray, asked: IntArray, k: int, places: IntArray | None, reach: int = 1) -> IntArray:
    """Return the rows of the k nearest of each asked row, best first, shape (asked, k); −1 where there are no more."""
    k = min(k, len(unit) - 1)
    parts = []
    for rows in _blocks(asked):
        scores = unit[rows] @ unit.T
        if places is not None:
            scores[touching(places[rows], places, reach)] = -np.inf
        scores[np.arange(len(rows)), rows] = -np.inf
        best = _best(scores, k)
        best[np.isneginf(np.take_along_axis(scores, best, axis=1))] = -1
        parts.append(best)
    return np.concatenate(parts)


def _best(scores: FloatArray, k: int) -> IntArray:
    """Return the columns of the k largest scores of each row, largest first."""
    found = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def _blocks(rows: IntArray) -> Iterator[IntArray]:
    for first in range(0, len(rows), _BLOCK):
        yield rows[first : first + _BLOCK]


def _vote(near: IntArray, labels: IntArray, classes: int) -> IntArray:
    """Return the commonest class among neighbours; of equal ones the class of the nearer neighbour."""
    votes = np.zeros((len(near), classes))
    for column in range(near.shape[1]):
        there = np.flatnonzero(near[:, column] >= 0)
        # The nearer of two votes weighs a little more, which decides between equals and nothing else.
        votes[there, labels[near[there, column]]] += 1 + 1e-3 / (column + 1)
    named: IntArray = votes.argmax(axis=1)
    return named


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How well held-out patches are named by what the others teach.

    Attributes:
        nearest: share that the ``VOTERS`` nearest of the others name rightly.
        linear: share that a linear classifier fitted to the others names rightly.
    """

    nearest: Share
    linear: Share


def nearest_classes(known: FloatArray, labels: IntArray, asked: FloatArray) -> IntArray:
    """Return what the ``VOTERS`` nearest known patches name others, int64 of shape (M,).

    Args:
        known: features of shape (N, D), N at least 1.
        labels: int64 of shape (N,), at least 0.
        asked: features of shape (M, D).
    """
    unit, others = unit_rows(known), unit_rows(asked)
    named = [np.empty(0, np.int64)]
    for rows in _blocks(np.arange(len(others))):
        near = _best(others[rows] @ unit.T, min(VOTERS, len(unit)))
        named.append(_vote(near, labels, int(labels.max()) + 1))
    return np.concatenate(named)


def nearest_accuracy(known: FloatArray, labels: IntArray, asked: FloatArray, truth: IntArray) -> float:
    """Return the share of patches that the nearest known ones name rightly, all classes counting alike.

    Args:
        known: features of patches whose class is known, shape (N, D).
        labels: int64 of shape (N,).
        asked: features of others, shape (M, D), M at least 1.
        truth: int64 of shape (M,).
    """
    return balanced_share(nearest_classes(known, labels, asked) == truth, truth)


def balanced_share(right: NDArray[np.bool_], truth: IntArray) -> float:
    """Return the share of cases that are right, shape (N,), averaged over the classes of ``truth``."""
    return float(np.mean([right[truth == name].mean() for name in np.unique(truth)]))


def held_out(vectors: FloatArray, labels: IntArray, held: NDArray[np.bool_]) -> HeldOut:
    """Name held-out patches by their nearest others, and by a logistic regression on standardised features.

    Args:
        vectors: float32 of shape (N, D).
        labels: int64 of shape (N,), at least 0.
        held: shape (N,), True = held out.
    """
    from sklearn.linear_model import LogisticRegression

    unit, known = unit_rows(vectors), np.flatnonzero(~held)
    asked = np.flatnonzero(held)
    named = nearest_classes(vectors[known], labels[known], vectors[asked])
    mean, std = unit[known].mean(axis=0), unit[known].std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=300).fit((unit[known] - mean) / std, labels[known])
    guessed = model.predict((unit[asked] - mean) / std)
    return HeldOut(nearest=share(named == labels[asked]), linear=share(guessed == labels[asked]))
