"""Flat patches with a table of their classes: columns known by content, what is unknown listed, names kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ingest.boundary import ingest
from core.ingest.class_table import ClassTable, read_class_table
from core.ingest.files import Member
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, write_tif

CLASSES = ("Annual Crop", "Forêt/épicéa", "Annual Crop", "Sea & lake", "Sea & lake", "Forêt/épicéa")
NAMES = tuple(f"tile_{n}.tif" for n in range(len(CLASSES)))
MEMBERS = tuple(Member(number=n, name=f"images/{name}", size=1) for n, name in enumerate(NAMES))


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> ClassTable | str:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return read_class_table(path, MEMBERS)


def rows(template: str) -> str:
    pairs = enumerate(zip(NAMES, CLASSES, strict=True))
    return "\n".join(template.format(name=name, stem=name[:-4], c=c, n=n) for n, (name, c) in pairs)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("file,label\n" + rows("{name},{c}"), "label"),
        ("id;class;split\n" + rows("{stem};{c};train"), "class"),
        (",Filename,Label,ClassName\n" + rows("{n},images/{name},1,{c}"), "ClassName"),
        ("cloud\tpath\tkind\n" + rows("0.{n}\tD:\\data\\images\\{name}\t{c}"), "kind"),
        (rows("{name},{c}"), "column 2"),
        ("country,image,Land Cover\n" + rows("AT,{name},{c}"), "Land Cover"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_columns_are_known_by_what_they_hold(tmp_path: Path, text: str, column: str, encoding: str) -> None:
    table = read(tmp_path, text, encoding)
    assert isinstance(table, ClassTable), table
    assert table.labels == dict(enumerate(CLASSES))
    assert (table.column, table.unknown, table.conflicting) == (column, (), ())


def test_what_is_unknown_or_has_two_classes_is_listed(tmp_path: Path) -> None:
    table = read(tmp_path, "file,label\n" + rows("{name},{c}") + "\ngone.tif,Urban\ntile_3.tif,Urban\n")
    assert isinstance(table, ClassTable)
    assert table.unknown == ("gone.tif",)
    assert table.conflicting == ("images/tile_3.tif",)
    assert sorted(table.labels) == [0, 1, 2, 4, 5]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("row,col,label\n0,0,a\n0,1,b\n", "no column of it names the files"),
        ("file,cloud\n" + rows("{name},0.{n}"), "no column of it can be told to be the classes"),
        (
            "file,a,b\n" + "\n".join(f"{name},{n % 2}x,{n % 3}y" for n, name in enumerate(NAMES)),
            "no column of it can be",
        ),
        ("words", "the table cannot be read"),
        ("", "the table cannot be read"),
    ],
)
def test_a_table_that_says_nothing_of_classes_has_its_reason(tmp_path: Path, text: str, why: str) -> None:
    said = read(tmp_path, text)
    assert isinstance(said, str)
    assert said.startswith(why)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_flat_patches_with_a_table(tmp_path: Path, library: Library, encoding: str) -> None:
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    for name in NAMES:
        write_tif(folder / name, land(height=32, width=32), transform=None, crs=None)
    text = "file,label\n" + rows("{name},{c}").replace("tile_5", "other") + "\n"
    (tmp_path / "set" / "labels.csv").write_text(text, encoding=encoding)
    scene = ingest([tmp_path / "set"], library)
    assert scene.classes == ("Annual Crop", "Forêt/épicéa", "Sea & lake")
    record = load_quality(scene.directory).findings
    (told,) = [line for line in record if line.topic == "classes"]
    assert told.value == "Annual Crop 2, Forêt/épicéa 1, Sea & lake 2; 1 of the patches have none"
    assert told.because == "named by the column “label” of labels.csv"
    (left_out,) = [line for line in record if line.topic == "left out"]
    assert (left_out.value, left_out.because) == ("other.tif", "the table names them, but there are no such files here")
