"""Products of other satellites are told by their names, and Sentinel-2's are not taken for them."""

from __future__ import annotations

import pytest

from core.errors import SourceError
from core.ingest.formats.other_sensors import other_product, product_of, refuse_product
from core.ingest.settings import IngestSettings


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("HLS.L30.T32TQM.2020100T101010.v2.0.B05.tif", "L30"),
        ("HLSL30.020_B05_doy2020100_aid0001.tif", "L30"),
        ("LC09_L2SP_190029_20220507_20220509_02_T1_SR_B5.TIF", "Landsat"),
        ("LE71900292001127EDC00_B3.TIF", "Landsat"),
        ("LC08_190029_20190405.tif", "Landsat"),
        ("20180610_LEVEL2_LND08_BOA.tif", "Landsat"),
        ("landsat8_clip.tif", "Landsat"),
        ("MOD09A1.A2019121.h18v04.006.tif", "MODIS"),
        ("MYD09GA.A2019187.h18v04.006.tif", "MODIS"),
        ("MCD43A4_061_july.tif", "MODIS"),
        ("GF1_WFV1_E113.4_N31.2_20200503_L1A0004779999.tif", "Gaofen"),
        ("PRS_L2D_STD_20200618101701_20200618101706_0001.tif", "PRISMA"),
        ("S1A_IW_GRDH_1SDV_20190405.tif", "Sentinel-1"),
        ("s1a-iw-grd-vv-20200105t053348-20200105t053413-030660-03837b-001.tiff", "Sentinel-1"),
        ("S1B_IW_20200105T053348_DVP_RTC30_G_gpuned_1234_VH.tif", "Sentinel-1"),
    ],
)
def test_told(name: str, word: str) -> None:
    assert word in str(product_of(name))


@pytest.mark.parametrize(
    "name",
    [
        "HLS.S30.T32TQM.2020100T101010.v2.0.B8A.tif",
        "T32TQM_20190416T100031_B02_10m.tif",
        "SENTINEL2A_20190812-101508-123_L2A_T33TUL_C_V2-2_FRE_B2.tif",
        "20190610_LEVEL2_SEN2A_BOA.tif",
        "S2A_like_Landsat_20190405.tif",
        "LC_classes.tif",
        "Forest_12.tif",
    ],
)
def test_not_told(name: str) -> None:
    assert product_of(name) is None


def test_tags_and_bands_tell_too() -> None:
    assert other_product(["clip.tif"], {"SPACECRAFT_ID": "LANDSAT_8"}, [])
    assert other_product(["clip.tif"], {}, ["SR_B2", "SR_B3"])
    assert other_product(["clip.tif"], {"SPACECRAFT_NAME": "Sentinel-2A"}, ["B2"]) is None
    assert other_product(["clip.tif"], {"history": "compared with Landsat 8"}, ["B2"]) is None


def test_modis_is_told_by_its_bands() -> None:
    assert other_product(["clip.tif"], {}, ["sur_refl_b01", "sur_refl_b02"]) == "a MODIS product"
    assert other_product(["clip.tif"], {}, ["Nadir_Reflectance_Band1", "Nadir_Reflectance_Band2"])
    assert other_product(["sur_refl_b01_doy2019187.tif"], {}, [""])
    assert other_product(["S2_refl_b01.tif"], {}, ["refl_b01"]) is None


def test_radar_is_told_by_its_bands() -> None:
    assert other_product(["clip.tif"], {}, ["VV", "VH", "angle"])
    assert other_product(["Sigma0_VV_db.tif", "Sigma0_VH_db.tif"], {}, ["", ""])
    assert other_product(["clip.tif"], {}, ["B2", "B3", "B4", "VV"]) is None
    assert other_product(["angle.tif"], {}, [""]) is None


def test_radar_is_refused_for_what_it_is() -> None:
    with pytest.raises(SourceError, match="radar by the names of its bands, whose numbers are echoes"):
        refuse_product("radar by the names of its bands", IngestSettings())
    with pytest.raises(SourceError, match="Sentinel-1 radar product, whose numbers are echoes"):
        refuse_product("a Sentinel-1 radar product", IngestSettings())
