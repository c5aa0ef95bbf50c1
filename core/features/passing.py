"""Features that are only passed on: kept in memory from a run until they are read, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from core.encoders.base import EncoderSpec
from core.features.arrow import to_arrow, to_features
from core.features.recipe import FeatureBatch, Features, Recipe, join_batches
from core.files import never
from core.scenes.patches import IntArray


class PassingStore:
    """The features of one run in memory: for thousands of scenes one after another, for LanceDB grows with each."""

    def __init__(self) -> None:
        self._batches: list[FeatureBatch] = []

    def claim(self, recipe: Recipe, cancelled: Callable[[], bool] = never) -> AbstractContextManager[None]:
        """Give the right to run a recipe, which nobody else wants."""
        return nullcontext()

    def complete(self, recipe: Recipe) -> bool:
        """Answer no: nothing is kept of earlier runs."""
        return False

    def begin(self, recipe: Recipe, spec: EncoderSpec, planned: int) -> IntArray:
        """Open the run; nothing is done yet."""
        return np.empty(0, np.int64)

    def append(self, recipe: Recipe, spec: EncoderSpec, batch: FeatureBatch) -> None:
        """Keep features of some patches."""
        self._batches.append(batch)

    def skip(self, recipe: Recipe, ids: IntArray) -> None:
        """Pass over patches that need no features."""

    def count(self, recipe: Recipe) -> int:
        """Return number of patches whose features are kept."""
        return sum(len(batch) for batch in self._batches)

    def finish(self, recipe: Recipe, spec: EncoderSpec, rate: float = 0.0) -> None:
        """End the run."""

    def read(self, recipe: Recipe) -> Features:
        """Return all features, ordered by patch id."""
        whole = join_batches(self._batches)
        made = to_arrow(recipe, whole, whole.vectors.shape[1])
        return to_features(recipe, made.to_batches())
