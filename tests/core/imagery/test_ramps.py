from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as arrays

from core.imagery.ramps import LEVELS, NDVI_RAMP, SIMILARITY_RAMP, oklab, srgb


@given(arrays.arrays(np.uint8, (5, 3)))
def test_oklab_and_back_is_the_same_colour(colours: np.ndarray) -> None:
    assert np.abs(srgb(oklab(colours.astype(float))).astype(int) - colours).max() <= 1


def test_oklab_of_known_colours() -> None:
    # White and red, from the table in Ottosson's article.
    np.testing.assert_allclose(oklab(np.array([[255.0, 255, 255]]))[0], [1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(oklab(np.array([[255.0, 0, 0]]))[0], [0.628, 0.225, 0.126], atol=1e-3)


def test_tables_start_and_end_at_their_stops() -> None:
    for ramp in (NDVI_RAMP, SIMILARITY_RAMP):
        table = ramp.table()
        assert table.shape == (LEVELS, 3)
        for row, (_, colour) in ((0, ramp.stops[0]), (-1, ramp.stops[-1])):
            assert "#" + bytes(table[row]).hex() == colour


def test_similarity_rises_evenly_in_lightness() -> None:
    steps = np.diff(oklab(SIMILARITY_RAMP.table()[::16].astype(float))[:, 0])
    assert steps.min() > 0.5 * steps.mean()
    assert steps.max() < 1.7 * steps.mean()


def test_ndvi_darkens_from_bare_soil_to_dense_plants() -> None:
    values = np.linspace(NDVI_RAMP.low, NDVI_RAMP.high, LEVELS)
    lightness = oklab(NDVI_RAMP.table().astype(float))[:, 0]
    land = lightness[values >= 0.06]
    assert (np.diff(land) <= 0.002).all()
    assert land[0] - land[-1] > 0.4
