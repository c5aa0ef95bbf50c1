"""Labels that held-out land speaks against: those that are probably wrong, and classes that are not told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.classification.validation import Validation
from core.scenes.patches import IntArray

LEAST_MIXED = 3
"""Labels of two classes that are taken for the other from which on it is said; fewer are chance."""
MIXED_SHARE = 0.3
"""Of their tested labels so many, at least; who guesses between two takes half of them for the other."""


@dataclass(frozen=True, kw_only=True)
class DoubtfulLabel:
    """A label that held-out land speaks against.

    Attributes:
        patch_id: of the patch.
        given: its label.
        likelier: the class that a head would name which never saw the block.
        given_probability: of the label, 0 to 1.
        likelier_probability: of the other class.
    """

    patch_id: int
    given: str
    likelier: str
    given_probability: float
    likelier_probability: float


@dataclass(frozen=True, kw_only=True)
class MixedClasses:
    """Two classes that held-out land does not tell apart.

    Attributes:
        one: the class with more of its labels taken for the other.
        other: the other.
        wrong: labels of either that were named as the other.
        tested: labels of both that were held out.
    """

    one: str
    other: str
    wrong: int
    tested: int


def mixed_classes(found: Validation) -> tuple[MixedClasses, ...]:
    """Return pairs of classes whose labels are often taken for one another, those with most such labels first.

    Args:
        found: of cross-validation.
    """
    table, pairs = found.confusion, []
    for one in range(len(found.classes)):
        for other in range(one):
            wrong = int(table[one, other] + table[other, one])
            tested = int(table[one].sum() + table[other].sum())
            if wrong >= LEAST_MIXED and wrong >= MIXED_SHARE * tested:
                first, second = (one, other) if table[one, other] > table[other, one] else (other, one)
                pairs.append(
                    MixedClasses(one=found.classes[first], other=found.classes[second], wrong=wrong, tested=tested)
                )
    return tuple(sorted(pairs, key=lambda pair: -pair.wrong))


def mixed_labels(found: Validation, patch_ids: IntArray, pair: MixedClasses) -> tuple[DoubtfulLabel, ...]:
    """Return the labels of two classes that were named as the other, the surest of the other first.

    Args:
        found: of cross-validation.
        patch_ids: of the same patches, int64 of shape (N,).
        pair: the classes.
    """
    one, other = found.classes.index(pair.one), found.classes.index(pair.other)
    rows = np.flatnonzero(found.tested)
    labels, named, chances = found.labels[rows], found.named, found.chances[rows]
    mixed = np.flatnonzero((labels != named) & np.isin(labels, (one, other)) & np.isin(named, (one, other)))
    order = sorted(mixed.tolist(), key=lambda at: -chances[at, named[at]])
    return tuple(
        DoubtfulLabel(
            patch_id=int(patch_ids[rows[at]]), given=found.classes[labels[at]], likelier=found.classes[named[at]],
            given_probability=float(chances[at, labels[at]]), likelier_probability=float(chances[at, named[at]]),
        )
        for at in order
    )  # fmt: skip


def doubtful_labels(found: Validation, patch_ids: IntArray) -> tuple[DoubtfulLabel, ...]:
    """Return labels that are probably wrong, the most doubtful first.

    A class counts for a patch when its held-out probability is at least the mean of that of the patches labelled so.
    Where one counts that is likelier than the label, the label is doubtful (Northcutt, Jiang and Chuang, “Confident
    Learning: Estimating Uncertainty in Dataset Labels”, 2021, section 3.1), ranked by the margin between the two.

    Args:
        found: of cross-validation.
        patch_ids: of the same patches, int64 of shape (N,).
    """
    rows = np.flatnonzero(found.tested)
    if not len(rows):
        return ()
    chances, labels = found.chances[rows], found.labels[rows]
    own = chances[np.arange(len(rows)), labels]
    sums = np.bincount(labels, weights=own, minlength=len(found.classes))
    counts = np.bincount(labels, minlength=len(found.classes))
    least = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    counting = np.where(chances >= least, chances, -1.0)
    likelier = counting.argmax(axis=1)
    doubtful = (counting.max(axis=1) > 0) & (likelier != labels) & (counting.max(axis=1) > own)
    order = sorted(np.flatnonzero(doubtful).tolist(), key=lambda at: own[at] - counting[at].max())
    return tuple(
        DoubtfulLabel(
            patch_id=int(patch_ids[rows[at]]), given=found.classes[labels[at]], likelier=found.classes[likelier[at]],
            given_probability=float(own[at]), likelier_probability=float(chances[at, likelier[at]]),
        )
        for at in order
    )  # fmt: skip
