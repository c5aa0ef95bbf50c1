"""The description of the ground, worked out by NumPy: what the ground part of encoders is held to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import core
from core.bands import BAND_NAMES, INDICES, FloatArray

TABLE = Path(core.__file__).with_name("training") / "keras" / "ground.npz"
CHANNELS = [BAND_NAMES.index(name) for name in BAND_NAMES if name not in ("B01", "B09", "B10")]


def unit(values: FloatArray) -> FloatArray:
    """The same vectors, of length 1."""
    result: FloatArray = values / np.linalg.norm(values, axis=1, keepdims=True)
    return result


def ground(images: FloatArray) -> FloatArray:
    """The description of the ground by NumPy, straight from the words of its module."""
    table = np.load(TABLE)
    count, high, wide = len(images), images.shape[1] // 4, images.shape[2] // 4
    tiles = images[:, : 4 * high, : 4 * wide].astype(np.float64).reshape(count, high, 4, wide, 4, 13)
    light = tiles.mean(axis=(2, 4)).reshape(count, high * wide, 13)
    root = np.sqrt(tiles).mean(axis=(2, 4)).reshape(count, high * wide, 13)[..., CHANNELS]
    deviation = np.sqrt(np.sqrt(np.maximum(light[..., CHANNELS] - root**2, 0)))
    pairs = [[BAND_NAMES.index(name) for name in pair] for pair in INDICES.values()]
    indices = np.stack([(light[..., a] - light[..., b]) / (light[..., a] + light[..., b]) for a, b in pairs], axis=-1)
    channels = np.concatenate([root, indices], axis=-1)
    above = [np.clip((channels - row) / table["widths"] + 0.5, 0, 1).mean(axis=1) for row in table["thresholds"]]
    statistics = np.concatenate([np.sqrt(channels.std(axis=1)), channels.mean(axis=1), *above], axis=1)
    spread = np.clip((statistics - table["mean"]) / table["deviation"], -3, 3) @ table["axes"] - table["centre"]
    logits = np.concatenate([channels, deviation], axis=-1) @ table["word_weights"] + table["word_offsets"]
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares = (shares / shares.sum(axis=-1, keepdims=True)).mean(axis=1)
    words = shares**0.75 - table["word_centre"]
    found: FloatArray = np.concatenate([unit(spread), unit(words)], axis=1) * np.float32(0.5**0.5)
    return found
