"""Outlines of patches, held to shapely's own measures and to what clipping by meridians gives."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from core.export.geometry import (
    bounds,
    centres,
    geojson_geometries,
    polygons,
    read_wkb,
    type_names,
    wkb_array,
)
from core.scenes.outline_areas import outline_hectares
from tests.data import shared

SQUARE = np.array([[10.0, 50.0], [11.0, 50.0], [11.0, 49.0], [10.0, 49.0]])
ACROSS = SQUARE + np.array([169.5, 0])
OVER_THE_POLE = np.array([[-135.0, 89.0], [135.0, 89.0], [45.0, 89.0], [-45.0, 89.0]])
UNKNOWN = np.full((4, 2), np.nan)


def outline(corners: np.ndarray) -> shapely.Geometry:
    (shape,) = polygons(corners[None])
    return shape


def turned(longitude: float, latitude: float, width: float, height: float, angle: float) -> np.ndarray:
    """A rectangle round a place, turned."""
    square = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]]) / 2 * [width, height]
    sine, cosine = np.sin(angle), np.cos(angle)
    return square @ np.array([[cosine, sine], [-sine, cosine]]) + [longitude, latitude]


def clipped(corners: np.ndarray) -> shapely.Geometry:
    """The oracle: what lies in each turn of the Earth, moved to the one round Greenwich."""
    ring = shapely.Polygon(corners)
    turns = [
        shapely.intersection(ring, shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90)) for turn in range(-3, 4)
    ]
    moved = [shapely.transform(part, lambda xy, at=turn: xy - [360 * (at - 3), 0]) for turn, part in enumerate(turns)]
    return shapely.union_all([part for part in moved if part.area > 0])


def sound(shape: shapely.Geometry) -> None:
    """What GeoParquet and RFC 7946 ask of an outline."""
    assert shape.is_valid
    west, _, east, _ = shape.bounds
    assert -180 <= west <= east <= 180
    for part in shapely.get_parts(shape):
        assert part.exterior.is_ccw
        assert not part.interiors


@settings(max_examples=40)
@given(
    st.floats(-900, 900), st.floats(-80, 80), st.floats(1e-3, 5), st.floats(1e-3, 5), st.floats(0, 2 * np.pi),
    st.booleans(),
)  # fmt: skip
def test_any_outline_is_what_clipping_at_the_antimeridian_gives(
    longitude: float, latitude: float, width: float, height: float, angle: float, backwards: bool
) -> None:
    corners = turned(longitude, latitude, width, height, angle)
    shape, oracle = outline(corners[::-1] if backwards else corners), clipped(corners)
    sound(shape)
    assert shape.area == pytest.approx(width * height, rel=1e-3)
    assert shapely.symmetric_difference(shape, oracle).area <= 1e-4 * width * height + 4e-7 * (width + height)


@given(
    st.sampled_from([180.0, -180.0, 540.0]), st.floats(-3, 3), st.floats(-80, 80), st.floats(1e-3, 5),
    st.floats(0, 2 * np.pi),
)  # fmt: skip
def test_outlines_on_and_beside_the_antimeridian(
    meridian: float, aside: float, latitude: float, side: float, angle: float
) -> None:
    corners = turned(meridian + aside, latitude, side, side, angle)
    shape = outline(corners)
    sound(shape)
    assert shapely.symmetric_difference(shape, clipped(corners)).area <= 1e-4 * side * side + 8e-7 * side


@pytest.mark.parametrize("shift", [0, 90, 169.4, 169.5, 169.99, 170, 171, 529.5, -190.5, -191, -550.5])
def test_outlines_are_cut_at_the_antimeridian(shift: float) -> None:
    shape = outline(SQUARE + np.array([shift, 0]))
    sound(shape)
    assert shape.area == pytest.approx(1)
    assert shape.bounds[1::2] == (49, 50)


@pytest.mark.parametrize("turn", [0, 360, -360])
@pytest.mark.parametrize("first", range(4))
def test_corners_on_either_side_of_the_antimeridian_may_be_written_so(turn: float, first: int) -> None:
    """As projections give them: 179.5, −179.5."""
    corners = np.roll(ACROSS, first, axis=0)
    wrapped = np.where(corners[:, :1] > 180, corners - [360, 0], corners) + [turn, 0]
    np.testing.assert_array_equal(outline(wrapped).normalize(), outline(ACROSS).normalize())


def test_a_corner_on_the_antimeridian_parts_nothing() -> None:
    diamond = np.array([[180.0, 10.0], [179.0, 11.0], [178.0, 10.0], [179.0, 9.0]])
    assert outline(diamond).equals(shapely.Polygon(diamond))
    half = np.array([[180.0, 11.0], [179.0, 10.0], [180.0, 9.0], [181.0, 10.0]])
    assert outline(half).geom_type == "MultiPolygon"
    assert outline(half).area == pytest.approx(2)


@pytest.mark.parametrize("corners", [SQUARE, SQUARE[::-1], np.roll(SQUARE, 1, axis=0)])
def test_any_order_of_corners_becomes_counterclockwise(corners: np.ndarray) -> None:
    shape = shapely.from_wkb(wkb_array(polygons(corners[None]))[0].as_py())
    assert shape.exterior.is_ccw
    assert shape.equals(shapely.Polygon(SQUARE))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("pole", [1, -1])
@pytest.mark.parametrize("turn", [0, 1, 44, 45, 46, 90, 315, -45, 500])
def test_a_patch_round_a_pole_reaches_it(pole: int, turn: float, backwards: bool) -> None:
    corners = OVER_THE_POLE * [1, pole] + np.array([turn, 0])
    shape = outline(corners[::-1] if backwards else corners)
    sound(shape)
    assert shape.geom_type == "Polygon"
    assert shape.area == pytest.approx(360)
    assert shape.bounds == (-180, min(pole * 89, pole * 90), 180, max(pole * 89, pole * 90))


@settings(max_examples=40)
@given(
    st.lists(st.floats(60, 89.9), min_size=4, max_size=4), st.floats(-400, 400), st.sampled_from([1, -1]),
    st.booleans(),
)  # fmt: skip
def test_any_patch_round_a_pole_is_the_band_up_to_it(
    latitudes: list[float], turn: float, pole: int, backwards: bool
) -> None:
    lon = turn + np.array([0, 90, 180, 270.0])
    corners = np.stack([lon, pole * np.array(latitudes)], axis=1)
    shape = outline(corners[::-1] if backwards else corners)
    sound(shape)
    closed = np.array([*latitudes, latitudes[0]])
    assert shape.area == pytest.approx(90 * (90 - (closed[1:] + closed[:-1]) / 2).sum(), rel=1e-5)


def test_wkb_of_every_kind_agrees_with_shapely() -> None:
    corners = np.stack([SQUARE, ACROSS, UNKNOWN, OVER_THE_POLE, SQUARE - [300, 20]])
    array, kinds = wkb_array(polygons(corners)), type_names(polygons(corners))
    shapes = shapely.from_wkb(array.to_pylist())
    assert kinds == ["MultiPolygon", "Polygon"]
    assert shapes[2] is None
    assert [round(shape.area, 9) for shape in np.delete(shapes, 2)] == [1, 1, 360, 1]
    assert all(shape.is_valid for shape in np.delete(shapes, 2))
    assert all(value is None or value[0] == 1 for value in array.to_pylist()), "little-endian"


def test_files_of_others_may_hold_more_than_outlines() -> None:
    shapes = np.array([shapely.Point(3, 51), None, shapely.Point(3, 51, 7), shapely.box(0, 0, 1, 1)], dtype=object)
    assert type_names(shapes) == ["Point", "Point Z", "Polygon"]
    np.testing.assert_array_equal(np.isnan(outline_hectares(shapes)), [True, True, True, False])
    with pytest.raises(ValueError, match="no WKB"):
        read_wkb(pa.chunked_array([[b"no"]]))


def test_areas_are_those_between_lines_straight_in_degrees() -> None:
    box = np.array([shapely.box(0, 59, 2, 60)], dtype=object)
    e, b2 = math.sqrt(0.0066943799901413165), 6_356_752.314245179**2
    sines = [math.sin(math.radians(latitude)) for latitude in (59, 60)]
    south, north = (s / (1 - (e * s) ** 2) + math.log((1 + e * s) / (1 - e * s)) / (2 * e) for s in sines)
    exact = b2 / 2 * math.radians(2) * (north - south) / 10_000  # between two parallels, by the authalic area
    assert outline_hectares(box)[0] == pytest.approx(exact, rel=1e-6)
    coarse = abs(Geod(ellps="WGS84").geometry_area_perimeter(box[0])[0]) / 10_000
    assert abs(coarse - exact) / exact > 1e-5, "with edges along geodesics it would be another"


def test_nothing_is_nothing() -> None:
    assert polygons(np.empty((0, 4, 2))).shape == (0,)
    assert wkb_array(polygons(UNKNOWN[None])) == pa.array([None], pa.binary())
    assert type_names(polygons(UNKNOWN[None])) == []
    assert np.isnan(outline_hectares(polygons(UNKNOWN[None]))).all()
    assert outline(np.repeat([[180.0, 5.0]], 4, axis=0) + [[1, 0]]) is None
    assert bounds(polygons(np.stack([UNKNOWN, UNKNOWN]))) is None
    assert geojson_geometries(polygons(np.stack([UNKNOWN, UNKNOWN]))) == [None, None]
    assert np.isnan(centres(column(None, None))).all()
    assert centres(column()).shape == (0, 2)


def test_bounds_cross_the_antimeridian_only_when_they_must() -> None:
    assert bounds(polygons(SQUARE[None])) == [10, 49, 11, 50]
    assert bounds(polygons(np.stack([ACROSS, SQUARE + np.array([169, 0])]))) == [179, 49, -179.5, 50]
    assert bounds(polygons(np.stack([SQUARE, SQUARE - [150, 0]]))) == [-140, 49, 11, 50]
    assert bounds(polygons(OVER_THE_POLE[None])) == [-180, 89, 180, 90]


def test_geojson_geometries_are_what_shapely_reads() -> None:
    across, unknown, third = geojson_geometries(polygons(np.stack([ACROSS, UNKNOWN, SQUARE / 3])))
    assert unknown is None
    shape = shapely.from_geojson(json.dumps(across))
    assert shape.geom_type == "MultiPolygon"
    assert shape.area == pytest.approx(1)
    assert third is not None
    assert {round(value, 7) for point in third["coordinates"][0] for value in point} == {
        value for point in third["coordinates"][0] for value in point
    }


def column(*shapes: shapely.Geometry | None, **options: object) -> pa.ChunkedArray:
    wkb = [None if one is None else shapely.to_wkb(one, **options) for one in shapes]
    return pa.chunked_array([pa.array(wkb, pa.binary())])


@pytest.mark.parametrize("order", [0, 1])
def test_centres_are_means_of_corners_joined_across_the_antimeridian(order: int) -> None:
    kite = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 8)])
    parts = shapely.MultiPolygon([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -177, 1)])
    holed = shapely.Polygon(shapely.box(0, 0, 2, 2).exterior, [shapely.box(0.1, 0.1, 0.3, 0.3).exterior])
    found = centres(column(kite, None, parts, shapely.Point(1, 2), holed, shapely.Polygon(), byte_order=order))
    expected = [[2, 3], [np.nan] * 2, [-179, 0.5], [1, 2], [1, 1], [np.nan] * 2]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("value", [b"", b"\1", b"\1\3\0\0\0\1\0\0\0\xff\xff\xff\x7f", b"\1\6\0\0\0\1\0\0\0", b"PK"])
def test_what_is_no_wkb_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a geometry is no WKB, or it is cut off$"):
        centres(pa.chunked_array([pa.array([value])]))


def test_the_centre_of_what_was_cut_is_that_of_the_whole() -> None:
    corners = np.stack([SQUARE, ACROSS, UNKNOWN, SQUARE - [300, 20]])
    found = centres(pa.chunked_array([wkb_array(polygons(corners))]))
    np.testing.assert_allclose(found, [[10.5, 49.5], [-180, 49.5], [np.nan] * 2, [70.5, 29.5]], atol=1e-9)


def test_another_programs_outlines_are_read_as_shapely_reads_them() -> None:
    table = pq.read_table(shared("embeddings/03WVN_20220610_20220610_v001.gpq"), columns=["geometry"])
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    expected = np.array([[shape.centroid.x, shape.centroid.y] for shape in shapes])
    np.testing.assert_allclose(centres(table["geometry"]), expected, atol=1e-3)
