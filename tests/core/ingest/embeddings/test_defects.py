"""What is wrong with a file of vectors is told: in the record where the rest can be used, else in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.features.vector_table import given_values, vector_table
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.places import collection_corners
from core.scenes.quality import load_quality
from tests.core.ingest.embeddings.test_layouts import CENTRES, EVERY, assert_opened, places, said
from tests.embeddings import ROWS, centre, geo, lists, plain, squares, vectors, wkb, write

pytestmark = pytest.mark.usefixtures("here")


def broken(changes: dict[int, Any]) -> pa.Array:
    """The vectors, some of them replaced."""
    rows: list[Any] = vectors().tolist()
    for row, value in changes.items():
        rows[row] = value
    return pa.array(rows, pa.list_(pa.float32()))


def test_rows_without_a_usable_vector_are_left_out_and_counted(tmp_path: Path, library: Library) -> None:
    nan, short, zero = [float("nan")] * 16, [1.0] * 12, [0.0] * 16
    column = broken({2: nan, 5: None, 7: short, 9: zero, 11: [float("inf"), *[1.0] * 15]})
    path = write(tmp_path / "b.parquet", {"embedding": column, "geometry": wkb(squares())}, geo())
    scene = ingest([path], library)
    table, left = vector_table(scene), np.delete(EVERY, [2, 5, 7, 9, 11])
    np.testing.assert_array_equal(table.ids, left)
    np.testing.assert_array_equal(table.vectors, vectors()[left])
    told = said(scene, "left out")
    assert "warning: 5 of 30 rows" in told
    for words in ("1 without a vector", "2 with something that is not", "1 of zeros alone", "1 of 12 numbers"):
        assert words in told
    assert np.isnan(places(scene)[[2, 5]]).all()


def test_duplicates_of_vector_and_place_are_told(tmp_path: Path, library: Library) -> None:
    values, shapes = vectors(), squares()
    values[4], shapes[6] = values[3], shapes[5]
    scene = ingest([plain(tmp_path / "twice.parquet", values, shapes)], library)
    assert "warning: 1 row —" in said(scene, "same vectors")
    assert "warning: 1 row —" in said(scene, "same places")
    assert len(vector_table(scene)) == ROWS


def test_lengths_other_than_one_are_told(tmp_path: Path, library: Library) -> None:
    scene = ingest([plain(tmp_path / "long.parquet", vectors() * np.arange(1, ROWS + 1)[:, None])], library)
    assert "cosine" in said(scene, "length")


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param([shapely.box(100 + y, x, 100.02 + y, x + 0.02) for x, y in map(centre, range(ROWS))], id="plain"),
        pytest.param([shapely.Point(one.centroid.y + 90, one.centroid.x) for one in squares()], id="points"),
    ],
)
def test_what_can_be_in_its_order_is_not_doubted(tmp_path: Path, library: Library, shapes: list[Any]) -> None:
    assert ingest([plain(tmp_path / "far.parquet", shapes=shapes)], library)


def swapped(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: xy[:, ::-1])


def test_latitudes_beyond_the_poles_are_asked_about(tmp_path: Path, library: Library) -> None:
    shapes = [swapped(shapely.box(x + 130, y, x + 130.02, y + 0.02)) for x, y in map(centre, range(ROWS))]
    path = plain(tmp_path / "swapped.parquet", shapes=shapes)
    with pytest.raises(SourceError, match="seem to be exchanged: the second coordinate reaches 140"):
        ingest([path], library)
    scene = ingest([path], library, IngestSettings(lat_first=True))
    np.testing.assert_allclose(places(scene), CENTRES + [130.01, 0.01], atol=1e-6)
    assert "chosen" in said(scene, "axes")


def test_coordinates_that_other_columns_contradict_are_asked_about(tmp_path: Path, library: Library) -> None:
    shapes = [swapped(one) for one in squares()]
    columns = {"centre_lat": CENTRES[:, 1], "centre_lon": CENTRES[:, 0]}
    with pytest.raises(SourceError, match="the other way round"):
        ingest([plain(tmp_path / "swapped.parquet", shapes=shapes, **columns)], library)


def test_coordinates_that_the_footer_contradicts_are_asked_about(tmp_path: Path, library: Library) -> None:
    box = shapely.total_bounds(np.array(squares())).tolist()
    columns = {"embedding": lists(vectors()), "geometry": wkb([swapped(one) for one in squares()])}
    with pytest.raises(SourceError, match="box that its footer states"):
        ingest([write(tmp_path / "swapped.parquet", columns, geo(bbox=box))], library)


def test_rows_without_a_place_stay_in_plot_and_gallery(tmp_path: Path, library: Library) -> None:
    shapes: list[Any] = squares()
    shapes[1], shapes[2], shapes[3] = None, shapely.Polygon(), shapely.LineString([(10, 50), (11, 51)])
    shapes[4] = shapely.box(10, 95, 11, 96)
    scene = ingest([plain(tmp_path / "some.parquet", shapes=shapes)], library)
    assert len(vector_table(scene)) == ROWS
    found = places(scene)
    assert np.isnan(found[1:5]).all()
    np.testing.assert_allclose(found[5:], CENTRES[5:], atol=1e-6)
    told = said(scene, "place")
    for words in ("2 rows without a place", "1 row of other geometry", "1 linestring", "1 row outside the world"):
        assert words in told


def test_a_day_of_some_rows_is_not_that_of_all(tmp_path: Path, library: Library) -> None:
    for undated in (0, 29):
        days = ["2020-05-01"] * (ROWS - undated) + [None] * undated
        scene = ingest([plain(tmp_path / f"{undated}.parquet", date=days)], library)
        assert scene.date == (None if undated else "2020-05-01")
        assert said(scene, "date").startswith("warning" if undated else "read")
    assert "29 rows of no known day" in said(scene, "date")


def test_a_fill_among_values_is_no_value(tmp_path: Path, library: Library) -> None:
    height, cold = np.linspace(1, 20, ROWS), np.linspace(-12_000, 20, ROWS)
    height[:4] = cold[5] = -9999
    scene = ingest([plain(tmp_path / "a.parquet", height=height, cold=cold)], library)
    np.testing.assert_array_equal(given_values(scene, "height")[:ROWS], [*[np.nan] * 4, *height[4:].astype(np.float32)])
    np.testing.assert_array_equal(given_values(scene, "cold")[:ROWS], cold.astype(np.float32))
    told = " ".join(one.value for one in load_quality(scene.directory).findings if one.topic == "values")
    assert "-9999 in height, 4 rows" in told
    assert "in cold" not in told


def test_four_corners_in_an_order_that_crosses_are_put_in_order_and_said(tmp_path: Path, library: Library) -> None:
    shapes: list[Any] = squares()
    whole = ingest([plain(tmp_path / "whole.parquet", shapes=shapes)], library)
    for row in (3, 4):
        shapes[row] = shapely.Polygon(shapely.get_coordinates(shapes[row])[[0, 1, 3, 2]])
    scene = ingest([plain(tmp_path / "crossed.parquet", shapes=shapes)], library)
    np.testing.assert_allclose(collection_corners(scene), collection_corners(whole), atol=1e-9)
    assert "warning: 2 rows whose outline crosses itself" in said(scene, "place")
    assert "crosses" not in said(whole, "place")


def test_outlines_of_other_shapes_are_rectangles_and_said_to_be(tmp_path: Path, library: Library) -> None:
    shapes: list[Any] = squares()
    shapes[2] = shapely.Point(*centre(2)).buffer(0.01)
    scene = ingest([plain(tmp_path / "round.parquet", shapes=shapes)], library)
    assert "1 outlines as rectangles" in said(scene, "place")
    assert_opened(scene)


def test_what_no_rectangle_is_is_told_of_parts_and_holes(tmp_path: Path, library: Library) -> None:
    """The box around two parts reached over ground that is in neither, and nothing said so."""
    shapes: list[Any] = squares()
    shapes[2] = shapely.MultiPolygon([shapes[2], shapely.box(30, 50, 30.01, 50.01)])
    shapes[4] = shapely.Polygon(shapes[4].exterior.coords, [shapes[4].buffer(-0.005).exterior.coords])
    west, south, east, north = shapes[5].bounds
    middle = (west + east) / 2
    shapes[5] = shapely.MultiPolygon([shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)])
    told = said(ingest([plain(tmp_path / "parts.parquet", shapes=shapes)], library), "place")
    assert "1 row of several parts — the box around all its parts stands for each" in told
    assert "1 row with holes — their holes count as ground" in told


def refused(tmp_path: Path, library: Library, columns: dict[str, Any]) -> str:
    with pytest.raises(SourceError) as error:
        ingest([write(tmp_path / "refused.parquet", columns, geo())], library)
    sentence = str(error.value)
    assert sentence.startswith("Opening “refused.parquet”: ")
    assert sentence.count(". ") == 0
    return sentence


def some(values: NDArray[Any], **more: Any) -> dict[str, Any]:
    return {"embedding": lists(values), "geometry": wkb(squares(len(values))), **more}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        pytest.param(some(vectors()[:0]), "it holds no rows", id="none"),
        pytest.param(some(vectors()[:1]), "one row", id="one"),
        pytest.param(some(np.ones((ROWS, 16), np.float32)), "all its vectors are the same", id="constant"),
        pytest.param(some(np.zeros((ROWS, 16), np.float32)), "30 are zeros alone", id="zeros"),
        pytest.param(some(np.full((ROWS, 16), np.nan)), "30 hold something that is not a finite", id="nan"),
        pytest.param({"a": EVERY, "b": ["x"] * ROWS}, "none of its columns holds vectors; it has “a”, “b”", id="table"),
        pytest.param(
            {"B02": pa.array([b"II*\0"] * ROWS, pa.binary()), "geometry": wkb(squares(ROWS))},
            "none of its columns holds vectors; “B02” holds files such as images",
            id="images",
        ),
        pytest.param(
            {"image": [{"bytes": b"II*\0", "path": "a.tif"}] * ROWS, "label": EVERY},
            "“image” holds files such as images",
            id="images with paths",
        ),
        pytest.param({"embedding": ["x"] * ROWS}, "“embedding” holds no lists of numbers, but string", id="text"),
        pytest.param({"bbox": lists(vectors()[:, :4])}, "none of its columns", id="boxes"),
        pytest.param(
            {"embedding": lists(vectors()), "geometry": wkb([shapely.LineString([(0, 0), (1, 1)])] * ROWS)},
            "neither points nor polygons: linestring",
            id="lines",
        ),
        pytest.param(
            {"embedding": lists(vectors()), "geometry": pa.array([b"\x01\x02"] * ROWS, pa.binary())},
            "no well-formed WKB",
            id="wkb",
        ),
        pytest.param(
            {"embedding": lists(vectors()), "geometry": wkb([shapely.Point(1e6, 1e6)] * ROWS)},
            "none of its places is on Earth",
            id="world",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, library: Library, columns: dict[str, Any], found: str
) -> None:
    assert found in refused(tmp_path, library, columns)


def test_vectors_without_any_place_open_without_a_map(tmp_path: Path, library: Library) -> None:
    scene = ingest([write(tmp_path / "nowhere.parquet", {"vector": lists(vectors())})], library)
    assert len(vector_table(scene)) == ROWS
    assert "warning: unknown" in said(scene, "place")
    empty = ingest([plain(tmp_path / "empty.parquet", shapes=[None] * ROWS)], library)
    assert "all its geometries are null or empty" in said(empty, "place")


def test_damaged_and_foreign_bytes_are_refused(tmp_path: Path, library: Library) -> None:
    whole = plain(tmp_path / "whole.parquet").read_bytes()
    for name, content in {"cut": whole[:-200], "text": b"no", "magic": b"PAR1" + b"x" * 99}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(content)
        with pytest.raises(SourceError, match="no Parquet file"):
            ingest([path], library)
    spoiled = bytearray(whole)
    spoiled[4:40] = b"\xff" * 36
    (tmp_path / "spoiled.parquet").write_bytes(spoiled)
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest([tmp_path / "spoiled.parquet"], library)


def test_too_many_rows_are_refused_before_they_are_read(tmp_path: Path, library: Library) -> None:
    path = write(tmp_path / "many.parquet", {"embedding": pa.nulls(500_001, pa.list_(pa.float32()))})
    with pytest.raises(SourceError, match="500,001 rows, more than 500,000"):
        ingest([path], library)


def test_outlines_among_points_are_told_as_not_used(tmp_path: Path, library: Library) -> None:
    shapes: list[Any] = squares()
    shapes[3] = shapely.Point(*centre(3))
    scene = ingest([plain(tmp_path / "both.parquet", shapes=shapes)], library)
    assert scene.given is not None
    assert scene.given.points
    assert "warning: 29 not used" in said(scene, "outlines")
    np.testing.assert_allclose(places(scene), CENTRES, atol=1e-6)


def test_what_is_wished_of_pixels_is_refused(tmp_path: Path, library: Library) -> None:
    told = "no pixels, of which a part could be chosen; leave that out, and filter its patches on the map instead"
    with pytest.raises(SourceError, match=told):
        ingest([plain(tmp_path / "f.parquet")], library, IngestSettings(window=(0, 0, 8, 8)))
    with pytest.raises(SourceError, match="of which names of bands and a tile could be chosen; leave that out\\."):
        ingest([plain(tmp_path / "f.parquet")], library, IngestSettings(bands=("B02", "B03"), tile="32TPS"))


def dated(path: Path, day: str) -> Path:
    """A file of vectors whose rows are all of one day."""
    columns = {"embedding": lists(vectors()), "date": [day] * ROWS, "geometry": wkb(squares())}
    return write(path, columns, geo())


def test_a_day_before_sentinel_2_is_told_and_is_no_date_of_a_scene(tmp_path: Path, library: Library) -> None:
    scene = ingest([dated(tmp_path / "old.parquet", "2012-05-01")], library)
    assert scene.date is None
    assert said(scene, "date") == "read: 2012-05-01 — column date"


def test_a_day_that_no_calendar_has_is_none(tmp_path: Path, library: Library) -> None:
    scene = ingest([dated(tmp_path / "odd.parquet", "2019-19-39")], library)
    assert scene.date is None
    assert said(scene, "date").startswith("assumed: unknown")


@pytest.mark.parametrize("gap", [None, 3, 1028], ids=["whole", "first batch", "later batch"])
def test_light_of_bands_is_known_of_all_rows_or_of_none(tmp_path: Path, library: Library, gap: int | None) -> None:
    count = 1030
    means = [None if row == gap else [0.1 + row / 10_000] * len(BAND_NAMES) for row in range(count)]
    kind = pa.list_(pa.float32(), len(BAND_NAMES))
    columns = {
        "embedding": lists(np.tile(vectors(), (35, 1))[:count]), "patch_id": np.arange(count),
        "band_mean": pa.array(means, kind), "band_std": pa.array(means, kind),
    }  # fmt: skip
    scene = ingest([write(tmp_path / "own.parquet", columns, {"landlike": json.dumps({"version": 1})})], library)
    statistics = vector_table(scene).statistics
    if gap is None:
        assert statistics is not None
        np.testing.assert_allclose(statistics[1029], 0.1 + 1029 / 10_000, rtol=1e-6)
    else:
        assert statistics is None
        assert "1 row without means and deviations" in said(scene, "light of bands")


def test_columns_whose_names_are_shown_alike_are_one_value(tmp_path: Path, library: Library) -> None:
    long = "a" * 50 + "{}" + "b" * 50
    more = {long.format(n): np.linspace(n, n + 1, ROWS) for n in (0, 1)}
    scene = ingest([plain(tmp_path / "long.parquet", **more)], library)
    assert scene.given is not None
    assert len(scene.given.columns) == 1
    assert "another column is called so" in said(scene, "left out")


def test_an_empty_outline_of_geoarrow_is_none(tmp_path: Path, library: Library) -> None:
    outlines: list[Any] = [[[{"x": float(x), "y": float(y)} for x, y in shape.exterior.coords]] for shape in squares()]
    outlines[3] = []
    kind = pa.list_(pa.list_(pa.struct({"x": pa.float64(), "y": pa.float64()})))
    path = write(
        tmp_path / "native.parquet", {"embedding": lists(vectors()), "geometry": pa.array(outlines, kind)},
        geo(encoding="polygon"),
    )  # fmt: skip
    scene = ingest([path], library)
    assert np.isnan(places(scene)[3]).all()
    assert "1 row without a place" in said(scene, "place")
