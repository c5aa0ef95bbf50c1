"""Tables of samples and areas, as spreadsheets leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.classification.areas.estimation import AreaStratum, JudgedUnit
from core.classification.areas.tables import MOST_TABLE_BYTES, read_areas, read_sample, write_areas, write_csv
from core.errors import ClassificationError

FOREST = [AreaStratum(name="forest", hectares=1234.5), AreaStratum(name="water", hectares=200.0)]


def file(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "class,hectares\nforest,1234.5\nwater,200\n",
        "\ufeffclass,hectares\r\nforest,1234.5\r\nwater,200\r\n",
        "class;hectares\nforest;1234,5\nwater;200\n",
        "class;hectares\nforest;1.234,5\nwater;200,0\n",
        "sep=;\nclass;hectares\nforest;1 234,5\nwater;200\n",
        'class,hectares\nforest,"1,234.5"\nwater,200\n',
        "class\thectares\nforest\t1'234.5\nwater\t200\n",
        "CLASS , Hectares ,by\nforest, 1234.5 ,me\nwater,200\n\n,,\n",
        "class;hectares\nforest;1\u202f234,5\nwater;200\n".encode("utf-16"),
        "stratum,hectares\nforest,1.2345e3\nwater,2E2\n",
    ],
)
def test_areas_are_read_however_they_are_written(tmp_path: Path, content: str | bytes) -> None:
    assert read_areas(file(tmp_path, content)) == FOREST


def test_a_western_encoding_and_numbers_of_patches_are_read(tmp_path: Path) -> None:
    path = file(tmp_path, "class,hectares,patches\nWälder,5,2\n".encode("cp1252"))
    assert read_areas(path) == [AreaStratum(name="Wälder", hectares=5, units=2)]


def test_a_comma_among_commas_parts_thousands(tmp_path: Path) -> None:
    assert read_areas(file(tmp_path, 'class,hectares\na,"13,500"\nb,"2,000"\n'))[0].hectares == 13_500


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("class,hectares\n", "no class has any land"),
        ("name,area\nforest,5\n", "no column “class”; its columns are “name”, “area”"),
        ("class,class,hectares\na,b,5\n", "two columns “class”"),
        ("class,hectares\nforest,-5\n", "“forest” has -5 ha"),
        ("class,hectares\nforest,5\nwater,\n", "line 3 has no hectares"),
        ("class,hectares\nforest,nan\n", "line 2 has “nan” as hectares"),
        ("class,hectares\nforest,5 ha\n", "line 2 has “5 ha” as hectares"),
        ("class,hectares\nforest,1e999\n", "too large"),
        ("class,hectares\nforest,5\nforest,6\n", "“forest” stands there 2 times"),
        ("class,hectares\nforest,5\nForest,6\n", "“forest” and “Forest” differ only in capitals"),
        ("class,hectares\n,5\n", "line 2 names no class"),
        ("class,hectares\nforest,0\n", "no class has any land"),
        ("class;hectares\nforest;1.234\n", "“1.234” as hectares may be a thousand times as much"),
        ("class;hectares\nforest;1,5\nwater;1.5\n", "line 3 has “1.5” as hectares, and other lines"),
        ("class,hectares\nforest,1,234\n", "line 2 has 3 cells and the first line 2"),
        ("class,hectares,patches\nforest,5,1.5\n", "1.5 patches"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\x00\x01\x02\x81", "no text"),
        ('class,hectares\n"' + "x" * 200_000 + '",5\n', "no table of text"),
    ],
)
def test_areas_that_cannot_be_are_refused_in_a_sentence(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(ClassificationError, match=words.replace(".", r"\.")):
        read_areas(file(tmp_path, content))


def test_a_huge_file_and_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as huge:
        huge.truncate(MOST_TABLE_BYTES + 1)
    with pytest.raises(ClassificationError, match="at most 64 MB"):
        read_areas(path)
    with pytest.raises(ClassificationError, match="no such file"):
        read_areas(tmp_path / "none.csv")


def test_a_sample_is_read_with_what_is_not_judged_yet(tmp_path: Path) -> None:
    path = file(tmp_path, "patch_id;map;reference\n1;forest;water\n2;water;\n3;water;NaN\n")
    assert read_sample(path, FOREST) == [
        JudgedUnit(stratum="forest", mapped="forest", reference="water"),
        JudgedUnit(stratum="water", mapped="water", reference=None),
        JudgedUnit(stratum="water", mapped="water", reference=None),
    ]


def test_a_class_that_is_called_na_is_a_class(tmp_path: Path) -> None:
    areas = [AreaStratum(name="NA", hectares=1)]
    assert read_sample(file(tmp_path, "map,reference\nNA,NA\n"), areas)[0].reference == "NA"


def test_strata_of_their_own_are_read(tmp_path: Path) -> None:
    path = file(tmp_path, "map,reference,stratum\nmeadow,meadow,forest\nmeadow,bog,water\n")
    assert [one.stratum for one in read_sample(path, FOREST)] == ["forest", "water"]
    empty = file(tmp_path, "map,reference,stratum\nforest,forest,\n")
    assert read_sample(empty, FOREST)[0].stratum == "forest"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("map,truth\nforest,forest\n", "no column “reference”"),
        ("map,reference\n", "no rows"),
        ("map,reference\nforest,forest\n,forest\n", "line 3 has no class of the map"),
        ("map,reference,stratum\nforest,forest,water\nforest,forest,\n", "line 3 has no stratum"),
        ("map,reference\nbog,forest\n", "“bog” of line 2 has no area among “forest”, “water”"),
        ("map,reference\nForest,forest\n", "“forest” and “Forest” differ only in capitals"),
        ("map,reference\nforest,FOREST\n", "“forest” and “FOREST” differ only in capitals"),
        ("map,reference\nforest,abstained\n", "a reference is “abstained”"),
        ("patch_id,map,reference\n7,forest,forest\n7,forest,water\n", "patch 7 stands there 2 times"),
    ],
)
def test_samples_that_cannot_be_are_refused_in_a_sentence(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ClassificationError, match=words):
        read_sample(file(tmp_path, content), FOREST)


def test_what_is_written_is_read_again_and_runs_nowhere(tmp_path: Path) -> None:
    areas = [AreaStratum(name="=1+1", hectares=0.5, units=3), AreaStratum(name="L'Aquila, <b>", hectares=12, units=4)]
    write_areas(tmp_path / "a.csv", areas)
    plain = file(tmp_path, "", "plain.csv")
    assert (tmp_path / "a.csv").stat().st_mode == plain.stat().st_mode, "who may read it is for the system to say"
    assert "'=1+1,0.5000,3" in (tmp_path / "a.csv").read_text()
    assert read_areas(tmp_path / "a.csv") == areas
    names: list[object] = ["=1+1", "L'Aquila, <b>"]
    write_csv(tmp_path / "s.csv", {"map": names, "reference": [None, "=1+1"]})
    assert read_sample(tmp_path / "s.csv", areas)[1] == JudgedUnit(
        stratum="L'Aquila, <b>", mapped="L'Aquila, <b>", reference="=1+1"
    )
