"""Lists to take away: GeoJSON and CSV of a query and its neighbours."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from core.export.rows import ExportRows, scene_rows
from core.export.tables import csv_text, geojson_text, harmless
from core.scenes.labels import PatchLabels
from core.scenes.patches import centres_lonlat, corners_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.core.export.test_geoparquet import collection, scene

LABELS = PatchLabels(
    classes=("Forest", "=cmd|' /C calc'!A0"),
    index=np.array([-1] * 7 + [1, 0, 0, 0, -1], dtype=np.int16),
    purity=np.ones(12, dtype=np.float32),
)
COLUMNS = {
    "rank": np.arange(4),
    "similarity": np.array([1, 0.99, 0.5, -0.25], np.float32),
    "ndvi": np.array([-0.5, 0.25, np.nan, 0.75], np.float32),
    "=note": np.array(["-1", None, "@x", "fine"], dtype=object),
}
IDS = np.array([8, 7, 2, 11])


def ranked(one: Scene) -> ExportRows:
    return scene_rows(one, patch_grid(one), IDS, encoder="spectral", labels=LABELS, columns=COLUMNS)


def test_geojson_lists_patches_in_their_order_with_all_that_is_said_of_them() -> None:
    one = scene()
    whole = json.loads(geojson_text(ranked(one)))
    assert whole["type"] == "FeatureCollection"
    assert "crs" not in whole
    properties = [feature["properties"] for feature in whole["features"]]
    area = properties[0].pop("area_ha")
    assert area == pytest.approx(40.96, rel=2e-3)
    same = {"scene": one.id, "date": "2024-06-21", "encoder": "spectral"}
    assert properties[0] == {
        "rank": 0, "patch_id": 8, "similarity": 1.0, "label": "Forest", **same, "ndvi": -0.5, "=note": "-1"
    }  # fmt: skip
    assert [line["label"] for line in properties] == ["Forest", "=cmd|' /C calc'!A0", None, None]
    assert [line["similarity"] for line in properties] == [1.0, 0.99, 0.5, -0.25]
    assert [line["ndvi"] for line in properties] == [-0.5, 0.25, None, 0.75]
    assert [feature["id"] for feature in whole["features"]] == IDS.tolist()
    corners = corners_lonlat(one, patch_grid(one), IDS)
    assert corners is not None
    for feature, outline in zip(whole["features"], corners, strict=True):
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shape.exterior.is_ccw
        assert shape.symmetric_difference(shapely.Polygon(outline)).area < 1e-8


def test_lists_of_a_scene_without_a_place_have_none() -> None:
    one = scene(crs=None)
    assert {feature["geometry"] for feature in json.loads(geojson_text(ranked(one)))["features"]} == {None}
    rows = list(csv.DictReader(io.StringIO(csv_text(ranked(one)))))
    assert {(row["lon"], row["lat"], row["area_ha"]) for row in rows} == {("", "", "")}


def test_csv_makes_texts_harmless_and_leaves_numbers() -> None:
    one = scene()
    text = csv_text(ranked(one))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [
        "rank", "patch_id", "similarity", "lon", "lat", "label", "scene", "date", "encoder", "area_ha", "ndvi", "'=note"
    ]  # fmt: skip
    assert [row["ndvi"] for row in rows] == ["-0.5", "0.25", "", "0.75"]
    assert [row["'=note"] for row in rows] == ["'-1", "", "'@x", "fine"]
    assert {row["scene"] for row in rows} == {one.id}
    assert [row["rank"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["patch_id"] for row in rows] == ["8", "7", "2", "11"]
    assert [row["similarity"] for row in rows] == ["1.0", "0.99", "0.5", "-0.25"]
    assert [row["label"] for row in rows] == ["Forest", "'=cmd|' /C calc'!A0", "", ""]
    middles = centres_lonlat(one, patch_grid(one), IDS)
    np.testing.assert_allclose([[float(row["lon"]), float(row["lat"])] for row in rows], middles, atol=1e-7)
    assert text.endswith("\r\n")


def test_lists_of_a_collection_leave_unknown_places_empty(tmp_path: Path) -> None:
    one = collection(tmp_path)
    made = scene_rows(one, patch_grid(one), np.array([0, 1, 2]))
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    assert [row["lon"] for row in rows] == ["10.5000000", "-180.0000000", ""]
    whole = json.loads(geojson_text(made))
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in whole["features"]]
    assert kinds == ["Polygon", "MultiPolygon", None]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n-2", "|calc", "%0A"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Forest", "River - wide", "a=b", "Å", "1"])
def test_harmless_cells_are_left_alone(cell: str) -> None:
    assert harmless(cell) == cell
