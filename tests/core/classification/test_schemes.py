"""Schemes of classes: complete, told apart, read back from what was written, refused where two things are one."""

from __future__ import annotations

import csv
import io

import pytest

from core.classification.schemes import CODES, SCHEMES, own_scheme, read_scheme, scheme_csv, scheme_json
from core.errors import SettingsError
from core.scenes.given.classes import clean_class
from core.values.palette import CLASS_COLOURS


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_of_the_field_is_whole_and_comes_back_from_its_files(name: str) -> None:
    scheme = SCHEMES[name]
    for what in ("code", "name", "colour", "key"):
        values = [getattr(one, what) for one in scheme.classes]
        assert len(set(values)) == len(values), what
    assert all(one.code in CODES and clean_class("", one.name) == one.name for one in scheme.classes)
    assert read_scheme(scheme_json(scheme).encode(), "s.json").classes == scheme.classes
    assert read_scheme(scheme_csv(scheme).encode(), "s.csv").classes == scheme.classes
    assert scheme.by_key("1") == scheme.classes[0]


def test_sizes_and_official_colours() -> None:
    sizes = {"eurosat": 10, "corine1": 5, "corine2": 15, "lccs": 8, "dynamicworld": 9}
    assert {name: len(one.classes) for name, one in SCHEMES.items()} == sizes
    water = SCHEMES["dynamicworld"].classes[0]
    assert (water.code, water.name, water.colour) == (0, "Water", "#419BDF")
    assert dict(zip(SCHEMES["eurosat"].names, [one.colour for one in SCHEMES["eurosat"].classes], strict=True)) == dict(
        CLASS_COLOURS
    )


def test_classes_of_a_scheme_keep_their_codes_and_own_ones_get_theirs() -> None:
    found = own_scheme(["Forest", "River"])
    assert [(one.name, one.code) for one in found.classes] == [("Forest", 2), ("River", 9)]
    mine = own_scheme(["Fen", "Bog"], ["", "#123456"])
    assert [(one.code, one.key) for one in mine.classes] == [(1, "1"), (2, "2")]
    assert mine.classes[1].colour == "#123456"


def test_formulas_do_not_run_in_the_spreadsheet_and_come_back_as_they_were() -> None:
    scheme = own_scheme(["=cmd|' /C calc'!A0", "Fen"])
    text = scheme_csv(scheme)
    assert next(iter(csv.DictReader(io.StringIO(text))))["name"].startswith("'=")
    assert read_scheme(text.encode(), "s.csv").names == scheme.names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("code,name\n1,Fen\n1,Bog\n", "the code “1” occurs twice"),
        ("code,name\n1,Fen\n2,Fen\n", "the name “Fen” occurs twice"),
        ("code,name\n1,Fen\n2,fen\n", "“Fen” and “fen” differ only in capitals"),
        ('code,name\n1,"Fen\n2,Bog\n', "it is no list of classes"),
        ("name,key\nFen,f\nBog,f\n", "the key “f” occurs twice"),
        ("name,key\nFen,ff\n", "longer than one character"),
        ("name,colour\nFen,red\n", "“red” is no colour"),
        ("code,name\n300,Fen\n", "“300” is no code"),
        ("code,name\n", "it has 0 classes"),
        ("name\n" + "\n".join(f"c{number}" for number in range(201)), "it has 201 classes"),
        ('{"classes": 7}', "it is no list of classes"),
        ("{", "it is no list of classes"),
    ],
)
def test_what_is_no_scheme_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_scheme(text.encode(), "s.json")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "Code;Name\r\n1;Fén\r\n2;Bog\r\n".encode("utf-16")),
        ("a.csv", "code,name\n1.0,Fén\n2.0,Bog\n".encode("cp1252")),
        ("a.csv", 'code, name\n1, "Fén"\n2, Bog\n'.encode()),
        ("a.json", '[{"code": 1, "name": "Fén"}, {"code": 2.0, "name": "Bog"}]'.encode()),
    ],
    ids=["utf-16", "windows", "blanks", "list"],
)
def test_lists_of_classes_as_programs_write_them(name: str, content: bytes) -> None:
    assert [(one.code, one.name) for one in read_scheme(content, name).classes] == [(1, "Fén"), (2, "Bog")]
