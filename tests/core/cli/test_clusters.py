"""The command that finds clusters: its file, what it prints, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from core.__main__ import main
from tests.core.clusters.test_naming import light_of

KINDS = ["water"] * 12 + ["forest"] * 9 + ["soil"] * 6
Capture = pytest.CaptureFixture[str]


def write(path: Path, *, statistics: bool = True, alike: bool = False, step: float = 0.01) -> Path:
    """A file of features: three kinds of land along the equator, a patch of 0.01° each ``step``."""
    light = light_of(KINDS)
    assert light.deviation is not None
    number = [sorted(set(KINDS)).index(kind) for kind in KINDS]
    vectors = np.eye(3, 8)[number] + np.random.default_rng(0).normal(0, 0.1, (len(KINDS), 8))
    frame = {"patch_id": np.arange(len(KINDS)), "vector": list((vectors * (not alike)).astype(np.float32))}
    if statistics:
        frame |= {"band_mean": list(light.mean), "band_std": list(light.deviation)}
    boxes = [shapely.box(at * step, 0, at * step + 0.01, 0.01) for at in range(len(KINDS))]
    geopandas.GeoDataFrame(frame, geometry=boxes, crs="EPSG:4326").to_parquet(path)
    return path


def test_each_patch_has_a_named_cluster_in_every_format(tmp_path: Path, capsys: Capture) -> None:
    file, out = write(tmp_path / "f.parquet"), tmp_path / "C.csv"
    assert main(["cluster", str(file), "-k", "3", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    names = [one["name"] for one in said["found"]]
    assert [name.split(",")[0] for name in names] == ["Open water", "Forest", "Bare soil"]
    assert [one["patches"] for one in said["found"]] == [12, 9, 6]
    assert said["found"][0]["hectares"] == pytest.approx(12 * 123.1, rel=0.01), "at the equator"
    assert set(said["found"][0]["typical"]) <= set(range(12))
    with out.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["cluster_name"] for row in rows] == names[:1] * 12 + names[1:2] * 9 + names[2:] * 6
    assert {row["cluster"] for row in rows} == {"1", "2", "3"}
    likeness = np.array([float(row["likeness"]) for row in rows])
    assert int(likeness[:12].argmax()) == said["found"][0]["typical"][0]
    assert int(likeness[:12].argmin()) == said["found"][0]["odd"][0]
    for name in ("C.parquet", "C.geojson"):
        assert main(["cluster", str(file), "-k", "3", "--out", str(tmp_path / name)]) == 0
        read = geopandas.read_parquet if name.endswith("parquet") else geopandas.read_file
        assert read(tmp_path / name)["cluster_name"].tolist() == [row["cluster_name"] for row in rows]


def test_land_that_several_patches_show_counts_once(tmp_path: Path, capsys: Capture) -> None:
    file = write(tmp_path / "f.parquet", step=0.005)
    assert main(["cluster", str(file), "-k", "3", "--out", str(tmp_path / "C.csv")]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    wide = [(len(one) + 1) / 2 for one in (range(12), range(9), range(6))]
    assert [one["hectares"] for one in found] == pytest.approx([123.1 * one for one in wide], rel=1e-3)


def test_the_number_is_suggested_and_dense_regions_are_found(tmp_path: Path, capsys: Capture) -> None:
    file, out = write(tmp_path / "f.parquet"), str(tmp_path / "C.csv")
    assert main(["cluster", str(file), "--out", out]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["silhouettes"]) == {str(count) for count in range(4, 11)}
    assert main(["cluster", str(file), "--method", "hdbscan", "--out", out]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["clusters"], said["silhouettes"]) == (3, {})
    assert said["without"] + sum(one["patches"] for one in said["found"]) == len(KINDS)


def test_without_statistics_of_bands_clusters_have_numbers(tmp_path: Path, capsys: Capture) -> None:
    file = write(tmp_path / "f.parquet", statistics=False)
    assert main(["cluster", str(file), "-k", "3", "--out", str(tmp_path / "C.csv")]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["found"]]
    assert names == ["Cluster 1", "Cluster 2", "Cluster 3"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-k", "28"], "28 clusters were asked for, and there are 27 patches; ask for at most 27"),
        (["-k", "1"], "1 cluster was asked for; ask for 2 to 100"),
        (["--method", "dbscan"], "there is no method “dbscan”; choose kmeans or hdbscan"),
        (["--method", "hdbscan", "-k", "3"], "HDBSCAN finds the number itself"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path: Path, capsys: Capture, options: list[str], said: str) -> None:
    file = write(tmp_path / "f.parquet")
    assert main(["cluster", str(file), *options, "--out", str(tmp_path / "C.csv")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "C.csv").exists()


def test_patches_that_are_all_alike_are_told(tmp_path: Path, capsys: Capture) -> None:
    file = write(tmp_path / "f.parquet", alike=True)
    assert main(["cluster", str(file), "--out", str(tmp_path / "C.csv")]) == 1
    assert "all 27 patches are alike" in capsys.readouterr().err
