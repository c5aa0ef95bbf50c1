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
