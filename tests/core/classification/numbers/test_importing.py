"""Numbers of patches from files: land that polygons cover twice, and tables of patches cut otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from core.classification.areas.tables import read_text_table
from core.classification.numbers.importing import ImportedNumbers, numbers_of_shapes, numbers_of_table
from core.errors import ClassificationError
from core.ingest.vectors.geojson import LabelShapes

IDS = np.array([100, 101])
LAND = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], dtype=object)


def shapes(*given: tuple[str, shapely.Geometry], land: np.ndarray = LAND) -> ImportedNumbers:
    found = LabelShapes(
        labels=tuple(text for text, _ in given), shapes=np.array([shape for _, shape in given], dtype=object),
        column="yield",
    )  # fmt: skip
    return numbers_of_shapes(found, IDS, land, asked="Reading “V.geojson”")


def table(tmp_path: Path, text: str) -> ImportedNumbers:
    path = tmp_path / "V.csv"
    path.write_text(text, encoding="utf-8")
    return numbers_of_table(read_text_table(path), IDS, LAND)


def test_land_that_two_polygons_cover_is_covered_once() -> None:
    left, middle = shapely.box(0, 0, 0.3, 1), shapely.box(0.1, 0, 0.4, 1)
    with pytest.raises(ClassificationError, match="2 polygons that cover too little of any patch"):
        shapes(("10", left), ("20", middle))
    twice = shapes(
        ("10", shapely.box(0, 0, 0.5, 1)), ("10", shapely.box(0, 0, 0.5, 1)), ("20", shapely.box(0.5, 0, 1, 1))
    )
    assert twice.values == {100: pytest.approx(15)}
    assert twice.said == ("Patches in which polygons overlap, whose mean counts there: 1.",)


def test_where_polygons_overlap_the_mean_of_both_counts() -> None:
    found = shapes(("10", shapely.box(0, 0, 0.75, 1)), ("20", shapely.box(0.5, 0, 1, 1)))
    assert found.values == {100: pytest.approx(0.5 * 10 + 0.25 * 15 + 0.25 * 20)}
    beside = shapes(("10", shapely.box(0, 0, 0.5, 1)), ("20", shapely.box(0.5, 0, 1, 1)))
    assert (dict(beside.values), beside.said) == ({100: pytest.approx(15)}, ())


def test_vectors_of_points_have_the_mean_of_the_polygons_that_they_lie_in() -> None:
    points = np.array([shapely.Point(0.3, 0.5), shapely.Point(0.9, 0.5)], dtype=object)
    given = [("10", shapely.box(0, 0, 0.5, 1)), ("20", shapely.box(0.25, 0, 1, 1)), ("7", shapely.box(2, 0, 3, 1))]
    found = shapes(*given, land=points)
    expected = [np.mean([float(text) for text, shape in given if shape.contains(point)]) for point in points]
    assert dict(found.values) == dict(zip(IDS.tolist(), expected, strict=True))
    assert found.said == (
        "1 polygon that covers too little of any patch was left out.",
        "Patches in which polygons overlap, whose mean counts there: 1.",
    )
    assert dict(shapes(("4", points[1]), ("9", shapely.box(0, 0, 1, 1)), land=points).values) == {100: 9, 101: 4}


def test_a_table_of_patches_cut_otherwise_gives_nothing_by_its_numbers(tmp_path: Path) -> None:
    found = table(tmp_path, "patch_id;lon;lat;yield\n100;0,5;0,5;3,5\n101;0,5;0,5;4,5\n")
    assert dict(found.values) == {100: 3.5}
    assert found.said == ("1 line whose place lies in another patch was left out.",)
    assert dict(table(tmp_path, "patch_id,lon,lat,yield\n100,,,3\n").values) == {100: 3.0}
