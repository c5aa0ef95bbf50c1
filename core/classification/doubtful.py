"""Labels that are probably wrong, by confident learning on held-out probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.classification.validation import Validation
from core.scenes.patches import IntArray


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
