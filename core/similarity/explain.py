"""Why patches are alike, in numbers and words: spectral signatures and the differences of their indices. No drawing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, INDICES, FloatArray, fill_source, normalised_difference
from core.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class SpectralSignature:
    """Reflectance by band.

    Attributes:
        mean: float32 of shape (13,), in the order of ``BAND_NAMES``, 0 to about 1.
        spread: float32 of shape (13,), standard deviation over the pixels of all patches taken together.
    """

    mean: FloatArray
    spread: FloatArray


def signature(band_mean: FloatArray, band_std: FloatArray) -> SpectralSignature:
    """Return the signature of some patches of equal size.

    The variance over all their pixels is the mean of the variances inside the patches plus the variance of the patches'
    means (law of total variance).

    Args:
        band_mean: shape (N, 13), mean reflectance of each patch and band, N ≥ 1.
        band_std: shape (N, 13), standard deviation inside the patch, likewise.

    Raises:
        SettingsError: when there is no patch.
    """
    if len(band_mean) == 0:
        raise SettingsError("Drawing a spectral signature", "there are no patches", "choose at least one patch")
    within = np.square(band_std, dtype=np.float64).mean(axis=0)
    between = band_mean.astype(np.float64).var(axis=0)
    mean = band_mean.mean(axis=0, dtype=np.float64).astype(np.float32)
    return SpectralSignature(mean=mean, spread=np.sqrt(within + between).astype(np.float32))


def index_values(band_mean: FloatArray, name: str) -> FloatArray:
    """Return an index of each patch, from the means of its bands.

    Args:
        band_mean: shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        name: ``NDVI``, ``NDWI`` or ``NDBI``.

    Returns:
        float32 of shape (N,), −1 to 1.

    Raises:
        SettingsError: for an unknown index.
    """
    if name not in INDICES:
        found = f"there is no index {name}"
        raise SettingsError("Computing an index", found, f"choose one of {', '.join(INDICES)}")
    first, second = (BAND_NAMES.index(band) for band in INDICES[name])
    return normalised_difference(band_mean[:, first], band_mean[:, second])


@dataclass(frozen=True, kw_only=True)
class BandOrigin:
    """Where the values of a band come from.

    Attributes:
        band: its name.
        source: the band that was measured: itself, its stand-in, or None = filled with zero.
    """

    band: str
    source: str | None

    @property
    def measured(self) -> bool:
        """True = the scene holds this band itself."""
        return self.source == self.band

    @property
    def words(self) -> str:
        """What a reader has to know: empty when measured."""
        if self.measured:
            return ""
        return f"not in this scene; {self.source} stands in" if self.source else "not in this scene; taken as zero"


def band_origins(present: Sequence[str]) -> tuple[BandOrigin, ...]:
    """Return where each of the thirteen bands of such a scene comes from, in the order of ``BAND_NAMES``."""
    return tuple(BandOrigin(band=name, source=fill_source(name, present)) for name in BAND_NAMES)


@dataclass(frozen=True, kw_only=True)
class IndexNote:
    """One index of a query beside that of its neighbours.

    Attributes:
        name: ``NDVI``, ``NDWI`` or ``NDBI``.
        query: the query's value, −1 to 1.
        neighbours: mean of the neighbours' values.
        spread: standard deviation of the neighbours' values.
        below: share of all patches of the scene whose value is lower than the query's, 0 to 1.
        sentence: the same in words.
    """

    name: str
    query: float
    neighbours: float
    spread: float
    below: float
    sentence: str


_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NDVI": ("greener", "less green"),
        "NDWI": ("wetter", "drier"),
        "NDBI": ("more built-up or bare", "less built-up or bare"),
    }
)
_PLUS_MINUS = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
_DEGREES = ((0.02, ""), (0.06, "slightly "), (0.15, ""), (0.3, "clearly "), (2.01, "much "))
"""Differences of an index below the first number count as none; each word holds up to its number."""


NO_INDICES = "The scene lacks the bands for indices of plants, water and built-up land."


def indices_of(present: Collection[str]) -> tuple[str, ...]:
    """Return the indices of a scene with these bands, in the order of ``INDICES``; one of a stand-in tells nothing."""
    return tuple(name for name, pair in INDICES.items() if set(pair) <= set(present))


def compare_indices(
    query: FloatArray, neighbours: FloatArray, scene: FloatArray, present: Collection[str] = BAND_NAMES
) -> tuple[IndexNote, ...]:
    """Return what the indices say about a query, its neighbours and the scene they come from.

    Args:
        query: shape (13,), mean reflectance of the query's bands.
        neighbours: shape (K, 13), likewise, of its neighbours; K may be 0.
        scene: shape (N, 13), likewise, of all patches, N ≥ 1.
        present: bands that the scene has itself.

    Returns:
        One note an index that these bands make, in the order of ``core.bands.INDICES``.
    """
    return tuple(_note(name, query, neighbours, scene) for name in indices_of(present))


def _note(name: str, query: FloatArray, neighbours: FloatArray, scene: FloatArray) -> IndexNote:
    value = float(index_values(query[None], name)[0])
    others = index_values(neighbours, name)
    mean, spread = (float(others.mean()), float(others.std())) if len(others) else (value, 0.0)
    below, above = _shares(index_values(scene, name), value)
    sentence = f"{name} {signed(value)}: {_place(name, below, above)}"
    if len(others):
        sentence += f"; neighbours {_difference(name, mean - value)} ({signed(mean)}{_PLUS_MINUS}{spread:.2f})"
    return IndexNote(name=name, query=value, neighbours=mean, spread=spread, below=below, sentence=sentence)


def _shares(values: NDArray[np.float32], value: float) -> tuple[float, float]:
    return float((values < value - 1e-6).mean()), float((values > value + 1e-6).mean())


def _place(name: str, below: float, above: float) -> str:
    """Return where a value lies among all of the scene's."""
    more, less = _WORDS[name]
    if below >= 0.6:
        return f"{more} than {_percent(below)} of the scene"
    if above >= 0.6:
        return f"{less} than {_percent(above)} of the scene"
    return f"about as {_PLAIN[name]} as most of the scene"


_PLAIN: Mapping[str, str] = MappingProxyType({"NDVI": "green", "NDWI": "wet", "NDBI": "built-up or bare"})


def _difference(name: str, difference: float) -> str:
    """Return how the neighbours differ from the query."""
    degree = next((word for limit, word in _DEGREES if abs(difference) < limit), "much ")
    if abs(difference) < _DEGREES[0][0]:
        return "the same"
    return f"{degree}{_WORDS[name][0 if difference > 0 else 1]}"


def _percent(share: float) -> str:
    """Return a share in whole per cent; never all, for the query itself is part of the scene."""
    return f"{min(99, round(100 * share))}\N{NO-BREAK SPACE}%"


def signed(value: float) -> str:
    """Return an index with two decimals and a true minus sign; never ``−0.00``."""
    text = f"{value:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
