"""From a map of classes to areas with intervals, by commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.__main__ import main
from tests.core.classification.areas.patches import squares, write_classified

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))


def run(*arguments: object) -> int:
    return main([str(one) for one in arguments])


def refused(capsys: Capture, *arguments: object) -> str:
    assert run(*arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def judge(path: Path, answers: dict[str, str]) -> None:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows([row | {"reference": answers.get(row["map"], row["map"])} for row in rows])


def test_from_a_map_to_areas_with_intervals(tmp_path: Path, capsys: Capture) -> None:
    classes = ["forest"] * 60 + ["water"] * 30 + ["forest"] * 10
    abstained = [False] * 90 + [True] * 10
    path = write_classified(tmp_path / "c.parquet", classes, shapes=squares(10, 10), abstained=abstained)
    sample, areas = tmp_path / "s.csv", tmp_path / "a.csv"
    assert run("sample-design", path, "--size", 30, "--seed", 3, "--out", sample, "--areas", areas) == 0
    assert "forest: 10 of 60 patches" in capsys.readouterr().err
    first = sample.read_bytes()
    assert run("sample-design", path, "--size", 30, "--seed", 3, "--out", sample) == 0
    assert sample.read_bytes() == first
    assert first.splitlines()[0] == b"patch_id,map,lon,lat,stratum,reference"
    capsys.readouterr()

    assert run("accuracy", sample, "--areas", areas) == 0
    unjudged = json.loads(capsys.readouterr().out)
    assert unjudged["overall"] is None
    assert unjudged["notes"] == ["mapped area, not an estimate: nothing of the sample was judged"]
    assert unjudged["areas"]["forest"]["mapped"] == pytest.approx(60 * 40.99, rel=1e-3)
    assert unjudged["areas"]["forest"]["low"] is None

    judge(sample, {"abstained": "water"})
    assert run("accuracy", sample, "--areas", areas) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["overall"]["estimate"] == 1
    assert found["areas"]["water"]["estimate"] == pytest.approx(40 * 40.99, rel=1e-3)
    assert found["producers"]["water"]["estimate"] == pytest.approx(0.75)
    assert {"low", "high"} <= found["users"]["forest"].keys()
    assert any("no certainty" in note for note in found["notes"])


def test_the_papers_figures_come_out_of_files(tmp_path: Path, capsys: Capture) -> None:
    names = ["deforestation", "gain", "stable forest", "stable non-forest"]
    counts = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
    lines = [
        f"{mapped},{ground}" for mapped, row in zip(names, counts, strict=True)
        for ground, count in zip(names, row, strict=True) for _ in range(count)
    ]  # fmt: skip
    (tmp_path / "s.csv").write_text("\n".join(["map,reference", *lines]))
    (tmp_path / "a.csv").write_text(
        "class,hectares\ndeforestation,18000\ngain,13500\nstable forest,288000\nstable non-forest,580500\n"
    )
    assert run("accuracy", tmp_path / "s.csv", "--areas", tmp_path / "a.csv") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["overall"]["low"] == pytest.approx(0.9465 - 0.0185, abs=1e-4)
    assert found["areas"]["gain"]["high"] == pytest.approx(11_686 + 3_756, abs=1)


def test_the_size_follows_from_an_error(tmp_path: Path, capsys: Capture) -> None:
    path = write_classified(tmp_path / "c.parquet", ["a", "b"] * 200, probability=[0.875] * 400)
    assert run("sample-design", path, "--target-error", 0.03, "--out", tmp_path / "s.csv") == 0
    assert capsys.readouterr().err.startswith("94 patches for a standard error of 0.03; expected right: a 0.88, b 0.88")
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 95  # 0.109 / (0.0009 + 0.109 / 400) = 93.2


def test_bad_input_gets_a_sentence(tmp_path: Path, capsys: Capture) -> None:
    path = write_classified(tmp_path / "c.parquet", ["a", "b"] * 5)
    out = tmp_path / "s.csv"
    assert "two of each class" in refused(capsys, "sample-design", path, "--size", 3, "--out", out)
    assert "--seed is -1" in refused(capsys, "sample-design", path, "--size", 8, "--seed", -1, "--out", out)
    assert "does not end in .csv" in refused(capsys, "sample-design", path, "--size", 8, "--out", tmp_path / "s.txt")
    assert "are one file" in refused(capsys, "sample-design", path, "--size", 8, "--out", out, "--areas", out)
    words = refused(capsys, "sample-design", path, "--size", 8, "--out", out, "--areas", tmp_path / "a.csv")
    assert "the place of all of its patches is not known" in words
    assert not out.exists()
    assert "no Parquet file" in refused(capsys, "sample-design", __file__, "--size", 8, "--out", out)
    assert "no such file" in refused(capsys, "accuracy", out, "--areas", tmp_path / "none.csv")
