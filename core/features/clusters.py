"""Clusters of patches kept on disk; finding them is ``core.similarity.clusters``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.features.derived import DerivedArrays
from core.features.recipe import Recipe
from core.similarity.clusters import ClusterSettings, FoundClusters


class ClusterStore(DerivedArrays):
    """Clusters under ``root``/groups, as they were called at first: int16 of shape (N,), a file a recipe and settings.

    Beside each lies one of the silhouettes that the number was chosen by, where it was.
    """

    what = "the clusters of patches"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "groups")

    def keep(self, recipe: Recipe, settings: ClusterSettings, found: FoundClusters) -> None:
        """Keep clusters.

        Raises:
            StoreError: when they cannot be written.
        """
        if found.scores:
            rows = sorted(found.scores.items())
            self.put(recipe, _scores_key(settings), np.array(rows, np.float64))
        self.put(recipe, settings.key, found.index)

    def found(self, recipe: Recipe, settings: ClusterSettings) -> FoundClusters | None:
        """Return clusters; None when they are not made. Those of earlier versions have no silhouettes."""
        index = self.get(recipe, settings.key)
        if index is None or index.ndim != 1:
            return None
        scores = self.get(recipe, _scores_key(settings))
        known = {} if scores is None else {int(count): float(score) for count, score in scores}
        return FoundClusters(index=index, scores=known)


def _scores_key(settings: ClusterSettings) -> str:
    return f"{settings.key}-scores"
