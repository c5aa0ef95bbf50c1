"""Which band is which in whole sources: counted bands, products' own names, other satellites; dates of products."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import BandsError, SourceError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.overview import overview
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")
FOUR = ("B02", "B03", "B04", "B08")
TEN = tuple(band for band in BAND_NAMES if band not in ("B01", "B09", "B10"))


def counted(number: int) -> list[str]:
    return [f"Band {n}" for n in range(1, number + 1)]


@pytest.mark.parametrize("order", [BAND_NAMES, EUROSAT_ORDER])
def test_thirteen_counted_bands_are_told_by_their_pixels(
    tmp_path: Path, library: Library, order: tuple[str, ...]
) -> None:
    path = write_tif(tmp_path / "stack.tif", land(order), counted(13))
    scene = ingest([path], library)
    np.testing.assert_array_equal(read_scene(library.directory(scene.id)), land())


def test_what_lies_beside_a_stack_without_names_is_left_out(tmp_path: Path, library: Library) -> None:
    (tmp_path / "X0066_Y0050").mkdir()
    write_tif(tmp_path / "X0066_Y0050" / "20180823_LEVEL2_SEN2A_BOA.tif", land(TEN))
    for layer in ("QAI", "DST"):
        write_tif(tmp_path / "X0066_Y0050" / f"20180823_LEVEL2_SEN2A_{layer}.tif", land(["B12"]))
    scene = ingest([tmp_path / "X0066_Y0050"], library)
    assert (scene.bands, scene.date, scene.level) == (TEN, "2018-08-23", "L2A")
    np.testing.assert_array_equal(read_scene(scene.directory), land(TEN))
    left = [line.value for line in load_quality(scene.directory).findings if line.topic == "left out"]
    assert sorted(left) == ["20180823_LEVEL2_SEN2A_DST.tif", "20180823_LEVEL2_SEN2A_QAI.tif"]


def test_four_counted_bands_are_asked_for(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "stack.tif", land(FOUR), counted(4))
    with pytest.raises(SourceError, match=r"its 4 bands are only counted.*in the order of the file"):
        ingest([path], library)
    scene = ingest([path], library, IngestSettings(bands=FOUR))
    np.testing.assert_array_equal(read_scene(library.directory(scene.id)), land(FOUR))


def test_a_count_beside_a_name_of_a_file_says_nothing(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for band in FOUR:
        write_tif(tmp_path / "site" / f"clip_{band}.tif", land([band]), counted(1))
    assert ingest([tmp_path / "site"], library).bands == FOUR


def test_files_that_are_only_counted(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for number, band in enumerate(FOUR, 1):
        write_tif(tmp_path / "site" / f"clip_band_{number}.tif", land([band]))
    with pytest.raises(SourceError, match="positions; give the names of the bands"):
        ingest([tmp_path / "site"], library)
    assert ingest([tmp_path / "site"], library, IngestSettings(bands=FOUR)).bands == FOUR


@pytest.mark.parametrize(
    "tags",
    [{"long_name": "('B02', 'B03', 'B04', 'B8A')"}, {"Band_1": "B2", "Band_2": "B3", "Band_3": "B4", "Band_4": "B8A"}],
)
def test_names_in_metadata_of_the_file(tmp_path: Path, library: Library, tags: dict[str, str]) -> None:
    bands = ("B02", "B03", "B04", "B8A")
    assert ingest([write_tif(tmp_path / "a.tif", land(bands), tags=tags)], library).bands == bands


def test_names_in_metadata_of_the_bands(tmp_path: Path, library: Library) -> None:
    import rasterio

    path = write_tif(tmp_path / "a.tif", land(FOUR))
    with rasterio.open(path, "r+") as data:
        for number, band in enumerate(FOUR, 1):
            data.update_tags(number, long_name=band)
    assert ingest([path], library).bands == FOUR


@pytest.mark.parametrize(
    "names",
    [("BLUE", "GREEN", "RED", "BROADNIR", "NIR"), ("Blue", "Green", "Red", "Broad Near Infrared", "Near Infrared")],
)
def test_nir_of_force_is_the_narrow_one(tmp_path: Path, library: Library, names: tuple[str, ...]) -> None:
    bands = ("B02", "B03", "B04", "B08", "B8A")
    scene = ingest([write_tif(tmp_path / "20190610_LEVEL2_SEN2A_BOA.tif", land(bands), names)], library)
    assert (scene.bands, scene.date) == (bands, "2019-06-10")
    np.testing.assert_array_equal(read_scene(library.directory(scene.id)), land(bands))


@pytest.mark.parametrize("stem", ["HLS.L30.T33TUL.2020100T095554.v2.0", "LC09_L2SP_191028_20220719_20220729_02_T1_SR"])
def test_landsat_is_said_to_be_landsat(tmp_path: Path, library: Library, stem: str) -> None:
    (tmp_path / "granule").mkdir()
    for number in (2, 3, 4, 5, 6, 7):
        write_tif(tmp_path / "granule" / f"{stem}_B{number}.tif", land(["B04"]))
    with pytest.raises(SourceError, match="Landsat"):
        ingest([tmp_path / "granule"], library)


def test_bands_called_as_landsats(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "export.tif", land(FOUR), [f"SR_B{n}" for n in (2, 3, 4, 5)])
    with pytest.raises(SourceError, match="it is a Landsat product"):
        ingest([path], library)


def test_a_landsat_whose_bands_a_person_named_says_what_it_is(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "export.tif", land(FOUR), [f"SR_B{n}" for n in (2, 3, 4, 5)])
    scene = ingest([path], library, IngestSettings(bands=FOUR, scale="dn"))
    record = load_quality(scene.directory)
    (line,) = [line for line in record.findings if line.topic == "sensor"]
    assert (line.value, line.basis) == ("Landsat", "warning")
    assert overview(scene, record).sensor == "Landsat"


def test_cloud_of_a_product_is_told(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "fields.tif", land(FOUR), FOUR, tags={"CLOUD_COVERAGE_ASSESSMENT": "12.5"})
    scene = ingest([path], library)
    assert overview(scene, load_quality(scene.directory)).cloud == 0.125


def test_year_and_day_of_year(tmp_path: Path, library: Library) -> None:
    (tmp_path / "granule").mkdir()
    for band in FOUR:
        write_tif(tmp_path / "granule" / f"HLS.S30.T33TUL.2020100T095554.v2.0.{band}.tif", land([band]))
    assert ingest([tmp_path / "granule"], library).date == "2020-04-09"


def test_product_of_own_programs_states_no_offset(tmp_path: Path, library: Library) -> None:
    """Baseline 99.99 is no number of ESA's, and dark pixels say that no offset is in."""
    name = "S2A_MSIL2A_20190610T104629_N9999_R051_T33UUP_20220620T152439.tif"
    scene = ingest([write_tif(tmp_path / name, land(FOUR), FOUR)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))


