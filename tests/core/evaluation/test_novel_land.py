"""What the shipped encoder calls unfamiliar: no land at all, and hardly any real land that it never saw.

Its known land is of EuroSAT alone; the scenes here are of other places and were not calibrated on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.config import settings
from core.encoders.files import FAMILIAR, LEARNED
from core.encoders.registry import companion, default_encoder
from core.evaluation.band_statistics import statistics_of_pixels
from core.evaluation.land_light import at_top_of_atmosphere
from core.evaluation.novelty import NOVEL_ABOVE, NoveltyReference
from core.evaluation.training_overlap import TrainingPatches
from tests.data import shared


@cache
def reference() -> NoveltyReference:
    path = companion(default_encoder(), FAMILIAR, settings())
    assert path is not None
    return NoveltyReference.load(path)


def novel(
    mean: np.ndarray, std: np.ndarray, present: tuple[str, ...] = BAND_NAMES, *, converted: bool = False
) -> float:
    percent = reference().percentile(mean, std, present, converted=converted)
    return float((percent > NOVEL_ABOVE).mean())


def patches(pixels: np.ndarray, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Band statistics of the whole patches of reflectance of shape (bands, height, width), invalid ones left out."""
    _, height, width = pixels.shape
    rows, cols = height // side, width // side
    cut = pixels[:, : rows * side, : cols * side].reshape(len(pixels), rows, side, cols, side)
    mean, std = (np.moveaxis(one, 0, -1).reshape(rows * cols, -1) for one in (cut.mean((2, 4)), cut.std((2, 4))))
    whole = np.moveaxis((cut > 0).all((0, 2, 4)), 0, 0).ravel()
    return mean[whole].astype(np.float32), std[whole].astype(np.float32)


def in_product_order(values: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """Statistics of some bands as those of 13, 0 where there is none."""
    found = np.zeros((len(values), 13), np.float32)
    found[:, [BAND_NAMES.index(name) for name in bands]] = values
    return found


@pytest.mark.parametrize("level", [0.004, 0.02, 0.5, 0.8])
def test_dark_sheets_and_clouds_are_no_land_it_knows(level: float) -> None:
    mean = level * np.random.default_rng(0).normal(1, 0.02, (40, 13)).astype(np.float32)
    assert novel(mean, 0.06 * mean) == 1


def test_real_land_in_two_other_countries_is_known_and_damaged_it_is_not() -> None:
    """Seven bands of Belgium, and five dates of another place, of which the first is under cloud."""
    folder = shared("scenes/l1c_belgium_7band")
    bands = ("B02", "B03", "B04", "B08", "B8A", "B09", "B11")
    rasters = []
    for name in bands:
        with rasterio.open(next(folder.glob(f"*{name}*.tif*"))) as data:
            rasters.append(np.where(data.read(1) == 65535, 0, data.read(1)) / 10_000)
    mean, std = (in_product_order(one, bands) for one in patches(np.stack(rasters)))
    print(f"unfamiliar: {novel(mean, std, bands):.3f} of {len(mean)} patches of Belgium")
    assert novel(mean, std, bands) < 0.10
    for bad_mean, bad_std in ((10 * mean, 10 * std), (mean / 10, std / 10), (mean + 0.1, std)):
        assert novel(bad_mean, bad_std, bands) > 0.95
    dates = np.load(shared("scenes/eolearn_reference_l1c_5x101x100x13.npy"))
    shares = [novel(*patches(np.moveaxis(one, -1, 0), 25)) for one in dates]
    assert shares[0] > 0.9
    assert max(shares[2:]) < 0.1


def test_light_at_the_ground_is_known_once_converted() -> None:
    """Aquileia, L2A from a browser portal, whose numbers are reflectance × 65,535."""
    import zipfile

    bands = tuple(name for name in BAND_NAMES if name != "B10")
    rasters = []
    path = shared("scenes/eo_browser_aquileia_2019-04-16_L2A.zip")
    with zipfile.ZipFile(path) as held:
        for name in bands:
            member = next(one for one in held.namelist() if f"{name}_" in one or f"{name} " in one or f"{name}." in one)
            with rasterio.MemoryFile(held.read(member)) as memory, memory.open() as data:
                rasters.append(data.read(1)[::2, ::2] / 65_535)
    mean, std = (in_product_order(one, bands) for one in patches(np.stack(rasters), 32))
    assert novel(*at_top_of_atmosphere(mean, std, BAND_NAMES), bands, converted=True) < 0.10
    assert novel(mean, std, bands) > 0.9


def test_none_of_the_patches_kept_apart_was_learned_from() -> None:
    import zipfile

    path = companion(default_encoder(), LEARNED, settings())
    assert path is not None
    pixels = []
    with zipfile.ZipFile(shared("eurosat_ms.zip")) as held:
        for member in [one for one in held.namelist() if one.endswith(".tif")][::5]:
            with rasterio.MemoryFile(held.read(member)) as memory, memory.open() as data:
                pixels.append(np.moveaxis(data.read(), 0, -1))
    order = [EUROSAT_ORDER.index(name) for name in BAND_NAMES]
    statistics = statistics_of_pixels(np.stack(pixels)[..., order])
    assert not TrainingPatches.load(Path(path)).holds_statistics(BAND_NAMES, statistics).any()
    assert novel(statistics[:, :13], statistics[:, 13:]) < 0.06
