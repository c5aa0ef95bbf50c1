"""What a value of patches is, what it is computed from, and what may be asked of it. The values lie beside this.

A new value is one entry in ``core.values.registry``: plot, legend, map, filter, export and routes find it there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
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
from core.values.legend import ClassLegend, Legend, Scale, ScaleLegend


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


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a value may depend on beside the scene.

    Attributes:
        query: the patch of this scene that others are compared with, or None.
        like: good examples of what is looked for, where one patch does not say all; patches of this scene.
        unlike: bad examples, likewise.
        also: what further examples that are no patches of this scene are called in addresses; empty = there are none.
        layout: settings of the layout that is judged, or None.
        version: of the labels that an address names; None = as they are now.
    """

    query: int | None = None
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()
    also: str = ""
    layout: ProjectionSettings | None = None
    version: str | None = None


NOTHING_ASKED = Asked()


@dataclass(frozen=True, kw_only=True)
class PatchValue(ABC):
    """A number of each patch of a scene, its colours and its address.

    Attributes:
        name: in addresses and in a visitor's session: letters only.
        title: what it is, after “Colour by ”.
        about: how it is made, a sentence, or empty.
        listed: True = people can choose it.
        exported: True = files of features and of neighbours have it as a column.
    """

    name: str
    title: str
    about: str = ""
    listed: bool = True
    exported: bool = False

    @abstractmethod
    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether a person can choose it now; quick."""

    @abstractmethod
    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return float32 of shape (N,), NaN = none, in the order of the table; None when there are none."""

    @abstractmethod
    def legend(self, source: PatchSource, values: FloatArray | None) -> Legend:
        """Return what the colours mean; ``values`` are those of ``compute``."""

    def leads(self, source: PatchSource) -> bool:
        """Return whether it may be what a scene is coloured by before anybody chooses."""
        return True

    def cells(self, source: PatchSource, asked: Asked) -> ValueCells | None:
        """Return it on cells smaller than patches, which the map then shows; None where it is one a patch."""
        return None

    def about_of(self, source: PatchSource) -> str:
        """Return how it is made of these patches, a sentence, or empty."""
        return self.about

    def note_of(self, source: PatchSource) -> str:
        """Return what has to stand on the map beside its colours, or empty."""
        return ""

    def legend_of(self, source: PatchSource, values: FloatArray | None, asked: Asked) -> Legend:
        """Return what the colours mean of the numbers of ``compute`` for what was asked."""
        return self.legend(source, values)

    def title_of(self, source: PatchSource) -> str:
        """Return what it is called among the patches of a source."""
        return self.title

    def column_name(self, source: PatchSource) -> str:
        """Return what files call it."""
        return self.name

    def column(self, source: PatchSource) -> NDArray[Any] | None:
        """Return what files have of it, float32 or strings of shape (N,); None when there is nothing."""
        return self.compute(source, NOTHING_ASKED)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return what tells these numbers from others of the same value, for addresses; empty = nothing."""
        return ""

    def read(self, version: str) -> Asked | None:
        """Return what a version in an address asks for; None when it makes no sense."""
        return None if version else NOTHING_ASKED

    def alias(self, source: PatchSource, name: str) -> int | None:
        """Return the class that an older name of it means, such as one in an older link; None when it means none."""
        return None

    def address(self, source: PatchSource, asked: Asked) -> str:
        """Return the name and version: what it is called in addresses."""
        return f"{self.name}-{version}" if (version := self.version(source, asked)) else self.name


@dataclass(frozen=True, kw_only=True)
class ScaleValue(PatchValue):
    """A value that is a number on a scale.

    Attributes:
        scale: its colours and words.
    """

    scale: Scale

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar over the range of the scale."""
        return self.scale.legend(about=self.about)

    @staticmethod
    def mask(values: FloatArray, low: float = -np.inf, high: float = np.inf) -> NDArray[np.bool_]:
        """Return which values lie from ``low`` to ``high``, both included; one that is unknown does not."""
        inside: NDArray[np.bool_] = (values >= low) & (values <= high)
        return inside


@dataclass(frozen=True, kw_only=True)
class ClassValue(PatchValue):
    """A value that is the number of a class."""

    @abstractmethod
    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the classes and their colours."""

    @staticmethod
    def mask(values: FloatArray, classes: Collection[int]) -> NDArray[np.bool_]:
        """Return which patches are of some classes; −1 stands for those without a class."""
        return np.isin(np.where(np.isnan(values), -1, values), list(classes))
