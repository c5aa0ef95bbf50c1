"""The class of land on cells finer than patches, as it was mapped on the Classify page; the map shows the cells.

What makes it is ``core.classification``, above this; a source that can hands its answer in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.bands import FloatArray
from core.values.base import NOTHING_ASKED, Asked, ClassValue
from core.values.classes import titles
from core.values.legend import ClassLegend
from core.values.named.predicted import predicted_colours
from core.values.named.unsure import UNSURE, UNSURE_COLOUR
from core.values.source import FinerClasses, PatchSource, ValueCells

_VERSION = re.compile(r"[0-9a-z]{1,80}")


@dataclass(frozen=True, kw_only=True)
class FinerValue(ClassValue):
    """The class of each cell on the map, and of most cells of each patch elsewhere; the last class is ``UNSURE``."""

    def leads(self, source: PatchSource) -> bool:
        """Return False: it is shown when somebody asks for it."""
        return False

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether such a map was made, and of the version that is asked for; quick."""
        version = source.finer_version()
        return bool(version) and asked.version in (None, version)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return the class of most cells of each patch."""
        found = self._found(source, asked)
        return None if found is None else found.patches

    def cells(self, source: PatchSource, asked: Asked) -> ValueCells | None:
        """Return the class of each cell."""
        found = self._found(source, asked)
        return None if found is None else found.cells

    def about_of(self, source: PatchSource) -> str:
        """Return which head made it, and when."""
        found = source.finer()
        return self.about if found is None else found.about

    def note_of(self, source: PatchSource) -> str:
        """Return the same: cells are seen on the map alone."""
        return self.about_of(source)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the classes, and that of cells it is unsure of."""
        found = source.finer()
        classes = () if found is None else found.classes
        colours = (*predicted_colours(source.labels, classes), UNSURE_COLOUR)
        return ClassLegend(names=(*titles(classes), UNSURE), colours=colours)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the version of the map."""
        return asked.version or source.finer_version()

    def read(self, version: str) -> Asked | None:
        """Return which map an address asks for."""
        if not version:
            return NOTHING_ASKED
        return Asked(version=version) if _VERSION.fullmatch(version) else None

    def _found(self, source: PatchSource, asked: Asked) -> FinerClasses | None:
        return source.finer() if self.available(source, asked) else None


FINER = FinerValue(
    name="finer",
    title="class on your finer map",
    about="The class of cells finer than patches, as mapped on the Classify page",
)
