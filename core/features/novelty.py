"""The novelty of patches kept on disk; measuring it is ``core.evaluation.novelty``."""

from __future__ import annotations

from pathlib import Path

from core.features.derived import DerivedArrays


class Novelties(DerivedArrays):
    """Novelties under ``root``/novelty, float32 of shape (N,), a file for each recipe and measure."""

    what = "how unfamiliar patches are"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "novelty")
