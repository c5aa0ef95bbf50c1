"""How far patches lie from what an encoder was trained on, as a percentile; kept in a file beside the model.

Two distances count, whichever is the larger percentile: of the features, and of the band statistics, since an
encoder may see known land in a cloud or a blank sheet.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.config import Config
from core.encoders.files import FAMILIAR
from core.errors import EncoderError, SettingsError
from core.evaluation.band_statistics import statistics_of_bands
from core.features.recipe import Recipe, companion_of
from core.files import disk_errors, replacing
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

BANK_NEAREST = 10
"""The distance that counts is that to the nearest, second nearest, … up to this one of the bank."""

BANK_ROWS = 2000
"""Rows of the bank."""

NOVEL_ABOVE = 99.0
"""Percentile above which a patch is called unfamiliar: farther off than 99 of 100 held-out patches."""

FEWEST_HELD = 100
"""Held-out patches without which there is no 99th percentile."""

_STEPS = 1000
_BLOCK = 2048


@dataclass(frozen=True, kw_only=True)
class NoveltyReference:
    """What an encoder was trained on, as far as it takes to tell what is unlike it.

    Attributes:
        bank: float16 of shape (M, C), features of training patches scaled to length 1, M at most ``BANK_ROWS``.
        columns: int64 of shape (C,), the columns of a whole feature vector that count.
        k: which nearest row of the bank the distance is taken to, from 1.
        quantiles: float32 of shape (1001,), rising: quantiles 0, 0.001, … 1 of the distance of held-out patches.
        bands: of the statistics.
        statistics: float32 of shape (L, 2 · bands), band statistics of training patches, L at most ``BANK_ROWS``.
        statistics_quantiles: as ``quantiles``, of the distance in band statistics.
        joint: as ``quantiles``, of the larger of the two percentiles.
    """

    bank: NDArray[np.float16]
    columns: IntArray
    k: int
    quantiles: FloatArray
    bands: tuple[str, ...]
    statistics: FloatArray
    statistics_quantiles: FloatArray
    joint: FloatArray

    def distance(self, vectors: FloatArray) -> FloatArray:
        """Return the cosine distance to the k-th nearest of the bank, float32 of shape (N,), 0 to 2.

        Args:
            vectors: whole feature vectors, shape (N, D); of any length, such as 1.

        Raises:
            EncoderError: when the vectors have too few columns.
            SettingsError: when a number is not finite.
        """
        if vectors.ndim != 2 or vectors.shape[1] <= int(self.columns.max()):
            found = f"the features have shape {vectors.shape} and column {int(self.columns.max())} is asked for"
            raise EncoderError("Comparing patches with the training", found, "get the model again")
        bank = self.bank.astype(np.float32)
        parts = [np.empty(0, np.float32)]
        for start in range(0, len(vectors), _BLOCK):
            unit = unit_rows(vectors[start : start + _BLOCK][:, self.columns])
            scores = unit @ bank.T
            near = np.partition(scores, len(bank) - self.k, axis=1)[:, len(bank) - self.k]
            parts.append(np.clip(1 - near, 0, 2))
        return np.concatenate(parts)

    def statistics_distance(self, statistics: FloatArray) -> FloatArray:
        """Return the distance in band statistics to the k-th nearest training patch, float32 of shape (N,).

        It is Euclidean in the square roots of all numbers, each in deviations of the training's.

        Args:
            statistics: shape (N, 2 · bands), in ``bands``.
        """
        bank = np.sqrt(np.maximum(self.statistics, 0))
        middle, spread = bank.mean(axis=0), np.maximum(bank.std(axis=0), 1e-4)
        bank = (bank - middle) / spread
        parts = [np.empty(0, np.float32)]
        for start in range(0, len(statistics), _BLOCK):
            asked = (np.sqrt(np.maximum(statistics[start : start + _BLOCK], 0)) - middle) / spread
            squares = np.square(asked).sum(axis=1)[:, None] + np.square(bank).sum(axis=1) - 2 * asked @ bank.T
            parts.append(np.sqrt(np.maximum(np.partition(squares, self.k - 1, axis=1)[:, self.k - 1], 0)))
        return np.concatenate(parts).astype(np.float32)

    def percentile(
        self, vectors: FloatArray, band_mean: FloatArray | None = None, band_std: FloatArray | None = None
    ) -> FloatArray:
        """Return how many of 100 held-out training patches are nearer to the training than each patch, 0 to 100.

        Args:
            vectors: as of ``distance``.
            band_mean: means of 13 bands, shape (N, 13); None = not known, so that only features count.
            band_std: their deviations, likewise.

        Returns:
            float32 of shape (N,); 100 beyond all held-out patches.

        Raises:
            EncoderError: as of ``distance``.
            SettingsError: as of ``distance``.
        """
        by_features = _ranked(self.distance(vectors), self.quantiles)
        if band_mean is None or band_std is None:
            return by_features
        statistics = statistics_of_bands(band_mean, band_std, self.bands)
        by_statistics = _ranked(self.statistics_distance(statistics), self.statistics_quantiles)
        return _ranked(np.maximum(by_features, by_statistics), self.joint)

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            StoreError: when it cannot be written.
        """
        buffer = io.BytesIO()
        arrays = {key: getattr(self, name) for name, key in _ARRAYS.items()}
        np.savez(buffer, k=np.int64(self.k), bands=np.array(self.bands), **arrays)
        advice = "free some space and start again"
        with disk_errors(f"Writing “{path.name}”", full=advice, other=advice), replacing(path) as fresh:
            fresh.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> NoveltyReference:
        """Read a file that ``save`` wrote.

        Raises:
            EncoderError: when it cannot be read or is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                arrays = {name: data[key] for name, key in _ARRAYS.items()}
                found = cls(k=int(data["k"]), bands=tuple(data["bands"].tolist()), **arrays)
            whole = found._whole()
        except (OSError, ValueError, KeyError, EOFError, TypeError, IndexError, BadZipFile) as error:
            raise _damaged(path) from error
        if not whole:
            raise _damaged(path)
        return found

    def _whole(self) -> bool:
        """Return whether the arrays fit each other."""
        curves = (self.quantiles, self.statistics_quantiles, self.joint)
        shapes = self.bank.ndim == 2 and self.columns.ndim == 1 and all(_rises(curve) for curve in curves)
        if not shapes or self.columns.dtype.kind != "i" or self.bank.dtype.kind != "f":
            return False
        lit = self.statistics.shape[1:] == (2 * len(self.bands),) and all(name in BAND_NAMES for name in self.bands)
        if not lit or not self.bands or self.statistics.dtype.kind != "f" or len(self.statistics) < self.k:
            return False
        fits = 1 <= self.k <= len(self.bank) and len(self.columns) == self.bank.shape[1] > 0
        numbers = bool(np.isfinite(self.bank).all() and np.isfinite(self.statistics).all())
        return fits and numbers and self.columns.min() >= 0


_ARRAYS = {
    "bank": "bank", "columns": "columns", "quantiles": "quantiles", "statistics": "light",
    "statistics_quantiles": "light_quantiles", "joint": "joint",
}  # fmt: skip
"""Fields by what the file calls them; files of the first version are to be read."""


def _rises(curve: FloatArray) -> bool:
    whole = curve.ndim == 1 and len(curve) > 1 and curve.dtype.kind == "f"
    return whole and bool(np.isfinite(curve).all() and (np.diff(curve) >= 0).all())


def _ranked(values: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return the values as percentiles, 0 to 100, float32."""
    return np.interp(values, quantiles, np.linspace(0, 100, len(quantiles))).astype(np.float32)


