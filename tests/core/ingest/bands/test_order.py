"""Telling nameless bands by pixels: right orders are told, and anything else is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
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


@settings(max_examples=12)
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


TEN = tuple(name for name in BAND_NAMES if name not in ("B01", "B09", "B10"))
FINE_FIRST = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12")


@pytest.mark.parametrize("order", [TEN, (*(name for name in TEN if name != "B8A"), "B8A")])
def test_ten_bands(order: tuple[str, ...]) -> None:
    assert tell_order(pixels(order, 3)).bands == order


@pytest.mark.parametrize("rest", [(), ("B01", "B09"), ("B01", "B09", "B10")])
def test_bands_of_ten_metres_first_are_asked_about(rest: tuple[str, ...]) -> None:
    """Pixels say that they are first, and not whether blue or red leads."""
    with pytest.raises(BandsError, match=r"fit two orders, .*B02,B03,B04,B08,B05"):
        tell_order(pixels((*FINE_FIRST, *rest), 0))


def test_twelve_bands_of_which_one_is_cirrus_are_asked_about() -> None:
    with pytest.raises(BandsError, match=r"as dark as B10|B8A beside B08"):
        tell_order(pixels(tuple(name for name in BAND_NAMES if name != "B8A"), 0))


@pytest.mark.parametrize(("metres", "other"), [(10.0, "B8A"), (20.0, "B08"), (None, "B8A")])
@pytest.mark.parametrize(
    ("name", "cirrus"), [("S2A1C_20170703_022_Farm_TOA_10", True), ("S2B2A_20170703_022__BOA_20", False)]
)
def test_order_of_sen2r(metres: float | None, other: str, name: str, cirrus: bool) -> None:
    bands = tuple(band for band in BAND_NAMES if band not in ((other,) if cirrus else (other, "B10")))
    told = tell_order(pixels(bands, 0), f"{name}.tif", metres)
    assert (told.bands, told.title) == (bands, "order of sen2r")


TWELVE = tuple(band for band in BAND_NAMES if band != "B10")
DRY = dict(zip(TWELVE, (780, 970, 1300, 1420, 1770, 2530, 2870, 3070, 3010, 3070, 2920, 2450), strict=True))
"""Fields of April, of which many are bare."""
DESERT = DRY | {"B8A": 3050, "B11": 4300, "B12": 3050}


def bare(spectrum: dict[str, int], order: Sequence[str]) -> np.ndarray:
    """Soil of varying brightness and wetness, which darkens short waves."""
    rng = np.random.default_rng(0)
    light, wet = rng.uniform(0.6, 1.4, 500), rng.uniform(0.75, 1.25, 500)
    rows = [spectrum[band] * light * (wet if band in {"B11", "B12"} else 1) for band in order]
    return np.array(rows * rng.normal(1, 0.01, (len(order), 500)), dtype=np.float32)


def test_bands_from_the_last_to_the_first_are_asked_about() -> None:
    """Light runs just as smoothly that way, and was taken for that of the product."""
    assert tell_order(bare(DRY, TWELVE)).bands == TWELVE
    with pytest.raises(BandsError, match="runs as well from the last to the first"):
        tell_order(bare(DRY, TWELVE)[::-1])


def test_dates_of_one_band_are_no_bands() -> None:
    """Ten months of red were taken for ten bands."""
    light = np.random.default_rng(0).uniform(0.02, 0.3, 500)
    dates = np.array([light * (0.9 + 0.02 * month) for month in range(10)], dtype=np.float32)
    with pytest.raises(BandsError, match="so they may be dates of one band"):
        tell_order(dates)


@pytest.mark.parametrize("count", [6, 10, 12])
@pytest.mark.parametrize(("low", "said"), [(-0.5, "as an index does and light does not"), (0.1, "may be dates of")])
def test_dates_that_run_as_light_does_are_named_too(count: int, low: float, said: str) -> None:
    """Months of an index whose peak lies where B08 would be were taken for bands."""
    draws = np.random.default_rng(count)
    months = np.linspace(0, 11, count)[:, None]
    season = np.exp(-(((months - draws.normal(7, 0.4, 800)) / 2.5) ** 2)) * draws.uniform(0.05, 0.7, 800)
    dates = low + draws.uniform(0, 0.2, 800) + season + draws.normal(0, 0.02, (count, 800))
    with pytest.raises(BandsError, match=said):
        tell_order(dates.astype(np.float32))


def test_short_waves_over_dry_soil_are_not_taken_for_b8a() -> None:
    """The last of ten bands lay beside B08 as B8A does, and so B11 and B12 were taken for other bands."""
    with pytest.raises(BandsError, match="fit two orders"):
        tell_order(bare(DESERT, TEN))


def test_twelve_bands_at_the_surface_are_no_product_of_sen2r() -> None:
    """It writes eleven, as B10 is of no use there."""
    bands = tuple(band for band in BAND_NAMES if band != "B10")
    assert tell_order(pixels(bands, 0), "S2A2A_20190416_022_site_BOA_10.tif", 10.0).bands == bands


def test_numbers_of_bands_that_leave_out_b8a() -> None:
    bands = tuple(name for name in BAND_NAMES if name != "B8A")
    told = tell_order(pixels(bands, 0), nameless="are only counted, “B1” to “B12”")
    assert told.bands == bands


def test_order_of_force() -> None:
    assert tell_order(pixels(TEN, 0), "20190610_LEVEL2_SEN2A_BOA.tif").title == "order of FORCE"


@pytest.mark.parametrize("count", [4, 9, 11, 14, 40])
def test_other_numbers_of_bands_are_refused(count: int) -> None:
    with pytest.raises(BandsError, match=f"its {count} bands have no names"):
        tell_order(np.ones((count, 100), dtype=np.float32))


def test_flat_pixels_are_refused() -> None:
    with pytest.raises(BandsError):
        tell_order(np.full((13, 100), 500, dtype=np.float32))
    with pytest.raises(BandsError, match="too few"):
        tell_order(pixels(BAND_NAMES, 0)[:, :10])
