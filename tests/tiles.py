"""Small GeoTIFFs of all bands as people have them by the thousand, each of land of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from core.bands import BAND_NAMES


def write_tile(path: Path, seed: int, side: int = 128) -> Path:
    """A tile of four patches; the same seed gives the same bytes."""
    random, (rows, cols) = np.random.default_rng(seed), np.mgrid[0:side, 0:side]
    land = 900 + 400 * np.sin(rows / 40 + seed) + 300 * np.cos(cols / 33)
    pixels = land[None] + np.arange(13)[:, None, None] * 120 + random.normal(0, 60, (13, side, side))
    place = rasterio.Affine(10, 0, 600_000 + seed * side * 10, 0, -10, 5_700_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=13, dtype="uint16", crs="EPSG:32631", transform=place
    ) as file:
        file.write(pixels.clip(1, 9000).astype(np.uint16))
        file.descriptions = BAND_NAMES
    return path
