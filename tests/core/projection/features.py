"""Features to lay out: as networks make them, and real ones."""

from __future__ import annotations

import io
import zipfile
from functools import cache

import numpy as np
import rasterio

from tests.data import shared


def clustered(count: int = 1200, width: int = 96, groups: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features as networks make them: groups of their own low-dimensional shape, never negative."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % groups
    vectors = random.standard_normal((groups, width))[labels] * 0.5
    for group in range(groups):
        inside = labels == group
        vectors[inside] += random.standard_normal((inside.sum(), 6)) @ random.standard_normal((6, width)) * 0.15
    return np.maximum(vectors, 0).astype(np.float32), labels


@cache
def eurosat() -> tuple[np.ndarray, np.ndarray]:
    """Spectral statistics of EuroSAT's patches, shape (N, 104), and their classes; skips where they are absent."""
    rows, classes = [], []
    with zipfile.ZipFile(shared("eurosat_ms.zip")) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".tif"))
        for name in names:
            with rasterio.open(io.BytesIO(archive.read(name))) as data:
                pixels = data.read().reshape(data.count, -1).astype(np.float32) / 10_000
            rows.append(
                np.concatenate([np.quantile(pixels, np.linspace(0.02, 0.98, 7), axis=1).T.ravel(), pixels.std(1)])
            )
            classes.append(name.split("/")[-2])
    return np.array(rows, np.float32), np.unique(classes, return_inverse=True)[1]
