"""Random changes of patches, with draws that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.encoders.atmosphere import air_reflectance, top_of_atmosphere
from core.training.hyperparameters import Hyperparameters

BANDS = ("B02", "B03", "B04")


@pytest.fixture(scope="module")
def air_jitter() -> Any:
    """Imported late: each process that collects this file would load TensorFlow."""
    from core.training.keras import augment

    return augment.air_jitter


def drawing(value: float) -> Any:
    """What draws one number, whatever is asked for, inside what is asked for."""

    def uniform(shape: Any, least: float, most: float) -> Any:
        assert least <= value <= most
        return np.full(tuple(int(size) for size in shape), value, np.float32)

    return uniform


def test_more_air_is_what_the_air_of_the_product_levels_makes_of_land(air_jitter: Any) -> None:
    images = np.random.default_rng(0).uniform(0.02, 0.4, (2, 4, 4, 3)).astype(np.float32)
    images[:, 0] = 0
    settings = replace(Hyperparameters(), air_jitter=0.4)
    seen = air_jitter(images, air_reflectance(BANDS), settings, drawing(0.3)).numpy()
    np.testing.assert_allclose(seen[:, 1:], top_of_atmosphere(images[:, 1:], BANDS, 0.3), rtol=1e-5)
    assert not seen[:, 0].any(), "what was not measured stays 0"


def test_less_air_never_makes_land_that_was_not_measured(air_jitter: Any) -> None:
    images = np.full((1, 2, 2, 3), 0.001, np.float32)
    settings = replace(Hyperparameters(), air_jitter=0.4)
    assert (air_jitter(images, air_reflectance(BANDS), settings, drawing(-0.4)).numpy() > 0).all()


def test_without_it_patches_stay_as_they_are(air_jitter: Any) -> None:
    images = np.ones((1, 2, 2, 3), np.float32)
    assert air_jitter(images, air_reflectance(BANDS), Hyperparameters(), drawing(9)) is images
