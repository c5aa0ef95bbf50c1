"""Spectral statistics: features with no learned weights, the honest baseline every other encoder has to beat.

For each patch: the mean and the standard deviation of each of the thirteen bands and of NDVI, NDWI and NDBI (32
numbers). Raw, they are no good for cosine similarity: bands are almost collinear and differ in scale by a factor of a
hundred. So they are, by constants that never depend on the scene,

1. square-rooted (means and deviations, which are positive and skewed; index means are kept as they are),
2. standardised feature by feature and clipped to ±3,
3. turned to their principal axes and divided by the fourth root of each axis's variance, half of the way to white.

The constants are in ``spectral.json``, made by ``fit_table`` from the 296 labelled 13-band patches of EuroSAT
(Helber et al. 2019, MIT licence) that serve as training data. On those patches, leaving the query out, the precision of
the nearest 1, 5 and 10 neighbours is 0.780, 0.682 and 0.636 (chance: 0.10); with constants from one half of the patches
and queries in the other, 0.745, 0.622 and 0.563 among half as many candidates.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from core.bands import BAND_NAMES, INDICES, FloatArray
from core.encoders.base import EncoderSpec, LocalModel
from core.errors import EncoderError

SPECTRAL = "spectral"
"""Name of the encoder."""

TABLE_PATH = Path(__file__).parent / "models" / "spectral" / "spectral.json"
N_BANDS, N_INDICES = len(BAND_NAMES), len(INDICES)
N_STATISTICS = 2 * (N_BANDS + N_INDICES)
CLIP = 3.0
VARIANCE_FLOOR = 0.01
"""Principal axes with less of the variance of one feature count as having this much, so that noise is not blown up."""

_BAND_MEAN = slice(0, N_BANDS)
_BAND_STD = slice(N_BANDS, 2 * N_BANDS)
_INDEX_MEAN = slice(2 * N_BANDS, 2 * N_BANDS + N_INDICES)
_INDEX_STD = slice(2 * N_BANDS + N_INDICES, N_STATISTICS)


def _mixer() -> FloatArray:
    """Return weights (2 × indices, bands) whose product with pixels is every index's a − b, then every a + b."""
    mixer = np.zeros((2 * N_INDICES, N_BANDS), dtype=np.float32)
    for row, (first, second) in enumerate(INDICES.values()):
        a, b = BAND_NAMES.index(first), BAND_NAMES.index(second)
        mixer[row, a], mixer[row, b] = 1, -1
        mixer[row + N_INDICES, [a, b]] = 1
    return mixer


_MIXER = _mixer()
_TINY = np.float32(1e-6)


def statistics(batch: FloatArray) -> FloatArray:
    """Return mean and standard deviation of bands and indices.

    Patches are gone through one at a time, because one fits the processor's cache and a batch does not.

    Args:
        batch: reflectance, float32 of shape (N, H, W, 13), bands in the order of ``BAND_NAMES``.

    Returns:
        float32 of shape (N, 32): band means, band standard deviations, index means, index standard deviations. An index
        is 0 where both its bands are.
    """
    count, height, width, bands = batch.shape
    out = np.empty((count, N_STATISTICS), dtype=np.float32)
    share = np.float32(1 / (height * width))
    column, pixel = np.full(height, share), np.full(height * width, share)
    centred, mixed = (
        np.empty((height, width * bands), np.float32),
        np.empty((2 * N_INDICES, height * width), np.float32),
    )
    tiled = np.empty((width, bands), np.float32)
    for patch, row in zip(batch, out, strict=True):
        rows = patch.reshape(height, width * bands)
        np.add.reduce((column @ rows).reshape(width, bands), axis=0, out=row[_BAND_MEAN])
        tiled[:] = row[_BAND_MEAN]
        np.subtract(rows, tiled.reshape(-1), out=centred)
        squares = np.einsum("ij,ij->j", centred, centred).reshape(width, bands)
        np.add.reduce(squares, axis=0, out=row[_BAND_STD])
        np.matmul(_MIXER, patch.reshape(-1, bands).T, out=mixed)
        index, total = mixed[:N_INDICES], mixed[N_INDICES:]
        np.maximum(total, _TINY, out=total)
        np.divide(index, total, out=index)
        np.matmul(index, pixel, out=row[_INDEX_MEAN])
        index -= row[_INDEX_MEAN, None]
        np.einsum("ij,ij->i", index, index, out=row[_INDEX_STD])
    for part in (_BAND_STD, _INDEX_STD):
        out[:, part] = np.sqrt(out[:, part] * share)
    return out


@dataclass(frozen=True, kw_only=True)
class SpectralTable:
    """Fixed constants between statistics and features.

    Attributes:
        mean: shape (32,), of the square-rooted statistics.
        std: shape (32,), likewise.
        axes: shape (32, 32), columns are the scaled principal axes.
    """

    mean: FloatArray
    std: FloatArray
    axes: FloatArray

    def features(self, stats: FloatArray) -> FloatArray:
        """Return features, float32 of shape (N, 32), of statistics of the same shape.

        A band whose mean is exactly 0 was not measured (B10 in L2A scenes); its two numbers count as average, so that
        its absence makes no two patches alike.
        """
        scores = np.clip((_rooted(stats) - self.mean) / self.std, -CLIP, CLIP)
        absent = stats[:, _BAND_MEAN] == 0
        scores[:, _BAND_MEAN][absent] = 0
        scores[:, _BAND_STD][absent] = 0
        # One row at a time would give the same bits as a batch only by chance with BLAS; einsum does for every batch.
        result: FloatArray = np.einsum("nf,fa->na", scores, self.axes)
        return result


