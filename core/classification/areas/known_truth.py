"""Accuracy of a map where the truth of all its land is known: counted, not estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import AccuracyAssessment, AreaStratum, JudgedUnit, estimate_accuracy
from core.errors import ClassificationError, PatchError
from core.scenes.areas import patch_hectares
from core.scenes.labels import patch_labels
from core.scenes.patches import PatchGrid
from core.scenes.scene import Scene


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


def accuracy_by_truth(scene: Scene, grid: PatchGrid, patches: ClassifiedPatches) -> AccuracyAssessment | None:
    """Return the accuracy of a map of a scene's patches by its truth; None where the scene has none.

    The class on the ground is the commonest of a patch. Where places are unknown all patches count alike, as a hectare.

    Raises:
        PatchError: when the map has patches that the grid does not have.
        ClassificationError: when the truth says nothing of any of them.
        SceneError: when the truth cannot be read.
    """
    truth = patch_labels(scene, grid)
    if truth is None:
        return None
    if patches.ids.min() < 0 or patches.ids.max() >= grid.count:
        found = f"the map has patch {patches.ids.max()}, and the scene {grid.count}"
        raise PatchError(f"Comparing “{patches.name}” with the truth", found, "take the scene and cut it was made of")
    numbers = truth.index[patches.ids]
    if (numbers < 0).all():
        asked = f"Comparing “{patches.name}” with the truth"
        raise ClassificationError(asked, "none of its patches has a known class", "add a map that covers the scene")
    placed = all(one is not None for one in patches.shapes)
    hectares = patch_hectares(patches.shapes, patches.valid) if placed else np.ones(len(numbers))
    names = [truth.classes[number] if number >= 0 else None for number in numbers.tolist()]
    return true_accuracy(patches.classes.tolist(), names, hectares)
