"""The thirteen Sentinel-2 bands, the orders they come in, and the indices made of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Band:
    """One band of the MultiSpectral Instrument.

    Attributes:
        name: ``B01`` … ``B12``, ``B8A``.
        wavelength: centre in nanometres, Sentinel-2A.
        width: bandwidth in nanometres, Sentinel-2A.
        resolution: native ground sampling distance in metres.
        title: what analysts call it.

    Source: ESA, Sentinel-2 MSI Technical Guide, spectral response (S2A values).
    """

    name: str
    wavelength: float
    width: float
    resolution: int
    title: str


BANDS: tuple[Band, ...] = (
    Band(name="B01", wavelength=442.7, width=20, resolution=60, title="coastal aerosol"),
    Band(name="B02", wavelength=492.7, width=65, resolution=10, title="blue"),
    Band(name="B03", wavelength=559.8, width=35, resolution=10, title="green"),
    Band(name="B04", wavelength=664.6, width=30, resolution=10, title="red"),
    Band(name="B05", wavelength=704.1, width=14, resolution=20, title="red edge 1"),
    Band(name="B06", wavelength=740.5, width=14, resolution=20, title="red edge 2"),
    Band(name="B07", wavelength=782.8, width=19, resolution=20, title="red edge 3"),
    Band(name="B08", wavelength=832.8, width=105, resolution=10, title="near infrared"),
    Band(name="B8A", wavelength=864.7, width=21, resolution=20, title="narrow near infrared"),
    Band(name="B09", wavelength=945.1, width=19, resolution=60, title="water vapour"),
    Band(name="B10", wavelength=1373.5, width=29, resolution=60, title="cirrus"),
    Band(name="B11", wavelength=1613.7, width=90, resolution=20, title="short-wave infrared 1"),
    Band(name="B12", wavelength=2202.4, width=174, resolution=20, title="short-wave infrared 2"),
)
"""All bands in the order of the products (B8A after B08); canonical scenes keep this order."""

BAND_NAMES: tuple[str, ...] = tuple(band.name for band in BANDS)
BY_NAME: Mapping[str, Band] = MappingProxyType({band.name: band for band in BANDS})

GROUND_BANDS: tuple[str, ...] = tuple(name for name in BAND_NAMES if name not in ("B01", "B09", "B10"))
"""Bands that see the ground at 10 or 20 m: B01 and B09 see 60 m of air and land at once, B10 the air alone."""

EUROSAT_ORDER: tuple[str, ...] = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B8A",
)  # fmt: skip
"""The order inside EuroSAT files: B8A last (Helber et al. 2019, checked against the files)."""

EUROSAT_CLASSES: tuple[str, ...] = (
    "AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial",
    "Pasture", "PermanentCrop", "Residential", "River", "SeaLake",
)  # fmt: skip
"""The ten classes of EuroSAT, in its own alphabetical order (Helber et al. 2019)."""


def class_title(name: str) -> str:
    """Return a class name as people write it: ``AnnualCrop`` becomes ``Annual crop``; names with spaces stay."""
    if name == "SeaLake":
        return "Sea or lake"
    if not re.fullmatch(r"(?:[A-Z][a-z]+){2,}", name):
        return name
    words = re.findall(r"[A-Z][a-z]+", name)
    return " ".join([words[0], *(word.lower() for word in words[1:])])


INDICES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"NDVI": ("B08", "B04"), "NDWI": ("B03", "B08"), "NDBI": ("B11", "B08")}
)
"""Normalised differences (a − b) / (a + b): NDVI (Rouse 1974), NDWI (McFeeters 1996), NDBI (Zha 2003)."""


def fill_source(band: str, present: Collection[str]) -> str | None:
    """Which present band stands in for a missing one.

    B10 (cirrus) is filled with zero, because over land almost no light returns there; every other band takes the
    present band nearest in wavelength, B10 excepted.

    Args:
        band: name of the wanted band.
        present: names of the bands at hand.

    Returns:
        ``band`` itself when present, the stand-in's name, or None for zero fill.
    """
    if band in present:
        return band
    candidates = [name for name in present if name != "B10"]
    if band == "B10" or not candidates:
        return None
    wanted = BY_NAME[band].wavelength
    return min(candidates, key=lambda name: abs(BY_NAME[name].wavelength - wanted))


def normalised_difference(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return (a − b) / (a + b), element by element, in [−1, 1] for non-negative input; 0 where both are 0."""
    total = a + b
    safe = np.where(total == 0, np.float32(1), total)
    return np.where(total == 0, np.float32(0), (a - b) / safe).astype(np.float32)
