"""The classes that supervised layouts go by: those that people gave, else those of the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import SettingsError
from core.scenes.labels import hand_labels, hand_version, joint_version, merged, patch_labels
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene
from core.scenes.truth import map_version

if TYPE_CHECKING:
    import pyarrow as pa

TRUTH = "truth"
"""The version of labels of which none are by people; the truth that came with a scene never changes."""


COLUMN = "file"
"""The version of labels that are a column of a file."""


def labels_version(scene: Scene) -> str:
    """Return what tells the labels of a scene, by people and truth together, from others; empty = there are none."""
    return joint_version(hand_version(scene), map_version(scene)) or ("" if scene.truth_path is None else TRUTH)


def classes_of(scene: Scene, grid: PatchGrid, patch_ids: IntArray, version: str) -> IntArray:
    """Return classes of patches, int64 of shape (N,), counted from 0.

    −1 = none, or less than ``core.scenes.labels.MIN_PURITY`` of the patch is of one class.

    Raises:
        SettingsError: when the labels are no longer those of the version.
    """
    found = merged(hand_labels(scene, grid), patch_labels(scene, grid))
    if labels_version(scene) != version:
        remedy = "arrange the patches by the labels as they are now"
        raise SettingsError("Arranging patches by their labels", "the labels have changed since", remedy)
    return np.full(len(patch_ids), -1) if found is None else found.pure[patch_ids]


def classes_in(table: pa.Table) -> IntArray:
    """Return classes of the rows of a table by its column ``label``, int64 of shape (N,), counted from 0, −1 = none.

    Raises:
        SettingsError: when it has no such column of text.
    """
    import pyarrow as pa

    asked, remedy = "Arranging patches by their labels", "give the file a column “label” with the class of each patch"
    if "label" not in table.column_names:
        raise SettingsError(asked, "the file has no column “label”", remedy)
    try:
        names = table.column("label").cast(pa.string()).to_pylist()
    except pa.ArrowException as error:
        raise SettingsError(asked, "its column “label” holds no names", remedy) from error
    numbers = {name: number for number, name in enumerate(sorted({name for name in names if name}))}
    return np.array([numbers.get(name, -1) for name in names], dtype=np.int64)
