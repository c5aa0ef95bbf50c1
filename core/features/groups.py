"""Groups of alike patches kept on disk; making them is ``core.similarity.clusters``."""

from __future__ import annotations

from pathlib import Path

from core.features.derived import DerivedArrays


class Groups(DerivedArrays):
    """Groups under ``root``/groups, int16 of shape (N,), a file for each recipe and ``GroupSettings.key``."""

    what = "the groups of patches"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "groups")
