"""Compare encoders on land: the tables of ``core/encoders/models/landlike-2/README.md``.

``python -m tests.bench.compare_encoders FOLDER [ENCODER …]`` with a folder that holds ``eurosat_ms.zip`` and
``land/virginia_classes.npz`` prints a row for each encoder, in 32 bits, with intervals of 95 %:

* EuroSAT: how often the nearest, and the ten nearest, of 296 patches of 13 bands share the class;
* Virginia, the first scene: overlap of what classes a patch and its ten nearest hold, and how often the commonest class
  is the same; patches of half water or more are not asked, and patches that touch are left out;
* two levels: the same patches as surface reflectance, through 0.3 to 1.0 of a unit of air, asked of the patches as they
  are: share of the ten nearest of the class;
* kept: share of the ten nearest on Virginia that are still the nearest when the whole grid moves by 8 pixels;
* four bands: EuroSAT with B02, B03, B04 and B08 only, the ten nearest; and overlap on Virginia with these bands only.

Then a row for each encoder on each of two scenes of other countries, by maps of classes that are drawn by what was
learned on Virginia (``tests.bench.drawn_land``): overlap, and what it is more than that of the plain spectrum. Pixels
of 14 m are asked as they are, and interpolated to 10 m, as the app offers.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.bands import BAND_NAMES, FloatArray, fill_source
from core.config import settings
from core.encoders.atmosphere import bottom_of_atmosphere
from core.encoders.base import Encoder
from core.encoders.registry import FORMER, SHIPPED, load_encoder
from core.encoders.spectral import SPECTRAL
from core.evaluation.land import land_retrieval
from core.evaluation.retrieval import retrieval, share
from core.features.batches import iter_patches
from core.features.level import as_fed, at_level
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.sample.package import sample_files
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import REFLECTANCE_SCALE, Scene, SceneReader
from core.similarity.neighbours import unit_rows
from core.training.dataset import labelled
from tests.bench.drawn_land import drawn_classes, shares_of_classes

K, SHIFT, SIZE = 10, 8, 64
AIRS, SEED = (0.3, 1.0), 5
FEW = ("B02", "B03", "B04", "B08")
WATER = 0
AQUILEIA = "eo_browser_aquileia_2019-04-16_L2A.zip"
ELSEWHERE = {
    "Aquileia": (AQUILEIA, IngestSettings()),
    "Aquileia at 10 m": (AQUILEIA, IngestSettings(ten_metres=True)),
    "Belgium": ("l1c_belgium_7band", IngestSettings()),
}


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A scene of another country, cut into patches.

    Attributes:
        scene: it.
        pixels: reflectance of its patches, shape (N, SIZE, SIZE, 13).
        places: their first pixels, shape (N, 2).
        shares: of classes in them, by a map that is drawn, shape (N, classes).
    """

    scene: Scene
    pixels: FloatArray
    places: np.ndarray
    shares: np.ndarray


class Ground:
    """What all encoders are asked about."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Read patches and scene; ``root`` is where they may be kept meanwhile."""
        library = Library(root)
        patches = labelled(ingest([folder / "eurosat_ms.zip"], library, IngestSettings()))
        self.labels, self.classes = patches.labels, patches.classes
        self.patches = patches.pixels.astype(np.float32) / np.float32(REFLECTANCE_SCALE)
        air = np.random.default_rng(SEED).uniform(*AIRS, (len(self.patches), 1, 1, 1))
        self.surface = np.maximum(bottom_of_atmosphere(self.patches, BAND_NAMES, air), 0)
        self.surface[..., BAND_NAMES.index("B10")] = 0
        self.few = _few(self.patches)
        scene = ingest(sample_files(), library, IngestSettings())
        self.scene, self.moved = (_cut(scene, start) for start in (0, SHIFT))
        grid = patch_grid(scene)
        self.places = grid.first_pixels(np.arange(grid.count))
        truth = np.load(folder / "land" / "virginia_classes.npz")["c"]
        self.shares = np.stack(
            [np.bincount(truth[a : a + SIZE, b : b + SIZE].ravel(), minlength=9) / SIZE**2 for a, b in self.places]
        )
        found = {
            name: ingest([folder / "scenes" / path], library, chosen) for name, (path, chosen) in ELSEWHERE.items()
        }
        self.elsewhere = {name: _elsewhere(one, scene, truth) for name, one in found.items()}


def _few(pixels: FloatArray) -> FloatArray:
    """Return patches with ``FEW`` bands only, others filled as in scenes."""
    sources = [fill_source(name, FEW) for name in BAND_NAMES]
    columns = [BAND_NAMES.index(name or "B10") for name in sources]
    return np.asarray(pixels[..., columns] * np.array([name is not None for name in sources]), np.float32)


