"""Each layout that others write opens: vectors, places, dates and the model, as the file has them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from core.errors import SourceError, VectorsError
from core.features.vector_table import given_values, vector_table
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import land, write_tif
from tests.data import shared
from tests.embeddings import (
    DIMENSION,
    ROWS,
    STEP,
    centre,
    geo,
    lists,
    plain,
    squares,
    vectors,
    wkb,
    write,
)

pytestmark = pytest.mark.usefixtures("here")
EVERY = np.arange(ROWS)
CENTRES = np.array([centre(row) for row in range(ROWS)])


def places(scene: Scene) -> NDArray[np.float64]:
    found = centres_lonlat(scene, patch_grid(scene), EVERY)
    assert found is not None
    return found


def said(scene: Scene, topic: str) -> str:
    lines = load_quality(scene.directory).findings
    return "\n".join(f"{one.basis}: {one.value} — {one.because}" for one in lines if one.topic == topic)


def assert_opened(scene: Scene, expected: NDArray[Any] | None = None, atol: float = 1e-6) -> None:
    table = vector_table(scene)
    np.testing.assert_array_equal(table.ids, EVERY)
    np.testing.assert_allclose(table.vectors, vectors() if expected is None else expected, atol=atol)
    np.testing.assert_allclose(places(scene), CENTRES, atol=1e-6)


def test_lists_and_wkb_as_clay_has_them(tmp_path: Path, library: Library) -> None:
    days = pa.array([datetime.date(2022, 6, 10)] * ROWS)
    path = write(
        tmp_path / "clay.gpq",
        {
            "index": EVERY, "source_url": [f"s3://tiles/{row}.tif" for row in EVERY], "date": days,
            "embeddings": lists(vectors()), "geometry": wkb(squares()),
        },
        geo("OGC:CRS84"),
    )  # fmt: skip
    scene = ingest([path], library)
    assert_opened(scene)
    assert (scene.date, scene.has_pixels, scene.kind, scene.bands) == ("2022-06-10", False, "collection", ())
    assert scene.given is not None
    assert scene.given.encoder["dimension"] == DIMENSION
    assert "embeddings" in said(scene, "vectors")
    assert said(scene, "model").startswith("assumed: unknown")


def test_points_and_a_footer_as_earth_index_has_them(tmp_path: Path, library: Library) -> None:
    model = {"id": "softcon", "version": "2", "name": "SoftCon ViT-B/14"}
    points = [shapely.Point(*centre(row)) for row in EVERY]
    columns = {
        "tile_id": [f"33UVA_{row}" for row in EVERY], "embedding": lists(vectors(), pa.float64()),
        "geometry": wkb(points),
    }  # fmt: skip
    footer = geo() | {"emb": json.dumps({"model": model, "embedding_dim": DIMENSION})}
    scene = ingest([write(tmp_path / "ei.parquet", columns, footer)], library)
    assert_opened(scene)
    assert scene.given is not None
    assert scene.given.points
    assert scene.given.encoder["title"] == "SoftCon ViT-B/14"
    assert "footer emb" in said(scene, "model")
    assert "say nothing of what a vector covers" in said(scene, "outlines")
    other = ingest([write(tmp_path / "more.parquet", columns | {"tile_id": ["x"] * ROWS}, footer)], library)
    assert other.given is not None
    assert other.given.encoder["fingerprint"] == scene.given.encoder["fingerprint"]


def test_half_floats_a_utm_footprint_and_texts_of_time_as_major_tom_has_them(tmp_path: Path, library: Library) -> None:
    halves = vectors().astype(np.float16)
    columns = {
        "unique_id": [f"{row:064x}" for row in EVERY],
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(halves.ravel()), DIMENSION),
        "timestamp": ["20230119T161811", "20230220T161811"] * (ROWS // 2),
        "product_id": [f"S2A_MSIL1C_{row}" for row in EVERY], "grid_cell": [f"922D_{row}L" for row in EVERY],
        "grid_row_u": EVERY.astype(np.int16), "geometry": wkb(squares()),
        "centre_lat": CENTRES[:, 1].astype(np.float32), "centre_lon": CENTRES[:, 0].astype(np.float32),
        "utm_crs": ["EPSG:32633"] * ROWS, "pixel_bbox": lists(np.tile([0, 0, 224, 224], (ROWS, 1)), pa.int64()),
    }  # fmt: skip
    scene = ingest([write(tmp_path / "tom.parquet", columns)], library)
    assert_opened(scene, halves.astype(np.float32))
    assert "assumed: EPSG:4326" in said(scene, "place")
    assert scene.date is None
    assert scene.given is not None
    [dates] = [one for one in scene.given.columns if one.kind == "date"]
    assert dates.classes == ("2023-01-19", "2023-02-20")
    np.testing.assert_array_equal(given_values(scene, "timestamp"), [0, 1] * (ROWS // 2))


@pytest.mark.parametrize("stated", [True, False])
def test_a_column_a_dimension_in_bytes_as_alpha_earth_has_them(tmp_path: Path, library: Library, stated: bool) -> None:
    packed = np.sign(vectors()) * np.sqrt(np.abs(vectors())) * 127.5
    codes = np.clip(np.round(packed), -127, 127).astype(np.int8)
    codes[4] = -128
    columns = {f"A{at:02}": codes[:, at] for at in range(DIMENSION)}
    columns |= {"longitude": CENTRES[:, 0], "latitude": CENTRES[:, 1]}
    footer = {"quantization": "AlphaEarth: (v/127.5)^2 * sign(v), -128 is nothing"} if stated else {}
    scene = ingest([write(tmp_path / "aef.parquet", columns, footer)], library)
    table = vector_table(scene)
    if stated:
        np.testing.assert_array_equal(table.ids, np.delete(EVERY, 4))
        np.testing.assert_allclose(table.vectors, np.delete(vectors(), 4, axis=0), atol=0.01)
        assert "read: signed squares" in said(scene, "numbers")
    else:
        np.testing.assert_array_equal(table.vectors, codes.astype(np.float32))
        assert "warning: whole numbers as they are" in said(scene, "numbers")
    assert "A00 … A15" in said(scene, "vectors")


def test_well_known_text_and_numbered_columns(tmp_path: Path, library: Library) -> None:
    columns: dict[str, Any] = {f"emb_{at}": vectors()[:, at] for at in range(DIMENSION)}
    columns |= {"geometry": [one.wkt for one in squares()], "label": ["wood", "field", None] * (ROWS // 3)}
    scene = ingest([write(tmp_path / "text.parquet", columns)], library)
    assert_opened(scene)
    assert scene.classes == ("field", "wood")


@pytest.mark.parametrize("pairs", [True, False])
def test_native_points_of_geoarrow(tmp_path: Path, library: Library, pairs: bool) -> None:
    if pairs:
        points: pa.Array = pa.FixedSizeListArray.from_arrays(pa.array(CENTRES.ravel()), 2)
    else:
        points = pa.StructArray.from_arrays([pa.array(CENTRES[:, 0]), pa.array(CENTRES[:, 1])], ["x", "y"])
    columns = {"embedding": lists(vectors()), "geometry": points}
    assert_opened(ingest([write(tmp_path / "native.parquet", columns, geo(encoding="point"))], library))


def test_native_polygons_of_geoarrow(tmp_path: Path, library: Library) -> None:
    rings = [[[{"x": x, "y": y} for x, y in one.exterior.coords]] for one in squares()]
    columns = {"embedding": lists(vectors()), "geometry": rings}
    assert_opened(ingest([write(tmp_path / "native.parquet", columns, geo(encoding="polygon"))], library))


def test_outlines_in_metres_are_brought_to_degrees(tmp_path: Path, library: Library) -> None:
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True).transform
    shapes = [shapely.transform(one, to_utm, interleaved=False) for one in squares()]
    path = write(tmp_path / "utm.parquet", {"embedding": lists(vectors()), "geometry": wkb(shapes)}, geo("EPSG:32632"))
    scene = ingest([path], library)
    assert_opened(scene)
    assert "EPSG:32632" in said(scene, "place")
    unsaid = write(tmp_path / "no.parquet", {"embedding": lists(vectors()), "geometry": wkb(shapes)}, geo(None))
    with pytest.raises(SourceError, match="no longitudes and latitudes"):
        ingest([unsaid], library)
    assert_opened(ingest([unsaid], library, IngestSettings(crs="EPSG:32632")))


def test_an_outline_across_the_antimeridian_is_one_square(tmp_path: Path, library: Library) -> None:
    shapes: list[Any] = squares()
    shapes[3] = shapely.MultiPolygon([shapely.box(179.9, 0, 180, 0.2), shapely.box(-180, 0, -179.9, 0.2)])
    scene = ingest([plain(tmp_path / "far.parquet", shapes=shapes)], library)
    np.testing.assert_allclose(np.abs(places(scene)[3]), [180, 0.1], atol=1e-6)


def test_several_columns_of_vectors_are_asked_about(tmp_path: Path, library: Library) -> None:
    other = vectors()[::-1]
    path = plain(tmp_path / "two.parquet", second=lists(other))
    with pytest.raises(VectorsError, match="“embedding” and “second”"):
        ingest([path], library)
    scene = ingest([path], library, IngestSettings(vector="second"))
    assert_opened(scene, other)
    assert scene.id != ingest([path], library, IngestSettings(vector="embedding")).id
    with pytest.raises(SourceError, match="no column “third”"):
        ingest([path], library, IngestSettings(vector="third"))


def test_a_person_can_name_the_model(tmp_path: Path, library: Library) -> None:
    first, second = plain(tmp_path / "a.parquet"), plain(tmp_path / "b.parquet", values=vectors() * 2)
    scenes = [ingest([path], library, IngestSettings(model="Clay v1")) for path in (first, second)]
    same, other = [one.given.encoder["fingerprint"] for one in scenes if one.given is not None]
    assert same == other
    unnamed = [ingest([path], library).given for path in (first, second)]
    assert unnamed[0] is not None
    assert unnamed[1] is not None
    assert unnamed[0].encoder["fingerprint"] != unnamed[1].encoder["fingerprint"]


def test_columns_become_values_and_the_rest_is_listed(tmp_path: Path, library: Library) -> None:
    path = plain(
        tmp_path / "values.parquet", elevation=EVERY % 7 + 0.5, biome=["wet", "dry"] * (ROWS // 2),
        source=["same"] * ROWS, number=np.arange(ROWS) + 100, filled=np.where(EVERY % 2, 0.5, 1.7e308),
    )  # fmt: skip
    scene = ingest([path], library)
    assert scene.given is not None
    assert [(one.name, one.kind) for one in scene.given.columns] == [("biome", "class"), ("elevation", "number")]
    np.testing.assert_array_equal(given_values(scene, "elevation"), (EVERY % 7 + 0.5).astype(np.float32))
    np.testing.assert_array_equal(given_values(scene, "biome"), [1, 0] * (ROWS // 2))
    assert "source (it says the same of all rows)" in said(scene, "left out")
    assert "number (it numbers the rows)" in said(scene, "left out")
    assert "filled (it is 0.5 in all rows)" in said(scene, "left out")
    assert scene.classes == ()


def test_whole_numbers_that_differ_number_rows_only_where_they_count(tmp_path: Path, library: Library) -> None:
    path = plain(tmp_path / "numbers.parquet", height=EVERY**2, number=ROWS - EVERY)
    scene = ingest([path], library)
    assert scene.given is not None
    assert [one.name for one in scene.given.columns] == ["height"]
    np.testing.assert_array_equal(given_values(scene, "height"), (EVERY**2).astype(np.float32))


@pytest.mark.parametrize("srid", [4326, 32632])
def test_geometries_of_postgis_state_their_own_system(tmp_path: Path, library: Library, srid: int) -> None:
    move = Transformer.from_crs("EPSG:4326", f"EPSG:{srid}", always_xy=True).transform
    shapes = [shapely.set_srid(shapely.transform(one, move, interleaved=False), srid) for one in squares()]
    stated = [shapely.to_wkb(one, include_srid=True) for one in shapes]
    scene = ingest([write(tmp_path / "own.parquet", {"embedding": lists(vectors()), "geometry": stated})], library)
    assert_opened(scene)
    assert said(scene, "place").startswith(f"read: EPSG:{srid}")
    assert f"each geometry states it, as number {srid}" in said(scene, "place")
    columns = {"embedding": lists(vectors(70 + ROWS)), "geometry": [*[None] * 70, *stated]}
    scene = ingest([write(tmp_path / "late.parquet", columns)], library)
    assert said(scene, "place").startswith(f"read: EPSG:{srid}"), "also where it is stated after many rows without any"
    np.testing.assert_allclose(centres_lonlat(scene, patch_grid(scene), EVERY + 70), CENTRES, atol=1e-4)
    stated[-1] = shapely.to_wkb(shapely.set_srid(shapes[-1], 3857), include_srid=True)
    with pytest.raises(SourceError, match=f"several reference systems, EPSG:{srid} and EPSG:3857"):
        ingest([write(tmp_path / "mixed.parquet", {"embedding": lists(vectors()), "geometry": stated})], library)


def test_days_are_those_of_utc_and_may_be_whole_numbers(tmp_path: Path, library: Library) -> None:
    late = datetime.datetime(2023, 6, 30, 23, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=-4)))
    times = pa.array([late] * ROWS, pa.timestamp("us", "America/New_York"))
    assert ingest([plain(tmp_path / "late.parquet", timestamp=times)], library).date == "2023-07-01"
    assert ingest([plain(tmp_path / "written.parquet", date=[20230601] * ROWS)], library).date == "2023-06-01"
    counted = ingest([plain(tmp_path / "counted.parquet", date=[1610122800] * ROWS)], library)
    assert counted.date is None
    assert said(counted, "date").startswith("assumed: unknown")


def test_real_clay_vectors_open(library: Library) -> None:
    import geopandas

    path = shared("embeddings/03WVN_20220610_20220610_v001.gpq")
    scene, oracle = ingest([path], library), geopandas.read_parquet(path)
    np.testing.assert_array_equal(vector_table(scene).vectors, np.stack(oracle["embeddings"]).astype(np.float32))
    found = centres_lonlat(scene, patch_grid(scene), np.arange(len(oracle)))
    assert found is not None
    bounds = oracle.geometry.bounds.to_numpy()
    assert (found > bounds[:, :2]).all()
    assert (found < bounds[:, 2:]).all()
    assert scene.date == "2022-06-10"


def test_squares_drawn_for_points_keep_apart(tmp_path: Path, library: Library) -> None:
    columns = {"embedding": lists(vectors()), "lon": CENTRES[:, 0], "lat": CENTRES[:, 1]}
    scene = ingest([write(tmp_path / "points.parquet", columns)], library)
    assert_opened(scene)
    assert "called so" in said(scene, "place")
    side = float(said(scene, "outlines").split("squares of ")[1].split(" m")[0].replace(",", ""))
    assert 0.5 * STEP * 71_500 < side < STEP * 71_500


def test_a_table_beside_pixels_is_no_scene_of_its_own(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    plain(folder / "metadata.parquet")
    write_tif(folder / "scene.tif", land(("B02", "B03", "B04", "B08"), 64, 64), ("B02", "B03", "B04", "B08"))
    assert ingest([folder], library).has_pixels


@pytest.mark.parametrize("stated", ["EPSG:32632", "srid:32632"])
def test_a_system_that_the_type_of_the_column_states_counts(tmp_path: Path, library: Library, stated: str) -> None:
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True).transform
    shapes = wkb([shapely.transform(one, to_utm, interleaved=False) for one in squares()])
    about = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": json.dumps({"crs": stated})}
    field = pa.field("footprint", pa.binary(), metadata=about)
    table = pa.table([lists(vectors()), shapes], schema=pa.schema([pa.field("emb", pa.list_(pa.float32())), field]))
    pq.write_table(table, tmp_path / "native.parquet")
    assert_opened(ingest([tmp_path / "native.parquet"], library))


def test_short_lists_and_bands_are_no_vectors(tmp_path: Path, library: Library) -> None:
    bands = {f"B{at:02}": np.linspace(0, 1, ROWS) for at in range(1, 13)}
    path = plain(tmp_path / "more.parquet", tags=lists(np.ones((ROWS, 3)), pa.int64()), **bands)
    assert_opened(ingest([path], library))
