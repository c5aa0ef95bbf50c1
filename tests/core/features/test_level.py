"""Feeding an encoder the product level that it wants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.bands import BAND_NAMES
from core.config import settings
from core.encoders.atmosphere import top_of_atmosphere
from core.encoders.registry import FORMER, SHIPPED, describe
from core.features.level import at_level, converts

PIXELS = np.random.default_rng(0).uniform(0.01, 0.5, (2, 4, 4, 13)).astype(np.float32)


def test_surface_reflectance_is_brought_to_what_the_default_wants() -> None:
    spec = describe(SHIPPED, settings())
    present = tuple(name for name in BAND_NAMES if name != "B10")
    fed = at_level(PIXELS, BAND_NAMES, level="L2A", present=present, spec=spec)
    np.testing.assert_array_equal(fed, top_of_atmosphere(PIXELS, BAND_NAMES, present=present))
    assert converts("L2A", spec)
    assert not converts("L1C", spec)
    assert not converts(None, spec)


def test_what_is_of_the_level_or_of_none_that_is_known_stays_as_it_is() -> None:
    spec = describe(SHIPPED, settings())
    for level in ("L1C", None):
        assert at_level(PIXELS, BAND_NAMES, level=level, present=BAND_NAMES, spec=spec) is PIXELS
    whatever = replace(spec, level=None)
    assert at_level(PIXELS, BAND_NAMES, level="L2A", present=BAND_NAMES, spec=whatever) is PIXELS


def test_features_of_the_version_before_stay_valid() -> None:
    assert describe(FORMER, settings()).level is None, "what it was fed must not change under its fingerprint"
