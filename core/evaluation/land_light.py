"""Whether patches send light as land does: a test made of the band statistics of known land, in the bands at hand.

Four things count against a patch, each measured against what known land scores when it is left out of the test itself:

    far       the distance to the k-th nearest of known land, in log reflectance and contrast, whitened
    flawed    the score of a discriminant that tells known land from the same land misread: 0.1 reflectance left in,
              bands exchanged, light of neighbouring wavelengths, as of another sensor
    uneven    on bare ground, whose light rises evenly from red to near infrared, B04 is too bright beside B05 and B08
              too dark between B07 and B8A: they are exchanged, and a discriminant fitted to plants too does not see it
    copied    two bands hold the same numbers, which no two bands of a sensor do

Sources: Y. Sun, Y. Ming, X. Zhu and Y. Li, "Out-of-distribution detection with deep nearest neighbors" (ICML 2022); of
learning from damaged examples D. Hendrycks, M. Mazeika and T. Dietterich, "Deep anomaly detection with outlier
exposure" (ICLR 2019); of leaving out by the hat matrix D. M. Allen, Technometrics 16 (1974).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import BY_NAME, FloatArray
from core.encoders.atmosphere import LOSS, NOMINAL, air_reflectance

Matrix = NDArray[np.float64]
Damage = Callable[[Matrix, Matrix], tuple[Matrix, Matrix]]

TEST_VERSION = 2
"""Goes up whenever the test answers otherwise for the same numbers: answers are kept."""

OFFSET, EXCHANGED, SHIFTED = "offset", "exchanged", "shifted"
"""Flaws that are looked for: 0.1 reflectance left in; red and blue, or red and near infrared exchanged; light of other
wavelengths."""

_LEFT_IN = 0.1
_EXCHANGES = (("B02", "B04"), ("B04", "B08"))
_SHIFT_NM = (30.0, -30.0)
_FEWEST_SHIFTED = 8
"""Bands without which a spectrum is too coarse to tell a shift from land."""

_DARKEST, _CONTRAST_FLOOR, _CONTRAST_WEIGHT = 0.005, 0.02, 0.3
_WHITENED_FLOOR, _RIDGE = 1e-4, 0.01
_SAME = 1e-3
_AIR = frozenset({"B09", "B10"})
"""Bands that air decides: no interpolation leads through them."""

_BRIGHTER = (1.3, 1.6, 2.0)
_BARE_BY = ("B02", "B04", "B8A", "B11")
_EVEN_BY = ("B04", "B05", "B07", "B08", "B8A")
_FEWEST_ASKED = 20
"""Patches of known land, brighter copies counted, without which there is no telling what is usual."""
_BLOCK = 2048


@dataclass(frozen=True, kw_only=True)
class _Discriminant:
    """Tells known land from land with a flaw, by a quadratic function of features."""

    flaw: str
    middle: Matrix
    spread: Matrix
    weights: Matrix
    known: Matrix
    """Scores of known land, each by the function that was fitted without it."""

    def scores(self, features: Matrix) -> Matrix:
        found: Matrix = _quadratic((features - self.middle) / self.spread) @ self.weights
        return found


class LandLight:
    """The test, fitted to known land in some bands.

    Args:
        mean: reflectance of patches of known land, shape (M, bands), M at least ``k`` + 1.
        std: its deviation inside each patch, likewise.
        bands: their names.
        k: which nearest of known land the distance is taken to, from 1.
        wavelengths: True = light of other wavelengths is looked for, which only light as it was measured shows.
    """

    def __init__(self, mean: FloatArray, std: FloatArray, bands: Sequence[str], k: int, *, wavelengths: bool) -> None:
        """Fit the test."""
        self._k, self._bands = k, tuple(bands)
        known_mean, known_std = mean.astype(np.float64), std.astype(np.float64)
        features = _features(known_mean, known_std)
        values, vectors = np.linalg.eigh(np.cov(features.T) + _WHITENED_FLOOR * np.eye(features.shape[1]))
        self._whiten: Matrix = vectors / np.sqrt(np.maximum(values, _WHITENED_FLOOR))
        self._bank: Matrix = features @ self._whiten
        damages = _damages(bands, wavelengths=wavelengths)
        self._discriminants = [_discriminant(flaw, damage, known_mean, known_std) for flaw, damage in damages]
        known = (one.known for one in self._discriminants)
        columns = [self._distances(features, itself=True), *known, _unevenness(known_mean, self._bands)]
        self._scales = [_scale_of(column) for column in columns]
        self._joint: Matrix = np.sort(np.max(self._in_scale(columns), axis=0))

    def percentile(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Return how much of known land is less strange than each patch, 0 to 100, float32 of shape (N,).

        Args:
            mean: reflectance, shape (N, bands).
            std: its deviation inside each patch, likewise.
        """
        scores = self._in_scale(self._scores(mean, std)).max(axis=0, initial=-np.inf)
        found: FloatArray = np.interp(scores, self._joint, np.linspace(0, 100, len(self._joint))).astype(np.float32)
        found[_copied(mean, std)] = 100
        return found

    def flaws(self, mean: FloatArray, std: FloatArray) -> dict[str, float]:
        """Return the share of patches that look as if misread, by flaw: those that known land hardly ever does."""
        scores = self._in_scale(self._scores(mean, std))[1:] > 1
        shares: dict[str, float] = {}
        for flaw, above in zip([*(one.flaw for one in self._discriminants), EXCHANGED], scores, strict=True):
            shares[flaw] = max(shares.get(flaw, 0.0), float(above.mean()))
        return shares

    def _scores(self, mean: FloatArray, std: FloatArray) -> list[Matrix]:
        features = _features(mean.astype(np.float64), std.astype(np.float64))
        scores = (one.scores(features) for one in self._discriminants)
        return [self._distances(features), *scores, _unevenness(mean.astype(np.float64), self._bands)]

    def _in_scale(self, columns: list[Matrix]) -> Matrix:
        """Return scores on one scale: 0 = the median of known land, 1 = beyond 99 of 100."""
        pairs = zip(columns, self._scales, strict=True)
        return np.stack([(column - middle) / spread for column, (middle, spread) in pairs])

    def _distances(self, features: Matrix, *, itself: bool = False) -> Matrix:
        """Return distances to the k-th nearest of known land; ``itself``: the patches are that land."""
        place = self._k if itself else self._k - 1
        parts = [np.empty(0)]
        for start in range(0, len(features), _BLOCK):
            asked = features[start : start + _BLOCK] @ self._whiten
            squares = np.square(asked).sum(axis=1)[:, None] + np.square(self._bank).sum(axis=1)
            squares -= 2 * asked @ self._bank.T
            parts.append(np.sqrt(np.maximum(np.partition(squares, place, axis=1)[:, place], 0)))
        return np.concatenate(parts)


