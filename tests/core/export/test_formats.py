"""All formats: what other programs read in them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from pyproj import CRS, Geod

from core.errors import StoreError
from core.export.formats import EXPORT_ENDINGS, FORMATS, format_of, write_rows
from core.export.geoparquet import add_positions, read_geoparquet, write_geoparquet
from core.export.rows import ExportRows, scene_rows
from core.export.selection import file_rows
from core.scenes.labels import PatchLabels
from core.scenes.outline_areas import outline_hectares
from core.scenes.patches import corners_lonlat, corners_xy, patch_grid
from core.scenes.scene import Scene
from tests.core.export.test_geoparquet import SPEC, collection, features, scene

LABELS = PatchLabels(
    classes=("<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0"),
    index=np.array([0, 1] + [-1] * 10, dtype=np.int16),
    purity=np.ones(12, dtype=np.float32),
)
IDS = np.array([11, 1, 0])


def some(one: Scene) -> ExportRows:
    columns = {
        "class": np.array(["Wasser & Öl", None, None], dtype=object),
        "probability": np.array([0.99, np.nan, 0.5], np.float32),
        "abstained": np.array([False, True, False]),
    }
    return scene_rows(one, patch_grid(one), IDS, encoder="spectral", labels=LABELS, columns=columns)


def test_a_geopackage_is_in_the_reference_system_of_the_scene(tmp_path: Path) -> None:
    one = scene()
    write_rows(tmp_path / "r.gpkg", some(one))
    frame = geopandas.read_file(tmp_path / "r.gpkg")
    assert CRS(frame.crs).to_epsg() == 32631
    assert frame["patch_id"].tolist() == IDS.tolist()
    np.testing.assert_array_equal(frame["probability"], np.array([0.99, np.nan, 0.5], np.float32))
    assert frame["abstained"].tolist() == [False, True, False]
    assert frame["label"].tolist()[1:] == ["=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>"]
    expected = shapely.polygons(corners_xy(one.grid, patch_grid(one), IDS))
    assert all(shape.equals(outline) for shape, outline in zip(frame.geometry, expected, strict=True))
    assert frame.geometry.area.tolist() == [640.0**2] * 3
    assert pyogrio.list_layers(tmp_path / "r.gpkg").tolist() == [["patches", "Polygon"]]


def test_kml_shows_no_html_of_a_name(tmp_path: Path) -> None:
    one = scene()
    write_rows(tmp_path / "r.kml", some(one))
    text = (tmp_path / "r.kml").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    shown = [element.text or "" for element in root.iter() if element.tag.endswith(("}name", "}SimpleData"))]
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown, "a viewer that renders the name as HTML shows it as text"
    assert not [text for text in shown if "<" in text]
    frame = pyogrio.read_dataframe(tmp_path / "r.kml")
    assert frame["Name"].tolist()[:2] == ["Wasser &amp; Öl", "=cmd|' /C calc'!A0"]
    assert frame["patch_id"].tolist() == IDS.tolist()
    assert frame["probability"].tolist()[0] == 0.99
    corners = corners_lonlat(one, patch_grid(one), IDS)
    for shape, outline in zip(frame.geometry, corners, strict=True):
        assert shapely.force_2d(shape).symmetric_difference(shapely.Polygon(outline)).area < 1e-9


@pytest.mark.parametrize("ending", EXPORT_ENDINGS)
def test_every_format_writes_places_that_are_unknown_or_cross_the_antimeridian(tmp_path: Path, ending: str) -> None:
    one = collection(tmp_path)
    path = tmp_path / f"r{ending.upper()}"
    write_rows(path, scene_rows(one, patch_grid(one), np.array([0, 1, 2])))
    assert path.stat().st_size
    write_rows(path, scene_rows(scene(crs=None), patch_grid(scene()), IDS))
    assert list(tmp_path.glob(".r*")) == []


def test_geopandas_reads_boxes_rows_along_the_curve_and_only_those_of_a_place(tmp_path: Path) -> None:
    one, ids = scene(), list(range(12))
    write_geoparquet(tmp_path / "f.parquet", one, patch_grid(one), features(ids), SPEC)
    frame = geopandas.read_parquet(tmp_path / "f.parquet")
    assert sorted(frame["patch_id"]) == ids
    along = frame.geometry.hilbert_distance()
    assert (np.diff(along) >= 0).all()
    written = pq.read_table(tmp_path / "f.parquet")["bbox"].to_pylist()
    boxes = np.array([[box[side] for side in ("xmin", "ymin", "xmax", "ymax")] for box in written])
    np.testing.assert_array_equal(boxes, frame.geometry.bounds.to_numpy())
    assert frame["patch_id"].tolist() != ids
    table = read_geoparquet(tmp_path / "f.parquet")
    assert table.patch_ids.tolist() == ids
    add_positions(tmp_path / "f.parquet", tmp_path / "g.parquet", np.stack([table.patch_ids, -table.patch_ids], axis=1))
    placed = pq.read_table(tmp_path / "g.parquet")
    assert placed["x"].to_pylist() == placed["patch_id"].to_pylist() == frame["patch_id"].tolist()
    near = frame.geometry[frame["patch_id"] == 0].iloc[0]
    found = geopandas.read_parquet(tmp_path / "f.parquet", bbox=near.centroid.buffer(1e-4).bounds)
    assert found["patch_id"].tolist() == [0]
    metadata = pq.ParquetFile(tmp_path / "f.parquet").metadata
    assert {metadata.row_group(0).column(at).compression for at in range(metadata.num_columns)} == {"ZSTD"}
    covering = json.loads(metadata.metadata[b"geo"])["columns"]["geometry"]["covering"]
    assert covering == {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}}


def test_rows_of_a_file_keep_its_columns_and_can_be_a_file_of_features_again(tmp_path: Path) -> None:
    one, grid = scene(), patch_grid(scene())
    ndvi = {"ndvi": np.linspace(0, 1, 12, dtype=np.float32)}
    write_geoparquet(tmp_path / "f.parquet", one, grid, features(list(range(12))), SPEC, values=ndvi)
    table = read_geoparquet(tmp_path / "f.parquet")
    positions = np.array([table.position(patch) for patch in (5, 0, 7)])
    columns = {"rank": np.arange(3), "similarity": np.array([1, 0.5, 0.25], np.float32)}
    rows = file_rows(table, positions, columns=columns, vectors=True)
    assert list(rows.columns)[:3] == ["rank", "patch_id", "similarity"]
    assert rows.crs == "EPSG:32631"
    expected = shapely.polygons(corners_xy(one.grid, grid, np.array([5, 0, 7])))
    assert rows.planar is not None
    assert all(shape.equals(outline) for shape, outline in zip(rows.planar, expected, strict=True))
    write_rows(tmp_path / "r.parquet", rows)
    assert pq.read_table(tmp_path / "r.parquet")["patch_id"].to_pylist() == [5, 0, 7], "by rank"
    back = read_geoparquet(tmp_path / "r.parquet")
    assert back.patch_ids.tolist() == [0, 5, 7]
    np.testing.assert_array_equal(back.vectors, table.vectors[[0, 5, 7]])
    np.testing.assert_array_equal(back.table["ndvi"], ndvi["ndvi"][[0, 5, 7]])
    assert (back.spec, back.scene, back.cut) == (table.spec, table.scene, table.cut)
    write_rows(tmp_path / "r.gpkg", file_rows(table))
    assert CRS(geopandas.read_file(tmp_path / "r.gpkg").crs).to_epsg() == 32631


def test_areas_are_those_on_the_ground() -> None:
    square = shapely.Polygon([(10, 60), (10.01, 60), (10.01, 60.01), (10, 60.01)])
    across = shapely.MultiPolygon([shapely.box(179.99, 0, 180, 0.01), shapely.box(-180, 0, -179.99, 0.01)])
    found = outline_hectares(np.array([square, None, across], dtype=object))
    assert found[0] == pytest.approx(abs(Geod(ellps="WGS84").geometry_area_perimeter(square)[0]) / 1e4, abs=1e-4)
    assert found[0] == pytest.approx(62.2, rel=5e-3), "half of that at the equator, which is 123"
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(2 * 123.09, rel=1e-3)


def test_an_unknown_ending_says_which_there_are() -> None:
    with pytest.raises(StoreError, match=r"^Writing “r\.shp”: no format has the ending “\.shp”; .+\.geojson, \.gpkg"):
        format_of(Path("r.shp"))
    with pytest.raises(StoreError, match="its name has no ending"):
        format_of(Path("r"))
    assert format_of(Path("R.GPKG")) is FORMATS["gpkg"]


def test_a_file_of_the_version_before_gives_the_same_rows(tmp_path: Path) -> None:
    one = scene()
    write_geoparquet(tmp_path / "f.parquet", one, patch_grid(one), features([0, 5, 7]), SPEC)
    table = pq.read_table(tmp_path / "f.parquet").drop_columns(["bbox", "area_ha", "date", "encoder"])
    kept = {key: value for key, value in table.schema.metadata.items() if key != b"emb"}
    pq.write_table(table.replace_schema_metadata(kept), tmp_path / "old.parquet")
    new, old = (file_rows(read_geoparquet(tmp_path / name)) for name in ("f.parquet", "old.parquet"))
    assert new.columns.keys() == old.columns.keys()
    for name, column in new.columns.items():
        np.testing.assert_array_equal(column, old.columns[name])
