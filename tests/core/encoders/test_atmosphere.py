"""Bringing surface reflectance to the top of the atmosphere, and back."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from core.bands import BAND_NAMES
from core.encoders.atmosphere import air_reflectance, bottom_of_atmosphere, brought_to, top_of_atmosphere
from tests import data

LAND = np.random.default_rng(0).uniform(0.01, 0.6, (5, 4, 4, 13)).astype(np.float32)


def test_there_and_back_is_where_it_began() -> None:
    np.testing.assert_allclose(bottom_of_atmosphere(top_of_atmosphere(LAND, BAND_NAMES), BAND_NAMES), LAND, atol=1e-6)
    np.testing.assert_array_equal(brought_to("L1C", LAND, BAND_NAMES), top_of_atmosphere(LAND, BAND_NAMES))
    np.testing.assert_array_equal(brought_to("L2A", LAND, BAND_NAMES), bottom_of_atmosphere(LAND, BAND_NAMES))


def test_air_is_blue_and_hides_land() -> None:
    back = air_reflectance(BAND_NAMES)
    assert (np.diff(back) < 0).all(), "air sends back less and less from blue to short-wave infrared"
    assert 0.6 * back[BAND_NAMES.index("B02")] == pytest.approx(0.6 * (0.095 * (443 / 492.7) ** 4 + 0.0286), abs=1e-3)
    dark, bright = (top_of_atmosphere(np.full((1, 13), one, np.float32), BAND_NAMES)[0, 1] for one in (0.02, 0.5))
    assert dark > 0.02, "air lightens what is dark"
    assert bright < 0.5, "and dims what is bright"


def test_what_stands_in_for_a_band_has_its_own_air_and_what_is_filled_with_zero_has_none() -> None:
    present = ("B02", "B04", "B08")
    back = dict(zip(BAND_NAMES, air_reflectance(BAND_NAMES, present), strict=True))
    own = dict(zip(BAND_NAMES, air_reflectance(BAND_NAMES), strict=True))
    assert back["B01"] == own["B02"]
    assert back["B12"] == own["B08"]
    assert back["B10"] == 0, "nothing stands in for the cirrus band, so it stays absent"


def test_pairs_of_both_levels_come_closer() -> None:
    """The only true pairs at hand: one place as L1C and L2A, on two dates."""
    folder = data.shared("pairs")
    bands = BAND_NAMES[:8]  # which both files begin with
    apart: dict[str, list[float]] = {"as it is": [], "brought": []}
    for date in ("20170703", "20190723"):
        with (
            rasterio.open(folder / f"S2A1C_{date}_022_Barbellino_TOA_10.tif") as top,
            rasterio.open(folder / f"S2A2A_{date}_022_Barbellino_BOA_10.tif") as bottom,
        ):
            toa = np.moveaxis(top.read()[:8], 0, -1).astype(np.float32) / 10_000
            boa = np.moveaxis(bottom.read()[:8], 0, -1).astype(np.float32) / 10_000
        valid = (toa > 0).all(-1) & (boa > 0).all(-1)
        apart["as it is"].append(float(np.abs(boa - toa)[valid].mean()))
        apart["brought"].append(float(np.abs(top_of_atmosphere(boa, bands) - toa)[valid].mean()))
    print({name: np.round(values, 4).tolist() for name, values in apart.items()})
    assert np.mean(apart["brought"]) < 0.8 * np.mean(apart["as it is"])
