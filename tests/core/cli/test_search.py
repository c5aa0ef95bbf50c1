"""The command that searches by examples: its lines, its files, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from core.__main__ import main
from core.bands import BAND_NAMES
from core.cli.search import _patch_at
from core.export.geoparquet import read_geoparquet
from core.search.by_examples import BAD_SHARE

COUNT, COLUMNS = 24, 6
Capture = pytest.CaptureFixture[str]
Run = Callable[..., list[dict[str, object]]]


def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = np.eye(3, 8)[np.arange(COUNT) % 3] + rng.normal(0, 0.2, (COUNT, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """A file of another program: outlines along the equator, and vectors."""
    boxes = [shapely.box(at % COLUMNS, at // COLUMNS, at % COLUMNS + 1, at // COLUMNS + 1) for at in range(COUNT)]
    path = tmp_path / "f.parquet"
    frame = {"patch_id": np.arange(COUNT), "vector": list(vectors()), "owner": ["=cmd|x"] * COUNT}
    geopandas.GeoDataFrame(frame, geometry=boxes, crs="EPSG:4326").to_parquet(path)
    return path


@pytest.fixture
def lines(features: Path, capsys: Capture) -> Run:
    def run(*arguments: object) -> list[dict[str, object]]:
        assert main(["search", str(features), *map(str, arguments)]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def ids(found: list[dict[str, object]]) -> list[object]:
    return [line["patch_id"] for line in found]


def expected(good: list[int], bad: list[int]) -> tuple[np.ndarray, list[int]]:
    """Scores of all patches, and the order of those that are no examples."""
    unit = vectors().astype(np.float64)
    query = unit[good].mean(axis=0) - (BAD_SHARE * unit[bad].mean(axis=0) if bad else 0)
    scores = unit @ query / np.linalg.norm(query)
    return scores, [row for row in np.argsort(-scores).tolist() if row not in {*good, *bad}]


@pytest.mark.parametrize(("good", "bad"), [([3, 18], []), ([3, 18], [5])])
def test_the_best_are_listed_best_first(lines: Run, good: list[int], bad: list[int]) -> None:
    scores, order = expected(good, bad)
    unlike = ["--unlike", ",".join(map(str, bad))] if bad else []
    found = lines("--like", ",".join(map(str, good)), *unlike, "-k", 4)
    assert ids(found) == order[:4]
    np.testing.assert_allclose([line["similarity"] for line in found], scores[order[:4]], atol=1e-6)
    assert {line["measure"] for line in found} == {"cosine"}
    at = order[0]
    assert (found[0]["lon"], found[0]["lat"]) == (at % COLUMNS + 0.5, at // COLUMNS + 0.5)
    assert len(lines("--like", ",".join(map(str, good)), *unlike)) == 10


def test_examples_count_as_often_as_is_said(lines: Run) -> None:
    unit = vectors().astype(np.float64)
    query = 2 * unit[3] + unit[17]
    found = lines("--like", "3:2,17", "-k", 3)
    scores = unit @ query / np.linalg.norm(query)
    assert ids(found) == [row for row in np.argsort(-scores).tolist() if row not in {3, 17}][:3]
    np.testing.assert_allclose([line["similarity"] for line in found], np.sort(scores[ids(found)])[::-1], atol=1e-6)
    assert lines("--like", "3:1,17:1.0,17") == lines("--like", "3,17")


@pytest.mark.parametrize("like", ["3:0", "3:101", "3:", "3:2:2", "3:-1", "3:2,3"])
def test_weights_that_make_no_sense_are_one_sentence(features: Path, capsys: Capture, like: str) -> None:
    assert main(["search", str(features), "--like", like]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_many_good_examples_give_probabilities(lines: Run) -> None:
    found = lines("--like", ",".join(map(str, range(0, COUNT, 2))), "--unlike", "1", "--min-similarity", 0)
    assert {line["measure"] for line in found} == {"probability"}
    assert len(found) == COUNT - 13, "without -k all of them"


def test_a_least_similarity_and_an_area_leave_what_lies_there(lines: Run, tmp_path: Path) -> None:
    scores, order = expected([3], [])
    least = float(np.sort(scores)[-6])
    assert ids(lines("--like", 3, "--min-similarity", least - 1e-6)) == order[:5]
    assert ids(lines("--like", 3, "--min-similarity", least - 1e-6, "-k", 2)) == order[:2]
    area = tmp_path / "a.geojson"
    area.write_text(json.dumps(shapely.geometry.mapping(shapely.box(0, 0, 2.9, 2.9))))
    inside = [row for row in order if row % COLUMNS < 3 and row // COLUMNS < 3]
    assert ids(lines("--like", 3, "--area", area, "-k", 100)) == inside


def test_no_file_that_is_read_is_written_over(features: Path, tmp_path: Path, capsys: Capture) -> None:
    area = tmp_path / "a.geojson"
    area.write_text(json.dumps(shapely.geometry.mapping(shapely.box(0, 0, 3, 3))))
    before = area.read_bytes()
    for out, more in (
        (features, []),
        (area, ["--area", str(area)]),
        (tmp_path / "." / "a.geojson", ["--chip", str(area)]),
    ):
        assert main(["search", str(features), "--like", "3", *more, "--out", str(out)]) == 1
        assert "would be lost; choose another name for --out" in capsys.readouterr().err
    assert area.read_bytes() == before


def test_an_empty_answer_says_so(features: Path, capsys: Capture) -> None:
    assert main(["search", str(features), "--like", ",".join(map(str, range(COUNT)))]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err[:19]) == ("", "no patch is found: ")


def test_files_hold_the_same_in_every_format(lines: Run, tmp_path: Path) -> None:
    _, order = expected([3], [5])
    for ending in ("geojson", "gpkg", "csv", "parquet"):
        path = tmp_path / f"r.{ending}"
        assert lines("--like", 3, "--unlike", 5, "-k", 4, "--out", path) == []
        if ending == "csv":
            rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
            assert [int(row["patch_id"]) for row in rows] == order[:4]
            assert rows[0]["owner"] == "'=cmd|x", "no spreadsheet runs it"
            continue
        table = geopandas.read_parquet(path) if ending == "parquet" else geopandas.read_file(path)
        by_rank = table.sort_values("rank")
        assert by_rank["patch_id"].tolist() == order[:4], ending
        assert by_rank["measure"].tolist() == ["cosine"] * 4
        west, south = order[0] % COLUMNS, order[0] // COLUMNS
        assert by_rank.geometry.iloc[0].bounds == pytest.approx((west, south, west + 1, south + 1))


def test_rows_without_ids_and_places_are_numbered(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "v.parquet"
    pq.write_table(pa.table({"vector": vectors().tolist()}), path)
    assert main(["search", str(path), "--like", "3", "-k", "2"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ids(found) == expected([3], [])[1][:2]
    assert found[0]["lon"] is None


BOWTIE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
FAR = {"type": "Polygon", "coordinates": [[[50, 50], [51, 50], [51, 51], [50, 50]]]}
METRES = {**FAR, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}}


@pytest.mark.parametrize(
    ("arguments", "area", "said"),
    [
        (["--like", "99"], None, "patch 99 is not among the 24 encoded patches"),
        (["--like", "3", "--unlike", "77"], None, "patch 77 is not among"),
        (["--like", "3,5", "--unlike", "5"], None, "patch 5 is both a good and a bad example"),
        (["--like", ""], None, "--like names no patch"),
        (["--like", ","], None, "--like names no patch"),
        (["--like", "3", "--unlike", " "], None, "--unlike names no patch"),
        (["--like", "3,x"], None, "“x” in --like is no patch id"),
        (["--like", "3.5"], None, "“3.5” in --like is no patch id"),
        (["--like", ",".join(map(str, range(10_001)))], None, "give at most 10,000"),
        (["--like", "3", "-k", "0"], None, "-k is 0; ask for at least 1"),
        (["--like", "3", "--min-similarity", "1.5"], None, "give −1 to 1"),
        (["--like", "3", "--min-similarity", "nan"], None, "give −1 to 1"),
        (["--like", "3", "--out", "r.shp"], None, "let its name end in one of .geojson"),
        (["--like", "3", "--out", "f.parquet"], None, "would be lost"),
        (["--like", "3"], BOWTIE, "crosses itself"),
        (["--like", "3"], FAR, "holds the centre of none of the patches"),
        (["--like", "3"], METRES, "its reference system is urn:ogc:def:crs:EPSG::32632"),
        (["--like", "3"], {"type": "Point", "coordinates": [1, 1]}, "encloses no area"),
        (["--like", "3"], "{", "no JSON"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(
    features: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, arguments: list[str], area: object, said: str
) -> None:
    monkeypatch.chdir(features.parent)
    if area is not None:
        Path("a.geojson").write_text(area if isinstance(area, str) else json.dumps(area))
        arguments = [*arguments, "--area", "a.geojson"]
    assert main(["search", str(features), *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_of_patches_that_overlap_the_one_whose_middle_is_nearest_on_the_ground_is_at_a_place(tmp_path: Path) -> None:
    # 0.046° of latitude to one middle, 5.1 km; 0.06° of longitude to the other, 3.3 km at 60° north.
    boxes = [shapely.box(9.91, 59.996, 10.11, 60.096), shapely.box(9.97, 59.95, 10.17, 60.05)]
    frame = {"patch_id": [4, 5], "vector": list(np.eye(2, dtype=np.float32))}
    path = tmp_path / "o.parquet"
    geopandas.GeoDataFrame(frame, geometry=boxes, crs="EPSG:4326").to_parquet(path)
    assert _patch_at("60, 10.01", read_geoparquet(path)) == 5


def test_a_place_names_a_patch(lines: Run) -> None:
    wanted = lines("--like", "8", "-k", 5)
    assert lines("--at", "1.4, 2.5", "-k", 5) == wanted
    assert lines("--at", "2.5 E 1.4 N", "-k", 5) == wanted
    assert lines("--like", "3", "--at", "1.4, 2.5", "-k", 5) == lines("--like", "3,8", "-k", 5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing says what is looked for"),
        (["--like", "3", "--bands", "B04"], "speak of a picture, and there is none"),
        (["--like", "3", "--scale", "dn"], "speak of a picture, and there is none"),
        (["--at", "Hamburg"], "those are no coordinates"),
        (["--at", "50, 60"], "no patch of the file lies at 50° N, 60° E"),
        (["--chip", "field.png"], "does not say which encoder"),
    ],
)
def test_places_and_pictures_that_are_of_no_use_are_one_sentence(
    features: Path, capsys: Capture, arguments: list[str], said: str
) -> None:
    assert main(["search", str(features), *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("here")
def test_a_picture_is_encoded_as_the_file_is(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    pixels = (rng.uniform(0.5, 1.5, (13, 1, 1)) * np.repeat(np.linspace(600, 3000, 4), 64)).astype(np.uint16)
    pixels = np.broadcast_to(pixels, (13, 64, 256)) + rng.integers(0, 60, (13, 64, 256)).astype(np.uint16)
    some, all_bands = slice(128, 192), slice(None)
    for name, bands, columns in (
        ("scene.tif", all_bands, all_bands), ("chip.tif", all_bands, some), ("rgb.tif", slice(1, 4), some)
    ):  # fmt: skip
        part = np.ascontiguousarray(pixels[bands, :, columns])
        place = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 600_000, 0, -10, 5_700_000)}
        shape = {"width": part.shape[2], "height": 64, "count": len(part), "dtype": "uint16"}
        with rasterio.open(tmp_path / name, "w", driver="GTiff", **shape, **place) as data:
            data.write(part)
            data.descriptions = BAND_NAMES[bands]
    out = tmp_path / "f.parquet"
    embed = ["embed", str(tmp_path / "scene.tif"), "--encoder", "spectral", "--scale", "dn", "--out", str(out)]
    assert main(embed) == 0
    capsys.readouterr()
    assert main(["search", str(out), "--chip", str(tmp_path / "chip.tif"), "--scale", "dn", "-k", "4"]) == 0
    captured = capsys.readouterr()
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert (found[0]["patch_id"], len(found)) == (2, 4)
    assert found[0]["similarity"] > 0.999
    assert "L2A or L1C" in captured.err
    assert "compared" not in captured.err
    assert main(["search", str(out), "--chip", str(tmp_path / "rgb.tif"), "--scale", "dn", "-k", "1"]) == 0
    captured = capsys.readouterr()
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert found[0]["patch_id"] == 2
    assert found[0]["similarity"] > 0.999, "stand-ins for the near infrared count for nothing"
    assert "compared only by B02, B03 and B04, which both sides have.\n" in captured.err
