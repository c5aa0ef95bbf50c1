"""On which patches the classes of the default encoder hold: with more bands than it learned from, and on other land.

``python -m tests.bench.named_classes FOLDER`` takes the real data beside the checkout into a library in FOLDER and
prints, in 32 bits,

* the share of patches named rightly by a classifier of all features and by one of the network's alone, both fitted to
  patches of three bands: of others of three bands, and of 296 of thirteen;
* the ten nearest of the thirteen bands that share the class when the same patches ask in fewer bands, by all features
  and by the network's alone; a patch's own twin is left out;
* the share of patches of each scene that the network knows, which decides whether classes count there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from core.bands import BAND_NAMES, GROUND_BANDS, FloatArray
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.files import NETWORK, SHARES
from core.encoders.registry import ENTRIES, SHIPPED, load_encoder
from core.evaluation.classifier import HEARD_FROM, fit_classifier
from core.features.batches import iter_patches
from core.features.level import as_fed
from core.ingest.boundary import ingest_all
from core.ingest.settings import IngestSettings
from core.sample.package import sample_files
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.similarity.neighbours import unit_rows
from core.synthetic.landscape import make_synthetic
from core.training.dataset import Labelled, gather, labelled
from core.training.evaluate import features, fewer
from core.training.split import split
from tests.data import ROOT

K = 10
FEWER = {
    "10 bands": GROUND_BANDS,
    "4 bands": ("B02", "B03", "B04", "B08"),
    "3 bands": ("B02", "B03", "B04"),
}


def main() -> None:
    """Print the figures."""
    root = Path(sys.argv[1])
    library, encoder = Library(root), load_encoder(SHIPPED, settings(), "openvino-f32")
    with np.load(Path(ENTRIES[SHIPPED].reference) / SHARES) as held:
        network = np.arange(len(held["centre"]))
    rgb, every = (
        labelled(ingest_all([ROOT / name], library, IngestSettings())[0])
        for name in ("eurosat_rgb.zip", "eurosat_ms.zip")
    )
    _named(encoder, rgb, every, network)
    _asked(encoder, every, network)
    sources = {
        "EuroSAT mosaic": [ROOT / "scenes" / "quilt_l1c_13band.tif"],
        "Virginia": list(sample_files()),
        "Belgium": [ROOT / "scenes" / "l1c_belgium_7band"],
        "Aquileia": [ROOT / "scenes" / "eo_browser_aquileia_2019-04-16_L2A.zip"],
    }
    scenes = {title: ingest_all(paths, library, IngestSettings())[0] for title, paths in sources.items()}
    for title, scene in {"synthetic": make_synthetic(library), **scenes}.items():
        vectors = _encoded(encoder, scene)
        share = _share_known(vectors, network)
        print(f"{title}: the network knows {share:.2f} of {len(vectors):,} patches", flush=True)


def _named(encoder: Encoder, rgb: Labelled, every: Labelled, network: np.ndarray) -> None:
    parts = fewer(split(gather([rgb], test_sets=[every]), 0), encoder)
    known, other, asked = (features(encoder, part) for part in (parts.train, parts.random, every))
    taught = json.loads((Path(ENTRIES[SHIPPED].reference) / NETWORK).read_text())["classes"]
    assert list(every.classes) == list(parts.train.classes) == taught
    for title, columns in (("all features", None), ("the network's", network)):
        fitted = fit_classifier(known, parts.train.labels, taught, columns=columns)
        right = [
            (fitted.name(vectors).index == labels).mean()
            for vectors, labels in ((other, parts.random.labels), (asked, every.labels))
        ]
        print(f"named rightly by {title}: {right[0]:.3f} in 3 bands, {right[1]:.3f} in {len(every.bands)}", flush=True)


def _asked(encoder: Encoder, every: Labelled, network: np.ndarray) -> None:
    known = features(encoder, every)
    for title, bands in FEWER.items():
        asked = features(encoder, every.on(bands))
        found = [_shared(asked[:, part], known[:, part], every.labels) for part in (slice(None), network)]
        words = f"asked in {title}: {found[0]:.3f} by all features, {found[1]:.3f} by the network's"
        print(f"{words}; the network knows {_share_known(asked, network):.2f}", flush=True)


def _share_known(vectors: FloatArray, network: np.ndarray) -> float:
    share = np.square(unit_rows(vectors)[:, network]).sum(axis=1)
    return float((share >= HEARD_FROM).mean())


def _shared(asked: FloatArray, known: FloatArray, labels: np.ndarray) -> float:
    scores = unit_rows(asked) @ unit_rows(known).T
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1)[:, :K]
    return float((labels[nearest] == labels[:, None]).mean())


def _encoded(encoder: Encoder, scene: Scene) -> FloatArray:
    batches = iter_patches(scene, patch_grid(scene), encoder.spec.bands or BAND_NAMES)
    return np.concatenate([encoder.encode(as_fed(batch.pixels, scene, encoder.spec)) for batch in batches])


if __name__ == "__main__":
    main()
