"""How unlike known land patches are to an encoder, as a percentile; what it knows is kept in a file beside the model.

What counts is the light that a patch sends (``core.evaluation.land_light``), in the bands that encoder and scene share.
Features do not count: an encoder gives known features to a cloud, and strange ones to good land of another country.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.config import Config
from core.encoders.files import FAMILIAR
from core.encoders.registry import describe
from core.errors import EncoderError, SettingsError, StoreError
from core.evaluation.land_light import TEST_VERSION, LandLight, at_top_of_atmosphere, with_bright_ground
from core.features.level import converts
from core.features.novelty import Novelties
from core.features.recipe import Recipe, companion_of
from core.files import disk_errors, replacing

NEAREST_KNOWN = 5
"""The distance that counts is that to the nearest, second nearest, … up to this one of known land."""

MOST_KNOWN = 1000
"""Patches of known land that are kept, at most."""

NOVEL_ABOVE = 99.0
"""Percentile above which a patch is called unfamiliar: stranger than 99 of 100 patches of known land."""

FEWEST_KNOWN = 100
"""Patches of known land without which there is no 99th percentile."""

FEWEST_BANDS = 2
"""Bands that a scene has to share with what is known."""

NOT_LIGHT_OF_LAND = ("B10",)
"""Cirrus sees no land; of surface reflectance brought to the top of atmosphere, B09 does not either."""


@dataclass(frozen=True, kw_only=True)
class NoveltyReference:
    """What land an encoder knows, as far as it takes to tell what is unlike it.

    Attributes:
        bands: of the statistics.
        statistics: float32 of shape (L, 2 · bands), band statistics of known land, L at most ``MOST_KNOWN``.
        k: which nearest of them the distance is taken to, from 1.
    """

    bands: tuple[str, ...]
    statistics: FloatArray
    k: int = NEAREST_KNOWN

    def percentile(
        self, band_mean: FloatArray, band_std: FloatArray, present: Sequence[str], *, converted: bool = False
    ) -> FloatArray:
        """Return how many of 100 patches of known land are less strange than each patch, 0 to 100.

        Args:
            band_mean: means of 13 bands, shape (N, 13), as the encoder sees them.
            band_std: their deviations, likewise.
            present: bands that the scene has; what stands in for others says nothing.
            converted: True = they are of surface reflectance brought to the top of atmosphere.

        Returns:
            float32 of shape (N,); 100 beyond all known land.

        Raises:
            EncoderError: when the scene shares fewer than ``FEWEST_BANDS`` bands with what is known.
        """
        test, bands = self._test(present, converted=converted)
        columns = [BAND_NAMES.index(name) for name in bands]
        return test.percentile(band_mean[:, columns], band_std[:, columns])

    def flaws(
        self, band_mean: FloatArray, band_std: FloatArray, present: Sequence[str], *, converted: bool = False
    ) -> dict[str, float]:
        """Return the share of patches that look as if misread, by flaw of ``land_light``; arguments as above."""
        test, bands = self._test(present, converted=converted)
        columns = [BAND_NAMES.index(name) for name in bands]
        return test.flaws(band_mean[:, columns], band_std[:, columns])

    @property
    def key(self) -> str:
        """Some letters that are others for other known land, or another test."""
        parts = (TEST_VERSION, self.k, self.bands, hashlib.sha256(self.statistics.tobytes()).hexdigest())
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def in_bands(self, bands: Sequence[str]) -> FloatArray:
        """Return the statistics in some of the bands, float32 of shape (L, 2 · bands)."""
        columns = [self.bands.index(name) for name in bands]
        return self.statistics[:, [*columns, *(column + len(self.bands) for column in columns)]]

    def _test(self, present: Sequence[str], *, converted: bool) -> tuple[LandLight, list[str]]:
        """Return the test in the bands that are shared, and these."""
        left_out = (*NOT_LIGHT_OF_LAND, "B09") if converted else NOT_LIGHT_OF_LAND
        shared = [name for name in self.bands if name in present and name not in left_out]
        if len(shared) < FEWEST_BANDS:
            found = f"the scene has too few of the bands in which known land is kept, {', '.join(self.bands)}"
            raise EncoderError("Comparing patches with known land", found, "choose another encoder")
        known = (self.statistics.tobytes(), self.statistics.dtype.str)
        return _fitted(known, self.bands, tuple(shared), self.k, not converted), shared

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            StoreError: when it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(buffer, k=np.int64(self.k), bands=np.array(self.bands), light=self.statistics)
        advice = "free some space and start again"
        with disk_errors(f"Writing “{path.name}”", full=advice, other=advice), replacing(path) as fresh:
            fresh.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> NoveltyReference:
        """Read a file that ``save`` wrote, or version 0.1, whose bank of features no longer counts.

        Raises:
            EncoderError: when it cannot be read or is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                found = cls(k=int(data["k"]), bands=tuple(data["bands"].tolist()), statistics=data["light"])
            whole = found._whole()
        except (OSError, ValueError, KeyError, EOFError, TypeError, IndexError, BadZipFile) as error:
            raise _damaged(path) from error
        if not whole:
            raise _damaged(path)
        return found

    def _whole(self) -> bool:
        """Return whether the arrays fit each other."""
        if not self.bands or any(name not in BAND_NAMES for name in self.bands) or self.statistics.dtype.kind != "f":
            return False
        fits = self.statistics.ndim == 2 and self.statistics.shape[1] == 2 * len(self.bands)
        return fits and 1 <= self.k < len(self.statistics) and bool(np.isfinite(self.statistics).all())


