"""The light of patches as the vocabulary speaks of it: indices, bands and brightness, and what conditions they meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray, normalised_difference
from core.features.table import PatchTable
from core.scenes.scene import Scene
from core.search.vocabulary import LIGHT_BANDS, SINGLE_BANDS, UNEVEN_BAND, Adjective, Light, LightName
from core.values.brightness import mean_brightness

_OF_LAND = 0.5
"""Score from which a patch counts as of a kind of land."""

_FEWEST_COMPARED = 4
"""Patches among which an adjective compares at least."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """How well patches fit a condition.

    Attributes:
        score: float32 of shape (N,), 0 to 1.
        said: what was looked at, in words.
    """

    score: FloatArray
    said: str


@dataclass(kw_only=True, eq=False)
class PatchLight:
    """The light of patches, each quantity computed once.

    Attributes:
        bands: those that the scene has; others in the arrays stand in for what is missing, and do not count.
        mean: float32 of shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        deviation: float32 of shape (N, 13), inside each patch; None = not known.
    """

    bands: Sequence[str]
    mean: FloatArray
    deviation: FloatArray | None = None
    kept: dict[LightName, FloatArray] = field(default_factory=dict)

    def values(self, name: LightName) -> FloatArray | None:
        """Return a quantity, float32 of shape (N,); None where the scene lacks a band of it."""
        if name not in self.kept:
            found = self._computed(name)
            if found is None:
                return None
            self.kept[name] = found
        return self.kept[name]

    def _computed(self, name: LightName) -> FloatArray | None:
        if name == "brightness":
            return mean_brightness(self.mean, self.bands) if self.bands else None
        if name == "unevenness":
            band = self.band(UNEVEN_BAND)
            if band is None or self.deviation is None:
                return None
            inside = self.deviation[:, BAND_NAMES.index(UNEVEN_BAND)] / np.maximum(band, 1e-4)
            return np.asarray(inside, np.float32)
        if name in SINGLE_BANDS:
            return self.band(SINGLE_BANDS[name])
        first, second = (self.band(one) for one in LIGHT_BANDS[name])
        return None if first is None or second is None else normalised_difference(first, second)

    def of(self, chosen: NDArray[np.bool_]) -> PatchLight:
        """Return the light of some of the patches."""
        deviation = None if self.deviation is None else self.deviation[chosen]
        return PatchLight(bands=self.bands, mean=self.mean[chosen], deviation=deviation)

    def mean_of_all(self) -> PatchLight:
        """Return the mean light of all patches as that of one."""
        deviation = None if self.deviation is None else self.deviation.mean(axis=0, keepdims=True)
        return PatchLight(bands=self.bands, mean=self.mean.mean(axis=0, keepdims=True), deviation=deviation)

    def band(self, name: str) -> FloatArray | None:
        """Return the mean reflectance of a band, float32 of shape (N,); None where the scene lacks it."""
        return self.mean[:, BAND_NAMES.index(name)] if name in self.bands else None

    def fit(self, conditions: Iterable[Light]) -> Fit | None:
        """Return how well patches meet those conditions that can be told, the least of them; None when none can."""
        found = [(one, values) for one in conditions if (values := self.values(one.name)) is not None]
        if not found:
            return None
        degrees = [np.clip((values - one.none) / (one.full - one.none), 0, 1) for one, values in found]
        said = [f"{one.name} {'above' if one.full > one.none else 'below'} {_number(one.middle)}" for one, _ in found]
        return Fit(score=np.min(degrees, axis=0).astype(np.float32), said=" and ".join(said))

    def narrowing(self, adjective: Adjective, land: FloatArray | None) -> Light | None:
        """Return what an adjective means for a kind of land: half met at the middle one of its patches, if it compares.

        One that stands alone, or beside land that hardly any patch is of, means what the vocabulary says, or compares
        all patches.

        Args:
            adjective: of the vocabulary.
            land: how well patches fit the kind of land, float32 of shape (N,); None = it stands alone.
        """
        of_land = np.zeros(len(self.mean), bool) if land is None else land >= _OF_LAND
        few = int(of_land.sum()) < _FEWEST_COMPARED
        if adjective.relative is None or (few and adjective.light is not None):
            return adjective.light
        values = self.values(adjective.relative)
        if values is None or not len(values):
            return None
        low, high = (float(end) for end in np.quantile(values if few else values[of_land], (0.25, 0.75)))
        high = max(high, low + 1e-6)
        return Light(
            name=adjective.relative, none=low if adjective.high else high, full=high if adjective.high else low
        )


def patch_light(scene: Scene, table: PatchTable) -> PatchLight:
    """Return the light of a scene's encoded patches."""
    return PatchLight(bands=scene.bands, mean=table.band_mean, deviation=table.band_std)


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
