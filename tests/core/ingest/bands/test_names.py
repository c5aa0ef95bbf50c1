"""Band names in file names and descriptions, as portals and products write them."""

from __future__ import annotations

import pytest

from core.bands import BAND_NAMES
from core.ingest.bands.names import (
    band_of_file,
    bands_by_wavelength,
    names_other_layer,
    names_positions,
    parse_band,
    product_names,
    stated_resolution,
)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("2019-04-16-00_00_2019-04-16-23_59_Sentinel-2_L2A_B04_(Raw)", "B04"),
        ("B8A", "B8A"),
        ("b8a", "B8A"),
        ("B08A", "B8A"),
        ("T32TQM_20190416T100031_B02_10m", "B02"),
        ("B1", "B01"),
        ("B12", "B12"),
        ("Band 4", "B04"),
        ("band_11 - SWIR", "B11"),
        ("B5, vegetation red edge", "B05"),
        ("red", "B04"),
        (" NIR ", "B08"),
        ("nir08", "B8A"),
        ("swir22", "B12"),
        ("B13", None),
        ("B0", None),
        ("B02 B03", None),
        ("AB04", None),
        ("B041", None),
        ("b_1", None),
        ("Forest_12", None),
        ("AnnualCrop_1", None),
        ("", None),
    ],
)
def test_parse(text: str, band: str | None) -> None:
    assert parse_band(text) == band


@pytest.mark.parametrize("band", BAND_NAMES)
def test_every_band_in_every_style(band: str) -> None:
    short = band.replace("B0", "B")
    for text in (band, band.lower(), short, f"x_{band}", f"{band}_20m", f"S2_{short}.raw", f"Band {short[1:]}"):
        assert parse_band(text) == band


@pytest.mark.parametrize(
    "text", ["T33_TCI_10m", "SCL", "MSK_DETFOO_B02", "preview", "True_color", "AOT_20m", "QA60", "X_QAI", "NDVI"]
)
def test_layers_that_are_no_bands(text: str) -> None:
    assert names_other_layer(text)
    assert band_of_file(text) is None


@pytest.mark.parametrize(
    ("text", "metres"), [("R20m/T33_B02_20m", 20), ("a_60m", 60), ("R10m/x", 10), ("10mm", None), ("x", None)]
)
def test_stated_resolution(text: str, metres: int | None) -> None:
    assert stated_resolution(text) == metres


def test_bands_that_are_only_counted() -> None:
    assert names_positions(["Band 1", "Band 2", "band_03"])
    assert names_positions(["Band 1"])
    assert names_positions([f"B{n}" for n in range(1, 14)])
    assert not names_positions(["Band 2", "Band 3", "Band 4", "Band 8"])
    assert names_positions([f"B{n}" for n in range(13)])
    assert names_positions([f"b{n}" for n in range(1, 11)])
    assert names_positions(["B1", "B2", "B3", "B4"])
    assert not names_positions(["B01", "B02", "B03", "B04"])
    assert not names_positions(["B1"])
    assert not names_positions([])


@pytest.mark.parametrize(
    ("texts", "bands"),
    [
        (
            "BLUE GREEN RED REDEDGE1 REDEDGE2 REDEDGE3 BROADNIR NIR SWIR1 SWIR2",
            "B02 B03 B04 B05 B06 B07 B08 B8A B11 B12",
        ),
        (
            "nbart_coastal_aerosol nbart_blue nbart_red_edge_1 nbart_nir_1 nbart_nir_2 nbart_swir_2 nbart_swir_3",
            "B01 B02 B05 B08 B8A B11 B12",
        ),
        (
            "coastal_aerosol blue red_edge_3 nir_1 nir_2 water_vapour swir_1 swir_2",
            "B01 B02 B07 B08 B8A B09 B11 B12",
        ),
        ("blue red nir swir16 swir22", "B02 B04 B08 B11 B12"),
    ],
)
def test_the_product_decides_what_a_common_name_means(texts: str, bands: str) -> None:
    meant = product_names(texts.split())
    assert [parse_band(text, meant) for text in texts.split()] == bands.split()