@pytest.mark.parametrize(
    "stem",
    [
        "S2_20190601_20190831",
        "s2_median_2019-06-05_2019-08-17",
        "mosaic_20190605_20190817",
        "S2_2019-06-05_to_2019-07-01",
    ],
)
def test_a_period_is_no_date(tmp_path: Path, library: Library, stem: str) -> None:
    scene = ingest([write_tif(tmp_path / f"{stem}.tif", land(FOUR), FOUR)], library)
    assert scene.date is None
    (line,) = [line for line in load_quality(scene.directory).findings if line.topic == "date"]
    assert "a period, 2019-06-0" in line.because


def test_a_day_of_processing_is_no_end_of_a_period(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "S2A_MSIL2A_20190610T104629_x_20190611T120000.tif"
    assert ingest([write_tif(path, land(FOUR), FOUR)], library).date == "2019-06-10"


def test_of_two_plain_days_neither_is_taken(tmp_path: Path, library: Library) -> None:
    scene = ingest([write_tif(tmp_path / "clip_20190610_20190612.tif", land(FOUR), FOUR)], library)
    assert scene.date is None
    [line] = [line for line in load_quality(scene.directory).findings if line.topic == "date"]
    assert "2019-06-10 and 2019-06-12" in line.because


def test_the_day_a_file_was_made_is_no_date(tmp_path: Path, library: Library) -> None:
    made = {"GENERATION_TIME": "2023-01-05T00:00:00Z", "creation_date": "2024-02-03"}
    scene = ingest([write_tif(tmp_path / "a.tif", land(FOUR), FOUR, tags=made)], library)
    assert scene.date is None
    both = made | {"PRODUCT_START_TIME": "2019-06-10T10:46:29Z"}
    scene = ingest([write_tif(tmp_path / "b.tif", land(FOUR), FOUR, tags=both)], library)
    assert scene.date == "2019-06-10"


def test_files_that_end_with_a_light(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    bands = {"blue": "B02", "green": "B03", "red": "B04", "red_edge_1": "B05", "nir": "B08"}
    for light, band in bands.items():
        write_tif(tmp_path / "site" / f"field_2019-06-10_{light}.tif", land([band]))
    scene = ingest([tmp_path / "site"], library)
    assert (scene.bands, scene.date) == (tuple(bands.values()), "2019-06-10")
    np.testing.assert_array_equal(read_scene(scene.directory), land(tuple(bands.values())))


def test_names_of_no_band_are_called_what_they_are(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "a.tif", land(FOUR), ("one", "two", "three", "four"))
    with pytest.raises(SourceError, match="are called “one” to “four”, which are no names"):
        ingest([path], library)


def test_a_band_a_file_without_names(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for number, band in enumerate(FOUR):
        write_tif(tmp_path / "site" / f"layer{number}.tif", land([band], 64, 64))
    with pytest.raises(SourceError, match=r"a single band to a file.*in the order of the files"):
        ingest([tmp_path / "site"], library)
    scene = ingest([tmp_path / "site"], library, IngestSettings(bands=FOUR))
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR, 64, 64))


def test_short_waves_are_never_called_red_edge(tmp_path: Path, library: Library) -> None:
    """Bands of Landsat without a word of it, counted as Landsat's: near infrared is B5, and light falls from there."""
    true = ("B02", "B03", "B04", "B8A", "B11", "B12")
    path = write_tif(tmp_path / "export.tif", land(true), [f"B{n}" for n in range(2, 8)])
    with pytest.raises(SourceError, match=r"light falls from one to the next.*B5, B6 and B7 are B8A, B11 and B12"):
        ingest([path], library)
    scene = ingest([path], library, IngestSettings(bands=true))
    np.testing.assert_array_equal(read_scene(scene.directory), land(true))
    rising = tuple(f"B0{n}" for n in range(2, 8))
    assert ingest([write_tif(tmp_path / "true.tif", land(rising), rising)], library).bands == rising


def test_statistics_are_no_bands(tmp_path: Path, library: Library) -> None:
    """Ten statistics of one band were taken for ten bands."""
    names = ("min", "p10", "p25", "mean", "median", "mode", "p75", "p90", "max", "std")
    ten = tuple(name for name in BAND_NAMES if name not in {"B01", "B09", "B10"})
    path = write_tif(tmp_path / "season.tif", land(ten), names)
    with pytest.raises(SourceError, match=r"10 bands are called “min”, “p10”, “p25” and so on, which are statistics"):
        ingest([path], library)


@pytest.mark.parametrize(("stem", "one"), [("NDVI_monthly", "NDVI"), ("S2_B04_2019", "B04")])
def test_layers_of_one_band_or_index_are_no_bands(tmp_path: Path, library: Library, stem: str, one: str) -> None:
    """Twelve months of an index were taken for twelve bands."""
    twelve = tuple(name for name in BAND_NAMES if name != "B10")
    path = write_tif(tmp_path / f"{stem}.tif", land(twelve))
    with pytest.raises(SourceError, match=rf"by its name it holds {one} alone, and its 12 bands have no names"):
        ingest([path], library)
    assert ingest([path], library, IngestSettings(bands=twelve)).bands == twelve


def test_rasters_in_other_formats_are_called_what_they_are(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.dat").write_bytes(land(FOUR).tobytes())
    (tmp_path / "site" / "a.hdr").write_text("ENVI\nsamples = 80\nlines = 64\nbands = 4\n")
    with pytest.raises(SourceError, match=r"“a.dat”: its header does not say how its pixels lie; .*as GeoTIFF"):
        ingest([tmp_path / "site"], library)
    (tmp_path / "pair").mkdir()
    for name in ("a.nc", "b.nc"):
        (tmp_path / "pair" / name).write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(SourceError, match=r"“a.nc”: the file is damaged or cut short"):
        ingest([tmp_path / "pair"], library)


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_rasters_of_vectors_are_called_what_they_are(tmp_path: Path, library: Library, kind: str) -> None:
    """They were told to be pictures of 8 bits, with a scale to choose that makes reflectance of them."""
    pixels = np.random.default_rng(0).integers(-127, 127, (64, 32, 32)).astype(kind)
    path = write_tif(tmp_path / "annual.tif", pixels, [f"A{number:02}" for number in range(64)])
    with pytest.raises(SourceError, match=r"64 bands, “A00” to “A63”, are numbers of a vector .* as a Parquet file"):
        ingest([path], library)


def test_time_series_of_force_are_a_file_a_band(tmp_path: Path, library: Library) -> None:
    bands = ("B02", "B03", "B04", "B08", "B8A", "B11")
    for name, pixels in zip(("BLU", "GRN", "RED", "BNR", "NIR", "SW1"), land(bands), strict=True):
        numbers = np.stack([pixels, pixels + 20]).astype(np.int16)
        stem = f"2021-2021_001-365_HL_TSA_SEN2L_{name}_TSI"
        write_tif(tmp_path / f"{stem}.tif", numbers, ("20210704", "20210720"), nodata=-9999)
    scenes = ingest_all([tmp_path], library)
    assert [(scene.date, scene.bands) for scene in scenes] == [("2021-07-04", bands), ("2021-07-20", bands)]
    for number, scene in enumerate(scenes):
        np.testing.assert_array_equal(read_scene(scene.directory), land(bands) + 20 * number)


@pytest.mark.parametrize("name", ["2021-07-15_L2A_True_color.tiff", "2021-07-15_Scene_classification_map.tiff"])
def test_pictures_made_of_bands_are_called_so(tmp_path: Path, library: Library, name: str) -> None:
    path = write_tif(tmp_path / name, land(("B04", "B03", "B02")))
    with pytest.raises(SourceError, match="is a picture or index made of bands, whose reflectance is lost; export the"):
        ingest([path], library)


def test_a_tiff_of_a_band_a_page_is_read_whole(tmp_path: Path, library: Library) -> None:
    pixels = land(BAND_NAMES, 40, 50)
    first, *others = (Image.fromarray(band) for band in pixels)
    first.save(tmp_path / "pages.tif", save_all=True, append_images=others)
    scene = ingest([tmp_path / "pages.tif"], library, IngestSettings(bands=BAND_NAMES))
    np.testing.assert_array_equal(read_scene(scene.directory), pixels)


def test_images_of_several_bands_behind_each_other_are_told(tmp_path: Path, library: Library) -> None:
    image = Image.fromarray(np.moveaxis(land(("B04", "B03", "B02")) // 16, 0, -1).astype(np.uint8))
    image.save(tmp_path / "pages.tif", save_all=True, append_images=[image])
    with pytest.raises(SourceError, match="it holds 2 images of 3 bands each, one behind the other"):
        ingest([tmp_path / "pages.tif"], library)


def test_light_that_leaves_water_is_said(tmp_path: Path, library: Library) -> None:
    """C2RCC's bands passed for reflectance of land without a word."""
    bands = ("B2", "B3", "B4", "B8A")
    pixels = land(["B02", "B03", "B04", "B8A"]) / np.float32(10_000)
    scene = ingest([write_tif(tmp_path / "c2rcc.tif", pixels, [f"rhow_{band}" for band in bands])], library)
    line = next(line for line in load_quality(scene.directory).findings if line.topic == "bands")
    assert line.basis == "warning"
    assert "light that leaves water (“rhow_B2”), which is no reflectance of land" in line.because
    with pytest.raises(BandsError, match="“rrs_B2”, remote-sensing reflectance of water per steradian"):
        ingest([write_tif(tmp_path / "rrs.tif", pixels, [f"rrs_{band}" for band in bands])], library)


@pytest.mark.parametrize(
    "spread",
    [
        "{}_stdDev", "{}_sigma", "std_{}", "count.{}", "{}_sr_std", "var_{}", "{}_diff", "{}_standard_error",
        "{}_diff_10m", "diff_{}_10m", "std_{}_R10m", "scene_std_{}", "{}_(std)", "{}_sd", "{}_stdDev_1",
    ],
)  # fmt: skip
def test_spread_of_bands_is_no_band(tmp_path: Path, library: Library, spread: str) -> None:
    """Deviations over a year passed for reflectance, and stood in the way of means beside them."""
    bands = ("B2", "B3", "B4", "B8")
    four = land(["B02", "B03", "B04", "B08"])
    names = [spread.format(band) for band in bands]
    with pytest.raises(SourceError, match=f"“{re.escape(names[0])}”.*which are statistics"):
        ingest([write_tif(tmp_path / "spread.tif", four // 9, names)], library)
    both = write_tif(tmp_path / "both.tif", np.concatenate([four // 9, four]), [*names, *(f"{b}_mean" for b in bands)])
    np.testing.assert_array_equal(read_scene(ingest([both], library).directory), four)


@pytest.mark.parametrize(
    ("name", "light", "what"),
    [
        ("a.tif", "yellow", "a yellow band"),
        ("a.tif", "green_i", "a yellow band"),
        ("20200105_101010_ssc6_u0001_analytic_SR.tif", "B05", "a SkySat product"),
    ],
)
def test_bands_of_finer_satellites_are_not_those_of_sentinel_2(
    tmp_path: Path, library: Library, name: str, light: str, what: str
) -> None:
    path = write_tif(tmp_path / name, land(["B02", "B03", "B04", "B05", "B08"]), ["blue", "green", "red", light, "nir"])
    with pytest.raises(SourceError, match=what):
        ingest([path], library)
