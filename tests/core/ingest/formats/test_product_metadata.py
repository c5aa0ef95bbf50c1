"""Date, level, baseline and offset as names, tags and product metadata state them."""

from __future__ import annotations

import pytest

from core.bands import BAND_NAMES
from core.ingest.findings import acquisition_date
from core.ingest.formats.product_metadata import read_hints, without_dates
from core.ingest.settings import IngestSettings


@pytest.mark.parametrize(
    ("name", "date", "level", "baseline"),
    [
        ("S2A_MSIL1C_20220315T100031_N0400_R122_T33TVL_20220315T130000.SAFE", "2022-03-15", "L1C", "04.00"),
        ("2019-04-16-00_00_2019-04-16-23_59_Sentinel-2_L2A_B01_(Raw).tiff", "2019-04-16", "L2A", None),
        ("T32TQM_20190416T100031_B02_10m.jp2", "2019-04-16", "L2A", None),
        ("field_1999-01-01.tif", None, None, None),
        ("S2A_20150624.tif", None, None, None),
        ("S2A_20150627.tif", "2015-06-27", None, None),
        ("field_20201399.tif", None, None, None),
        ("120190416.tif", None, None, None),
        ("AL1CE.tif", None, None, None),
        ("20211105_export_S2A_MSIL2A_20190620T101031.tif", "2019-06-20", "L2A", None),
        ("T32TQM_20190620_processed_20211105.tif", "2019-06-20", None, None),
        ("s2_exported_20211105.tif", None, None, None),
        ("S2A_OPER_PRD_MSIL1C_PDMC_20160118T101440_R022_V20160112T102902.SAFE", "2016-01-12", "L1C", None),
        ("S2A_OPER_MSI_L1C_TL_SGS__20160118T181533_A002912_T18SVG_B02.jp2", None, "L1C", None),
        ("S2_20.06.2019.tif", "2019-06-20", None, None),
        ("S2_5.7.2019.tif", "2019-07-05", None, None),
        ("S2_20-06-2019.tif", "2019-06-20", None, None),
        ("S2_05-07-2019.tif", None, None, None),
        ("S2_06-20-2019.tif", None, None, None),
        ("S2_20Jun2019_B02.tif", "2019-06-20", None, None),
        ("S2_2_Abc_2019.tif", None, None, None),
        ("tiles/2019/4/16/0/B02.jp2", "2019-04-16", None, None),
        ("2019/04/16/x_20190417_B02.tif", "2019-04-17", None, None),
        ("2019/13/16/B02.tif", None, None, None),
        ("12019/4/16/B02.tif", None, None, None),
        ("S2A_OPER_MSI_ARD_TL_VGS4_20210622T021034_A031333_T55HFA_N03.00_NBART_B02.tif", None, "L2A", None),
        ("S2A_MSI_2020_06_01_10_50_31_T31UFS_L2R_rhos_492.tif", "2020-06-01", "L2A", None),
        ("S2A_MSI_2020_06_01_10_50_31_T31UFS_L1R_rhot_492.tif", "2020-06-01", "L1C", None),
        ("T33TUL_20190416T101029_B04.jp2", "2019-04-16", None, None),
        ("S2A_OPER_MSI_L1C_TL_EPAE_20160118T181533_A002912_T18SVG_B02.jp2", None, "L1C", None),
        ("export_2021-11-05_S2A_2019-06-20.tif", "2019-06-20", None, None),
        ("download_20211105/S2/B02.tif", None, None, None),
        ("v20211105_S2_20190620.tif", "2019-06-20", None, None),
        ("S2_2019.06.20.tif", "2019-06-20", None, None),
        ("S2 2019 06 20.tif", "2019-06-20", None, None),
        ("S2_June_20_2019.tif", "2019-06-20", None, None),
        ("S2_Jun 20th, 2019.tif", "2019-06-20", None, None),
        ("S2_Rum_20_2019.tif", None, None, None),
        ("S2_2019171.tif", "2019-06-20", None, None),
        ("grid_2019120.tif", None, None, None),
        ("S2_2019366.tif", None, None, None),
        ("S2_2020366.tif", "2020-12-31", None, None),
        ("S2_2019000.tif", None, None, None),
        ("tile_20971120.tif", None, None, None),
    ],
)
def test_names(name: str, date: str | None, level: str | None, baseline: str | None) -> None:
    hints = read_hints([name], {}, [])
    assert (hints.date.value if hints.date else None) == date
    assert (hints.level.value if hints.level else None) == level
    assert (hints.baseline.value if hints.baseline else None) == baseline


