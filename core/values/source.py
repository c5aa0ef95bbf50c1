"""What values of patches are computed from: a scene, its encoded patches, and what else is known of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.evaluation.classifier import Named
from core.features.table import PatchTable
from core.projection.settings import ProjectionSettings
from core.scenes.labels import NO_LABELS, SceneLabels
from core.scenes.patches import IntArray
from core.scenes.scene import Scene
from core.similarity.clusters import ClusterSet


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedValues:
    """A number predicted for all patches.

    Attributes:
        title: what it is.
        predicted: of shape (N,), in its own unit.
        version: what tells it from any other, 16 hexadecimal digits.
        unfamiliar: where land is unfamiliar to the examples or the encoder, bool of shape (N,); None = nowhere.
    """

    title: str
    predicted: NDArray[np.float64]
    version: str
    unfamiliar: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchSource:
    """What values are computed from; a source that knows more overrides the methods.

    Attributes:
        scene: the scene.
        table: its encoded patches, N of them.
        labels: classes of its patches.
    """

    scene: Scene
    table: PatchTable
    labels: SceneLabels = NO_LABELS

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401  as various as what is kept
        """Return what ``make`` gives; a source that remembers makes it once a key."""
        return make()

    def clusters(self) -> ClusterSet | None:
        """Return the clusters of the patches as they are called now; None while they are not found."""
        return None

    def classification(self) -> NDArray[np.int16] | None:
        """Return the class of each patch in the product's own map, int16 of shape (N,), −1 = none; None without one."""
        return None

    def novelty(self) -> FloatArray | None:
        """Return how strange each patch is to the encoder, percentiles of shape (N,); None when it cannot be known."""
        return None

    def named(self, key: str = "") -> Named | None:
        """Return the classes that the encoder's classifier gives the patches; None where it was taught none.

        ``key`` asks for a certain classifier on these features; empty = that of the encoder.
        """
        return None

    def scores(self, like: tuple[int, ...], unlike: tuple[int, ...], also: str = "") -> FloatArray | None:
        """Return how well each patch answers good and bad examples, (N,); None when that cannot be told.

        ``also`` names further examples, which are no patches of the scene.
        """
        return None

    def valid_fraction(self) -> FloatArray | None:
        """Return the share of pixels of each patch that hold data, 0 to 1, shape (N,); None when it is not known."""
        return None

    def valid_of(self, ids: IntArray) -> FloatArray | None:
        """Return that share of some patches, by their ids, shape (N,); None when it is not known."""
        found = self.valid_fraction()
        return None if found is None else found[self.table.positions(ids)]

    def clear_fraction(self) -> FloatArray | None:
        """Return the share of pixels of each patch free of cloud and shadow, 0 to 1, (N,); None when not known."""
        return None

    def hectares(self) -> FloatArray | None:
        """Return the ground with data of each patch in hectares, NaN = unknown, (N,); None when no place is known."""
        return None

    def classified(self) -> Named | None:
        """Return the class of every patch on the map that is made on the Classify page; None where there is none."""
        return None

    def classified_version(self) -> str:
        """Return what tells that map from any other, letters and digits; empty where there is none."""
        given = self.labels.given
        return self.labels.version if given is not None and len(given.classes) > 1 else ""

    def finer(self) -> FinerClasses | None:
        """Return the map of classes on cells finer than patches; None where none was made."""
        return None

    def finer_version(self) -> str:
        """Return what tells that map from any other, letters and digits; empty where there is none; quick."""
        found = self.finer()
        return "" if found is None else found.version

    def learned(self) -> LearnedValues | None:
        """Return the number that was learned from some patches, predicted for all; None while none was."""
        return None

    def stability(self) -> FloatArray | None:
        """Return the share of neighbours that each patch keeps under a shifted grid, (N,); None = not measured."""
        return None

    def distortion(self, layout: ProjectionSettings) -> FloatArray | None:
        """Return how badly a layout places each patch, 0 to 1, shape (N,); None while that is not measured."""
        return None


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueCells:
    """A value on cells of a scene that are smaller than patches, for the map.

    Attributes:
        values: float32 of shape (rows, columns), NaN = none; the first cell begins at the first pixel.
        side: pixels of the scene along a cell.
        ends: rows and columns of pixels where patches end; the last cells may reach beyond.
    """

    values: FloatArray
    side: int
    ends: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class FinerClasses:
    """Classes on cells that are finer than patches, as they were mapped on the Classify page.

    Attributes:
        classes: names.
        cells: numbers of classes; one more than the last = unsure.
        patches: float32 of shape (N,), the number that most cells of each patch have, NaN = none.
        about: which head made them, when and how, a sentence.
        version: what tells them from any others, letters and digits.
    """

    classes: tuple[str, ...]
    cells: ValueCells
    patches: FloatArray
    about: str
    version: str
