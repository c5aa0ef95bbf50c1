"""Accuracy of a map where the truth of all its land is known: counted, not estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.classification.areas.estimation import AccuracyAssessment, AreaStratum, JudgedUnit, estimate_accuracy


def true_accuracy(
    mapped: Sequence[str], truth: Sequence[str | None], hectares: NDArray[np.float64]
) -> AccuracyAssessment:
    """Return accuracies and areas of a map by the truth of every unit, to stand beside what a sample estimates.

    They have no error: intervals are as wide as nothing. Units without a truth are left out and counted.

    Args:
        mapped: class of each unit on the map, ``ABSTAINED`` where it has none.
        truth: class on the ground, None where that is not known.
        hectares: of each unit, shape (N,); units count by their area.
    """
    known = [number for number, name in enumerate(truth) if name is not None]
    units = [JudgedUnit(stratum=str(number), mapped=mapped[number], reference=truth[number]) for number in known]
    strata = [AreaStratum(name=str(number), hectares=float(hectares[number]), units=1) for number in known]
    found = estimate_accuracy(units, strata)
    on_map = {name: float(hectares[[at for at in known if mapped[at] == name]].sum()) for name in found.areas}
    return replace(found, mapped=on_map, judged={"all": len(known)}, not_judged=len(truth) - len(known), notes=())
