"""What items of metadata and small files beside a raster state: scale, offset, names of bands, no data, place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.errors import SourceError
from core.ingest.bands.packing import packing_of
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import NORTH_UP, UTM, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")
FOUR = ("B02", "B03", "B04", "B08")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"scale_factor": "0.0001", "add_offset": "-0.1"}, (0.0001, -0.1)),
        ({"SCALE_FACTOR": "0.0001"}, (0.0001, 0.0)),
        ({"B02#add_offset": "-1000"}, (1.0, -1000.0)),
        ({"scale_factor": "1", "add_offset": "0"}, None),
        ({"scale_factor": "ten"}, None),
        ({"scale_factor": "-2"}, None),
        ({"scale": "0.0001"}, None),
    ],
)
def test_packing_items(items: dict[str, str], expected: tuple[float, float] | None) -> None:
    assert packing_of(items) == expected


def test_items_of_the_file_state_the_scale(tmp_path: Path, library: Library) -> None:
    tags = {"scale_factor": "0.00005", "add_offset": "-0.1"}
    scene = ingest([write_tif(tmp_path / "a.tif", 2 * (land(FOUR) + 1000), FOUR, tags=tags)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))


def test_items_of_bands_count_before_those_of_the_file(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "a.tif", 2 * land(FOUR), FOUR, tags={"scale_factor": "0.01"})
    with rasterio.open(path, "r+") as data:
        for number in range(1, 5):
            data.update_tags(number, scale_factor="0.00005")
    np.testing.assert_array_equal(read_scene(ingest([path], library).directory), land(FOUR))


def test_scale_beside_a_raster(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "a.tif", 2 * (land(FOUR) + 1000), FOUR)
    bands = "".join(
        f'<PAMRasterBand band="{number}"><Offset>-0.1</Offset><Scale>5e-05</Scale></PAMRasterBand>'
        for number in range(1, 5)
    )
    (tmp_path / "site" / "a.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    scene = ingest([tmp_path / "site"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))
    (line,) = [line for line in load_quality(scene.directory).findings if line.topic == "stated by"]
    assert line.value == "a.tif.aux.xml"


def test_names_and_no_data_beside_a_raster(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    pixels = land(FOUR)
    pixels[:, 5:9] = 7
    write_tif(tmp_path / "site" / "a.tif", pixels)
    bands = "".join(
        f'<PAMRasterBand band="{n}"><Description>{band}</Description><NoDataValue>7</NoDataValue></PAMRasterBand>'
        for n, band in enumerate(FOUR, 1)
    )
    (tmp_path / "site" / "a.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    got = read_scene(ingest([tmp_path / "site"], library).directory)
    assert (got[:, 5:9] == 0).all()
    np.testing.assert_array_equal(got[:, 9:], land(FOUR)[:, 9:])


@pytest.mark.parametrize(
    "header",
    [
        "ENVI\nbands = 4\nband names = {\n B2, B3,\n B4, B8}\n",
        "ENVI\nwavelength units = Nanometers\nwavelength = {492.4, 559.8,\n 664.6, 832.8}\n",
        "ENVI\nband names = {Band 1, Band 2, Band 3, Band 4}\nwavelength units = nanometers\n"
        "wavelength = {492.4, 559.8, 664.6, 832.8}\n",
    ],
)
def test_header_of_envi_beside_a_raster(tmp_path: Path, library: Library, header: str) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "a.tif", land(FOUR))
    (tmp_path / "site" / "a.hdr").write_text(header)
    scene = ingest([tmp_path / "site"], library)
    assert scene.bands == FOUR
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))


def test_statistics_beside_a_raster_state_nothing(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "a.tif", land(FOUR), FOUR)
    inside = '<PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">3</MDI></Metadata></PAMRasterBand>'
    (tmp_path / "site" / "a.tif.aux.xml").write_text(f"<PAMDataset>{inside}</PAMDataset>")
    scene = ingest([tmp_path / "site"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))
    assert not {"stated by", "left out"} & {line.topic for line in load_quality(scene.directory).findings}


def test_place_of_a_picture_in_the_file_beside_it(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    path = tmp_path / "site" / "a.png"
    write_tif(path, land(("B04", "B03", "B02")), driver="PNG", crs=None, transform=None)
    system = rasterio.crs.CRS.from_string(UTM).to_wkt().replace('"', "&quot;")
    path.with_name("a.png.aux.xml").write_text(
        f"<PAMDataset><SRS>{system}</SRS><GeoTransform>4e+05, 10, 0, 5e+06, 0, -10</GeoTransform></PAMDataset>"
    )
    scene = ingest([tmp_path / "site"], library, IngestSettings(bands=("B04", "B03", "B02")))
    assert (scene.grid.crs, scene.grid.transform) == (UTM, tuple(NORTH_UP)[:6])


@pytest.mark.parametrize(
    ("called", "spread"),
    [
        (lambda n, light: f"B{n} ({light})", False),
        (lambda n, light: f"b{n}_{light}", False),
        (lambda n, light: f"site_band{n}_{light}", True),
    ],
)
def test_numbers_that_count_beside_the_light(
    tmp_path: Path, library: Library, called: Callable[[int, str], str], *, spread: bool
) -> None:
    """“B1 blue” to “B4 nir” are blue to near infrared, and never B01 to B04."""
    names = [called(n, light) for n, light in enumerate(("blue", "green", "red", "nir"), 1)]
    (tmp_path / "site").mkdir()
    if spread:
        for name, band in zip(names, FOUR, strict=True):
            write_tif(tmp_path / "site" / f"{name}.tif", land([band]))
    else:
        write_tif(tmp_path / "site" / "a.tif", land(FOUR), names)
    scene = ingest([tmp_path / "site"], library)
    assert scene.bands == FOUR
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))


def test_numbers_and_light_of_another_satellite(tmp_path: Path, library: Library) -> None:
    names = ("B2 blue", "B3 green", "B4 red", "B5 nir")
    with pytest.raises(SourceError, match=r"“B5 nir”, and of B05 and B08 .* only one"):
        ingest([write_tif(tmp_path / "a.tif", land(FOUR), names)], library)
