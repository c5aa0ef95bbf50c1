"""What a value of patches is, and what may be asked of it. The values lie beside this; ``source`` is what they are of.

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
from core.projection.settings import ProjectionSettings
from core.values.legend import ClassLegend, Legend, Scale, ScaleLegend
from core.values.source import PatchSource, ValueCells


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

    def exported_columns(self, source: PatchSource) -> dict[str, NDArray[Any]]:
        """Return all that files have of it, by name, each as of ``column``; empty when there is nothing."""
        found = self.column(source)
        return {} if found is None else {self.column_name(source): found}

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
