"""The stability of patches kept on disk; measuring it is ``core.evaluation.grid_shift``."""

from __future__ import annotations

from pathlib import Path

from core.features.derived import DerivedArrays


class Stabilities(DerivedArrays):
    """Stabilities under ``root``/stability, float32 of shape (N,), a file for each recipe and way of measuring."""

    what = "the stability of patches"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "stability")
