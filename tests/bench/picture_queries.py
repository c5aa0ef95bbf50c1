"""What pictures of three bands find among patches of thirteen: by all features, and by those of the bands both have.

``python -m tests.bench.picture_queries`` draws 30 of EuroSAT's pictures of each class, encodes them as pictures that
people give, and looks for their like among EuroSAT's 296 patches of 13 bands, none of which is one of them. It prints
the share of the ten nearest that are of the picture's class

* by all features, where stand-ins for what the pictures lack count too,
* by what ``core.search.common_bands`` leaves,
* by all features of the patches encoded anew in the three bands, which takes as long as encoding the scene.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
import rasterio
from PIL import Image

from core.bands import BAND_NAMES, EUROSAT_ORDER, FloatArray, fill_source
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.parts import feature_parts
from core.encoders.registry import load_encoder
from core.encoders.spectral import SPECTRAL
from core.scenes.scene import REFLECTANCE_SCALE
from core.search.chips import RGB, WHITE
from core.search.common_bands import common_bands
from core.similarity.neighbours import unit_rows
from tests.data import ROOT

DRAWN, K, BATCH = 30, 10, 64


def pictures() -> tuple[FloatArray, np.ndarray]:
    """Return pictures drawn at random, reflectance of shape (N, 64, 64, 3), and their classes."""
    with zipfile.ZipFile(ROOT / "eurosat_rgb.zip") as held:
        names = np.array(sorted(name for name in held.namelist() if name.endswith(".jpg")))
        classes, random = np.array([name.split("/")[1] for name in names]), np.random.default_rng(0)
        drawn = np.concatenate(
            [random.choice(np.flatnonzero(classes == one), DRAWN, replace=False) for one in np.unique(classes)]
        )
        pixels = np.stack([np.asarray(Image.open(io.BytesIO(held.read(name)))) for name in names[drawn]])
    return pixels.astype(np.float32) / 255 * np.float32(WHITE), classes[drawn]


def patches() -> tuple[FloatArray, np.ndarray]:
    """Return the patches of 13 bands, reflectance in the order of the products, and their classes."""
    order, found = [EUROSAT_ORDER.index(name) for name in BAND_NAMES], []
    with zipfile.ZipFile(ROOT / "eurosat_ms.zip") as held:
        names = sorted(name for name in held.namelist() if name.endswith(".tif"))
        for name in names:
            with rasterio.MemoryFile(held.read(name)) as file, file.open() as data:
                found.append(np.moveaxis(data.read(), 0, 2)[..., order])
    return np.stack(found).astype(np.float32) / REFLECTANCE_SCALE, np.array([name.split("/")[1] for name in names])


def encoded(encoder: Encoder, pixels: FloatArray, bands: tuple[str, ...]) -> FloatArray:
    """Return features of length 1 of reflectance whose missing bands are filled as in scenes."""
    batch = np.zeros((*pixels.shape[:3], len(encoder.spec.bands)), np.float32)
    for place, name in enumerate(encoder.spec.bands):
        if (source := fill_source(name, bands)) is not None:
            batch[..., place] = pixels[..., bands.index(source)]
    return unit_rows(
        np.concatenate([encoder.encode(batch[first : first + BATCH]) for first in range(0, len(batch), BATCH)])
    )


def main() -> None:
    """Print a line an encoder."""
    (asked, wanted), (known, classes) = pictures(), patches()
    for name in ("landlike-2", "landlike-1", SPECTRAL):
        encoder = load_encoder(name, settings(), None if name == SPECTRAL else "openvino-f32")
        ours, theirs = encoded(encoder, asked, RGB), encoded(encoder, known, BAND_NAMES)
        anew = encoded(encoder, known[..., [BAND_NAMES.index(band) for band in RGB]], RGB)
        shared = common_bands(BAND_NAMES, [RGB], feature_parts(name, encoder.spec.fingerprint, settings()))
        assert shared is not None
        pairs = {"all": (ours, theirs), "shared": (shared.of(ours), shared.of(theirs)), "encoded anew": (ours, anew)}
        said = []
        for title, (one, other) in pairs.items():
            nearest = np.argsort(-one @ other.T, axis=1)[:, :K]
            said.append(f"{title} {(classes[nearest] == wanted[:, None]).mean():.3f}")
        print(f"{name}: {', '.join(said)}; {shared.note}", flush=True)


if __name__ == "__main__":
    main()
