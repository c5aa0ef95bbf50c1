"""The scene classification that came with a scene: vegetation, bare soil, water, cloud and so on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.scenes.classification import SCL_COLOURS, SCL_NAMES
from core.values.base import Asked, ClassValue
from core.values.legend import ClassLegend
from core.values.source import PatchSource


@dataclass(frozen=True, kw_only=True)
class ClassificationValue(ClassValue):
    """The commonest class of each patch in the product's own scene classification."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the scene has one."""
        return source.scene.classification

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return numbers of classes."""
        found = source.classification()
        return None if found is None else np.where(found < 0, np.float32(np.nan), found.astype(np.float32))

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return all classes, in the colours in which browser portals paint them."""
        return ClassLegend(names=SCL_NAMES, colours=SCL_COLOURS)


CLASSIFICATION = ClassificationValue(
    name="classification",
    title="scene classification",
    about="The commonest class of each patch in the map that came with the product",
)
