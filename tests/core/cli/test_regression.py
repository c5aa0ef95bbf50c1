"""The command that learns a number a patch: what it writes and prints, and how it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from core.__main__ import main
from tests.core.cli.test_classification import GRID, IDS, PLACE, Capture, features, file

__all__ = ["file"]

LAW = np.random.default_rng(3).normal(size=8)


def truth() -> np.ndarray:
    """A number that is a law of the unit features, with a little noise."""
    unit = features() / np.linalg.norm(features(), axis=1, keepdims=True)
    found: np.ndarray = 5 + 2 * unit @ LAW + np.random.default_rng(4).normal(0, 0.05, len(IDS))
    return found


def values(path: Path, lines: list[str], head: str = "patch_id,yield") -> Path:
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def half() -> list[str]:
    return [f"{one},{number:.6f}" for one, number in enumerate(truth().tolist()) if one % 2]


def test_patches_without_a_number_get_one_with_an_interval_that_holds(file: Path, capsys: Capture) -> None:
    out = file.with_name("R.csv")
    given = values(file.with_name("V.csv"), half())
    assert main(["regress", str(file), "--values", str(given), "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    with out.open(newline="") as text:
        lines = list(csv.DictReader(text))
    wanted, others = truth(), [line for line in lines if not int(line["patch_id"]) % 2]
    apart = np.array([float(line["predicted"]) - wanted[int(line["patch_id"])] for line in others])
    assert np.sqrt(np.square(apart).mean()) < 0.15
    held = [float(line["low"]) <= wanted[int(line["patch_id"])] <= float(line["high"]) for line in others]
    assert np.mean(held) > 0.75
    assert all(line["actual"] == "" for line in others)
    assert {float(line["actual"]) for line in lines if line["patch_id"] == "1"} == {round(float(wanted[1]), 6)}
    assert said["values"] == 60
    assert said["r_squared"] > 0.8
    assert said["column"] == "yield"


@pytest.mark.usefixtures("shapes_here")
def test_commands_ask_which_of_several_layers_is_meant(file: Path, capsys: Capture) -> None:
    table = pq.read_table(file, columns=["patch_id", "geometry"])
    places = shapely.centroid(shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False)))
    frame = geopandas.GeoDataFrame({"yield": truth(), "class": ["a", "b"] * (len(IDS) // 2)}, geometry=places, crs=4326)
    given, out = file.with_name("V.gpkg"), file.with_name("R.csv")
    frame[:2].to_file(given, layer="old")
    frame.to_file(given, layer="new")
    for command in (["regress", str(file), "--values"], ["classify", str(file), "--labels"]):
        words = [*command, str(given), "--out", str(out)]
        assert main(words) == 1
        assert "it has 2 layers of shapes: “old”, “new”; name the layer that is meant" in capsys.readouterr().err
        assert main([*words, "--layer", "new"]) == 0


@pytest.mark.usefixtures("shapes_here")
def test_polygons_give_their_mean_by_area_and_the_map_has_both_ends(file: Path, capsys: Capture) -> None:
    wanted = truth()
    table = pq.read_table(file, columns=["patch_id", "geometry"])
    outlines = dict(zip(table["patch_id"].to_pylist(), shapely.from_wkb(table["geometry"].to_pylist()), strict=True))
    features_ = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(outlines[one])), "properties": {"t": wanted[one]}}
        for one in range(0, 120, 2)
    ]
    given = file.with_name("V.geojson")
    given.write_text(json.dumps({"type": "FeatureCollection", "features": features_}))
    out = file.with_name("R.tif")
    assert main(["regress", str(file), "--values", str(given), "--column", "t", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["values"] == 60
    with rasterio.open(out) as data:
        predicted, low, high, strange = data.read()
        assert data.descriptions == ("t", "low", "high", "unfamiliar")
        assert data.transform == PLACE.affine @ rasterio.Affine.scale(64)
    assert predicted.shape == (GRID.n_rows, GRID.n_cols)
    assert np.corrcoef(predicted.ravel(), wanted)[0, 1] > 0.9
    assert ((low < predicted) & (predicted < high)).all()
    assert set(np.unique(strange)) <= {0, 1}
    assert out.with_suffix(".qml").is_file()


def test_land_unlike_the_examples_is_marked_and_left_out_of_the_mean(file: Path, capsys: Capture) -> None:
    """Numbers are given on a third of the land alone, by the first feature: the rest is unlike all of it."""
    unit = features() / np.linalg.norm(features(), axis=1, keepdims=True)
    order = np.argsort(unit[:, 0])
    law = 5 + 20 * unit[:, 0]
    given = values(file.with_name("V.csv"), [f"{one},{law[one]:.6f}" for one in order[:50].tolist()])
    out = file.with_name("R.csv")
    assert main(["regress", str(file), "--values", str(given), "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    with out.open(newline="") as text:
        lines = {int(line["patch_id"]): line for line in csv.DictReader(text)}
    marked = [one for one, line in lines.items() if line["unfamiliar_land"]]
    assert {lines[one]["unfamiliar_land"] for one in marked} == {"examples"}
    assert set(order[-15:].tolist()) <= set(marked)
    assert not set(order[:50].tolist()) & set(marked)
    left = [float(line["predicted"]) for one, line in lines.items() if one not in marked]
    assert said["predicted"]["on_unfamiliar_land"] == len(marked)
    assert said["predicted"]["mean_on_familiar_land"] == pytest.approx(np.mean(left), rel=1e-4)
    assert said["predicted"]["mean_of_all"] != said["predicted"]["mean_on_familiar_land"]
    assert said["predicted"]["unfamiliar_to_encoder"] == "not known of this file"


@pytest.mark.parametrize(
    ("head", "lines", "sentence"),
    [
        ("patch_id,yield", half()[:8], "8 patches of the scene have a number; give at least 10"),
        ("patch_id,yield", [*half(), "3,4"], "patch 3 stands in lines 3 and 62"),
        ("patch_id,yield", [*half(), "2,inf"], "line 62 has “inf” as yield"),
        ("patch_id,yield", [*half(), "2,much"], "line 62 has “much” as yield"),
        ("patch_id,yield,biomass", [f"{line},1" for line in half()], "the value could be “yield” and “biomass”"),
        ("patch_id,name", ["1,a", "2,b"], "none of its columns holds numbers: “name” has “a”"),
        ("patch_id,yield", [f"{one},7" for one in range(20)], "all numbers are 7"),
        ("patch_id,yield", [f"{one + 900},{one}" for one in range(20)], "20 patches that are not here"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_a_sentence(
    file: Path, capsys: Capture, head: str, lines: list[str], sentence: str
) -> None:
    given, out = values(file.with_name("V.csv"), lines, head), file.with_name("R.csv")
    out.write_text("before")
    assert main(["regress", str(file), "--values", str(given), "--out", str(out)]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in said
    assert out.read_text() == "before"
