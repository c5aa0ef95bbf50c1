"""Maps of classes of scenes that have none, drawn by a classifier of pixels that was taught on Virginia.

It sees each pixel and the 5 × 5 around it, above nominal air and in the bands that both scenes have, and gives the
classes of Dynamic World's map there. So it is a judge with errors of its own, which leans towards spectra: what tells
encoders apart by it is how they do beside the plain spectrum, not how much they get right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from sklearn.ensemble import HistGradientBoostingClassifier

from core.bands import GROUND_BANDS, FloatArray
from core.encoders.atmosphere import brought_to
from core.scenes.scene import Scene, SceneReader

AROUND = 5
"""Pixels a side of what is seen around a pixel."""

MOST_OF_A_CLASS = 8_000
CLASSES = 9
NONE = 255
"""In a map: no data."""


def drawn_classes(scene: Scene, known: Scene, classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the class of each pixel of a scene, uint8 of shape (height, width).

    Args:
        scene: that has no map.
        known: that has one.
        classes: its map, 0 to ``CLASSES`` − 1, uint8 of its shape.
    """
    bands = tuple(name for name in GROUND_BANDS if name in scene.bands and name in known.bands)
    judge = _taught(_seen(known, bands)[0], classes.ravel())
    numbers, valid = _seen(scene, bands)
    found = judge.predict(numbers).astype(np.uint8).reshape(valid.shape)
    return np.where(valid, found, np.uint8(NONE))


def shares_of_classes(classes: NDArray[np.uint8], places: NDArray[np.int64], side: int) -> NDArray[np.float64]:
    """Return the share of each class in patches, shape (N, CLASSES); 0 for all in a patch that is half without data.

    Args:
        classes: of ``drawn_classes``.
        places: first pixels of the patches, shape (N, 2).
        side: pixels of a patch.
    """
    cuts = [classes[row : row + side, col : col + side].ravel() for row, col in places]
    counts = np.stack([np.bincount(one, minlength=NONE + 1)[:CLASSES] for one in cuts])
    known = counts.sum(axis=1, keepdims=True)
    return np.where(known >= side**2 / 2, counts / np.maximum(known, 1), 0)


def _taught(numbers: FloatArray, classes: NDArray[np.uint8]) -> HistGradientBoostingClassifier:
    random = np.random.default_rng(0)
    rows = [np.flatnonzero(classes == number) for number in range(CLASSES)]
    drawn = np.concatenate([random.permutation(one)[:MOST_OF_A_CLASS] for one in rows])
    total, taken = (np.bincount(one, minlength=CLASSES) for one in (classes, classes[drawn]))
    # Between as often as on the ground and all alike: rare classes must not be lost on other ground.
    weights = (np.sqrt(total) / np.maximum(taken, 1))[classes[drawn]]
    judge = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    return judge.fit(numbers[drawn], classes[drawn], sample_weight=weights / weights.mean())


def _seen(scene: Scene, bands: Sequence[str]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return what the judge sees of each pixel, shape (pixels, 3 · bands), and which have data, (height, width)."""
    with SceneReader(scene) as reader:
        pixels, valid = reader.read(bands, (0, 0, scene.grid.height, scene.grid.width))
    pixels = np.moveaxis(pixels, 0, -1)
    if scene.level == "L2A":
        pixels = brought_to("L1C", pixels, bands, scene.bands)
    root = np.sqrt(np.maximum(pixels, 0))
    mean, square = (uniform_filter(one, (AROUND, AROUND, 1)) for one in (root, np.square(root)))
    spread = np.sqrt(np.maximum(square - np.square(mean), 0))
    return np.concatenate([root, mean, spread], axis=-1).reshape(-1, 3 * len(bands)).astype(np.float32), valid