def _quantiles(values: FloatArray) -> FloatArray:
    found: FloatArray = np.quantile(values, np.linspace(0, 1, _STEPS + 1)).astype(np.float32)
    return found


def _damaged(path: Path) -> EncoderError:
    found = f"{path.name} cannot be read or is damaged"
    return EncoderError("Looking up what the encoder was trained on", found, "get the model again")


def calibrate_novelty(
    train: FloatArray,
    held_out: FloatArray,
    columns: Sequence[int] | IntArray | None = None,
    *,
    statistics: tuple[FloatArray, FloatArray],
    bands: Sequence[str],
    k: int = BANK_NEAREST,
    most: int = BANK_ROWS,
    seed: int = 0,
) -> NoveltyReference:
    """Return what is familiar to an encoder, from features of patches it was trained on and of patches like them.

    The score is the distance to the k-th nearest training feature: Y. Sun, Y. Ming, X. Zhu and Y. Li,
    "Out-of-distribution detection with deep nearest neighbors" (ICML 2022).

    Args:
        train: features of training patches, shape (N, D); ``most`` of them, drawn at random, are kept.
        held_out: features of patches of the same kind that were not trained on, shape (M, D), M at least
            ``FEWEST_HELD``; none of them may be among ``train``.
        columns: those of the D that the training made; None = all.
        statistics: band statistics of the same training and held-out patches, shapes (N, 2 · bands) and (M, 2 · bands).
        bands: of the statistics.
        k: which nearest, 1 or more.
        most: rows of the bank.
        seed: of the draw.

    Raises:
        SettingsError: when there are too few patches or columns, or a number is not finite.
    """
    chosen = np.arange(train.shape[1]) if columns is None else np.asarray(columns, dtype=np.int64)
    kept = np.sort(np.random.default_rng(seed).permutation(len(train))[:most])
    asked = "Measuring what is familiar to an encoder"
    if not 1 <= k <= len(kept) or len(held_out) < FEWEST_HELD:
        found = f"there are {len(train)} training patches and {len(held_out)} held-out ones"
        raise SettingsError(asked, found, f"give at least {max(k, 1)} and {FEWEST_HELD}")
    if not len(chosen) or chosen.min() < 0 or chosen.max() >= min(train.shape[1], held_out.shape[1]):
        found = f"{len(chosen)} columns of {train.shape[1]} are to count"
        raise SettingsError(asked, found, "choose columns that the features have")
    bank = unit_rows(train[kept][:, chosen]).astype(np.float16)
    flat = np.zeros(2, np.float32)
    bare = NoveltyReference(
        bank=bank, columns=chosen, k=k, quantiles=flat, bands=tuple(bands),
        statistics=statistics[0][kept].astype(np.float32), statistics_quantiles=flat, joint=flat,
    )  # fmt: skip
    distances = bare.distance(held_out), bare.statistics_distance(statistics[1])
    by_features, by_statistics = (_quantiles(one) for one in distances)
    larger = np.maximum(_ranked(distances[0], by_features), _ranked(distances[1], by_statistics))
    return replace(bare, quantiles=by_features, statistics_quantiles=by_statistics, joint=_quantiles(larger))


def novelty_reference(recipe: Recipe, config: Config) -> NoveltyReference | None:
    """Return what the encoder of a recipe was trained on, from the file beside its model.

    None when there is no such file, or the model is another than the one that made the features.

    Raises:
        EncoderError: when that file is damaged.
    """
    path = companion_of(recipe, FAMILIAR, config)
    return None if path is None else NoveltyReference.load(path)
