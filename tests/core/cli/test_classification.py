"""The command that classifies: what it writes and prints, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from core.__main__ import main
from core.bands import FloatArray
from core.classification.areas.class_map import read_classified
from core.classification.heads import land_classes
from core.classification.schemes import own_scheme
from core.errors import ClassificationError
from core.export.geometry import polygons
from core.export.geoparquet import parquet_bytes
from core.export.rows import ExportRows
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.patches import PatchGrid

Capture = pytest.CaptureFixture[str]

NAMES = ("Forest", "River", "SeaLake")
PLACE = GeoBox(crs="EPSG:32633", transform=(10.0, 0.0, 400_000.0, 0.0, -10.0, 5_000_000.0), height=640, width=768)
GRID = PatchGrid(height=640, width=768, cut=Cut.of(64))
IDS = np.arange(GRID.count)
CLASSES = np.random.default_rng(5).integers(0, 3, GRID.count)


def features(spread: float = 0.3) -> FloatArray:
    random = np.random.default_rng(0)
    found: FloatArray = (np.eye(3, 8)[CLASSES] + spread * random.standard_normal((len(IDS), 8))).astype(np.float32)
    return found


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of features of 120 patches of three classes, as “embed” writes it."""
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    path = tmp_path / "F.parquet"
    path.write_bytes(parquet_bytes(rows(features())))
    return path


def rows(vectors: FloatArray, fingerprint: str = "ab") -> ExportRows:
    top, left = GRID.first_pixels(IDS).T.astype(np.float64)
    xs, ys = PLACE.xy(np.stack([top, top, top + 64, top + 64], 1), np.stack([left, left + 64, left + 64, left], 1))
    down, across = GRID.rows_cols(IDS)
    about = {
        "encoder": {"name": "toy", "fingerprint": fingerprint},
        "scene": {"id": "s-1", "name": "S", "kind": "scene", "level": "L1C", "grid": vars_of(PLACE)},
        "patches": {"size": 64, "stride": 64, "rows": GRID.n_rows, "cols": GRID.n_cols},
    }
    return ExportRows(
        columns={"patch_id": IDS, "row": down, "col": across},
        shapes=polygons(outlines_lonlat(str(PLACE.crs), xs, ys)), matrices={"vector": vectors}, about=about,
    )  # fmt: skip


def vars_of(place: GeoBox) -> dict[str, Any]:
    return {"crs": place.crs, "transform": list(place.transform), "height": place.height, "width": place.width}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "L.csv"
    path.write_text("patch_id,label\n" + "".join(f"{one},{NAMES[CLASSES[one]]}\n" for one in range(0, 120, 3)))
    return path


