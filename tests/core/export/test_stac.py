"""What files of features say in the words of others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely

from core.export.geoparquet import read_geoparquet, write_geoparquet
from core.export.stac import write_stac_item
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.core.export.test_geoparquet import SPEC, collection, features, scene

ITEM_FIELDS = {
    "emb:runtime_parameters", "emb:preprocessing", "emb:postprocessing", "emb:fit_for_use", "emb:spatial_coverage",
    "emb:uncertainty", "emb:quantization", "emb:energy",
}  # fmt: skip
"""All that the extension's schema allows among the properties of an item, which is closed."""

EMB_FIELDS = {
    "version", "model", "providers", "datetime", "start_datetime", "end_datetime", "datasets", "embedding_dim",
    "embedding_quantization",
}  # fmt: skip
"""What Earth Index's schema demands under the key ``emb``."""


def written(folder: Path, one: Scene, ids: list[int]) -> Path:
    write_geoparquet(folder / "f.parquet", one, patch_grid(one), features(ids), SPEC)
    return folder / "f.parquet"


def test_the_footer_says_what_the_vectors_are(tmp_path: Path) -> None:
    emb = json.loads(pq.read_schema(written(tmp_path, scene(), [0, 1])).metadata[b"emb"])
    assert emb.keys() >= EMB_FIELDS
    assert (emb["version"], emb["embedding_dim"]) == ("0.0.1", 6)
    assert emb["model"]["id"] == "spectral"
    assert emb["model"]["source"] == f"urn:sha256:{'ab' * 32}"
    assert (emb["datetime"], emb["end_datetime"]) == ("2024-06-21T00:00:00Z", "2024-06-21T23:59:59Z")


def test_a_stac_item_lies_beside_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, scene(), [0, 1])
    beside = write_stac_item(path, read_geoparquet(path))
    assert beside == tmp_path / "f.stac.json"
    item = json.loads(beside.read_text(encoding="utf-8"))
    assert (item["type"], item["stac_version"]) == ("Feature", "1.0.0")
    assert item["stac_extensions"] == ["https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"]
    assert {key for key in item["properties"] if key.startswith("emb:")} <= ITEM_FIELDS
    assert item["properties"]["emb:runtime_parameters"]["dimensions"] == 6
    assert item["assets"]["embeddings"]["href"] == "./f.parquet"
    assert not [key for key in item["assets"]["embeddings"] if key.startswith("emb:")]
    outline = shapely.from_geojson(json.dumps(item["geometry"]))
    assert list(outline.bounds) == pytest.approx(item["bbox"], abs=1e-6)
    patches = shapely.from_wkb(pq.read_table(path)["geometry"].to_pylist())
    assert all(outline.buffer(1e-5).contains(shape) for shape in patches)


def test_without_date_and_place_it_claims_neither(tmp_path: Path) -> None:

    path = written(tmp_path, replace(scene(crs=None), date=None, created="2026-01-02T03:04:05Z"), [0])
    item = json.loads(write_stac_item(path, read_geoparquet(path)).read_text(encoding="utf-8"))
    assert item["geometry"] is None
    assert "bbox" not in item
    assert item["properties"]["datetime"] is None
    assert item["properties"]["start_datetime"] < item["properties"]["end_datetime"] == "2026-01-02T03:04:05Z"


def test_the_item_of_a_collection_covers_its_patches(tmp_path: Path) -> None:
    path = written(tmp_path, collection(tmp_path), [0])
    item = json.loads(write_stac_item(path, read_geoparquet(path)).read_text(encoding="utf-8"))
    assert shapely.from_geojson(json.dumps(item["geometry"])).intersects(shapely.Point(10.5, 49.5))
