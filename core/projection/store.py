"""Projections kept on disk, a checked file for each recipe and settings; making them is ``methods``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.features.derived import DerivedArrays
from core.features.recipe import Recipe


class Layouts(DerivedArrays):
    """Positions under ``root``/projections, float32 of shape (N, 2); reports on them lie beside them."""

    what = "a projection"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "projections")

    def put(self, recipe: Recipe, settings_key: str, array: NDArray[Any]) -> None:
        """Keep positions of shape (N, 2).

        Raises:
            StoreError: when they cannot be written.
        """
        super().put(recipe, settings_key, array.astype(np.float32))
