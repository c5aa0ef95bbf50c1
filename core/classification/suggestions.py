"""What to label next: patches a head is unsure of, unlike each other and what is labelled, and apart on the land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.heads import Head, land_classes
from core.classification.labelled import LabelledPatches
from core.classification.models import HeadKind, fit_model
from core.classification.validation import FOLDS, USUAL_SETTING
from core.evaluation.logistic import Spread
from core.evaluation.retrieval import Share, share
from core.evaluation.splits import block_folds, held_together, left_to_learn
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

CANDIDATES = 3000
"""Patches that are looked at, at most, spread evenly; more take longer than a key press may."""

MOST_LEARNED = 2000
"""Labels that the head for suggestions learns from, at most, spread evenly."""

LEAST_APART = 3.0
"""Suggested patches lie at least so many patches apart, as long as there are others."""


def label_next(
    vectors: FloatArray,
    labelled: IntArray,
    count: int,
    *,
    head: Head | None = None,
    places: NDArray[np.float64] | None = None,
    apart: float = LEAST_APART,
    usable: NDArray[np.bool_] | None = None,
) -> IntArray:
    """Return rows of patches to label next, best first.

    Each in turn is the patch with the greatest ``(1 − (p₁ − p₂)) · d``: the margin between its two likeliest classes
    (Scheffer, Decomain and Wrobel 2001) says how unsure the head is, and ``d``, its distance in features from the
    nearest patch that is labelled or suggested, how much it adds (farthest first, Gonzalez 1985; as in Sener and
    Savarese, “Active Learning for Convolutional Neural Networks: A Core-Set Approach”, 2018). Patches nearer on the
    ground than ``apart`` to one that is labelled or suggested wait until there are no others. Without a head, and
    without a label, ``d`` alone counts, from the patch nearest to the middle of all.

    Args:
        vectors: features of all patches, shape (N, D), of any length.
        labelled: rows that have a label.
        count: how many, at most.
        head: as it is now; None = nothing is taught yet.
        places: row and column of each patch on the grid, or any coordinates in units of patches, shape (N, 2) or
            (N, 3), NaN where unknown; None = not known.
        apart: least distance on the ground, in those units.
        usable: False = never suggested, shape (N,).
    """
    open_ = np.ones(len(vectors), np.bool_) if usable is None else usable.copy()
    open_[labelled] = False
    rows = np.flatnonzero(open_)
    if len(rows) > CANDIDATES:
        rows = rows[np.linspace(0, len(rows) - 1, CANDIDATES).round().astype(np.int64)]
    if not len(rows):
        return rows
    unit = unit_rows(vectors[rows])
    doubt = np.ones(len(rows)) if head is None else _doubt(head, vectors[rows])
    known = unit_rows(vectors[labelled]) if len(labelled) else unit[:0]
    far, near = _distance(unit, known), _close(places, rows, labelled, apart)
    chosen: list[int] = []
    left = np.ones(len(rows), np.bool_)
    while len(chosen) < min(count, len(rows)):
        best = _first(unit) if not len(known) and not chosen else _best(doubt * far, left, near)
        chosen.append(best)
        left[best] = False
        far = np.minimum(far, _distance(unit, unit[best : best + 1]))
        near |= _close(places, rows, rows[best : best + 1], apart)
    return rows[chosen]


def _doubt(head: Head, vectors: FloatArray) -> NDArray[np.float64]:
    """Return 1 − the margin between the two likeliest classes, 0 to 1; a little more than 0 everywhere."""
    two = np.sort(np.partition(head.chances(vectors), -2, axis=1)[:, -2:], axis=1)
    return 1.001 - (two[:, 1] - two[:, 0]).astype(np.float64)


def _distance(unit: FloatArray, known: FloatArray) -> NDArray[np.float64]:
    """Return 1 − cosine to the nearest of some known patches, of shape (N,); 2 where there is none."""
    if not len(known):
        return np.full(len(unit), 2.0)
    found: NDArray[np.float64] = 1.0 - (unit @ known.T).max(axis=1).astype(np.float64)
    return np.maximum(found, 0.0)


def _first(unit: FloatArray) -> int:
    return int((unit @ unit.mean(axis=0)).argmax())


def _best(score: NDArray[np.float64], left: NDArray[np.bool_], near: NDArray[np.bool_]) -> int:
    allowed = left & ~near
    allowed = allowed if allowed.any() else left
    return int(np.where(allowed, score, -1.0).argmax())


def _close(places: NDArray[np.float64] | None, rows: IntArray, others: IntArray, apart: float) -> NDArray[np.bool_]:
    """Return which candidates lie nearer to one of some patches on the ground than they should."""
    found = np.zeros(len(rows), np.bool_)
    if places is None:
        return found
    from scipy.spatial import cKDTree

    known = others[np.isfinite(places[others]).all(axis=1)]
    placed = np.isfinite(places[rows]).all(axis=1)
    if len(known) and placed.any():
        distance, _ = cKDTree(places[known]).query(places[rows[placed]], distance_upper_bound=apart)
        found[placed] = distance < apart
    return found


def places_apart(lonlat: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return places as ``label_next`` takes them, for patches that lie on no common grid: shape (N, 3), NaN unknown.

    They are points of the globe. Unit is how far different places lie apart at the median, which is the side of a patch
    where patches lie side by side. None where fewer than two places differ.

    Args:
        lonlat: centres in degrees, shape (N, 2), NaN where unknown.
    """
    from scipy.spatial import cKDTree

    lon, lat = np.radians(lonlat).T
    globe = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    known = np.flatnonzero(np.isfinite(globe).all(axis=1))
    turned = np.round((lonlat[known] % 360) * 1e6).astype(np.int64)  # A millionth of a degree is a tenth of a metre.
    different = globe[known[np.unique(turned[:, 0] * 10**9 + turned[:, 1], return_index=True)[1]]]
    if len(different) < 2:
        return None
    some = different[:: max(1, len(different) // CANDIDATES)]
    nearest, _ = cKDTree(different).query(some, k=2)
    scaled: NDArray[np.float64] = globe / np.median(nearest[:, 1])
    return scaled


def fresh_head(vectors: FloatArray, names: Sequence[str], spread: Spread) -> Head | None:
    """Return a head taught in milliseconds, which knows what is unsure; None for fewer than two classes.

    Its setting is the usual one and its probabilities are not calibrated: a map is made by ``teach``.

    Args:
        vectors: features of labelled patches, float32 of shape (N, D), of length 1.
        names: class of each.
        spread: of the features of the whole scene.
    """
    if len(names) > MOST_LEARNED:  # Enough to know what is unsure, and no key press has to wait for more.
        some = np.linspace(0, len(names) - 1, MOST_LEARNED).round().astype(np.int64)
        vectors, names = vectors[some], [names[at] for at in some.tolist()]
    classes, labels = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    if len(classes) < 2:
        return None
    setting = USUAL_SETTING["logistic"]
    model = fit_model("logistic", vectors, labels.astype(np.int64), len(classes), setting=setting, spread=spread)
    return Head(model=model, classes=land_classes(classes.tolist(), None), setting=setting)


def random_next(count_all: int, labelled: IntArray, count: int, seed: int = 0) -> IntArray:
    """Return rows of patches to label in random order: the control that ``label_next`` is to be better than."""
    free = np.setdiff1d(np.arange(count_all), labelled)
    found: IntArray = np.random.default_rng(seed).permutation(free)[:count]
    return found


_Part = tuple[NDArray[np.bool_], IntArray]
"""Which patches are held out, and rows of those that may teach, in order."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """How well a head does with so many labels.

    Attributes:
        labels: that it was taught on, at most.
        accuracy: share of labelled patches of other blocks that it names rightly.
    """

    labels: int
    accuracy: Share


def learning_curve(
    known: LabelledPatches,
    sizes: tuple[int, ...] = (),
    *,
    kind: HeadKind = "logistic",
    seed: int | None = None,
    rows: IntArray | None = None,
) -> tuple[CurvePoint, ...]:
    """Return accuracy on held-out blocks of land by the number of labels.

    Every patch is tested at each size, by a head that was taught on the first so many labels outside of its fold and
    land.

    Args:
        known: labelled patches, in the order in which people gave the labels.
        sizes: numbers of labels, ascending; empty = doubling from 10 to all that a fold leaves.
        kind: of the head; a forest loads scikit-learn.
        seed: None = labels in their order; a number = in a random order, as a control.
        rows: of ``known`` to learn from, in the order in which people gave them; None = all, as they stand. All are
            tested, so that curves of different rows are of the same land.
    """
    order = np.arange(len(known)) if rows is None else rows
    if seed is not None:
        order = np.random.default_rng(seed).permutation(order)
    blocks, _ = held_together(known.blocks)
    fold = block_folds(blocks, known.labels, FOLDS)
    tests = [fold == number for number in np.unique(fold).tolist()]
    parts = [(held, order[left_to_learn(held, known.pairs)[order]]) for held in tests]
    most = min((len(learned) for _, learned in parts), default=0)
    return tuple(_point(known, parts, size, kind) for size in sizes or _doubling(most))


def _doubling(most: int) -> tuple[int, ...]:
    """Return numbers of labels up to what each fold leaves at least."""
    found, size = [], 10
    while size < most:
        found.append(size)
        size *= 2
    return (*found, most) if most >= 2 else ()


def _point(known: LabelledPatches, parts: Sequence[_Part], size: int, kind: HeadKind) -> CurvePoint:
    right = np.zeros(len(known), np.bool_)
    for held, may_teach in parts:
        learned = may_teach[:size]
        present, labels = np.unique(known.labels[learned], return_inverse=True)
        if len(present) < 2:
            right[held] = len(present) == 1 and known.labels[held] == present[0]
            continue
        model = fit_model(
            kind, known.vectors[learned], labels, len(present), setting=USUAL_SETTING[kind], spread=known.spread
        )
        right[held] = present[model.logits(known.vectors[held]).argmax(axis=1)] == known.labels[held]
    return CurvePoint(labels=size, accuracy=share(right))