def test_it_writes_all_patches_and_prints_what_was_learned(file: Path, labels: Path, capsys: Capture) -> None:
    out = file.with_name("C.parquet")
    assert main(["classify", str(file), "--labels", str(labels), "--abstain", "0.7", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    table = pq.read_table(out)
    ids, named = table["patch_id"].to_numpy(), table["class"].to_pylist()
    right = np.array([NAMES[CLASSES[one]] == name for one, name in zip(ids.tolist(), named, strict=True)])
    assert right.mean() > 0.85
    assert (table["abstained"].to_numpy(zero_copy_only=False) == (table["probability"].to_numpy() < 0.7)).all()
    assert said["abstained"] == sum(table["abstained"].to_pylist()) > 0
    why = table["why_abstained"].to_pylist()
    assert [one is not None for one in why] == table["abstained"].to_pylist()
    assert set(why) <= {None, "too little confidence", "unfamiliar land"}
    assert said["labels"] == {name: int((CLASSES[::3] == number).sum()) for number, name in enumerate(NAMES)}
    accuracy = said["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert said["held_out"] == "blocks of land"
    assert 0 <= said["calibration_error"] < 0.2
    assert set(said["f1"]) == set(NAMES)
    assert len(read_classified(out).ids) == 120, "the commands about areas read it"


def test_a_map_has_codes_colours_names_and_confidence(file: Path, labels: Path, capsys: Capture) -> None:
    out = file.with_name("C.tif")
    assert main(["classify", str(file), "--labels", str(labels), "--abstain", "0.7", "--out", str(out)]) == 0
    abstained = json.loads(capsys.readouterr().out)["abstained"]
    with rasterio.open(out) as data:
        codes, confidence = data.read()
        assert data.profile["nodata"] == 255
        assert data.transform == rasterio.Affine(640, 0, 400_000, 0, -640, 5_000_000)
        assert data.colormap(1)[2] == (0x2C, 0x5F, 0x45, 255), "EuroSAT's Forest has code 2"
    assert set(np.unique(codes).tolist()) == {2, 9, 10, 254}
    assert (codes == 254).sum() == abstained
    assert (confidence[codes == 254] <= 70).all()
    assert "Sea or lake" in out.with_name("C.tif.aux.xml").read_text()


def test_smoothed_patches_are_counted_alike_for_every_format(file: Path, labels: Path, capsys: Capture) -> None:
    counted, asked = [], ["classify", str(file), "--labels", str(labels), "--abstain", "0.7", "--smooth", "probability"]
    for name in ("C.parquet", "C.tif"):
        assert main([*asked, "--out", str(file.with_name(name))]) == 0
        counted.append(json.loads(capsys.readouterr().out)["abstained"])
    with rasterio.open(file.with_name("C.tif")) as data:
        assert counted == [int((data.read(1) == 254).sum())] * 2
    assert counted[0] > 60, "classes lie at random, so that smoothing blurs them"


def test_many_classes_of_one_patch_are_one_sentence(file: Path, capsys: Capture) -> None:
    path = file.with_name("L.csv")
    path.write_text("patch_id,label\n" + "".join(f"{one},kind {one}\n" for one in range(8)))
    assert main(["classify", str(file), "--labels", str(path), "--out", str(file.with_name("C.parquet"))]) == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("L.csv: 8 classes have one patch each, so that they can")


def test_codes_of_a_map_are_for_classes_alone() -> None:
    most = land_classes([f"kind {number}" for number in range(253)], None)
    assert max(one.code for one in most) == 253, "254 is unsure, 255 is no data"
    with pytest.raises(ClassificationError, match="there are 254 classes, and a map tells 253 apart at most; merge"):
        land_classes([f"kind {number}" for number in range(254)], None)
    beside = land_classes([f"kind {number}" for number in range(253)], own_scheme(["Marsh", "kind 7"]))
    assert len({one.code for one in beside}) == 253


@pytest.mark.usefixtures("shapes_here")
def test_shapes_label_patches_and_a_saved_head_names_another_file(file: Path, tmp_path: Path, capsys: Capture) -> None:
    known, head = rows(features()), tmp_path / "one.head.npz"
    whole = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"label": NAMES[CLASSES[one]]},
                "geometry": json.loads(shapely.to_geojson(known.shapes[one].centroid)),
            }
            for one in range(0, 120, 4)
        ],
    }
    (tmp_path / "L.geojson").write_text(json.dumps(whole))
    out = tmp_path / "C.csv"
    line = ["classify", str(file), "--labels", str(tmp_path / "L.geojson"), "--head", "knn", "--out", str(out)]
    assert main([*line, "--save", str(head)]) == 0
    assert sum(json.loads(capsys.readouterr().out)["labels"].values()) == 30
    first = out.read_text()
    assert main(["classify", str(file), "--use", str(head), "--out", str(out)]) == 0
    assert out.read_text() == first
    capsys.readouterr()
    other = tmp_path / "G.parquet"
    other.write_bytes(parquet_bytes(rows(features(), "cd")))
    assert main(["classify", str(other), "--use", str(head), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert said == (
        "Using a saved head: it was taught on features of toy, and these are of another encoder; "
        "encode the scene with toy.\n"
    )
    other.write_bytes(parquet_bytes(rows(features(), "")))
    assert main(["classify", str(other), "--use", str(head), "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert said == (
        "G.parquet: It does not say which encoder made its features; the head was taught on those of toy.\n"
    )
    (tmp_path / "L.geojson").write_text(json.dumps(whole | {"features": []}))
    assert main(line) == 1
    assert "it has no features" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("patch_id,label\n1,Bog\n2,Bog\n", [], "all labelled patches are of one class, “Bog”"),
        ("patch_id,label\n", [], "it has no labels"),
        ("patch_id,label\n900,Bog\n901,Fen\n", [], "not in the file were left out: 2"),
        ("patch_id,label\n1,Bog\n2,Fen\n", ["--head", "svm"], "there is no “svm”; choose logistic, knn, forest"),
        ("patch_id,label\n1,Bog\n2,Fen\n", ["--abstain", "7"], "give a probability from 0 to 1"),
        ("patch_id,label\n1,Bog\n2,Fen\n", ["--least-share", "5"], "give a share above 0, up to 1"),
        ("patch_id,label\n1,Bog\n2,Fen\n", ["--smooth", "median"], "choose none, majority, probability"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    file: Path, text: str, options: list[str], sentence: str, capsys: Capture
) -> None:
    path, out = file.with_name("L.csv"), file.with_name("C.parquet")
    path.write_text(text)
    assert main(["classify", str(file), "--labels", str(path), *options, "--out", str(out)]) == 1
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_what_is_left_out_is_said_and_the_rest_is_used(file: Path, labels: Path, capsys: Capture) -> None:
    more = "900,Bog\n3,Bog\n6,\n1,=cmd|'/c calc'!A1\n2,=cmd|'/c calc'!A1\n"
    labels.write_text(labels.read_text() + more)
    out = file.with_name("C.csv")
    assert main(["classify", str(file), "--labels", str(labels), "--smooth", "majority", "--out", str(out)]) == 0
    said = capsys.readouterr()
    learned = json.loads(said.out)
    assert learned["left_out"] == {"no_label": 1, "unknown": 1, "contradicting": 1}
    assert len(said.err.strip().splitlines()) == 3
    assert ",=cmd" not in out.read_text(), "no cell runs in a spreadsheet"
