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


def with_shadow(numbers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Some pixels in which next to no light returns."""
    return {
        band: np.where(np.arange(values.size) < 40, 30, values).astype(np.float32) for band, values in numbers.items()
    }


def test_offset_by_pixels() -> None:
    assert decide(with_offset(with_shadow(samples(VISIBLE)))) == "dn+1000"
    assert decide(with_offset(samples((*VISIBLE, "B10")))) == "dn+1000"


@pytest.mark.parametrize("date", [None, "2019-05-01", "2023-05-01"])
def test_bright_land_without_statement_is_asked_about(date: str | None) -> None:
    """Numbers with the offset and without it look alike there, and the day of the pixels does not tell."""
    hints = Hints(date=Hint(value=date, where="a tag") if date else None)
    for numbers in ({band: values + 2500 for band, values in samples(VISIBLE).items()}, with_offset(samples(VISIBLE))):
        middle = float(np.median(numbers["B04"])) / 10_000
        with pytest.raises(SourceError, match="neither names nor tags state it") as error:
            decide(numbers, hints)
        assert f"dn where the middle of B04 reflects {middle:.2f}, or dn+1000" in error.value.remedy
    grey = {band: RNG.integers(1050, 3000, 4000).astype(np.float32) for band in ("B02", "B03", "B04")}
    with pytest.raises(SourceError, match="no pixel so dark"):
        decide(grey, hints)


def test_grey_things_that_are_no_shadow_do_not_tell() -> None:
    """A road in bright land is as grey as a shadow with the offset is in two kinds of light, but never so dark."""
    bright = {band: values + 3000 for band, values in samples((*VISIBLE, "B11", "B12")).items()}
    road = {"B04": 1130, "B11": 1140, "B12": 1100}
    numbers = {band: np.where(np.arange(4000) < 40, road.get(band, 1400), values) for band, values in bright.items()}
    with pytest.raises(SourceError, match="no pixel so dark"):
        decide(numbers)
    with pytest.raises(SourceError, match="no pixel so dark"):
        decide({band: values - (200 if band == "B04" else 0) for band, values in numbers.items()})


def test_floats_of_a_product_with_the_offset_off_do_not_lose_it_twice() -> None:
    """Numbers below 0, or far too dark for it, tell; without either a person is asked; whole numbers are as stated."""
    named = Hints(baseline=MODERN)
    plain = {band: values / np.float32(10_000) for band, values in with_shadow(samples(VISIBLE)).items()}
    for numbers in (plain, {band: np.where(values < 0.01, -0.002, values + 0.1) for band, values in plain.items()}):
        decided = decide_scale(numbers, integers=False, hints=named)
        assert (decided.scale, decided.findings[0].basis) == ("unit", "warning")
    assert decide({band: values + 0.1 for band, values in plain.items()}, named, integers=False) == "unit+0.1"
    bright = {band: values / 10_000 + 0.2 for band, values in samples(VISIBLE).items()}
    with pytest.raises(SourceError, match="its floats may hold it or not"):
        decide(bright, named, integers=False)
    assert decide({band: np.rint(values * 10_000) for band, values in bright.items()}, named) == "dn+1000"


def test_offset_by_statement() -> None:
    bright = {band: values + 2500 for band, values in samples(DRY).items()}
    assert decide(bright, Hints(baseline=MODERN)) == "dn+1000"
    assert decide(bright, Hints(offset=Hint(value="-1000", where="the product metadata says so"))) == "dn+1000"
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
    assert decide(snow, Hints(baseline=OLD)) == "dn"


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
    with pytest.raises(SourceError, match=r"× 1,000, or dark water or rock × 10,000"):
        decide({band: values + 80 for band, values in numbers.items()})
    brighter = {band: values + 200 for band, values in numbers.items()}
    with pytest.raises(SourceError, match=r"1000 where the middle of B0\d reflects 0"):
        decide(brighter)
    assert decide(brighter, Hints(baseline=OLD)) == "dn"


def test_water_rock_and_plants_of_small_numbers() -> None:
    """Water falls off towards the infrared; leaves shine there, and are never so dark × 10,000; rock may be both."""
    spectra = {
        "dn": {"B02": 700, "B03": 550, "B04": 380, "B08": 90, "B11": 60},
        "1000": {"B02": 60, "B03": 80, "B04": 70, "B08": 330, "B11": 190},
        None: {"B02": 290, "B03": 330, "B04": 380, "B08": 470, "B11": 640},
    }
    for scale, spectrum in spectra.items():
        numbers = {band: np.rint(n * RNG.uniform(0.8, 1.2, 4000)).astype(np.float32) for band, n in spectrum.items()}
        if scale is not None:
            assert decide(numbers) == scale
            continue
        with pytest.raises(SourceError, match="dark water or rock"):
            decide(numbers)


def test_water_in_percent_is_no_bright_land() -> None:
    middles = {"B02": 2.0, "B03": 1.6, "B04": 0.9, "B08": 0.2}
    water = {band: (middle * RNG.uniform(0.7, 1.3, 4000)).astype(np.float32) for band, middle in middles.items()}
    assert decide(water, integers=False) == "100"


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


def test_a_band_of_few_numbers_is_written_as_the_others_are() -> None:
    """B10 holds some twenty different numbers: too few to tell its steps by, and none that reaches 255."""
    numbers = {band: np.rint(values * 6.5535) for band, values in samples((*VISIBLE, "B10")).items()}
    numbers["B12"] = np.rint(RNG.integers(1, 60, 4000) * 6.5535)
    one_a_file = {
        band: BandNumbers(values=values.astype(np.float32), integers=True, source=number)
        for number, (band, values) in enumerate(numbers.items())
    }
    found = calibrate(one_a_file, chosen="auto", hints=NOTHING)
    assert {round(found.of(band)[0] * 65_535) for band in one_a_file} == {10_000}
    assert [line.value for line in found.findings] == ["reflectance × 65,535"]


def test_zeros_do_not_speak_against_an_offset() -> None:
    numbers = with_offset(samples(VISIBLE))
    for values in numbers.values():
        values[:900] = 0
        values[900:960] = 1030
    assert decide(numbers, Hints(baseline=MODERN)) == "dn+1000"
    assert decide(numbers) == "dn+1000"


def stretched(low: float, high: float, top: float) -> dict[str, np.ndarray]:
    """Bands stretched one by one from one point of their numbers to another."""
    bands = samples((*VISIBLE, "B11"))
    ends = {band: np.percentile(numbers, (low, high)) for band, numbers in bands.items()}
    return {band: np.rint(np.clip((bands[band] - a) / (b - a), 0, 1) * top) for band, (a, b) in ends.items()}


def test_standardised_numbers_are_no_reflectance() -> None:
    bands = samples((*VISIBLE, "B11"))
    numbers = {band: (values - values.mean()) / values.std() for band, values in bands.items()}
    with pytest.raises(SourceError, match="5 of its bands lie far below zero"):
        decide(numbers, integers=False)
    known = {band: BandNumbers(values=values, integers=False) for band, values in numbers.items()}
    assert calibrate(known, chosen="unit", hints=NOTHING).scale == "unit"


@pytest.mark.parametrize("top", [10_000, 65_535, 1])
def test_bands_that_were_stretched_one_by_one_are_no_reflectance(top: float) -> None:
    """Cut at 2 % and 98 % that is sure; from the lowest to the highest number it may be, and is said."""
    digits = 10_000 / top
    cut, whole = (
        {band: values / digits for band, values in stretched(*ends, 10_000).items()} for ends in ((2, 98), (0, 100))
    )
    integers = top > 1
    with pytest.raises(SourceError, match=f"all its bands run from 0 to {top:g}, stretched one by one"):
        decide(cut, integers=integers)
    line = decide_scale(whole, integers=integers, hints=NOTHING).findings[0]
    assert line.basis == "warning"
    assert "were they stretched one by one" in line.because
    one = {**whole, "B08": whole["B08"] * 0.9}
    assert decide_scale(one, integers=integers, hints=NOTHING).findings[0].basis != "warning"


def test_dark_water_below_nothing_is_reflectance() -> None:
    """Corrected for air, open sea is a little below nothing in all bands but the visible."""
    visible = {"B01": 0.045, "B02": 0.04, "B03": 0.02, "B04": 0.006}
    infrared = dict.fromkeys(("B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"), -0.001)
    numbers = {band: RNG.normal(mean, 0.0015, 4000).astype(np.float32) for band, mean in (visible | infrared).items()}
    assert decide(numbers, integers=False) == "unit"
