"""Learning curves of labels by what they were given from: of suggestions, beside random order as their control."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.classification.label_log import RANDOM, SUGGESTED, LabelLog, rows_among
from core.classification.labelled import LabelledPatches
from core.classification.suggestions import CurvePoint, learning_curve

LEAST_LABELS = 20
"""Labels from one view, from which on a curve says something."""


def curves_by_view(teaching: LabelledPatches, log: LabelLog) -> Mapping[str, tuple[CurvePoint, ...]]:
    """Return a curve for each view that gave enough labels: suggested, and at random as the control; else of all.

    Args:
        teaching: the labelled patches.
        log: when each was labelled, and from what view.

    Returns:
        curves by ``SUGGESTED`` and ``RANDOM``, or one of all labels in their order by the empty text; none of too few.
    """
    ordered = {view: log.in_order(view) for view in (SUGGESTED, RANDOM)}
    enough = [view for view, ids in ordered.items() if len(rows_among(teaching, ids)) >= LEAST_LABELS]
    if enough:  # Labels of other views, such as a file's, may be of other classes: curves are tested without them.
        teaching = teaching.some(np.sort(rows_among(teaching, np.concatenate([*ordered.values()]))))
    elif len(teaching) >= LEAST_LABELS:
        enough, ordered = [""], {"": log.in_order()}
    curves_of = {view: learning_curve(teaching, rows=rows_among(teaching, ordered[view])) for view in enough}
    return {view: points for view, points in curves_of.items() if points}
