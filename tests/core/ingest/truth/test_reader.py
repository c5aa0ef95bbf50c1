"""Maps of classes on the grid of a scene: pixels that say where they lie, and every way in which a map is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.warp import Resampling, reproject, transform

from core.errors import SourceError
from core.ingest.sandbox.protocol import TruthRequest, TruthResult, truth_result_from_dict
from core.ingest.truth.reader import read_truth
from core.progress import silent
from core.scenes.geobox import GeoBox
from tests.core.ingest.rasters import NORTH_UP, UTM, write_tif

GRID = GeoBox(crs=UTM, transform=tuple(NORTH_UP)[:6], height=60, width=80)
NOWHERE = GeoBox(crs=None, transform=(1, 0, 0, 0, 1, 0), height=60, width=80)


def halves(height: int = 60, width: int = 80, *, west: int = 3, east: int = 7) -> NDArray[np.uint8]:
    """One code in the west, another in the east, shape (1, height, width)."""
    return np.where(np.arange(width) < width // 2, west, east)[None, None].repeat(height, 1).astype(np.uint8)


def read(
    tmp_path: Path, path: Path, *more: Path, grid: GeoBox = GRID, classes: str = "", turned: bool = False
) -> tuple[TruthResult, NDArray[np.uint16]]:
    """What the sandbox would say, and the raster it wrote."""
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    paths = (path, *more)
    request = TruthRequest(
        name=path.name, paths=paths, names=tuple(one.name for one in paths), directory=out, scratch=out, grid=grid,
        turned=turned, classes=classes,
    )  # fmt: skip
    found = read_truth(request, silent)
    with rasterio.open(out / "truth.tif") as data:
        return truth_result_from_dict(found.to_dict()), data.read(1)


def said(found: TruthResult, topic: str) -> str:
    return " | ".join(f"{line.value}: {line.because}" for line in found.findings if line.topic == topic)


def refused(tmp_path: Path, path: Path, *more: Path, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, path, *more, **options)
    assert not (tmp_path / "out" / "truth.tif").exists()
    return str(caught.value)


def test_codes_become_classes_where_they_lie(tmp_path: Path) -> None:
    found, truth = read(tmp_path, write_tif(tmp_path / "map.tif", halves()))
    assert found.classes == ("Class 3", "Class 7")
    assert (truth[:, :40] == 1).all()
    assert (truth[:, 40:] == 2).all()
    assert found.covered == 1


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32632", "EPSG:3035"])
def test_a_map_in_another_reference_system_is_laid_as_gdal_lays_it(tmp_path: Path, crs: str) -> None:
    xs, ys = transform(UTM, crs, [400_000, 400_800, 400_000, 400_800], [5_000_000, 5_000_000, 4_999_400, 4_999_400])
    step = (max(xs) - min(xs)) / 90
    box = rasterio.Affine(step, 0, min(xs) - 5 * step, 0, -step, max(ys) + 5 * step)
    rows, cols = np.mgrid[0:100, 0:100]
    codes = (1 + (rows // 9 + 3 * (cols // 9)) % 11).astype(np.uint8)
    _, truth = read(tmp_path, write_tif(tmp_path / "map.tif", codes[None], crs=crs, transform=box))
    wanted = np.zeros((60, 80), np.uint8)
    reproject(
        codes, wanted, src_transform=box, src_crs=crs, dst_transform=NORTH_UP, dst_crs=UTM,
        resampling=Resampling.nearest, tolerance=0,
    )  # fmt: skip
    assert (truth == wanted).mean() > 0.999


def test_coarser_and_finer_maps_and_rows_that_run_upwards(tmp_path: Path) -> None:
    coarse = write_tif(tmp_path / "coarse.tif", halves(6, 8), transform=rasterio.Affine(100, 0, 4e5, 0, -100, 5e6))
    fine = write_tif(tmp_path / "fine.tif", halves(240, 320), transform=rasterio.Affine(2.5, 0, 4e5, 0, -2.5, 5e6))
    upside = np.where(np.arange(60) < 15, 3, 7)[None, :, None].repeat(80, 2).astype(np.uint8)
    south = write_tif(tmp_path / "up.tif", upside, transform=rasterio.Affine(10, 0, 4e5, 0, 10, 5e6 - 600))
    for path in (coarse, fine):
        truth = read(tmp_path, path)[1]
        assert (truth[:, :40] == 1).all()
        assert (truth[:, 40:] == 2).all()
    truth = read(tmp_path, south)[1]
    assert (truth[-15:] == 1).all()
    assert (truth[:-15] == 2).all()


def test_what_the_map_does_not_cover_has_no_class(tmp_path: Path) -> None:
    moved = rasterio.Affine(10, 0, 400_400, 0, -10, 5_000_000)
    found, truth = read(tmp_path, write_tif(tmp_path / "map.tif", halves(), transform=moved))
    assert (truth[:, :40] == 0).all()
    assert (truth[:, 40:] == 1).all()
    assert found.covered == 0.5
    assert "50.0% of the scene" in said(found, "covered")


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_no_data_has_no_class(tmp_path: Path, kind: str) -> None:
    codes = halves().astype(kind)
    codes[:, :10] = 255
    if kind == "float32":
        codes[:, 10:20] = np.nan
    found, truth = read(tmp_path, write_tif(tmp_path / "map.tif", codes, nodata=255))
    assert found.classes == ("Class 3", "Class 7")
    assert (truth[: 20 if kind == "float32" else 10] == 0).all()


def test_a_map_without_a_place_lies_on_a_scene_of_its_size_and_on_no_other(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "map.tif", halves(), crs=None, transform=None)
    found, truth = read(tmp_path, path)
    assert (truth[:, :40] == 1).all()
    assert "pixel by pixel" in said(found, "place")
    assert (read(tmp_path, path, grid=NOWHERE)[1] == truth).all()
    (tmp_path / "out" / "truth.tif").unlink()
    other = write_tif(tmp_path / "other.tif", halves(61), crs=None, transform=None)
    assert "80 × 61 pixels, the scene 80 × 60" in refused(tmp_path, other)
    assert "turned north up" in refused(tmp_path, path, turned=True)


def test_a_map_beside_the_scene_or_without_data_on_it_is_refused(tmp_path: Path) -> None:
    far = write_tif(tmp_path / "far.tif", halves(), transform=rasterio.Affine(10, 0, 500_000, 0, -10, 5e6))
    assert "nowhere on the ground of the scene" in refused(tmp_path, far)
    other_side = write_tif(
        tmp_path / "away.tif", halves(), crs="EPSG:4326", transform=rasterio.Affine(1, 0, -150, 0, -1, -20)
    )
    assert "nowhere on the ground of the scene" in refused(tmp_path, other_side)
    empty = write_tif(tmp_path / "empty.tif", halves(west=0, east=0), nodata=0)
    assert "no data on the ground" in refused(tmp_path, empty)


def test_what_is_no_map_of_classes_is_refused(tmp_path: Path) -> None:
    rows, cols = np.mgrid[0:60, 0:80]
    float_map = write_tif(tmp_path / "f.tif", (halves() + 0.25).astype(np.float32))
    assert "not whole, such as 3.25" in refused(tmp_path, float_map)
    heights = write_tif(tmp_path / "h.tif", (rows * 80 + cols)[None].astype(np.uint16))
    assert "more than 256 different numbers" in refused(tmp_path, heights)
    photo = write_tif(tmp_path / "p.tif", np.stack([rows, cols, rows + cols]).astype(np.uint8))
    assert "more than 255 colours" in refused(tmp_path, photo)
    assert "13 bands" in refused(tmp_path, write_tif(tmp_path / "b.tif", halves().repeat(13, 0)))
    jpeg = write_tif(tmp_path / "j.tif", halves(64, 64), compress="jpeg")
    assert "blurs one class into another" in refused(tmp_path, jpeg)
    pair = [write_tif(tmp_path / f"{name}.tif", halves()) for name in "xy"]
    assert "2 rasters come together" in refused(tmp_path, *pair)
    table = tmp_path / "n.csv"
    table.write_text("1,a")
    assert "it is no raster" in refused(tmp_path, table)


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "the file is empty"), (b"some words", "not a raster image"), (b"<GDAL_WMS>", "points to other files")],
)
def test_what_cannot_be_opened_is_refused_with_what_a_map_is(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "map.tif"
    path.write_bytes(content)
    said = refused(tmp_path, path)
    assert found in said
    assert said.endswith("give a GeoTIFF with one band of whole numbers, a code for each class.")


def test_256_classes_are_kept_apart(tmp_path: Path) -> None:
    rows, cols = np.mgrid[0:60, 0:80]
    codes = ((rows * 80 + cols) % 256).astype(np.uint8)
    found, truth = read(tmp_path, write_tif(tmp_path / "map.tif", codes[None]))
    assert len(found.classes) == 256
    assert found.classes[255] == "Class 255"
    assert (truth == codes.astype(np.uint16) + 1).all()


def painted(colours: Sequence[tuple[int, int, int]]) -> NDArray[np.uint8]:
    """West and east in two colours, shape (3, 60, 80)."""
    west, east = (np.array(colour, np.uint8)[:, None, None] for colour in colours)
    return np.where(np.arange(80) < 40, west, east).repeat(60, 1).astype(np.uint8)


def test_colours_are_classes_and_a_table_names_them(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "map.tif", painted([(0, 100, 0), (0, 0, 255)]))
    found, truth = read(tmp_path, path)
    assert found.classes == ("#0000ff", "#006400") == found.colours
    assert (truth[:, :40] == 2).all()
    table = tmp_path / "names.csv"
    table.write_text("colour,name\n#0000FF,water\n#006400,forest\n")
    assert read(tmp_path, path, table)[0].classes == ("water", "forest")
    table.write_text("name,r,g,b\nwater,0,0,255\noak,0,100,0\nbeech,0,100,0\n")
    assert "“oak” and “beech” have one colour, #006400" in refused_again(tmp_path, path, table)
    assert read(tmp_path, path, classes="#0000ff=sea;#006400=wood")[0].classes == ("sea", "wood")


def refused_again(tmp_path: Path, *paths: Path, **options: Any) -> str:
    (tmp_path / "out" / "truth.tif").unlink()
    return refused(tmp_path, *paths, **options)


def test_names_by_a_person_by_a_table_and_by_what_gdal_keeps(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "map.tif", halves())
    found, truth = read(tmp_path, path, classes="3=Beaches, dunes, sands,7=none")
    assert found.classes == ("Beaches, dunes, sands",)
    assert (truth[:, 40:] == 0).all()
    assert said(found, "no class").startswith("7")
    table = tmp_path / "names.csv"
    table.write_text("Value;Class name;Colour\n3;Wald;#00aa00\n7;Wald;\n9;Wiese;\n")
    found, truth = read(tmp_path, path, table)
    assert found.classes == ("Wald",)
    assert found.colours == ("#00aa00",)
    assert (truth == 1).all()
    kept = tmp_path / "map.tif.aux.xml"
    kept.write_text(
        '<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable tableType="thematic">'
        '<FieldDefn index="0"><Name>GRID</Name><Type typeAsString="Integer">0</Type>'
        '<Usage typeAsString="MinMax">5</Usage></FieldDefn>'
        '<FieldDefn index="1"><Name>Nom</Name><Type>2</Type><Usage>2</Usage></FieldDefn>'
        '<Row index="0"><F>3</F><F>Marais &amp; vase</F></Row><Row index="1"><F>7</F><F>Mer</F></Row>'
        "</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"
    )
    assert read(tmp_path, path, kept)[0].classes == ("Marais & vase", "Mer")
    kept.write_text(
        '<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category/><Category>a</Category><Category>b</Category>'
        "<Category>Heath</Category></CategoryNames></PAMRasterBand></PAMDataset>"
    )
    found, _ = read(tmp_path, path, kept)
    assert found.classes == ("Heath", "Class 7")
    assert "7" in said(found, "names")


def test_names_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "map.tif", halves())
    assert "“water” does not name a class" in refused(tmp_path, path, classes="water")
    assert "the code 3 is called “a” and “b”" in refused(tmp_path, path, classes="3=a,3=b")
    table = tmp_path / "names.csv"
    table.write_text("forest,water\nmuch,little\n")
    assert "do not tell codes from names" in refused(tmp_path, path, table)


def test_published_maps_are_known_by_name_and_never_by_their_codes(tmp_path: Path) -> None:
    codes = halves(west=10, east=80)
    assert read(tmp_path, write_tif(tmp_path / "map.tif", codes))[0].classes == ("Class 10", "Class 80")
    cover = write_tif(tmp_path / "ESA_WorldCover_10m_2021_Map.tif", codes)
    found, _ = read(tmp_path, cover)
    assert found.classes == ("Tree cover", "Permanent water bodies")
    assert found.colours == ("#006400", "#0064c8")
    tagged = write_tif(tmp_path / "x.tif", halves(west=0, east=4), tags={"source": "GOOGLE/DYNAMICWORLD/V1"})
    assert read(tmp_path, tagged)[0].classes == ("Water", "Crops")
    corine = write_tif(tmp_path / "U2018_CLC2018_V2020.tif", halves(west=12, east=44))
    assert read(tmp_path, corine)[0].classes == ("Non-irrigated arable land", "Sea and ocean")
    level = write_tif(tmp_path / "clc2018.tif", halves().astype(np.uint16) + 308)
    assert read(tmp_path, level)[0].classes == ("Broad-leaved forest", "Class 315")
    wrong = write_tif(tmp_path / "worldcover_groups.tif", halves(west=1, east=2))
    assert read(tmp_path, wrong)[0].classes == ("Class 1", "Class 2")


def test_the_colour_table_and_the_band_of_labels_of_a_file_are_used(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "map.tif", halves())
    with rasterio.open(path, "r+") as data:
        data.write_colormap(1, {3: (1, 2, 3, 255), 7: (255, 0, 0, 255)})
    assert read(tmp_path, path)[0].colours == ("#010203", "#ff0000")
    bands = np.concatenate([np.full((1, 60, 80), 200, np.uint8), halves()])
    many = write_tif(tmp_path / "dw.tif", bands, names=["water", "label"])
    assert read(tmp_path, many)[0].classes == ("Class 3", "Class 7")
