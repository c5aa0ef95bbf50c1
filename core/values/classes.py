"""Classes of patches: of the truth, given by people, and the two together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray, class_title
from core.scenes.labels import PatchLabels, SceneLabels
from core.values.base import NOTHING_ASKED, Asked, ClassValue
from core.values.legend import ClassLegend
from core.values.palette import class_colours
from core.values.source import PatchSource


def colours_of(labels: SceneLabels, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the colours of some classes of a scene, which are the same whichever of them are on show."""
    every = classes if labels.shown is None else labels.shown.classes
    stated = () if labels.shown is None else labels.shown.colours
    by_name = dict(zip(every, class_colours(every, stated), strict=True))
    return tuple(by_name[name] for name in classes)


def titles(classes: Sequence[str]) -> tuple[str, ...]:
    """Return classes as people write them."""
    return tuple(class_title(name) for name in classes)


@dataclass(frozen=True, kw_only=True)
class LabelValue(ClassValue):
    """Classes that a scene's labels have.

    Attributes:
        which: ``truth``, ``given`` or ``shown``, of ``SceneLabels``.
    """

    which: str

    def labels(self, source: PatchSource) -> PatchLabels | None:
        """Return the labels it speaks of; None when there are none."""
        found: PatchLabels | None = getattr(source.labels, self.which)
        return found

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether there are such labels, and in the version that is asked for."""
        return self._current(source, asked) and self.labels(source) is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return numbers of classes; None also for labels of another version, which are no longer known."""
        found = self.labels(source)
        if found is None or not self._current(source, asked):
            return None
        numbers = found.index[source.table.patch_ids].astype(np.float32)
        return np.where(numbers < 0, np.float32(np.nan), numbers)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the classes; one that both truth and people know has one colour."""
        found = self.labels(source)
        classes = () if found is None else found.classes
        return ClassLegend(names=titles(classes), colours=colours_of(source.labels, classes))

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the version of all labels: people's also decide the colours of the truth."""
        return source.labels.state

    def read(self, version: str) -> Asked | None:
        """Return what labels an address asks for."""
        return Asked(version=version) if version else NOTHING_ASKED

    @staticmethod
    def _current(source: PatchSource, asked: Asked) -> bool:
        return asked.version is None or asked.version == source.labels.state


CLASS = LabelValue(name="class", title="class", which="truth")
HAND = LabelValue(name="hand", title="your labels", which="given")
LABEL = LabelValue(name="label", title="label", which="shown", listed=False)
"""Labels by people, else the truth: what the plot names a patch by when it is pointed at."""
