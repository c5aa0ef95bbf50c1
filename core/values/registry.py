"""All values of patches, by name. To add one: an entry in a file beside this, and its name in the list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from core.values.base import NOTHING_ASKED, Asked, PatchValue
from core.values.brightness import BRIGHTNESS
from core.values.classes import CLASS, HAND, LABEL
from core.values.classification import CLASSIFICATION
from core.values.clusters import CLUSTER
from core.values.coverage import AREA, CLEAR, VALID
from core.values.date import DATE
from core.values.distortion import DISTORTION
from core.values.given.columns import GIVEN_CLASSES, GIVEN_NUMBERS
from core.values.indices import NDBI, NDVI, NDWI
from core.values.learned import LEARNED_NUMBER
from core.values.named.classified import CERTAINTY, CLASSIFIED
from core.values.named.finer import FINER
from core.values.named.predicted import CONFIDENCE, PREDICTED
from core.values.novelty import UNFAMILIAR
from core.values.similarity import SIMILARITY
from core.values.source import PatchSource
from core.values.stability import STABILITY

VALUES: Mapping[str, PatchValue] = MappingProxyType(
    {
        value.name: value
        for value in (
            CLASS,
            HAND,
            CLASSIFIED,
            FINER,
            CERTAINTY,
            CLASSIFICATION,
            LEARNED_NUMBER,
            PREDICTED,
            CONFIDENCE,
            *GIVEN_CLASSES,
            *GIVEN_NUMBERS,
            NDVI,
            NDWI,
            NDBI,
            BRIGHTNESS,
            CLUSTER,
            SIMILARITY,
            DISTORTION,
            STABILITY,
            UNFAMILIAR,
            VALID,
            CLEAR,
            AREA,
            DATE,
            LABEL,
        )
    }
)
"""Values by name, the first to be offered first."""

OLDER_NAMES: Mapping[str, str] = MappingProxyType({"labels": "hand", "group": "cluster"})
"""What values were called in older addresses."""


def choices(source: PatchSource, asked: Asked) -> list[str]:
    """Return the names of the values that a person can choose now, the best first."""
    found = [value for value in VALUES.values() if value.listed and value.available(source, asked)]
    return [value.name for value in sorted(found, key=lambda value: not value.leads(source))]


def read_address(address: str) -> tuple[PatchValue, Asked] | None:
    """Return the value that an address names, and what it asks for; None when it makes no sense."""
    name, _, version = address.partition("-")
    value = VALUES.get(OLDER_NAMES.get(name, name))
    asked = None if value is None else value.read(version)
    return None if value is None or asked is None else (value, asked)


def export_columns(source: PatchSource) -> dict[str, NDArray[Any]]:
    """Return the values that files have as columns, float32 or strings of shape (N,), as far as a source knows them."""
    found: dict[str, NDArray[Any]] = {}
    for value in VALUES.values():
        if value.exported and value.available(source, NOTHING_ASKED):
            found |= value.exported_columns(source)
    return found