@pytest.mark.parametrize(
    "text",
    [
        "S2_2019-06-20_a",
        "S2_20190620T101031_a",
        "S2_20.06.2019_a",
        "S2_20Jun2019_a",
        "S2_2019.06.20_a",
        "S2_June_20_2019_a",
    ],
)
def test_names_without_their_dates(text: str) -> None:
    assert without_dates(text) == "S2_a"
    assert without_dates("tile_1_2_2019") == "tile_1_2_2019"


def test_tags() -> None:
    hints = read_hints([], {"SENSING_TIME": "2021-06-07T10:00:00Z", "PROCESSING_BASELINE": "03.01"}, [])
    assert hints.date is not None
    assert hints.baseline is not None
    assert (hints.date.value, hints.baseline.value) == ("2021-06-07", "03.01")
    assert read_hints([], {"TIFFTAG_DATETIME": "2021:06:07 10:00:00", "comment": "2021-06-07"}, []).date is None


@pytest.mark.parametrize(("days", "date"), [("0", "2019-04-11"), ("3", "2019-04-14"), ("{1,2}", None)])
def test_days_since(days: str, date: str | None) -> None:
    hints = read_hints([], {"t#units": "days since 2019-04-11 00:00:00", "NETCDF_DIM_t_VALUES": days}, [])
    assert (hints.date.value if hints.date else None) == date


@pytest.mark.parametrize(("value", "offset"), [("-1000", "-1000"), ("-1000.0", "-1000"), ("0", "0"), ("x", None)])
def test_offset_in_tags(value: str, offset: str | None) -> None:
    hints = read_hints([], {"BOA_ADD_OFFSET_B02": value, "BOA_ADD_OFFSET_B03": value}, [])
    assert (hints.offset.value if hints.offset else None) == offset


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("S2A_MSIL1C_20210601T100031_N0300_R122_T33UVP_20210601T120000_iCOR.tif", "L2A"),
        ("scene_L1C_not_atmospherically_corrected.tif", "L1C"),
        ("S2A_MSIL1C_20210601T100031_before_flaash.tif", "L1C"),
        ("HLS.S30.T33TUL.2021196T100031.v2.0.B10.tif", "L2A"),
        ("20190812_LEVEL2_SEN2A_BOA.tif", "L2A"),
        ("SENTINEL2A_20190812-101508-123_T33TUL_SRE_B2.tif", "L2A"),
        ("S2A1C_20170703_TOA_10.tif", "L1C"),
        ("SENTINEL2X_20190715-000000-000_L3A_T31TCJ_C_V1-0_FRC_B2.tif", "L2A"),
        ("20190715_LEVEL3_SEN2L_BAP.tif", "L2A"),
        ("FREE_2019.tif", None),
    ],
)
def test_level_that_a_product_implies(name: str, level: str | None) -> None:
    hint = read_hints([name], {}, []).level
    assert (hint.value if hint else None) == level


@pytest.mark.parametrize(
    "name", ["x/SENTINEL2X_20190715-000000-000_L3A_T31TCJ_C_V1-0_FRC_B2.tif", "20190715_LEVEL3_SEN2L_BAP.tif"]
)
def test_the_day_that_many_dates_lie_around_is_not_theirs(name: str) -> None:
    hints = read_hints([name], {}, [])
    assert (hints.date, hints.period) == (None, "many dates around 2019-07-15")


def test_level_of_a_document() -> None:
    hint = read_hints(["a_L1C"], {}, ["<PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>"]).level
    assert hint is not None
    assert (hint.value, hint.where) == ("L2A", "the product metadata says so")


def test_documents_come_first() -> None:
    text = (
        "<PRODUCT_START_TIME>2023-05-01T10:00:31.024Z</PRODUCT_START_TIME>"
        '<RADIO_ADD_OFFSET band_id="0">-1000</RADIO_ADD_OFFSET>'
    )
    hints = read_hints(["a_2020-01-01"], {}, [text])
    assert hints.date is not None
    assert hints.offset is not None
    assert (hints.date.value, hints.offset.value) == ("2023-05-01", "-1000")
    assert read_hints([], {}, [text + text.replace("-1000", "-700")]).offset is None


@pytest.mark.parametrize(
    ("tags", "document", "cloud"),
    [
        ({}, "<a><Cloud_Coverage_Assessment>12.345678</Cloud_Coverage_Assessment></a>", "12.3"),
        ({"CLOUD_COVERAGE_ASSESSMENT": "0.0"}, "", "0"),
        ({"CLOUDY_PIXEL_PERCENTAGE": "7.25"}, "", "7.25"),
        ({"properties:eo:cloud_cover": "100"}, "", "100"),
        ({"cloud_coverage": "3"}, "<Cloud_Coverage_Assessment>4</Cloud_Coverage_Assessment>", "4"),
        ({"cloud_coverage": "101"}, "", None),
        ({"cloud_coverage": "none"}, "", None),
        ({"cloud_mask": "12"}, "<Cloud_Coverage_Assessment>-1</Cloud_Coverage_Assessment>", None),
    ],
)
def test_cloud_is_what_the_product_states(tags: dict[str, str], document: str, cloud: str | None) -> None:
    found = read_hints([], tags, [document]).cloud
    assert (found.value if found else None) == cloud


