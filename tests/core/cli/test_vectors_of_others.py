"""Commands take files of vectors that other programs wrote: the same answers as numpy gives, and true sentences."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest

from core.__main__ import main
from core.export.geoparquet import read_geoparquet
from core.features.given import given_recipe
from core.scenes.library import Library
from tests.data import shared
from tests.embeddings import ROWS, centre, lists, plain, vectors, write

pytestmark = pytest.mark.usefixtures("here")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))


def nearest(values: np.ndarray, row: int) -> tuple[list[int], np.ndarray]:  # type: ignore[type-arg]
    """Rows by cosine similarity to one, itself left out, and the similarities."""
    unit = values.astype(np.float64) / np.linalg.norm(values, axis=1, keepdims=True)
    score = unit @ unit[row]
    order = np.argsort(-score, kind="stable")
    order = order[order != row]
    return order.tolist(), score[order]


def found(capsys: Capture, *words: object) -> list[dict[str, float]]:
    assert main([str(word) for word in words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_search_and_neighbours_answer_as_numpy_does(tmp_path: Path, capsys: Capture) -> None:
    path = plain(tmp_path / "f.parquet", other=lists(vectors()[::-1]))
    order, score = nearest(vectors(), 3)
    lines = found(capsys, "search", path, "--vector", "embedding", "--like", 3, "-k", 5)
    assert [line["patch_id"] for line in lines] == order[:5]
    np.testing.assert_allclose([line["similarity"] for line in lines], score[:5], atol=1e-5)
    assert main(["neighbours", str(path), "--patch-id", "3"]) == 1
    assert "“embedding” and “other”" in capsys.readouterr().err


def test_project_report_and_cluster_take_them(tmp_path: Path, capsys: Capture) -> None:
    path = plain(tmp_path / "f.parquet", label=["wood", "field"] * (ROWS // 2), height=np.arange(ROWS) % 7 + 0.5)
    out = tmp_path / "placed.parquet"
    assert main(["project", str(path), "--out", str(out)]) == 0
    table = pq.read_table(out)
    assert {"x", "y", "vector", "label", "height"} <= set(table.column_names)
    assert not {"band_mean", "valid_fraction"} & set(table.column_names)
    by_id = table.sort_by("patch_id")
    np.testing.assert_array_equal(np.stack(by_id["vector"].to_numpy(zero_copy_only=False)), vectors())
    assert by_id["label"].to_pylist()[:2] == ["wood", "field"]
    assert main(["report", str(path)]) == 0
    assert "no means and deviations of bands" in capsys.readouterr().out
    assert main(["cluster", str(path), "-k", "2", "--out", str(tmp_path / "c.csv")]) == 0


def test_a_scene_of_them_is_recorded_and_embedded(tmp_path: Path, capsys: Capture) -> None:
    path, out = plain(tmp_path / "f.parquet"), tmp_path / "own.parquet"
    assert main(["scene", str(path), "--model", "Clay v1"]) == 0
    record = json.loads(capsys.readouterr().out)
    scene = Library(tmp_path / "data").get(record["scene"])
    named = ["embed", scene.id, "--encoder", given_recipe(scene).encoder, "--out", str(out)]
    assert main(named) == 0  # as pages print it
    topics = {one["topic"]: one["value"] for one in record["findings"]}
    assert (topics["pixels"], topics["model"]) == ("none", "Clay v1")
    assert main(["embed", str(path), "--model", "Clay v1", "--out", str(out)]) == 0
    frame = geopandas.read_parquet(out).sort_values("patch_id")
    np.testing.assert_array_equal(np.stack(frame["vector"]), vectors())
    assert json.loads(pq.read_schema(out).metadata[b"emb"])["model"]["name"] == "Clay v1"
    assert main(["embed", str(path), "--encoder", "spectral", "--out", str(out)]) == 1
    assert "holds no pixels" in capsys.readouterr().err


def test_what_embed_wrote_comes_back_under_its_own_encoder(tmp_path: Path, capsys: Capture) -> None:
    first, again = tmp_path / "own.parquet", tmp_path / "again.parquet"
    tile = tmp_path / "tile.tif"
    assert main(["synthetic", "--size", "256", "--out", str(tile)]) == 0
    assert main(["embed", str(tile), "--encoder", "spectral", "--out", str(first)]) == 0
    assert main(["embed", str(first), "--out", str(again)]) == 0
    one, other = (pq.read_table(path).sort_by("patch_id") for path in (first, again))
    for name in ("patch_id", "vector", "band_mean", "band_std", "label"):
        assert one[name].to_pylist() == other[name].to_pylist(), name
    fingerprints = [json.loads(table.schema.metadata[b"landlike"])["encoder"]["fingerprint"] for table in (one, other)]
    assert fingerprints[0] == fingerprints[1]
    boxes = [np.array([list(cell.values()) for cell in table["bbox"].to_pylist()]) for table in (one, other)]
    np.testing.assert_allclose(*boxes, atol=1e-9)


def test_real_vectors_answer_as_numpy_does(capsys: Capture) -> None:
    path = shared("embeddings/03WVN_20220610_20220610_v001.gpq")
    order, score = nearest(np.stack(geopandas.read_parquet(path)["embeddings"]), 3)
    lines = found(capsys, "search", path, "--like", 3)
    assert [line["patch_id"] for line in lines] == order[:10]
    np.testing.assert_allclose([line["similarity"] for line in lines], score[:10], atol=1e-5)


def test_points_stay_points_and_have_no_area(tmp_path: Path) -> None:
    places = np.array([centre(row) for row in range(ROWS)])
    columns = {"embedding": lists(vectors()), "lon": places[:, 0], "lat": places[:, 1]}
    path, out = write(tmp_path / "p.parquet", columns), tmp_path / "own.parquet"
    assert main(["embed", str(path), "--out", str(out)]) == 0
    frame = geopandas.read_parquet(out).sort_values("patch_id")
    assert set(frame.geom_type) == {"Point"}
    np.testing.assert_allclose(np.stack([frame.geometry.x, frame.geometry.y], axis=1), places, atol=1e-9)
    assert frame["area_ha"].isna().all()
    table = read_geoparquet(out)
    np.testing.assert_allclose(table.lonlat, places, atol=1e-9)
    assert main(["search", str(path), "--like", "3", "--out", str(tmp_path / "r.gpkg")]) == 0
    found = geopandas.read_file(tmp_path / "r.gpkg")
    assert set(found.geom_type) == {"Point"}


def test_they_are_evaluated_by_their_classes(tmp_path: Path, capsys: Capture) -> None:
    path = plain(tmp_path / "f.parquet", label=["low"] * (ROWS // 2) + ["high"] * (ROWS // 2))
    assert main(["evaluate", str(path)]) == 0
    told = capsys.readouterr().out
    assert "high" in told
    assert "Vectors of “f”" in told