def _elsewhere(scene: Scene, known: Scene, truth: np.ndarray) -> Elsewhere:
    grid = patch_grid(scene)
    places = grid.first_pixels(np.arange(grid.count))
    shares = shares_of_classes(drawn_classes(scene, known, truth), places, SIZE)
    there = shares.sum(axis=1) > 0
    return Elsewhere(scene=scene, pixels=_cut(scene, 0)[there], places=places[there], shares=shares[there])


def _cut(scene: Scene, start: int) -> FloatArray:
    """Return all patches of a scene, the grid beginning some pixels down and to the right."""
    grid = patch_grid(scene)
    if not start:
        return np.concatenate([batch.pixels for batch in iter_patches(scene, grid, BAND_NAMES)])
    with SceneReader(scene) as reader:
        windows = [(int(a) + start, int(b) + start, SIZE, SIZE) for a, b in grid.first_pixels(np.arange(grid.count))]
        return np.stack([reader.read(BAND_NAMES, window)[0].transpose(1, 2, 0) for window in windows])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("encoders", nargs="*", default=[SPECTRAL, FORMER, SHIPPED])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        ground = Ground(options.folder, Path(root))
    print(
        "| encoder | numbers | EuroSAT at 1 | at 10 | Virginia overlap | dominant | two levels | kept "
        "| four bands | Virginia so |"
    )
    print("|---|--:|---|---|---|---|---|---|---|---|", flush=True)
    encoders = {
        name: load_encoder(name, settings(), None if name == SPECTRAL else "openvino-f32") for name in options.encoders
    }
    for name, encoder in encoders.items():
        print(_row(name, encoder, ground), flush=True)
    print("\n| scene | patches asked | encoder | overlap | beside the spectrum | dominant | beside the spectrum |")
    print("|---|--:|---|---|---|---|---|", flush=True)
    for title, one in ground.elsewhere.items():
        for name, encoder in encoders.items():
            print(_elsewhere_row(title, name, encoder, one), flush=True)


def _elsewhere_row(title: str, name: str, encoder: Encoder, one: Elsewhere) -> str:
    own, plain = (
        by.encode(as_fed(one.pixels, one.scene, by.spec)) for by in (encoder, load_encoder(SPECTRAL, settings()))
    )
    water = one.shares[:, WATER] >= 0.5
    found = land_retrieval(own, one.shares, one.places, reach=SIZE, skip=water, k=K, plain=plain)
    assert found.gain is not None
    figures = (found.own.overlap, found.gain.overlap, found.own.dominant, found.gain.dominant)
    return f"| {title} | {found.asked} | {name} | {' | '.join(map(str, figures))} |"


def _row(name: str, encoder: Encoder, ground: Ground) -> str:
    own = encoder.encode(ground.patches)
    found = retrieval(own, ground.labels, ground.classes).precision
    scene, moved = encoder.encode(ground.scene), encoder.encode(ground.moved)
    water = ground.shares[:, WATER] >= 0.5
    land = land_retrieval(scene, ground.shares, ground.places, reach=SIZE, skip=water, k=K).own
    present = tuple(band for band in BAND_NAMES if band != "B10")
    fed = at_level(ground.surface, BAND_NAMES, level="L2A", present=present, spec=encoder.spec)
    few = retrieval(encoder.encode(ground.few), ground.labels, ground.classes).precision[K]
    seen = land_retrieval(
        encoder.encode(_few(ground.scene)), ground.shares, ground.places, reach=SIZE, skip=water, k=K
    ).own
    figures = [
        *(
            f"{one.value:.3f} ({one.low:.3f}–{one.high:.3f})"
            for one in (found[1], found[K], land.overlap, land.dominant)
        ),
        f"{_across(encoder.encode(fed), own, ground.labels):.3f}",
        f"{_kept(scene, moved, ground.places):.3f}",
        f"{few.value:.3f}",
        f"{seen.overlap.value:.3f}",
    ]
    return f"| {name} | {encoder.spec.dimension} | {' | '.join(figures)} |"


def _across(asked: FloatArray, known: FloatArray, labels: np.ndarray) -> float:
    """Return the share of the ten nearest of the class; a patch's own twin is left out."""
    scores = unit_rows(asked) @ unit_rows(known).T
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1)[:, :K]
    return share((labels[nearest] == labels[:, None]).mean(axis=1)).value


def _kept(before: FloatArray, after: FloatArray, places: np.ndarray) -> float:
    """Return the share of the ten nearest that stay when every patch moves; patches that touch are left out."""
    touching = (np.abs(places[:, None] - places[None]) <= SIZE).all(axis=-1)
    nearest = []
    for vectors in (unit_rows(before), unit_rows(after)):
        scores = vectors @ vectors.T
        scores[touching] = -np.inf
        nearest.append(np.argsort(-scores, axis=1)[:, :K])
    return float(np.mean([np.isin(*pair).mean() for pair in zip(*nearest, strict=True)]))


if __name__ == "__main__":
    main()
