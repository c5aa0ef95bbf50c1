"""Places that lie beside a raster: world files, reference systems, and what GDAL keeps."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from pyproj import CRS

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.scenes.library import Library
from tests.core.ingest.rasters import land, write_tif

pytestmark = pytest.mark.usefixtures("here")

BANDS = ("B02", "B03", "B04")
WORLD = "10\n0\n0\n-10\n400005\n4999995\n"
PLACE = "<GeoTransform> 400000, 10, 0, 5000000, 0, -10</GeoTransform>"


def system(form: str) -> str:
    return str(CRS.from_epsg(32633).to_wkt(form))


@pytest.mark.parametrize(
    "files",
    [
        {"site.tfw": WORLD, "site.prj": system("WKT1_ESRI")},
        {"site.wld": WORLD, "site.qpj": system("WKT1_GDAL")},
        {"site.tifw": WORLD, "site.tif.aux.xml": "<PAMDataset><SRS>EPSG:32633</SRS></PAMDataset>"},
        {"site.tif.aux.xml": f"<a><SRS dataAxis='1,2'>{html.escape(system('WKT2_2019'))}</SRS>{PLACE}</a>"},
    ],
)
def test_placed_by_what_lies_beside(tmp_path: Path, library: Library, files: dict[str, str]) -> None:
    (tmp_path / "in").mkdir()
    write_tif(tmp_path / "in" / "site.tif", land(BANDS), BANDS, crs=None, transform=None)
    for name, text in files.items():
        (tmp_path / "in" / name).write_text(text)
    grid = ingest([tmp_path / "in"], library).grid
    assert (grid.crs, grid.transform) == ("EPSG:32633", (10, 0, 400_000, 0, -10, 5_000_000))


@pytest.mark.parametrize(
    "text",
    ["<GeoTransform>1,2</GeoTransform>", "<GeoTransform>a,b,c,d,e,f</GeoTransform>", "<MDI>1</MDI>",
     f"<SRS>/etc/passwd</SRS>{PLACE}"],
)  # fmt: skip
def test_what_gdal_keeps_and_is_no_place_is_passed_over(tmp_path: Path, library: Library, text: str) -> None:
    write_tif(tmp_path / "site.tif", land(BANDS), BANDS, crs=None, transform=None)
    (tmp_path / "site.tif.aux.xml").write_text(text)
    assert ingest([tmp_path / "site.tif", tmp_path / "site.tif.aux.xml"], library).grid.crs is None


def test_world_file_without_a_raster(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site.tfw").write_text(WORLD)
    with pytest.raises(SourceError, match="it only says where a raster lies"):
        ingest([tmp_path / "site.tfw"], library)
