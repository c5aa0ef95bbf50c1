"""What numbers mean: their unit, the offset of 0.1, and the evidence given."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import SourceError
from core.ingest.bands.scale import BandNumbers, calibrate
from core.ingest.bands.unit import decide_scale
from core.ingest.formats.product_metadata import Hint, Hints
from tests.core.ingest.rasters import LAND

RNG = np.random.default_rng(0)


def samples(bands: tuple[str, ...], low: float = 0.6, high: float = 1.8) -> dict[str, np.ndarray]:
    return {band: np.rint(LAND[band] * RNG.uniform(low, high, 4000)).astype(np.float32) for band in bands}


VISIBLE = ("B02", "B03", "B04", "B08")
DRY = ("B02", "B03", "B08")
MODERN = Hint(value="05.09", where="the file name")
NOTHING = Hints()
OLD = Hint(value="02.11", where="the file name")


def decide(numbers: dict[str, np.ndarray], hints: Hints = NOTHING, *, integers: bool = True) -> str:
    return decide_scale(numbers, integers=integers, hints=hints).scale


def with_offset(numbers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {band: values + 1000 for band, values in numbers.items()}


def test_plain_numbers() -> None:
    assert decide(samples(VISIBLE)) == "dn"
    assert decide(samples(VISIBLE), integers=False) == "dn"


def test_offset_by_pixels() -> None:
    assert decide(with_offset(samples(VISIBLE))) == "dn+1000"
    assert decide(with_offset(samples((*VISIBLE, "B10")))) == "dn+1000"


def test_offset_by_statement() -> None:
    bright = {band: values + 2500 for band, values in samples(DRY).items()}
    assert decide(bright) == "dn"
    assert decide(bright, Hints(baseline=MODERN)) == "dn+1000"
    assert decide(bright, Hints(offset=Hint(value="-1000", where="the product metadata says so"))) == "dn+1000"
    assert decide(bright, Hints(date=Hint(value="2023-05-01", where="a tag"))) == "dn+1000"
    assert decide(bright, Hints(baseline=OLD, date=Hint(value="2023-05-01", where="a tag"))) == "dn"


def test_statement_that_pixels_contradict_counts_and_is_doubted() -> None:
    """In one band alone; where most bands would be black there is nothing to show."""
    numbers = with_offset(samples((*VISIBLE, "B11", "B12"))) | {"B12": RNG.uniform(300, 900, 4000).astype(np.float32)}
    decided = decide_scale(numbers, integers=True, hints=Hints(baseline=MODERN))
    assert (decided.scale, decided.findings[0].basis) == ("dn+1000", "warning")
    because = decided.findings[0].because
    assert because.startswith("the file name states processing baseline 05.09, although")
    assert "B12 come out below" in because
    offset = Hint(value="-1000", where="the product metadata says so")
    with pytest.raises(SourceError, match=r"metadata states an offset, by which most of B03, B04 would be darker"):
        decide({"B03": samples(("B04",))["B04"], **samples(("B02", "B04", "B08"))}, Hints(offset=offset))


def test_a_few_dark_pixels_do_not_outweigh_a_statement() -> None:
    numbers = with_offset(samples(VISIBLE))
    numbers["B04"][:20] = 300
    assert decide(numbers, Hints(baseline=MODERN)) == "dn+1000"


def test_bright_scene_without_statement_is_assumed_plain() -> None:
    bright = {band: values + 2500 for band, values in samples(DRY).items()}
    decided = decide_scale(bright, integers=True, hints=Hints())
    assert (decided.scale, decided.findings[0].basis) == ("dn", "assumed")


def test_reflectance() -> None:
    assert decide({band: values / 10_000 for band, values in samples(VISIBLE).items()}, integers=False) == "unit"


def test_portal_export_by_steps_and_by_brightness() -> None:
    exact = {band: np.rint(values * 6.5535) for band, values in samples(VISIBLE).items()}
    assert decide(exact) == "65535"
    interpolated = {
        band: values * np.float32(6.5535) + RNG.integers(0, 7, 4000) for band, values in samples(VISIBLE).items()
    }
    assert decide(interpolated) == "65535"


def test_snow_is_no_portal_export() -> None:
    snow = {band: RNG.integers(8_000, 12_000, 4000).astype(np.float32) for band in VISIBLE}
    assert decide(snow) == "dn"


@pytest.mark.parametrize(("top", "integers"), [(1, True), (255, True), (100, False), (200, False)])
def test_numbers_without_meaning(top: int, integers: bool) -> None:
    numbers = {band: RNG.uniform(0, top, 4000).astype(np.float32) for band in VISIBLE}
    with pytest.raises(SourceError, match="choose the scale"):
        decide(numbers, integers=integers)
    known = {band: BandNumbers(values=values, integers=integers) for band, values in numbers.items()}
    assert calibrate(known, chosen="unit", hints=NOTHING).scale == "unit"


@pytest.mark.parametrize("factor", [-1e-3, 1e30])
def test_numbers_that_are_no_light(factor: float) -> None:
    numbers = {band: (RNG.uniform(0.1, 0.6, 4000) * factor).astype(np.float32) for band in VISIBLE}
    with pytest.raises(SourceError, match=r"98 % of its numbers are at most .* fits no scale of reflectance"):
        decide(numbers, integers=False)


def test_dark_whole_numbers_are_asked_about() -> None:
    """Land × 1,000 in the visible alone, or dark water × 10,000."""
    numbers = {band: np.rint(values / 8) for band, values in samples(("B02", "B03", "B04")).items()}
    with pytest.raises(SourceError, match=r"× 1,000, or dark water × 10,000"):
        decide({band: values + 80 for band, values in numbers.items()})
    brighter = {band: values + 200 for band, values in numbers.items()}
    decided = decide_scale(brighter, integers=True, hints=NOTHING)
    assert (decided.scale, decided.findings[0].basis) == ("dn", "assumed")


def test_water_in_percent_is_no_bright_land() -> None:
    middles = {"B02": 2.0, "B03": 1.6, "B04": 0.9, "B08": 0.2}
    water = {band: (middle * RNG.uniform(0.7, 1.3, 4000)).astype(np.float32) for band, middle in middles.items()}
    assert decide(water, integers=False) == "100"


def test_date_alone_is_said_to_be_unsure() -> None:
    bright = {band: values + 2500 for band, values in samples(VISIBLE).items()}
    late = Hints(date=Hint(value="2023-05-01", where="a tag"))
    decided = decide_scale(bright, integers=True, hints=late)
    assert (decided.scale, decided.findings[0].basis) == ("dn+1000", "assumed")


def test_stated_offset_of_zero_and_harmonised_numbers() -> None:
    late = Hint(value="2023-05-01", where="a tag")
    bright = {band: values + 2500 for band, values in samples(VISIBLE).items()}
    for hints in (
        Hints(date=late, offset=Hint(value="0", where="the product metadata says so")),
        Hints(date=late, plain=Hint(value="HLS", where="the file name")),
        Hints(date=late, baseline=MODERN, plain=Hint(value="harmonised numbers", where="the file name")),
    ):
        decided = decide_scale(bright, integers=True, hints=hints)
        assert (decided.scale, decided.findings[0].basis) == ("dn", "read")


def test_raw_export_of_a_portal_by_its_name() -> None:
    dim = {band: values * np.float32(2) + RNG.integers(0, 9, 4000) for band, values in samples(VISIBLE).items()}
    assert decide(dim) == "dn"
    assert decide(dim, Hints(portal=Hint(value="raw", where="the file name"))) == "65535"


def test_zeros_do_not_speak_against_an_offset() -> None:
    numbers = with_offset(samples(VISIBLE))
    for values in numbers.values():
        values[:900] = 0
    assert decide(numbers, Hints(baseline=MODERN)) == "dn+1000"
    assert decide(numbers) == "dn+1000"
