"""Labels that people bring: tables, points and polygons, and every way in which they do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from core.classification.areas.tables import read_text_table
from core.classification.label_import import (
    ClassNames,
    ImportedLabels,
    all_codes,
    label_columns,
    labels_of_table,
)
from core.classification.schemes import SCHEMES, LandClass
from core.classification.shape_import import labels_of_shapes
from core.errors import ClassificationError, SourceError
from core.ingest.vectors.geojson import read_geojson

IDS = np.arange(100, 112)
LAND = np.array([shapely.box(col, row, col + 1, row + 1) for row in range(3) for col in range(4)], dtype=object)
"""Patches of a degree: 100 at 0° to 1° east and north, 101 east of it, 104 north of it."""


def table(tmp_path: Path, text: str) -> ImportedLabels:
    path = tmp_path / "L.csv"
    path.write_text(text, encoding="utf-8")
    return labels_of_table(read_text_table(path), IDS, LAND)


def shapes(*features: tuple[str, Any], crs: str | None = None, **options: Any) -> ImportedLabels:
    content = geojson(*features, crs=crs)
    return labels_of_shapes(read_geojson(content), IDS, LAND, asked="Reading “L.geojson”", **options)


def geojson(*features: tuple[str, Any], crs: str | None = None) -> str:
    whole: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"label": name}, "geometry": json.loads(shapely.to_geojson(shape))}
            for name, shape in features
        ],
    }
    if crs:
        whole["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(whole)


def test_vectors_of_points_have_the_labels_of_their_own_places(tmp_path: Path) -> None:
    points = np.array([shapely.Point(at / 7, 1 / 3) for at in range(12)], dtype=object)
    areas = [shapely.box(-0.1, 0, 0.2, 1), shapely.box(0.2, 0, 0.5, 1), shapely.box(0.4, 0, 0.6, 1)]
    named = [
        ("Fen", areas[0]),
        ("Bog", areas[1]),
        ("Heath", areas[2]),
        ("Wood", points[5]),
        ("Moor", shapely.Point(1, 0.3)),
    ]
    found = labels_of_shapes(read_geojson(geojson(*named)), IDS, points, asked="Reading")
    inside = {
        int(IDS[row]): {name for name, area in named if area.distance(point) < 1e-9} for row, point in enumerate(points)
    }
    assert inside[103] == {"Bog", "Heath"}, "a point in two contradicts itself"
    assert {patch: {name} for patch, name in found.labels.items()} == {
        patch: names for patch, names in inside.items() if len(names) == 1
    }
    assert found.left_out == {"outside": 1, "contradicting": 1}
    path = tmp_path / "L.csv"
    path.write_text("lon,lat,label\n0.14286,0.33333,Fen\n0.1430,0.3333,Bog\n")
    assert dict(labels_of_table(read_text_table(path), IDS, points).labels) == {101: "Fen"}
    path.write_text("patch_id,lon,lat,label\n101,0.14286,0.33333,Fen\n102,0.14286,0.33333,Bog\n")
    assert dict(labels_of_table(read_text_table(path), IDS, points).labels) == {101: "Fen"}


def test_long_numbers_of_classes_stay_apart() -> None:
    inside = [shapely.Point(at + 0.5, 0.5) for at in range(3)]
    named = zip((1234567.0, 1234568.0, 0.123456789), inside, strict=True)
    found = shapes(*((label, shape) for label, shape in named))  # type: ignore[misc]
    assert dict(found.labels) == {100: "1234567", 101: "1234568", 102: "0.123456789"}


def test_a_table_names_patches_and_says_what_it_left_out(tmp_path: Path) -> None:
    rows = "100,Fen\n100,Fen\n101,Bog\n101,Fen\n7,Bog\nx,Bog\n102,\n103,  Wet   meadow \n104,abstained\n"
    found = table(tmp_path, f"patch_id,label\n{rows}")
    assert dict(found.labels) == {100: "Fen", 103: "Wet meadow"}
    wanted = {"bad_id": 1, "unknown": 1, "no_label": 1, "bad_label": 1, "duplicate": 1, "contradicting": 1}
    assert dict(found.left_out) == wanted
    assert "Patches with two different labels were left out: 1, such as patch 101: “Bog” and “Fen”." in found.said
    assert "Patches that are not in the file were left out: 1, such as 7." in found.said


def test_a_table_of_places_names_the_patches_they_lie_in(tmp_path: Path) -> None:
    found = table(tmp_path, "lon;lat;label\n0,5;0,5;Fen\n1,2;2,9;Bog\n9;9;Bog\n")
    assert dict(found.labels) == {100: "Fen", 109: "Bog"}
    assert dict(found.left_out) == {"outside": 1}


def test_ids_may_have_their_scene_before_them_and_zeros_behind(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("Patch ID,Class Name\nfen-1:100,a\n101.0,b\n fen-1:102.00,c\nbog-2:103,d\n104.000,e\n1,f\n")
    found = labels_of_table(read_text_table(path), IDS, scene_id="fen-1")
    assert dict(found.labels) == {100: "a", 101: "b", 102: "c"}
    assert dict(found.left_out) == {"bad_id": 2, "unknown": 1}, "three zeros may be a thousand"
    assert dict(labels_of_table(read_text_table(path), IDS).labels)[103] == "d", "of any scene where none is named"


def test_ids_of_a_scene_begin_with_it_in_several_ways_and_a_number_alone_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("patch_id,label\n1/100,a\n1_101,b\n102,c\n1:103,d\n1104,e\n2_105,f\n")
    found = labels_of_table(read_text_table(path), IDS, scene_id="1")
    assert dict(found.labels) == {100: "a", 101: "b", 102: "c", 103: "d"}
    assert dict(found.left_out) == {"bad_id": 1, "unknown": 1}


def test_patches_of_another_scene_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("scene,patch_id,label\nfen-1,100,a\nbog-2,101,b\n,102,c\n")
    found = labels_of_table(read_text_table(path), IDS, scene_id="fen-1")
    assert (dict(found.labels), dict(found.left_out)) == ({100: "a", 102: "c"}, {"other_scene": 1})


def test_what_programs_write_for_nothing_is_no_class_and_whole_numbers_are_one(tmp_path: Path) -> None:
    cells = ("NaN", "None", "#N/A", "NULL", "1.0", "1", "2.50")
    found = table(tmp_path, "patch_id,label\n" + "".join(f"{100 + at},{cell}\n" for at, cell in enumerate(cells)))
    assert dict(found.labels) == {104: "1", 105: "1", 106: "2.50"}
    assert dict(found.left_out) == {"no_label": 4}
    named = ClassNames([LandClass(code=1, name="None", colour="#000000")])
    path = tmp_path / "L.csv"
    assert labels_of_table(read_text_table(path), IDS, names=named).labels[101] == "None", "a class is called so"


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffLat;Long;Class\r\n1,5;0,5;Fen\r\n".encode(),
        "Long\tLat\tClass\r\n0.5\t1.5\tFen\r\n".encode("utf-16"),
        b"sep=|\nlon|lat|class\n0.5|1.5|Fen\n",
        b"# by hand, 2024\n\n# lon,lat,class\n0.5,1.5,Fen\n",
        b"lon,lat,class\n,,Bog\n0.5,1.5,Fen\n",
        b'lon, lat, class\n"0,5", "1,5", "Fen" \n',
        b"lon,lat,class\r0.5,1.5,Fen\r",
    ],
    ids=["excel", "utf-16", "pipes", "remarks", "no place", "blanks", "old mac"],
)
def test_tables_as_programs_write_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "L.csv"
    path.write_bytes(content)
    assert dict(labels_of_table(read_text_table(path), IDS, LAND).labels) == {104: "Fen"}


def test_letters_that_had_to_be_assumed_are_said(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    for encoding, said in (("cp1252", ("The file is not in UTF-8; its letters",)), ("utf-8", ())):
        path.write_bytes("patch_id,label\n100,Gewässer\n".encode(encoding))
        found = labels_of_table(read_text_table(path), IDS)
        assert (dict(found.labels), len(found.said)) == ({100: "Gewässer"}, len(said))
        assert all(one.startswith(start) for one, start in zip(found.said, said, strict=True))


def test_a_cell_of_several_lines_is_no_class(tmp_path: Path) -> None:
    found = table(tmp_path, 'patch_id,label\n100,"Fen\n101,Bog"\n102,Moor\n')
    assert dict(found.labels) == {102: "Moor"}
    assert dict(found.left_out) == {"bad_label": 1}


@pytest.mark.parametrize(
    "head", ["Long,Lat", "X;Y", "decimalLongitude,decimalLatitude", "lng,LATITUDE", "POINT_X,POINT_Y"]
)
def test_places_are_known_by_the_names_that_programs_give_them(tmp_path: Path, head: str) -> None:
    separator = ";" if ";" in head else ","
    found = table(tmp_path, separator.join([head, "Class"]) + "\n" + separator.join(["0.5", "1.5", "Fen"]) + "\n")
    assert dict(found.labels) == {104: "Fen"}


def test_formulas_and_markup_are_names_like_others(tmp_path: Path) -> None:
    found = table(tmp_path, "patch_id,label\n100,\"=cmd|'/c calc'!A1\"\n101,<script>alert(1)</script>\n")
    assert dict(found.labels) == {100: "=cmd|'/c calc'!A1", 101: "<script>alert(1)</script>"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("patch_id,label\n", "it has no labels"),
        ("patch_id,colour\n100,red\n", "it has no column “label”"),
        (
            "id,class\n100,Fen\n",
            "its columns are “id”, “class”, and none says which patches they are of; give it a column "
            "patch_id, or the columns lon and lat",
        ),
        ("lon,class\n1,Fen\n", "its columns are “lon”, “class”, and none says which patches"),
        ('patch_id,label\n100,Fen\n101,"Bog\n102,Fen\n', "a quote that opens in line 3 is never closed"),
        ('patch_id,label\n100,Fen\n101,"Bog\n102,"Fen"\n', "a quote in or before line 4 is closed in the wrong place"),
        ("patch_id,label\n9,Fen\n8,Bog\n", "patches that are not in the file were left out: 2, such as 9, 8"),
        ("patch_id,label\n100,Fen\n100,Bog\n", "patches with two different labels were left out: 1"),
        ("lon,lat,label\nx,1,Fen\n", "line 2 has “x”, “1” as lon and lat"),
    ],
)
def test_a_table_of_nothing_usable_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ClassificationError) as told:
        table(tmp_path, text)
    assert sentence in str(told.value)


def test_ten_thousand_labels_are_read(tmp_path: Path) -> None:
    lines = "".join(f"{number},{'Fen' if number % 2 else 'Bog'}\n" for number in range(10_000))
    path = tmp_path / "L.csv"
    path.write_text(f"patch_id,label\n{lines}")
    assert len(labels_of_table(read_text_table(path), np.arange(10_000)).labels) == 10_000


def test_polygons_name_what_they_cover_and_points_what_they_lie_in() -> None:
    found = shapes(
        ("Fen", shapely.box(0, 0, 1.4, 2)),  # Two patches, and two fifths of two others.
        ("Bog", shapely.box(2, 0, 2.3, 1)),
        ("Bog", shapely.box(2.5, 0, 2.8, 1)),  # Together six tenths.
        ("Reed", shapely.Point(3.5, 0.5)),
        ("Reed", shapely.Point(3.6, 0.5)),
        ("Reed", shapely.Point(50, 50)),
        ("Reed", shapely.box(3.1, 2.1, 3.2, 2.2)),
        ("", shapely.Point(0.5, 2.5)),
        ("Road", shapely.LineString([(0, 0), (1, 1)])),
    )
    assert dict(found.labels) == {100: "Fen", 102: "Bog", 103: "Reed", 104: "Fen"}
    assert dict(found.left_out) == {"no_label": 1, "duplicate": 1, "outside": 1, "small": 1, "other": 1}
    wide = shapes(("Fen", shapely.box(0, 0, 1.4, 2)), least_share=0.3)
    assert sorted(wide.labels) == [100, 101, 104, 105]


def test_polygons_that_contradict_each_other_name_nothing_there() -> None:
    found = shapes(("Fen", shapely.box(0, 0, 2, 1)), ("Bog", shapely.box(1, 0, 3, 1)))
    assert dict(found.labels) == {100: "Fen", 102: "Bog"}
    assert found.said == ("Patches with two different labels were left out: 1, such as patch 101: “Bog” and “Fen”.",)


def test_a_polygon_that_crosses_itself_is_parted_and_said() -> None:
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    found = shapes(("Fen", bow), least_share=0.4)
    assert found.said == ("Polygons that cross themselves were parted at the crossings: 1.",)
    assert sorted(found.labels) == [100, 101, 104, 105]


def test_the_reference_system_of_the_file_counts() -> None:
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    moved = shapely.transform(shapely.box(0, 0, 1, 1), to_mercator.transform, interleaved=False)
    assert dict(shapes(("Fen", moved), crs="urn:ogc:def:crs:EPSG::3857").labels) == {100: "Fen"}
    with pytest.raises(SourceError, match="no longitudes and latitudes"):
        shapes(("Fen", moved))
    with pytest.raises(SourceError, match="reference system"):
        shapes(("Fen", moved), crs="EPSG:999999")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1, 2]", "it is no GeoJSON"),
        ("nothing", "it is no GeoJSON"),
        ('{"type": "FeatureCollection", "features": []}', "it has no features"),
        (
            '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"label":"a"},"geometry":null}]}',
            "no points and no polygons",
        ),
        (
            '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"a"},'
            '"geometry":{"type":"Point","coordinates":[0,0]}}]}',
            "it has “kind”",
        ),
    ],
)
def test_what_is_no_geojson_of_labels_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        read_geojson(text)


def test_without_places_only_patch_ids_name_patches(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("lon,lat,label\n0.5,0.5,Fen\n")
    with pytest.raises(ClassificationError, match="not known where the patches lie"):
        labels_of_table(read_text_table(path), IDS, None)


def test_what_got_no_label_is_listed_with_its_reason() -> None:
    found = shapes(
        ("Fen", shapely.box(0, 0, 2, 1)),
        ("Bog", shapely.box(1, 0, 3, 1)),
        ("Reed", shapely.Point(50, 50)),
        ("", shapely.Point(3.5, 0.5)),
        ("Road", shapely.LineString([(0, 0), (1, 1)])),
    )
    assert {(one.what, one.label, one.reason) for one in found.listed} == {
        ("feature 3", "Reed", "lies outside of all patches"),
        ("feature 4", "", "has no label"),
        ("feature 5", "", "is no point and no polygon"),
        ("patch 101", "“Bog” and “Fen”", "has two different labels"),
    }


def test_land_that_two_classes_claim_counts_for_neither() -> None:
    whole, part = shapely.box(0, 0, 1, 1), shapely.box(0, 0, 0.45, 1)
    found = shapes(("Fen", whole), ("Bog", part), ("Fen", shapely.box(1, 0, 2, 1)))
    assert dict(found.labels) == {100: "Fen", 101: "Fen"}
    assert found.left_out["overlapping"] == 1
    assert "patch 100: “Bog” and “Fen”" in " ".join(found.said)
    less = shapes(
        ("Fen", shapely.box(0, 0, 0.55, 1)), ("Bog", shapely.box(0.4, 0, 0.7, 1)), ("Fen", shapely.box(1, 0, 2, 1))
    )
    assert dict(less.labels) == {101: "Fen"}
    assert less.left_out["contradicting"] == 1


def test_land_that_two_polygons_of_a_class_cover_is_covered_once() -> None:
    third = shapely.box(0, 0, 0.3, 1)
    found = shapes(("Fen", third), ("Fen", third), ("Bog", shapely.box(1, 0, 2, 1)))
    assert dict(found.labels) == {101: "Bog"}
    assert found.left_out["small"] == 2


def test_labels_mean_the_classes_there_are_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("patch_id,label\n100,annual crop\n101,ANNUALCROP\n100,Annual  Crop\n102,fen\n102,Fen\n")
    names = ClassNames(SCHEMES["eurosat"].classes)
    found = labels_of_table(read_text_table(path), IDS, LAND, names=names)
    assert dict(found.labels) == {100: "AnnualCrop", 101: "AnnualCrop", 102: "fen"}


def test_labels_that_are_codes_are_read_as_such_only_where_that_is_asked(tmp_path: Path) -> None:
    path, classes = tmp_path / "L.csv", SCHEMES["dynamicworld"].classes
    path.write_text("patch_id,label\n100,0\n101,1.0\n")
    table_of_codes = read_text_table(path)
    assert dict(labels_of_table(table_of_codes, IDS, names=ClassNames(classes)).labels) == {100: "0", 101: "1"}
    found = labels_of_table(table_of_codes, IDS, names=ClassNames(classes, codes=True))
    assert dict(found.labels) == {100: "Water", 101: "Trees"}
    assert all_codes(["0", "8", ""], classes)
    assert not all_codes(["0", "9"], classes)
    assert not all_codes([], classes)


def test_a_table_of_patches_cut_otherwise_labels_nothing_by_its_numbers(tmp_path: Path) -> None:
    found = table(tmp_path, "patch_id,lon,lat,label\n100,0.5,0.5,Fen\n101,3.5,2.5,Bog\n102,,,Reed\n")
    assert dict(found.labels) == {100: "Fen", 102: "Reed"}
    assert dict(found.left_out) == {"elsewhere": 1}
    with pytest.raises(ClassificationError, match="place lies in another patch"):
        table(tmp_path, "patch_id;lon;lat;label\n101;3,5;2,5;Bog\n")


def test_the_column_of_the_classes_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "L.csv"
    path.write_text("patch_id,soil,class,who,exact\n100,Peat,Fen,Ada,0.1\n101,Clay,Bog,Ada,0.2\n")
    found = read_text_table(path)
    assert label_columns(found)[:2] == ["class", "soil"]
    assert "who" not in label_columns(found)
    assert dict(labels_of_table(found, IDS, column="soil").labels) == {100: "Peat", 101: "Clay"}
    with pytest.raises(ClassificationError, match="it has no column “age”; its columns are “patch_id”"):
        labels_of_table(found, IDS, column="age")


def test_attributes_that_may_be_the_class_are_given_where_that_is_asked() -> None:
    rows = [{"id": "a", "soil": "Peat", "kind": 3.0, "share": 0.5}, {"id": "b", "soil": None, "kind": 4, "share": 0.7}]
    points = [{"type": "Point", "coordinates": [at + 0.5, 0.5]} for at in range(2)]
    features = [
        {"type": "Feature", "properties": row, "geometry": point} for row, point in zip(rows, points, strict=True)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    with pytest.raises(SourceError, match="no attribute is called label"):
        read_geojson(text)
    found = read_geojson(text, choices=True)
    assert (found.column, set(found.labels)) == ("", {""})
    assert dict(found.choices) == {"id": ("a", "b"), "soil": ("Peat", ""), "kind": ("3", "4")}
    assert found.by("soil").labels == ("Peat", "")


@pytest.mark.parametrize(
    ("crs", "sentence"),
    [
        ({"type": "link", "properties": {"href": "http://localhost/crs"}}, "it says its reference system in a way"),
        ({"type": "name", "properties": {"name": "/etc/passwd"}}, "its reference system is not one that stands"),
    ],
)
def test_a_reference_system_that_cannot_be_read_is_refused(crs: object, sentence: str) -> None:
    whole = {"type": "FeatureCollection", "features": [], "crs": crs}
    whole["features"] = [
        {"type": "Feature", "properties": {"label": "a"}, "geometry": {"type": "Point", "coordinates": [1, 1]}}
    ]
    with pytest.raises(SourceError, match=sentence):
        read_geojson(json.dumps(whole))


def test_polygons_of_a_collection_count() -> None:
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (3, 3)])])
    assert dict(shapes(("Fen", mixed)).labels) == {100: "Fen"}
