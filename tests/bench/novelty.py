"""How much of real scenes is unfamiliar, as they are and damaged, each set of land calibrated with in turn.

``python -m tests.bench.novelty FOLDER`` takes the real data beside the checkout into a library in FOLDER and prints a
table: a row for each set that is calibrated with, a column for each that is measured; then the least share of damaged
patches that are told, by damage, where EuroSAT's 296 patches are what is known. L2A is measured as converted.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.bands import BAND_NAMES
from core.errors import SettingsError
from core.evaluation.band_statistics import statistics_of_bands
from core.evaluation.land_light import at_top_of_atmosphere
from core.evaluation.novelty import NOVEL_ABOVE, NoveltyReference, calibrate_novelty
from core.features.batches import iter_patches
from core.ingest.boundary import ingest_all
from core.ingest.settings import IngestSettings
from core.sample.package import sample_files
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.synthetic.landscape import make_synthetic
from tests.data import ROOT
from tests.landlight import DAMAGED, Statistics

KNOWN = "EuroSAT"
L1C = IngestSettings(level="L1C")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Band statistics of a set of patches, as an encoder of L1C sees them."""

    statistics: Statistics
    bands: tuple[str, ...]
    converted: bool

    def novel(self, known: NoveltyReference, statistics: Statistics | None = None) -> float:
        percent = known.percentile(*(statistics or self.statistics), self.bands, converted=self.converted)
        return float((percent > NOVEL_ABOVE).mean())


def measured(scenes: list[Scene], size: int = 64) -> Measured:
    means, stds = [], []
    for scene in scenes:
        cut = Cut.of(min(scene.patch_size or size, scene.grid.height, scene.grid.width))
        for batch in iter_patches(scene, patch_grid(scene, cut), BAND_NAMES):
            means.append(batch.pixels.mean(axis=(1, 2)))
            stds.append(batch.pixels.std(axis=(1, 2)))
    mean, std = np.concatenate(means), np.concatenate(stds)
    lit = mean.max(axis=1) > 1e-3
    converted = scenes[0].level == "L2A"
    statistics = at_top_of_atmosphere(mean[lit], std[lit], BAND_NAMES) if converted else (mean[lit], std[lit])
    return Measured(statistics=statistics, bands=scenes[0].bands, converted=converted)


def sets(library: Library) -> dict[str, Measured]:
    scenes = ROOT / "scenes"
    dates = ingest_all([scenes / "eolearn_reference_l1c_5x101x100x13.npy"], library, L1C)
    patches = [ingest_all([path], library)[0] for path in sorted((ROOT / "patches_l2a").iterdir())]
    return {
        KNOWN: measured(ingest_all([ROOT / "eurosat_ms.zip"], library)),
        "Virginia": measured(ingest_all(sample_files(), library, L1C)),
        "synthetic": measured([make_synthetic(library)]),
        "quilt": measured(ingest_all([scenes / "quilt_l1c_13band.tif"], library, L1C)),
        "Belgium": measured(ingest_all([scenes / "l1c_belgium_7band"], library, L1C)),
        "Aquileia": measured(ingest_all([scenes / "eo_browser_aquileia_2019-04-16_L2A.zip"], library)),
        "BigEarthNet": measured(patches),
        "Sahara": measured(ingest_all([ROOT / "stac" / "cogs" / "S2A_29RKH_20200219_0_L2A"], library)),
        **{f"eo-learn {number + 1}": measured([scene], 25) for number, scene in enumerate(dates)},
    }


def main(folder: Path) -> None:
    found = sets(Library(folder))
    print("known".ljust(14), *(name.rjust(11) for name in found))
    for name, one in found.items():
        bands = tuple(band for band in one.bands if band != "B10" and not (one.converted and band == "B09"))
        try:
            known = calibrate_novelty(statistics_of_bands(*one.statistics, bands), bands)
        except SettingsError:
            continue
        print(name.ljust(14), *(f"{other.novel(known):11.3f}" for other in found.values()))
        if name == KNOWN:
            told = known
    for damage, spoil in DAMAGED.items():
        shares = {name: one.novel(told, spoil(*one.statistics)) for name, one in found.items() if "eo-" not in name}
        worst = min(shares, key=shares.__getitem__)
        print(f"{damage.ljust(34)} at least {shares[worst]:.3f} ({worst})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