@pytest.mark.parametrize(
    ("stems", "bands"),
    [
        (
            "ga_s2am_ard_3_final_nbart_nir_1 ga_s2am_ard_3_final_nbart_swir_2 ga_s2am_ard_3_final_nbart_swir_3",
            "B08 B11 B12",
        ),
        ("clip_nbart_swir_2", "B11"),
        ("nir swir_2 swir_3", "B08 B11 B12"),
        ("clip_swir_1 clip_swir_2", "B11 B12"),
    ],
)
def test_files_of_a_band_mean_what_their_product_means(stems: str, bands: str) -> None:
    meant = product_names(stems.split())
    assert [band_of_file(stem, meant) for stem in stems.split()] == bands.split()


def test_letters_where_all_three_are_there() -> None:
    assert [parse_band(text, product_names("RGBN")) for text in "RGBN"] == ["B04", "B03", "B02", "B08"]
    assert parse_band("r", product_names(["r", "nir"])) is None


@pytest.mark.parametrize(
    ("texts", "bands"),
    [
        (["490 nm", "560nm", "665.2 nm", "Vegetation, 842 nm"], ["B02", "B03", "B04", "B08"]),
        (["0.49 µm", "0.8647 um", "1.61 micrometers"], ["B02", "B8A", "B11"]),
        (["482 nm", "561 nm", "865 nm"], [None, None, None]),
        (["490 nm", "492.7 nm", "mask"], [None, None, None]),
        (["490 nm", "mask"], ["B02", None]),
        (["490", "560", "665", "842"], ["B02", "B03", "B04", "B08"]),
        (["0.490", "0.560", "0.665", "2.190"], ["B02", "B03", "B04", "B12"]),
        (["490", "560"], [None, None]),
        (["482", "561", "655", "865"], [None, None, None, None]),
        (["490", "560", "665", "mask"], [None, None, None, None]),
    ],
)
def test_wavelengths_of_one_sensor(texts: list[str], bands: list[str | None]) -> None:
    """Another sensor has other centres; then none of its bands is taken for one of ours."""
    assert bands_by_wavelength(texts) == bands


@pytest.mark.parametrize(
    ("text", "band"), [("Blue (490 nm)", "B02"), ("NIR [842]", "B08"), ("Narrow NIR (865)", "B8A")]
)
def test_what_stands_in_brackets_is_an_aside(text: str, band: str) -> None:
    assert parse_band(text) == band


@pytest.mark.parametrize("text", ["red edge", "swir", "nir (", "(blue)"])
def test_names_of_several_bands_name_none(text: str) -> None:
    assert parse_band(text) == ("B08" if text.startswith("nir") else None)


def test_what_a_counted_band_holds() -> None:
    assert parse_band("Band 1: B02") == "B02"
    assert parse_band("Band 2 (green)") == "B03"


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("Vermelho", "B04"), ("Infravermelho próximo (842 nm)", "B08"), ("azul", "B02"), ("verde", "B03"),
        ("rojo", "B04"), ("infrarrojo cercano", "B08"), ("B4 rojo", "B04"), ("rouge", "B04"),
        ("Proche infrarouge", "B08"), ("grün", "B03"), ("nahes Infrarot", "B08"), ("rosso", "B04"),
        ("infrarosso vicino", "B08"), ("红", "B04"), ("绿光", "B03"), ("蓝波段", "B02"), ("近红外波段", "B08"),
        ("红边1", "B05"), ("短波红外2", "B12"), ("Banda 4", None),
    ],
)  # fmt: skip
def test_names_in_other_languages(text: str, band: str | None) -> None:
    assert parse_band(text) == band
    assert band_of_file(f"site_{text}".replace("(842 nm)", "").strip()) == band


def test_angles_and_footprints_of_a_band_are_none() -> None:
    assert {band_of_file(text) for text in ("view_zenith_B2", "sun_azimuth_B02", "B_detector_footprint_B2")} == {None}