def with_bright_ground(mean: FloatArray, std: FloatArray, bands: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return known land and, where it holds bare ground, the same ground up to twice as bright, as in dry land.

    Ground is bare where reflectance rises from blue to red and to the short-wave infrared, and the near infrared does
    not stand out. Only light at the ground grows; the air stays.

    Args:
        mean: top-of-atmosphere reflectance, shape (M, bands).
        std: its deviation inside each patch, likewise.
        bands: their names; without B02, B04, B8A or B11 nothing is added.
    """
    bare = _bare(mean, bands)
    if not bare.any():
        return mean, std
    path, through = _air(bands)
    ground, texture = np.maximum((mean - path) / through, 0.002), std / through
    means: list[Matrix] = [mean.astype(np.float64)]
    stds: list[Matrix] = [std.astype(np.float64)]
    for factor in _BRIGHTER:
        seen = np.minimum(ground[bare] * factor, 0.9) * through + path
        fits = (seen[:, bands.index("B11")] < 0.7) & (seen[:, bands.index("B04")] < 0.5)
        means.append(seen[fits])
        stds.append((texture[bare] * factor * through)[fits])
    return np.concatenate(means).astype(np.float32), np.concatenate(stds).astype(np.float32)


def _bare(mean: NDArray[np.floating[Any]], bands: Sequence[str]) -> NDArray[np.bool_]:
    """Return which patches are bare ground, shape (M,); none where the bands do not tell it. Arguments as above."""
    if not set(_BARE_BY) <= set(bands):
        return np.zeros(len(mean), np.bool_)
    path, through = _air(bands)
    ground = np.maximum((mean - path) / through, 0.002)
    blue, red, near, short = (ground[:, list(bands).index(name)] for name in _BARE_BY)
    found: NDArray[np.bool_] = (red > 1.35 * blue) & (short > 1.05 * near) & (near < 2.6 * red)
    return found


def _unevenness(mean: Matrix, bands: Sequence[str]) -> Matrix:
    """Return how uneven the light of bare ground is about the red edge, shape (M,); −inf for other land."""
    if not set(_EVEN_BY) <= set(bands):
        return np.full(len(mean), -np.inf)
    red, edge, before, near, after = (np.log(np.maximum(mean[:, list(bands).index(name)], 1e-5)) for name in _EVEN_BY)
    return np.where(_bare(mean, bands), (red - edge) - (near - (before + after) / 2), -np.inf)


def at_top_of_atmosphere(mean: FloatArray, std: FloatArray, bands: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return band statistics of reflectance at the ground as they are above nominal air; arguments as above."""
    path, through = _air(bands)
    return (mean * through + path).astype(np.float32), (std * through).astype(np.float32)


def _air(bands: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Return the light of nominal air in each band and the share of the ground's light that it lets through."""
    path = NOMINAL * air_reflectance(bands).astype(np.float64)
    return path, 1 - LOSS * path


def _features(mean: Matrix, std: Matrix) -> Matrix:
    """Return log reflectance and weighted log contrast, shape (N, 2 · bands)."""
    lit = np.maximum(mean, 1e-5)
    contrast = _CONTRAST_WEIGHT * np.log(np.maximum(std, 0) / lit + _CONTRAST_FLOOR)
    return np.concatenate([np.log(lit + _DARKEST), contrast], axis=1)


def _quadratic(features: Matrix) -> Matrix:
    """Return features, their products and 1."""
    row, col = np.triu_indices(features.shape[1])
    return np.concatenate([features, features[:, row] * features[:, col], np.ones((len(features), 1))], axis=1)


def _discriminant(flaw: str, damage: Damage, mean: Matrix, std: Matrix) -> _Discriminant:
    """Fit −1 to known land and 1 to the same land with a flaw, by ridge regression."""
    known, flawed = _features(mean, std), _features(*damage(mean, std))
    middle, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    both = _quadratic((np.concatenate([known, flawed]) - middle) / spread)
    sides = np.repeat([-1.0, 1.0], len(known))
    inverse = np.linalg.inv(both.T @ both + _RIDGE * len(both) * np.eye(both.shape[1]))
    weights = inverse @ (both.T @ sides)
    own = both[: len(known)]
    leverage = np.minimum(((own @ inverse) * own).sum(axis=1), 0.999)
    left_out = -1 - (-1 - own @ weights) / (1 - leverage)
    return _Discriminant(flaw=flaw, middle=middle, spread=spread, weights=weights, known=left_out)


def _damages(bands: Sequence[str], *, wavelengths: bool) -> Iterator[tuple[str, Damage]]:
    """Yield the flaws that bands can show."""
    yield OFFSET, _lifted
    for one, other in _EXCHANGES:
        if one in bands and other in bands:
            moved = [{one: other, other: one}.get(name, name) for name in bands]
            yield EXCHANGED, partial(_mixed, np.eye(len(bands))[:, [list(bands).index(name) for name in moved]])
    if wavelengths and len(set(bands) - _AIR) >= _FEWEST_SHIFTED:
        for shift in _SHIFT_NM:
            yield SHIFTED, partial(_mixed, _other_light(bands, shift))


def _lifted(mean: Matrix, std: Matrix) -> tuple[Matrix, Matrix]:
    return mean + _LEFT_IN, std


def _mixed(parts: Matrix, mean: Matrix, std: Matrix) -> tuple[Matrix, Matrix]:
    return mean @ parts, std @ parts


def _other_light(bands: Sequence[str], shift: float) -> Matrix:
    """Return the matrix, shape (bands, bands), by which bands become those of light so many nanometres longer."""
    kept = [place for place, name in enumerate(bands) if name not in _AIR]
    lengths = [BY_NAME[bands[place]].wavelength for place in kept]
    mixed = np.eye(len(bands))
    for place in kept:
        mixed[:, place] = 0
        for source, part in zip(kept, np.eye(len(kept)), strict=True):
            mixed[source, place] = np.interp(BY_NAME[bands[place]].wavelength + shift, lengths, part)
    return mixed


def _copied(mean: FloatArray, std: FloatArray) -> NDArray[np.bool_]:
    """Return which patches hold the same numbers in two bands."""
    found = np.zeros(len(mean), dtype=bool)
    for one, other in combinations(range(mean.shape[1]), 2):
        same = np.abs(mean[:, one] - mean[:, other]) < _SAME * mean[:, one]
        found |= same & (np.abs(std[:, one] - std[:, other]) < _SAME * std[:, one] + 1e-7)
    return found


def _scale_of(known: Matrix) -> tuple[float, float]:
    """Return the median of known land and how far its 99th percentile lies above; −inf does not count."""
    asked = known[np.isfinite(known)]
    if len(asked) < _FEWEST_ASKED:
        return np.inf, 1.0
    middle = float(np.median(asked))
    return middle, max(float(np.quantile(asked, 0.99)) - middle, 1e-6)
