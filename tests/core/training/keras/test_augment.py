"""Random changes of patches, with draws that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.encoders.atmosphere import air_reflectance, top_of_atmosphere
from core.training.hyperparameters import Hyperparameters
from tests import modules

BANDS = ("B02", "B03", "B04")


AirJitter = Callable[[np.ndarray, float, float], np.ndarray]


@pytest.fixture
def air_jitter(tmp_path: Path) -> AirJitter:
    """Images through more or less air: at most so much, and drawn; done where TensorFlow is."""

    def seen(images: np.ndarray, most: float, drawn: float) -> np.ndarray:
        np.save(tmp_path / "images.npy", images)
        modules.tensorflow().do(__name__, str(tmp_path / "images.npy"), str(most), str(drawn))
        return np.load(tmp_path / "images.npy")

    return seen


def asked(path: str, most: str, drawn: str) -> str:
    """Do what ``air_jitter`` asks for."""
    from core.training.keras.augment import air_jitter

    settings = replace(Hyperparameters(), air_jitter=float(most))
    np.save(path, air_jitter(np.load(path), air_reflectance(BANDS), settings, drawing(float(drawn))))
    return ""


def drawing(value: float) -> Any:
    """What draws one number, whatever is asked for, inside what is asked for."""

    def uniform(shape: Any, least: float, most: float) -> Any:
        assert least <= value <= most
        return np.full(tuple(int(size) for size in shape), value, np.float32)

    return uniform


def test_more_air_is_what_the_air_of_the_product_levels_makes_of_land(air_jitter: AirJitter) -> None:
    images = np.random.default_rng(0).uniform(0.02, 0.4, (2, 4, 4, 3)).astype(np.float32)
    images[:, 0] = 0
    seen = air_jitter(images, 0.4, 0.3)
    np.testing.assert_allclose(seen[:, 1:], top_of_atmosphere(images[:, 1:], BANDS, 0.3), rtol=1e-5)
    assert not seen[:, 0].any(), "what was not measured stays 0"


def test_less_air_never_makes_land_that_was_not_measured(air_jitter: AirJitter) -> None:
    images = np.full((1, 2, 2, 3), 0.001, np.float32)
    assert (air_jitter(images, 0.4, -0.4) > 0).all()


def test_without_it_patches_stay_as_they_are_and_nothing_is_drawn(air_jitter: AirJitter) -> None:
    images = np.ones((1, 2, 2, 3), np.float32)
    np.testing.assert_array_equal(air_jitter(images, Hyperparameters().air_jitter, 9), images)
