"""The encoded patches of a scene, as searches, values and views need them. Keeping them is ``core.features.store``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.features.recipe import Features
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchTable:
    """The encoded patches of one scene; ids in it are of that scene.

    Attributes:
        patch_ids: int64 of shape (N,), ascending.
        unit: float32 of shape (N, D), features scaled to length 1.
        band_mean: float32 of shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        band_std: float32 of shape (N, 13), standard deviation inside the patch.
    """

    patch_ids: IntArray
    unit: FloatArray
    band_mean: FloatArray
    band_std: FloatArray

    def __len__(self) -> int:
        return len(self.patch_ids)

    def positions(self, ids: IntArray) -> IntArray:
        """Return the rows of those of ``ids`` that are in the table, int64, in the order given."""
        if not len(self):
            return np.empty(0, np.int64)
        found = np.minimum(np.searchsorted(self.patch_ids, ids), len(self) - 1)
        rows: IntArray = found[self.patch_ids[found] == ids]
        return rows

    def holds(self, patch_id: int | None) -> bool:
        """Return whether a patch is in the table."""
        return patch_id is not None and len(self.positions(np.array([patch_id]))) == 1


def patch_table(features: Features) -> PatchTable:
    """Return the table of features, read-only.

    Raises:
        SettingsError: when a feature is not a finite number.
    """
    return PatchTable(
        patch_ids=_frozen(features.patch_ids),
        unit=_frozen(unit_rows(features.vectors)),
        band_mean=_frozen(features.band_mean),
        band_std=_frozen(features.band_std),
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
