"""The encoder that comes with Landlike: two parts, weighed by how well its network knows the land."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import core
from core.bands import BAND_NAMES, INDICES, FloatArray
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.registry import SHIPPED, load_encoder
from core.training.hyperparameters import NETWORK_FEATURES

TABLE = Path(core.__file__).with_name("training") / "keras" / "ground.npz"
CHANNELS = [BAND_NAMES.index(name) for name in BAND_NAMES if name not in ("B01", "B09", "B10")]


@cache
def default() -> Encoder:
    return load_encoder(SHIPPED, settings(), "openvino-f32")


def patches(count: int = 6) -> FloatArray:
    """Land of fields: blocks of a few kinds of ground, each with a spectrum and a grain of its own."""
    random = np.random.default_rng(3)
    spectra = random.uniform(0.02, 0.45, (4, 13))
    kinds = np.repeat(np.repeat(random.integers(0, 4, (count, 8, 8)), 8, axis=1), 8, axis=2)
    grain = random.normal(1, 0.08, (count, 64, 64, 13))
    return np.clip(spectra[kinds] * grain, 0, 1).astype(np.float32)


def unit(values: FloatArray) -> FloatArray:
    result: FloatArray = values / np.linalg.norm(values, axis=1, keepdims=True)
    return result


def ground(images: FloatArray) -> FloatArray:
    """The description of the ground by NumPy, straight from the words of its module."""
    table = np.load(TABLE)
    count = len(images)
    tiles = images.reshape(count, 16, 4, 16, 4, 13)
    light = tiles.mean(axis=(2, 4)).reshape(count, 256, 13)
    root = np.sqrt(tiles).mean(axis=(2, 4)).reshape(count, 256, 13)[..., CHANNELS]
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
    words = np.sqrt(shares) - table["word_centre"]
    return np.concatenate([unit(spread), unit(words)], axis=1) * np.float32(0.5**0.5)


def test_its_ground_part_is_what_pixels_say() -> None:
    images = patches()
    found = default().encode(images)[:, NETWORK_FEATURES:]
    np.testing.assert_allclose(unit(found), ground(images), atol=2e-3)


def test_all_features_have_one_length_and_the_network_has_its_say_at_most() -> None:
    found = default().encode(np.concatenate([patches(), np.zeros((1, 64, 64, 13), np.float32)]))
    assert found.shape == (7, 192)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    share = np.square(found[:, :NETWORK_FEATURES]).sum(axis=1)
    assert share.max() <= 0.8001
    assert share.min() >= 0


@pytest.mark.parametrize("lost", [("B10",), ("B01", "B09", "B10")])
def test_air_bands_change_nothing_of_the_ground(lost: tuple[str, ...]) -> None:
    images = patches()
    bare = images.copy()
    bare[..., [BAND_NAMES.index(name) for name in lost]] = 0
    np.testing.assert_allclose(default().encode(bare), default().encode(images), atol=1e-3)
