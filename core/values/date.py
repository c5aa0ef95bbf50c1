"""The day a scene was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.values.base import Asked, ClassValue
from core.values.legend import ClassLegend
from core.values.palette import cluster_colours
from core.values.source import PatchSource


@dataclass(frozen=True, kw_only=True)
class DateValue(ClassValue):
    """The date of each patch: one, as long as a scene has one."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the scene has a date."""
        return source.scene.date is not None

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return 0 for all."""
        return None if source.scene.date is None else np.zeros(len(source.table), np.float32)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the date."""
        return ClassLegend(names=(source.scene.date or "No date",), colours=tuple(cluster_colours(1)))


DATE = DateValue(name="date", title="date")
