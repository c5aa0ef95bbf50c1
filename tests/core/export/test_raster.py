"""Maps as GeoTIFF: what rasterio, QGIS and our own reader of maps of classes find in them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from core.errors import StoreError
from core.export.qgis import MapClass
from core.export.raster import NO_DATA_CODE, UNSURE_CODE, map_cells, write_class_map, write_value_map
from core.ingest.truth.names import kept_by_gdal
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchGrid

PLACE = GeoBox(crs="EPSG:32631", transform=(10, 0, 600_000, 0, -10, 5_700_000), height=192, width=256)
CLASSES = [
    MapClass(code=3, name="Wald & <Wiese>", colour="#228b22"),
    MapClass(code=0, name="water\x00", colour="#0000ff"),
]


def grid(size: int, stride: int | None = None, edge: str = "leave") -> PatchGrid:
    return PatchGrid(height=192, width=256, cut=Cut.of(size, stride, edge=edge))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("patches", "side"),
    [
        (grid(64), 64),
        (grid(64, 32), 16),
        (grid(64, 48, "cover"), 8),
        (grid(50, edge="cover"), 2),
        (grid(33, 20, "cover"), 1),
        (grid(33, 20), 1),
    ],
)
def test_each_pixel_has_the_cell_of_the_patch_whose_centre_is_nearest(patches: PatchGrid, side: int) -> None:
    cells = map_cells(PLACE, patches)
    assert cells.place.transform == (10.0 * side, 0, 600_000, 0, -10.0 * side, 5_700_000)
    ids = np.arange(patches.count)
    shown = cells.spread(ids, ids, -1).repeat(side, axis=0).repeat(side, axis=1)[:192, :256]
    rows, cols = np.meshgrid(np.arange(shown.shape[0]) + 0.5, np.arange(shown.shape[1]) + 0.5, indexing="ij")
    np.testing.assert_array_equal(shown, patches.patches_at(rows, cols))


@pytest.mark.parametrize("patches", [grid(64, 32), grid(64, 16), grid(64, 48, "cover"), grid(128, 64)])
def test_a_map_shows_all_the_ground_of_the_patches_that_are_there(patches: PatchGrid) -> None:
    ids = np.flatnonzero(np.random.default_rng(3).random(patches.count) < 0.3)
    cells = map_cells(PLACE, patches)
    shown = cells.spread(ids, ids, -1).repeat(cells.side, axis=0).repeat(cells.side, axis=1)[:192, :256]
    away = np.full((*shown.shape, len(ids)), np.inf)
    middles = np.indices(shown.shape) // cells.side * cells.side + cells.side / 2
    for at, (top, left, size, _) in enumerate(patches.window(patch) for patch in ids.tolist()):
        inside = slice(top, top + size), slice(left, left + size)
        away[(*inside, at)] = np.hypot(middles[0] - top - size / 2, middles[1] - left - size / 2)[inside]
    np.testing.assert_array_equal(shown >= 0, np.isfinite(away).any(axis=2))
    rows, cols = np.nonzero(shown >= 0)
    chosen = away[rows, cols, np.searchsorted(ids, shown[rows, cols])]
    np.testing.assert_allclose(chosen, away[rows, cols].min(axis=1))


def test_a_map_of_too_many_cells_is_coarser() -> None:
    cells = map_cells(PLACE, grid(33, 20), most=1000)
    assert cells.place.height * cells.place.width <= 1000
    assert cells.place.transform[0] == 80


def written(tmp_path: Path, side: int = 700) -> tuple[Path, np.ndarray, np.ndarray]:
    codes = np.zeros((side, side), np.int64)
    codes[: side // 2] = 3
    codes[0, 0], codes[-1, -1] = UNSURE_CODE, NO_DATA_CODE
    confidence = np.full((side, side), 0.875, np.float32)
    confidence[-1, -1] = np.nan
    place = GeoBox(crs="EPSG:32631", transform=(640, 0, 600_000, 0, -640, 5_700_000), height=side, width=side)
    files = write_class_map(tmp_path / "m.tif", codes, place, CLASSES, confidence)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in files)
    return tmp_path / "m.tif", codes, confidence


def test_rasterio_reads_codes_colours_and_confidence_of_a_cloud_optimised_map(tmp_path: Path) -> None:
    path, codes, _ = written(tmp_path)
    with rasterio.open(path) as data:
        assert data.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert data.block_shapes == [(512, 512)] * 2
        assert data.overviews(1) == [2]
        assert data.dtypes == ("uint8", "uint8")
        assert data.nodata == NO_DATA_CODE
        assert data.crs.to_epsg() == 32631
        assert data.descriptions == ("class", "confidence in percent")
        assert data.colorinterp[0] == ColorInterp.palette
        colours = data.colormap(1)
        assert [colours[code][:3] for code in (0, 3, UNSURE_CODE)] == [(0, 0, 255), (34, 139, 34), (208, 208, 208)]
        np.testing.assert_array_equal(data.read(1), codes)
        assert data.read(2)[0, 0] == 88
        assert not data.dataset_mask()[-1, -1]
    with rasterio.open(path, overview_level=0) as small:
        assert set(np.unique(small.read(1))) == {0, 3}, "by mode: codes are never mixed into another"


def test_qgis_finds_every_class_by_name_and_colour(tmp_path: Path) -> None:
    path, _, _ = written(tmp_path, side=8)
    style = path.with_suffix(".qml").read_text(encoding="utf-8")
    assert style.startswith("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n")
    root = ET.fromstring(style)
    renderer = root.find("pipe/rasterrenderer")
    assert renderer is not None
    assert (root.tag, renderer.get("type"), renderer.get("band")) == ("qgis", "paletted", "1")
    entries = [entry.attrib for entry in renderer.findall("colorPalette/paletteEntry")]
    assert entries == [
        {"value": "0", "color": "#0000ff", "label": "water", "alpha": "255"},
        {"value": "3", "color": "#228b22", "label": "Wald & <Wiese>", "alpha": "255"},
        {"value": "254", "color": "#d0d0d0", "label": "unsure", "alpha": "255"},
    ]


def test_names_of_classes_stand_beside_the_map(tmp_path: Path) -> None:
    path, _, _ = written(tmp_path, side=8)
    text = path.with_name("m.tif.aux.xml").read_text(encoding="utf-8")
    band = ET.fromstring(text).find("PAMRasterBand")
    assert band is not None
    names = [one.text or "" for one in band.findall("CategoryNames/Category")]
    assert {code: name for code, name in enumerate(names) if name} == {0: "water", 3: "Wald & <Wiese>", 254: "unsure"}
    rows = [[cell.text for cell in row] for row in band.findall("GDALRasterAttributeTable/Row")]
    assert rows[1] == ["3", "Wald & <Wiese>", "34", "139", "34", "255"]
    back = kept_by_gdal(text, "m.tif.aux.xml")
    assert back is not None
    assert back.names[0] == "water"
    assert (back.colours[0], back.colours[3]) == ("#0000ff", "#228b22")


def test_codes_of_sixteen_bits_and_maps_without_confidence(tmp_path: Path) -> None:
    classes = [MapClass(code=311, name="forest", colour="#80ff00"), MapClass(code=512, name="water", colour="#80f2e6")]
    codes = np.array([[311, 512], [NO_DATA_CODE, 512]])
    place = GeoBox(crs=None, transform=(16, 0, 0, 0, 16, 0), height=2, width=2)
    write_class_map(tmp_path / "c.tif", codes, place, classes)
    with rasterio.open(tmp_path / "c.tif") as data:
        assert (data.count, data.dtypes, data.nodata) == (1, ("uint16",), 65535)
        assert data.read(1).tolist() == [[311, 512], [65535, 512]]
        assert data.colormap(1)[311][:3] == (128, 255, 0)


def test_numbers_are_a_map_of_floats_with_a_style(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 600 * 600, dtype=np.float32).reshape(600, 600)
    values[0, 0] = np.nan
    place = GeoBox(crs="EPSG:32631", transform=(640, 0, 600_000, 0, -640, 5_700_000), height=600, width=600)
    colours = ["#000000", "#808080", "#ffffff"]
    write_value_map(tmp_path / "v.tif", values, place, title="NDVI", low=-0.5, high=0.5, colours=colours)
    with rasterio.open(tmp_path / "v.tif") as data:
        assert data.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert np.isnan(data.nodata)
        assert data.descriptions == ("NDVI",)
        np.testing.assert_array_equal(data.read(1), values)
    shader = ET.fromstring((tmp_path / "v.qml").read_text(encoding="utf-8")).find(".//colorrampshader")
    assert shader is not None
    items = [(float(item.get("value", "")), item.get("color")) for item in shader.findall("item")]
    assert items == [(-0.5, "#000000"), (0.0, "#808080"), (0.5, "#ffffff")]
    stops = shader.find("colorramp/Option/Option[@name='stops']")
    assert stops is not None
    assert stops.get("value") == "0.5;128,128,128,255"


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        ([*CLASSES, MapClass(code=3, name="again", colour="#000000")], "two classes have one code"),
        ([MapClass(code=NO_DATA_CODE, name="x", colour="#000000")], "a code is below 0, above 65534 or 255"),
        ([CLASSES[1]], "no class has code 3"),
    ],
)
def test_codes_that_say_nothing_or_two_things_are_refused(tmp_path: Path, classes: list[MapClass], found: str) -> None:
    with pytest.raises(StoreError, match=rf"^Writing “m\.tif”: {found}; .+\.$"):
        write_class_map(tmp_path / "m.tif", np.array([[0, 3]]), PLACE, classes)
    assert list(tmp_path.iterdir()) == []