def _rooted(stats: FloatArray) -> FloatArray:
    rooted = np.sqrt(np.maximum(stats, 0))
    rooted[:, _INDEX_MEAN] = stats[:, _INDEX_MEAN]
    return rooted


def fit_table(stats: FloatArray) -> SpectralTable:
    """Fit constants to the statistics of reference patches, shape (N, 32); deterministic up to rounding."""
    rooted = _rooted(stats).astype(np.float64)
    mean, std = rooted.mean(axis=0), rooted.std(axis=0)
    scores = np.clip((rooted - mean) / std, -CLIP, CLIP)
    variances, axes = np.linalg.eigh(np.cov(scores.T))
    axes = axes[:, ::-1] * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(N_STATISTICS)])[::-1]
    scaled = axes * np.maximum(variances[::-1], VARIANCE_FLOOR) ** -0.25
    return SpectralTable(mean=mean.astype(np.float32), std=std.astype(np.float32), axes=scaled.astype(np.float32))


def write_table(table: SpectralTable, path: Path = TABLE_PATH) -> None:
    """Keep constants as JSON with six significant digits."""
    fields = {"mean": table.mean, "std": table.std, "axes": table.axes}
    lines = {key: np.vectorize(lambda value: float(f"{value:.6g}"))(array).tolist() for key, array in fields.items()}
    rows = ",\n  ".join(json.dumps(row) for row in lines["axes"])
    mean, std = json.dumps(lines["mean"]), json.dumps(lines["std"])
    path.write_text(f'{{"mean": {mean},\n "std": {std},\n "axes": [\n  {rows}]}}\n', encoding="utf-8")


@cache
def _shipped() -> tuple[SpectralTable, str]:
    """Return the shipped constants and their SHA-256."""
    try:
        raw = TABLE_PATH.read_bytes()
        fields = {key: np.asarray(value, dtype=np.float32) for key, value in json.loads(raw).items()}
        table = SpectralTable(mean=fields["mean"], std=fields["std"], axes=fields["axes"])
    except (OSError, ValueError, KeyError) as error:
        found = f"its table {TABLE_PATH.name} is missing or damaged"
        raise EncoderError("Loading spectral statistics", found, "install Landlike again") from error
    return table, hashlib.sha256(raw).hexdigest()


def shipped_table() -> SpectralTable:
    """Return the shipped constants.

    Raises:
        EncoderError: when their file is missing or damaged.
    """
    return _shipped()[0]


def spectral_spec() -> EncoderSpec:
    """Return the specification of spectral statistics.

    Raises:
        EncoderError: when the shipped table is damaged.
    """
    method = f"spectral statistics 1|{','.join(BAND_NAMES)}|{CLIP}|{_shipped()[1]}"
    return EncoderSpec(
        name=SPECTRAL,
        title="Spectral statistics",
        fingerprint=hashlib.sha256(method.encode()).hexdigest(),
        bands=BAND_NAMES,
        input_size=None,
        gain=None,
        dimension=N_STATISTICS,
        backend="numpy",
        origin="built in: mean and spread of each band and of NDVI, NDWI and NDBI; no learned weights",
    )


class SpectralKind:
    """The folder of the shipped constants."""

    def backends(self, model: LocalModel, memory: Path) -> tuple[str, ...]:
        """Return the one way to run it."""
        return ("numpy",)

    def recognises(self, directory: Path) -> bool:
        """Tell whether a directory is that of the shipped constants."""
        return directory == TABLE_PATH.parent

    def describe(self, model: LocalModel, backend: str | None, memory: Path) -> EncoderSpec:
        """Return the specification; arguments and errors as of ``EncoderKind.describe``."""
        if backend not in (None, *self.backends(model, memory)):
            found = f"it has no backend “{backend}”"
            raise EncoderError("Loading spectral statistics", found, "leave the backend out")
        return spectral_spec()

    def load(self, model: LocalModel, backend: str | None, memory: Path) -> SpectralEncoder:
        """Return the encoder; arguments and errors as of ``EncoderKind.describe``."""
        self.describe(model, backend, memory)
        return SpectralEncoder()


class SpectralEncoder:
    """Spectral statistics as an ``Encoder``; the work is in ``prepare``, which threads can share."""

    batch_size = 256

    def __init__(self) -> None:
        self.spec = spectral_spec()

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Compute statistics, shape (N, 32), of reflectance of shape (N, H, W, 13) in product order.

        Raises:
            EncoderError: when the batch has another shape.
        """
        if batch.ndim != 4 or batch.shape[3] != N_BANDS:
            found = f"the patches have shape {batch.shape}"
            raise EncoderError("Computing spectral statistics", found, "give patches of shape (N, height, width, 13)")
        return statistics(np.ascontiguousarray(batch, dtype=np.float32))

    def infer(self, prepared: FloatArray) -> FloatArray:
        """Return features, shape (N, 32), of statistics."""
        return shipped_table().features(prepared)

    def encode(self, batch: FloatArray) -> FloatArray:
        """Return features, shape (N, 32), of reflectance of shape (N, H, W, 13)."""
        return self.infer(self.prepare(batch))
