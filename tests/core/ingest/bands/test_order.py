"""Telling nameless bands by pixels: right orders are told, and anything else is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import BandsError
from core.ingest.bands.order import tell_order
from tests.core.ingest.rasters import LAND


def pixels(order: tuple[str, ...], seed: int, offset: int = 0) -> np.ndarray:
    """Land of varying brightness and greenness with noise."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(0.4, 1.6, 500)
    base = np.array([LAND[name] for name in order], dtype=np.float32)
    noise = rng.normal(1, 0.05, (len(order), 500))
    return (base[:, None] * light * noise + offset).astype(np.float32)


@given(st.sampled_from([BAND_NAMES, EUROSAT_ORDER]), st.booleans(), st.integers(0, 50), st.sampled_from([0, 1000]))
def test_known_orders(order: tuple[str, ...], with_b10: bool, seed: int, offset: int) -> None:
    order = order if with_b10 else tuple(name for name in order if name != "B10")
    assert tell_order(pixels(order, seed, offset)).bands == order


@pytest.mark.parametrize("scale", [1e-4, 6.5535])
def test_any_scale(scale: float) -> None:
    told = tell_order(pixels(EUROSAT_ORDER, 0) * np.float32(scale))
    assert told.bands == EUROSAT_ORDER
    assert "darkest" in told.because


def test_other_orders_are_refused() -> None:
    for order in (
        BAND_NAMES[::-1],
        (*BAND_NAMES[4:], *BAND_NAMES[:4]),
        tuple(sorted(BAND_NAMES, key=lambda n: n[::-1])),
    ):
        with pytest.raises(BandsError, match="give the names of the bands"):
            tell_order(pixels(order, 0))


@pytest.mark.parametrize("count", [1, 4, 10, 11, 14, 40])
def test_other_numbers_of_bands_are_refused(count: int) -> None:
    with pytest.raises(BandsError, match=f"its {count} bands have no names"):
        tell_order(np.ones((count, 100), dtype=np.float32))


def test_flat_pixels_are_refused() -> None:
    with pytest.raises(BandsError):
        tell_order(np.full((13, 100), 500, dtype=np.float32))
    with pytest.raises(BandsError, match="too few"):
        tell_order(pixels(BAND_NAMES, 0)[:, :10])
