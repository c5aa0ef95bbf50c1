"""What a file of vectors says of each patch: its columns of numbers, and those of classes and dates.

The registry is fixed while files differ, so a place in it stands for the first column of its kind, the next for the
second, and so on; what it is called is asked of a source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.features.vector_table import given_values
from core.imagery.ramps import Ramp
from core.scenes.scene import GivenColumn
from core.values.base import Asked, ClassValue, PatchValue, ScaleValue
from core.values.legend import ClassLegend, Scale, ScaleLegend
from core.values.palette import class_colours
from core.values.source import PatchSource

PLACES = "abcdefgh"
"""Columns of a kind that there is a place for; a letter each, as names of values have no digits."""

GIVEN_RAMP = Ramp(((0.0, "#f3efe2"), (0.25, "#c3d3a9"), (0.5, "#6fae9a"), (0.75, "#2f6f8f"), (1.0, "#1d2f5c")))
"""Paper to night blue; lightness alone tells low from high."""

_TAKEN = frozenset(
    {
        "patch_id", "scene", "source_name", "label", "row", "col", "valid_fraction", "geometry", "vector", "band_mean",
        "band_std", "area_ha", "encoder", "bbox", "x", "y", "class",
    }
)  # fmt: skip
"""Columns of a file of features that mean something else."""


@dataclass(frozen=True, kw_only=True)
class GivenValue(PatchValue):
    """A column of the file.

    Attributes:
        place: which of the columns of its kind, from 0.
    """

    place: int
    exported: bool = True

    def columns(self, source: PatchSource) -> tuple[GivenColumn, ...]:
        """Return the columns of its kind; the one that became the truth of the scene is no value beside it."""
        raise NotImplementedError

    def found(self, source: PatchSource) -> GivenColumn | None:
        """Return the column it stands for; None where the file has fewer."""
        columns = self.columns(source)
        return columns[self.place] if self.place < len(columns) else None

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the file has such a column."""
        return self.found(source) is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return what the file says of each patch."""
        column = self.found(source)
        cells = None if column is None else given_values(source.scene, column.name)
        return None if cells is None else cells[source.table.patch_ids]

    def title_of(self, source: PatchSource) -> str:
        """Return what the file calls it."""
        column = self.found(source)
        return self.title if column is None else column.name

    def column_name(self, source: PatchSource) -> str:
        """Return what the file calls it, unless files of features call something else so."""
        name = self.title_of(source)
        return f"file_{name}" if name.casefold() in _TAKEN else name


@dataclass(frozen=True, kw_only=True)
class GivenNumber(GivenValue, ScaleValue):
    """A column of numbers."""

    def columns(self, source: PatchSource) -> tuple[GivenColumn, ...]:
        """Return the columns of numbers."""
        given = source.scene.given
        return () if given is None else tuple(one for one in given.columns if one.kind == "number")

    def leads(self, source: PatchSource) -> bool:
        """Return False: it is shown when somebody asks for it."""
        return False

    def legend(self, source: PatchSource, values: FloatArray | None) -> ScaleLegend:
        """Return the bar over all but the extreme numbers, called as the column is."""
        scale = replace(self.scale, title=self.title_of(source))
        known = np.empty(0) if values is None else values[np.isfinite(values)]
        if not len(known):
            return scale.legend(about=self.about)
        low, high = np.quantile(known, [0.02, 0.98]).tolist()
        return scale.legend(low, high if high > low else low + 1e-6, about=self.about)


@dataclass(frozen=True, kw_only=True)
class GivenClass(GivenValue, ClassValue):
    """A column of classes or of dates."""

    def columns(self, source: PatchSource) -> tuple[GivenColumn, ...]:
        """Return the columns of classes, then that of dates."""
        given = source.scene.given
        if given is None:
            return ()
        kinds = [[one for one in given.columns if one.kind == kind] for kind in ("class", "date")]
        return tuple(one for some in kinds for one in some if one.classes != source.scene.classes)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the classes as the file names them."""
        column = self.found(source)
        names = () if column is None else column.classes
        return ClassLegend(names=names, colours=tuple(class_colours(names, ())))

    def column(self, source: PatchSource) -> NDArray[Any] | None:
        """Return the names of the classes, None where there is none."""
        column, values = self.found(source), self.compute(source, Asked())
        if column is None or values is None:
            return None
        names = np.array([*column.classes, None], dtype=object)
        return names[np.where(np.isfinite(values), values, -1).astype(np.int64)]


_NUMBER = Scale(title="number column of the file", ramp=GIVEN_RAMP, low_word="low", high_word="high")

GIVEN_CLASSES: tuple[PatchValue, ...] = tuple(
    GivenClass(
        name=f"filedclass{letter}", title=f"class column {at + 1} of the file", place=at, about="As the file says"
    )
    for at, letter in enumerate(PLACES)
)
GIVEN_NUMBERS: tuple[PatchValue, ...] = tuple(
    GivenNumber(
        name=f"filednumber{letter}", title=f"number column {at + 1} of the file", place=at, scale=_NUMBER,
        about="As the file says",
    )
    for at, letter in enumerate(PLACES)
)  # fmt: skip
