"""Drawn areas and written places: which patches lie there, by shapely and by hand, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from core.errors import SettingsError
from core.scenes.regions.map_region import polygon_region, read_region, read_region_file

RING = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
HOLE = [[1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def points(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, np.float64)


def test_holes_and_parts_count_and_the_outline_is_inside() -> None:
    area = read_region(json.dumps(polygon(RING, HOLE)))
    asked = points((0.5, 0.5), (2, 2), (4, 2), (5, 2), (np.nan, 2))
    assert area.holds(asked).tolist() == [True, False, True, False, False]
    parts = {"type": "MultiPolygon", "coordinates": [[RING], [[[10, 0], [11, 0], [11, 1], [10, 0]]]]}
    assert read_region(parts).holds(points((2, 2), (10.8, 0.5), (7, 1))).tolist() == [True, True, False]


def test_features_and_collections_are_one_area() -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": polygon(RING)}
    other = {"type": "Feature", "properties": None, "geometry": polygon([[3, 3], [6, 3], [6, 6], [3, 3]])}
    whole = read_region({"type": "FeatureCollection", "features": [feature, other]})
    assert whole.holds(points((2, 2), (5.5, 4), (5, 1))).tolist() == [True, True, False]
    assert read_region(whole.to_geojson()) == whole
    gathered = {"type": "GeometryCollection", "geometries": [polygon(RING)]}
    assert read_region(gathered).shape.equals(shapely.box(0, 0, 4, 4))


@pytest.mark.parametrize("turn", [0, 360, -360])
def test_areas_across_the_antimeridian_hold_places_on_both_sides(turn: int) -> None:
    asked = points((179.5, 0), (-179.5, 0), (180, 0), (-180, 0), (178, 0), (0, 0))
    wanted = [True, True, True, True, False, False]
    assert polygon_region([(179, -1), (181, -1), (181, 1), (179, 1)]).holds(asked).tolist() == wanted
    drawn = polygon([[lon + turn, lat] for lon, lat in [(179, -1), (181, -1), (181, 1), (179, 1), (179, -1)]])
    assert read_region(drawn).holds(asked + [turn, 0]).tolist() == wanted
    cut = {"type": "MultiPolygon", "coordinates": [
        [[[179, -1], [180, -1], [180, 1], [179, 1], [179, -1]]],
        [[[-180, -1], [-179, -1], [-179, 1], [-180, 1], [-180, -1]]],
    ]}  # fmt: skip
    assert read_region(cut).holds(asked).tolist() == wanted


def test_shares_of_patches_are_those_of_shapely() -> None:
    area = read_region(polygon(RING, HOLE))
    lefts = np.arange(-1, 5, 0.7)
    corners = np.array([[(x, 0.5), (x + 1, 0.5), (x + 1, 1.5), (x, 1.5)] for x in lefts])
    wanted = [shapely.Polygon(one).intersection(shapely.Polygon(RING, [HOLE])).area for one in corners]
    np.testing.assert_allclose(area.shares(corners), wanted, atol=1e-12)
    np.testing.assert_allclose(area.shares(corners + [360, 0]), wanted, atol=1e-9)
    assert area.shares(corners * np.nan).tolist() == [0] * len(lefts)


REFUSED = {
    "broken": ("{", "no JSON"),
    "a list": ("[]", "not GeoJSON"),
    "no type": ({}, "not GeoJSON"),
    "a point": ({"type": "Point", "coordinates": [1, 2]}, "it is a Point and encloses no area"),
    "empty": ({"type": "FeatureCollection", "features": []}, "collection is empty"),
    "no geometry": ({"type": "Feature", "geometry": None}, "no geometry"),
    "no ring": (polygon(), "a corner is missing"),
    "words": ({"type": "Polygon", "coordinates": "here"}, "no polygon"),
    "two corners": (polygon([[0, 0], [1, 1]]), "no polygon"),
    "crossing": (polygon([[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]), "crosses itself"),
    "a line": (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "outline"),
    "metres": (polygon([[600000, 5700000], [600640, 5700000], [600640, 5700640], [600000, 5700000]]), "no degrees"),
    "system": (
        {**polygon(RING), "crs": {"type": "name", "properties": {"name": "EPSG:32632"}}},
        "system is EPSG:32632",
    ),
    "nameless": ({**polygon(RING), "crs": 7}, "no name"),
    "wide": (polygon([[-400, 0], [400, 0], [400, 1], [-400, 0]]), "wider than the whole Earth"),
    "nan": ('{"type": "Polygon", "coordinates": [[[0, 0], [NaN, 0], [1, 1], [0, 0]]]}', "corner"),
    "deep": ("[" * 100_000, "no JSON"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_area_is_refused_in_a_sentence(content: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as error:
        read_region(content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326"])
def test_the_usual_reference_system_may_be_stated(name: str) -> None:
    stated = {**polygon(RING), "crs": {"type": "name", "properties": {"name": name}}}
    assert read_region(stated).holds(points((2, 2))).all()


def test_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text("\ufeff" + json.dumps(polygon(RING)), encoding="utf-8")
    assert read_region_file(path).holds(points((2, 2))).all()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="it is no text"):
        read_region_file(path)
    with pytest.raises(SettingsError, match="no such file"):
        read_region_file(tmp_path / "b.geojson")