@pytest.mark.parametrize("level", ["BOA", "RADIO"])
def test_offsets_that_differ_are_those_of_each_band(level: str) -> None:
    document = "<BOA_QUANTIFICATION_VALUE unit='none'>20000</BOA_QUANTIFICATION_VALUE>" + "".join(
        f'<{level}_ADD_OFFSET band_id="{number}">{100 * number - 1000}</{level}_ADD_OFFSET>' for number in range(13)
    )
    found = read_hints([], {}, ["<AOT_QUANTIFICATION_VALUE>7</AOT_QUANTIFICATION_VALUE>", document])
    assert found.quantity is not None
    assert found.quantity.value == 20_000
    assert found.quantity.offsets == {band: 100 * number - 1000 for number, band in enumerate(BAND_NAMES)}
    assert found.offset is None
    tags = {f"{level}_ADD_OFFSET_{band}": f"{offset}" for band, offset in (("B2", -1000), ("B8A", -500), ("B12", 0))}
    told = read_hints([], tags, []).quantity
    assert told is not None
    assert (told.value, told.offsets) == (10_000, {"B02": -1000, "B8A": -500, "B12": 0})
    for changed in (
        {f"{level}_ADD_OFFSET_B2": "-500", f"{level}_ADD_OFFSET_B12": "-500"},
        {f"{level}_ADD_OFFSET_B2": "x"},
    ):
        assert read_hints([], tags | changed, []).quantity is None


@pytest.mark.parametrize(
    ("name", "date", "days", "period"),
    [
        ("field_2020-06-15_2020-07-02.tif", None, "2020-06-15 and 2020-07-02", None),
        ("field_20200615_20200702_20200801.tif", None, "2020-06-15, 2020-07-02 and 2020-08-01", None),
        ("S2_20200702_field_15Jun2020.tif", None, "2020-07-02 and 2020-06-15", None),
        ("field_20200615_2020-06-15.tif", "2020-06-15", None, None),
        ("field_20200615_processed_20200702.tif", "2020-06-15", None, None),
        ("field_20200702_acquired_20200615.tif", "2020-06-15", None, None),
        ("20200702_S2A_MSIL2A_20200615T101031.tif", "2020-06-15", None, None),
        ("LC08_L2SP_014034_20200615_20200820_02_T1_SR_B4.TIF", "2020-06-15", None, None),
        ("20200702/field_20200615.tif", "2020-06-15", None, None),
        ("field_2020-06-01_2020-06-30.tif", None, None, "2020-06-01 to 2020-06-30"),
        (
            "2020-06-15-00_00_2020-07-02-23_59_Sentinel-2_L2A_B04_(Raw).tiff", None, None,
            "2020-06-15 to 2020-07-02",
        ),
        ("2020-06-15-00_00_2020-06-15-23_59_Sentinel-2_L2A_B04_(Raw).tiff", "2020-06-15", None, None),
    ],
)  # fmt: skip
def test_of_two_days_in_a_name_none_is_taken_unless_something_tells(
    name: str, date: str | None, days: str | None, period: str | None
) -> None:
    hints = read_hints([name], {}, [])
    assert (hints.date and hints.date.value, hints.unsure_days, hints.period) == (date, days, period)


def test_what_else_is_named_tells_which_of_two_days_it_is() -> None:
    two = "field_2020-06-15_2020-07-02.tif"
    for name, tags, date in (
        ("S2_20200702.zip", {}, "2020-07-02"),
        ("S2_20210101.zip", {}, None),
        ("S2.zip", {"SENSING_TIME": "2020-06-14T10:00:00Z"}, "2020-06-14"),
    ):
        hints = read_hints([two, name], tags, [])
        assert (hints.date and hints.date.value) == date
    found, line = acquisition_date(IngestSettings(), read_hints([two], {}, []))
    assert (found, line.value, line.override) == (None, "unknown", "date")
    which = "and not which of them is the day of the pixels"
    assert line.because == f"the file name states 2020-06-15 and 2020-07-02, {which}"
    assert acquisition_date(IngestSettings(date="2020-07-02"), read_hints([two], {}, []))[0] == "2020-07-02"
