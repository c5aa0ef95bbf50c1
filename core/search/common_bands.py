"""What examples of other bands than the searched scene are compared by: numbers of features that both truly have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.encoders.parts import FeatureParts
from core.similarity.neighbours import unit_rows

_MOST_NAMED = 4
"""Bands that are told by name; of more it is told how many."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonBands:
    """How features of different bands are compared.

    Attributes:
        parts: on which bands the features rest; None = that is not known.
        numbers: those that are alike on both sides, bool of shape (M,); None = all count, for none can be told apart.
        bands: that those rest on, and that every side has.
    """

    parts: FeatureParts | None = None
    numbers: NDArray[np.bool_] | None = None
    bands: tuple[str, ...] = ()

    def of(self, vectors: FloatArray) -> FloatArray:
        """Return features (N, D) by what counts, float32 of shape (N, columns), of length 1."""
        if self.parts is None or self.numbers is None:
            return vectors
        return unit_rows(self.parts.of(vectors, self.numbers))

    @property
    def note(self) -> str:
        """What a person has to know of it, without a stop."""
        if self.numbers is None:
            return "stand-ins for bands that one side lacks count too, for this encoder mixes all bands"
        listed = [*self.bands]
        if len(listed) > _MOST_NAMED:
            return f"compared only by the {len(listed)} bands that both sides have"
        names = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
        return f"compared only by {names}, which both sides have"


def common_bands(
    scene: Sequence[str], others: Iterable[Sequence[str]], parts: FeatureParts | None
) -> CommonBands | None:
    """Return by what examples are compared with a scene; None when all of their features are made of the same bands.

    Args:
        scene: bands of the searched scene; empty = not known, so that all counts.
        others: of each example that is not of the scene; empty ones are not known, and taken for the same.
        parts: on which bands the features rest; None = that is not known.
    """
    found = {tuple(bands) for bands in others if bands and scene and set(bands) != set(scene)}
    if not found:
        return None
    if parts is None:
        return CommonBands()
    alike = np.all([parts.alike(scene, bands) for bands in found], axis=0)
    if alike.all():
        return None
    every = set(scene).intersection(*found)
    truly = np.array([bool(every & set(made)) for made in parts.bands])
    numbers = alike & truly
    if not numbers.any():
        return CommonBands(parts=parts)
    used = {name for made, kept in zip(parts.bands, numbers, strict=True) if kept for name in made}
    return CommonBands(parts=parts, numbers=numbers, bands=tuple(name for name in BAND_NAMES if name in used & every))
