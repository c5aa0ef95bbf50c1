"""Lists to take away: GeoJSON and CSV of a query and its neighbours."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from core.export.tables import harmless, neighbours_csv, neighbours_geojson
from core.scenes.labels import PatchLabels
from core.scenes.patches import PatchRef, centres_lonlat, corners_lonlat, patch_grid
from core.similarity.neighbours import Neighbours
from tests.core.export.test_geoparquet import collection, scene

NEAR = Neighbours(ids=np.array([7, 2, 11]), similarity=np.array([0.99, 0.5, -0.25], dtype=np.float32))
LABELS = PatchLabels(
    classes=("Forest", "=cmd|' /C calc'!A0"),
    index=np.array([-1] * 7 + [1, 0, 0, 0, -1], dtype=np.int16),
    purity=np.ones(12, dtype=np.float32),
)


VALUES = {"ndvi": np.array([-0.5, 0.25, np.nan, 0.75], np.float32)}


def test_geojson_lists_query_and_neighbours_best_first() -> None:
    one = scene()
    grid = patch_grid(one)
    whole = json.loads(neighbours_geojson(one, grid, PatchRef(one.id, 8), NEAR, LABELS, values=VALUES))
    assert whole["type"] == "FeatureCollection"
    assert "crs" not in whole
    assert [feature["properties"] for feature in whole["features"]] == [
        {"rank": 0, "patch_id": 8, "similarity": 1.0, "label": "Forest", "scene": one.id, "ndvi": -0.5},
        {"rank": 1, "patch_id": 7, "similarity": 0.99, "label": "=cmd|' /C calc'!A0", "scene": one.id, "ndvi": 0.25},
        {"rank": 2, "patch_id": 2, "similarity": 0.5, "label": None, "scene": one.id, "ndvi": None},
        {"rank": 3, "patch_id": 11, "similarity": -0.25, "label": None, "scene": one.id, "ndvi": 0.75},
    ]
    corners = corners_lonlat(one, grid, np.array([8, 7, 2, 11]))
    assert corners is not None
    for feature, outline in zip(whole["features"], corners, strict=True):
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shape.exterior.is_ccw
        assert shape.symmetric_difference(shapely.Polygon(outline)).area < 1e-8


def test_lists_of_a_scene_without_a_place_have_none() -> None:
    one = scene(crs=None)
    whole = json.loads(neighbours_geojson(one, patch_grid(one), PatchRef(one.id, 8), NEAR))
    assert {feature["geometry"] for feature in whole["features"]} == {None}
    rows = list(csv.DictReader(io.StringIO(neighbours_csv(one, patch_grid(one), PatchRef(one.id, 8), NEAR))))
    assert {(row["lon"], row["lat"]) for row in rows} == {("", "")}


def test_csv_lists_query_and_neighbours_best_first() -> None:
    one = scene()
    text = neighbours_csv(one, patch_grid(one), PatchRef(one.id, 8), NEAR, LABELS, values=VALUES)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["rank", "patch_id", "similarity", "lon", "lat", "label", "scene", "ndvi"]
    assert [row["ndvi"] for row in rows] == ["-0.5", "0.25", "", "0.75"]
    assert {row["scene"] for row in rows} == {one.id}
    assert [row["rank"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["patch_id"] for row in rows] == ["8", "7", "2", "11"]
    assert [row["similarity"] for row in rows] == ["1.000000", "0.990000", "0.500000", "-0.250000"]
    assert [row["label"] for row in rows] == ["Forest", "'=cmd|' /C calc'!A0", "", ""]
    middles = centres_lonlat(one, patch_grid(one), np.array([8, 7, 2, 11]))
    np.testing.assert_allclose([[float(row["lon"]), float(row["lat"])] for row in rows], middles, atol=1e-7)
    assert text.endswith("\r\n")


def test_lists_of_a_collection_leave_unknown_places_empty(tmp_path: Path) -> None:
    one = collection(tmp_path)
    near = Neighbours(ids=np.array([1, 2]), similarity=np.array([0.9, 0.8], dtype=np.float32))
    rows = list(csv.DictReader(io.StringIO(neighbours_csv(one, patch_grid(one), PatchRef(one.id, 0), near))))
    assert [row["lon"] for row in rows] == ["10.5000000", "-180.0000000", ""]
    whole = json.loads(neighbours_geojson(one, patch_grid(one), PatchRef(one.id, 0), near))
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in whole["features"]]
    assert kinds == ["Polygon", "MultiPolygon", None]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n-2", "|calc", "%0A"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Forest", "River - wide", "a=b", "Å", "1"])
def test_harmless_cells_are_left_alone(cell: str) -> None:
    assert harmless(cell) == cell
