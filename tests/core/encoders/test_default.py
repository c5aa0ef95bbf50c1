"""The encoder that comes with Landlike: two parts, weighed by how well its network knows the land."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from core.bands import BAND_NAMES, FloatArray
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.registry import SHIPPED, load_encoder
from core.training.hyperparameters import NETWORK_FEATURES
from tests.ground import ground, unit


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