@lru_cache(maxsize=8)
def _fitted(
    known: tuple[bytes, str], bands: tuple[str, ...], shared: tuple[str, ...], k: int, wavelengths: bool
) -> LandLight:
    """Return the test of known land in the bands that are shared; fitting takes longer than all that is asked of it."""
    half = len(bands)
    statistics = np.frombuffer(*known).reshape(-1, 2 * half)
    mean, std = with_bright_ground(statistics[:, :half], statistics[:, half:], bands)
    columns = [bands.index(name) for name in shared]
    return LandLight(mean[:, columns], std[:, columns], shared, k, wavelengths=wavelengths)


def _damaged(path: Path) -> EncoderError:
    found = f"{path.name} cannot be read or is damaged"
    return EncoderError("Looking up what the encoder was trained on", found, "get the model again")


def calibrate_novelty(
    statistics: FloatArray, bands: Sequence[str], *, k: int = NEAREST_KNOWN, most: int = MOST_KNOWN, seed: int = 0
) -> NoveltyReference:
    """Return what is familiar to an encoder, from land that it knows.

    Args:
        statistics: band statistics of patches, shape (N, 2 · bands); ``most`` of them, drawn at random, are kept. The
            more places they come from, the better: each is measured against the others.
        bands: of the statistics.
        k: which nearest, 1 or more.
        most: patches kept, at most.
        seed: of the draw.

    Raises:
        SettingsError: when there are too few patches or bands, or a number is not finite.
    """
    asked = "Measuring what is familiar to an encoder"
    if not 1 <= k < len(statistics) or len(statistics) < FEWEST_KNOWN:
        raise SettingsError(asked, f"there are {len(statistics)} patches", f"give at least {max(k + 1, FEWEST_KNOWN)}")
    if not np.isfinite(statistics).all() or statistics.shape[1] != 2 * len(bands):
        found = f"their statistics have shape {statistics.shape} for {len(bands)} bands, or are not finite"
        raise SettingsError(asked, found, "give a mean and a deviation for each band")
    kept = np.sort(np.random.default_rng(seed).permutation(len(statistics))[:most])
    return NoveltyReference(bands=tuple(bands), statistics=statistics[kept].astype(np.float32), k=k)


def novelty_reference(recipe: Recipe, config: Config) -> NoveltyReference | None:
    """Return what land the encoder of a recipe knows, from the file beside its model.

    None when there is no such file, or the model is another than the one that made the features.

    Raises:
        EncoderError: when that file is damaged.
    """
    path = companion_of(recipe, FAMILIAR, config)
    return None if path is None else NoveltyReference.load(path)


def novelty_percentile(
    recipe: Recipe,
    config: Config,
    statistics: tuple[FloatArray, FloatArray],
    present: Sequence[str],
    level: str | None,
    *,
    kept: Novelties | None = None,
) -> FloatArray | None:
    """Return how unlike known land patches are to the encoder of a recipe, as ``NoveltyReference.percentile``.

    Args:
        recipe: what the patches were encoded by.
        config: where models lie.
        statistics: means and deviations of 13 bands, of shape (N, 13) each, as they are kept beside features.
        present: bands that the scene has.
        level: of the scene; where the encoder gets L2A converted, so does this.
        kept: where the answer is looked up, and kept when it was not there.

    Returns:
        None when it is not known which land the encoder knows.

    Raises:
        EncoderError: as of ``novelty_reference`` and ``NoveltyReference.percentile``.
    """
    seen = _seen(recipe, config, statistics, level)
    if seen is None:
        return None
    key = f"{seen.known.key}-{'-'.join(present)}{'-converted' if seen.converted else ''}"
    found = None if kept is None else kept.get(recipe, key)
    if found is not None and found.shape == (len(statistics[0]),):
        return found
    percentile = seen.known.percentile(*seen.statistics, present, converted=seen.converted)
    if kept is not None:
        with suppress(StoreError):  # It is measured again next time.
            kept.put(recipe, key, percentile)
    return percentile


def novelty_flaws(
    recipe: Recipe,
    config: Config,
    statistics: tuple[FloatArray, FloatArray],
    present: Sequence[str],
    level: str | None,
) -> dict[str, float]:
    """Return the share of patches that look as if misread, by flaw of ``land_light``; empty where that is not known.

    Arguments and errors as of ``novelty_percentile``.
    """
    seen = _seen(recipe, config, statistics, level)
    return {} if seen is None else seen.known.flaws(*seen.statistics, present, converted=seen.converted)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What an encoder knows, and the band statistics of patches as it sees them."""

    known: NoveltyReference
    statistics: tuple[FloatArray, FloatArray]
    converted: bool


def _seen(recipe: Recipe, config: Config, statistics: tuple[FloatArray, FloatArray], level: str | None) -> _Seen | None:
    known = novelty_reference(recipe, config)
    if known is None:
        return None
    converted = level == "L2A" and converts(level, describe(recipe.encoder, config))
    if converted:
        statistics = at_top_of_atmosphere(*statistics, BAND_NAMES)
    return _Seen(known=known, statistics=statistics, converted=converted)
