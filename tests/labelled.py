"""Zips of labelled patches in class folders, as EuroSAT comes, with pixels of our own."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import MemoryFile

from core.bands import BAND_NAMES

CLASSES = ("Meadow", "Sand", "Water")
LEVELS = {"Meadow": (0.04, 0.40), "Sand": (0.25, 0.35), "Water": (0.06, 0.02)}
"""Reflectance of each class: visible bands, and those beyond."""


def pixels(name: str, seed: int, bands: Sequence[str] = BAND_NAMES, side: int = 64) -> np.ndarray:
    """Digital numbers of one patch of a class, shape (bands, side, side): its level, and stripes where it is sand."""
    random = np.random.default_rng(seed)
    visible, beyond = LEVELS.get(name, (0.1, 0.2))
    level = np.array([visible if band in ("B01", "B02", "B03", "B04") else beyond for band in bands])
    patch = np.repeat(level * random.uniform(0.8, 1.2), side * side).reshape(len(bands), side, side)
    if name == "Sand":
        patch *= 1 + 0.2 * np.sign(np.sin(np.arange(side) / 3 + random.uniform(0, 6)))
    patch *= random.normal(1, 0.05, patch.shape)
    return np.clip(patch * 10_000, 1, 9_999).astype(np.uint16)


def write_zip(
    path: Path, per_class: int = 6, *, classes: Sequence[str] = CLASSES, bands: Sequence[str] = BAND_NAMES,
    side: int = 64, seed: int = 0,
) -> Path:  # fmt: skip
    """``per_class`` patches a class, each 20 km east of the one before."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(classes):
            for index in range(per_class):
                values = pixels(name, seed + 1000 * number + index, bands, side)
                left, top = 300_000 + 20_000 * index, 5_000_000 - 5_000 * number
                archive.writestr(f"Set/{name}/{name}_{index + 1}.tif", tif(values, bands, left, top))
    return path


def tif(values: np.ndarray, bands: Sequence[str], left: float, top: float) -> bytes:
    """A GeoTIFF of pixels of 10 m whose upper left corner lies there in UTM zone 33."""
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=values.shape[2], height=values.shape[1], count=len(values), dtype="uint16",
            crs="EPSG:32633", transform=rasterio.Affine(10, 0, left, 0, -10, top),
        ) as file:  # fmt: skip
            file.write(values)
            file.descriptions = tuple(bands)
        return bytes(memory.read())
