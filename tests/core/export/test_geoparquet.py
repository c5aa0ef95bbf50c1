from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from core.bands import BAND_NAMES
from core.encoders.base import EncoderSpec
from core.errors import PatchError, StoreError
from core.export.geoparquet import add_positions, read_geoparquet, write_geoparquet
from core.export.selection import file_rows
from core.features.recipe import Features, Recipe
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchGrid, centres_lonlat, corners_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.data import shared
from tests.scenes import write_truth

SPEC = EncoderSpec(
    name="spectral", title="Spectral", fingerprint="ab" * 32, bands=BAND_NAMES, input_size=None, gain=None,
    dimension=6, backend="numpy", origin="a test",
)  # fmt: skip
COLUMNS = [
    "patch_id", "scene", "source_name", "label", "row", "col", "valid_fraction", "geometry", "vector", "band_mean",
    "band_std", "area_ha", "date", "encoder", "bbox",
]  # fmt: skip
SQUARE = np.array([[10.0, 50.0], [11.0, 50.0], [11.0, 49.0], [10.0, 49.0]])
ACROSS = SQUARE + np.array([169.5, 0])
OVER_THE_POLE = np.array([[-135.0, 89.0], [135.0, 89.0], [45.0, 89.0], [-45.0, 89.0]])


def scene(crs: str | None = "EPSG:32631", x: float = 600_000, size: float = 10, **fields: object) -> Scene:
    grid = GeoBox(crs=crs, transform=(size, 0, x, 0, -size, 5_700_000), height=192, width=256)
    return Scene(id="t-1", name='<b>"T"</b>', grid=grid, bands=BAND_NAMES, date="2024-06-21", **fields)  # type: ignore[arg-type]


def features(ids: list[int], width: int = 6) -> Features:
    recipe = Recipe(scene_id="t-1", encoder="spectral", fingerprint="ab" * 32, cut=Cut.of(64))
    vectors = np.random.default_rng(0).random((len(ids), width), dtype=np.float32)
    bands = np.arange(13 * len(ids), dtype=np.float32).reshape(-1, 13)
    return Features(
        recipe=recipe, patch_ids=np.array(ids, dtype=np.int64), vectors=vectors,
        valid_fraction=np.linspace(0.5, 1, len(ids), dtype=np.float32), band_mean=bands, band_std=bands + 1,
    )  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Scene, PatchGrid, Features]:
    one, found = scene(), features([0, 1, 5, 11])
    path = tmp_path / "f.parquet"
    write_geoparquet(path, one, patch_grid(one), found, SPEC)
    return path, one, patch_grid(one), found


def test_the_file_holds_these_columns_and_values(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    path, _, _, found = written
    table = pq.read_table(path)
    assert table.column_names == COLUMNS
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 6)
    assert table.schema.field("patch_id").type == pa.int64()
    assert table["patch_id"].to_pylist() == [0, 1, 5, 11]
    assert table["scene"].to_pylist() == ["t-1"] * 4
    assert table["row"].to_pylist() == [0, 0, 1, 2]
    assert table["col"].to_pylist() == [0, 1, 1, 3]
    assert table["label"].null_count == table["source_name"].null_count == 4
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), found.vectors)
    np.testing.assert_array_equal(table["valid_fraction"].to_numpy(), found.valid_fraction)


def test_geometry_is_the_outline_of_each_patch(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    path, one, grid, found = written
    shapes = shapely.from_wkb(pq.read_table(path)["geometry"].to_pylist())
    corners = corners_lonlat(one, grid, found.patch_ids)
    assert corners is not None
    for shape, outline in zip(shapes, corners, strict=True):
        assert shape.geom_type == "Polygon"
        assert shape.is_valid
        assert shape.exterior.is_ccw
        assert shape.equals(shapely.Polygon(outline))


def test_geo_metadata_follow_geoparquet_1_1(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    metadata = pq.read_schema(written[0]).metadata
    geo = json.loads(metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["orientation"] == "counterclockwise"
    assert CRS.from_json_dict(column["crs"]).to_epsg() == 4326
    shapes = shapely.from_wkb(pq.read_table(written[0])["geometry"].to_pylist())
    np.testing.assert_allclose(column["bbox"], shapely.total_bounds(shapes), rtol=1e-12)


def test_landlike_metadata_tell_encoder_scene_and_patches(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    about = json.loads(pq.read_schema(written[0]).metadata[b"landlike"])
    assert EncoderSpec(**about["encoder"] | {"bands": tuple(about["encoder"]["bands"])}) == SPEC
    assert about["scene"]["id"] == "t-1"
    assert about["scene"]["name"] == '<b>"T"</b>'
    assert about["scene"]["grid"]["crs"] == "EPSG:32631"
    assert about["patches"] == {"size": 64, "stride": 64, "rows": 3, "cols": 4}
    assert "/" not in json.dumps(about["scene"] | {"name": ""}), "no path of this machine"


def test_reading_gives_back_what_was_written(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    path, one, grid, found = written
    back = read_geoparquet(path)
    np.testing.assert_array_equal(back.patch_ids, found.patch_ids)
    np.testing.assert_array_equal(back.vectors, found.vectors)
    assert not back.vectors.flags.writeable
    np.testing.assert_allclose(back.lonlat, centres_lonlat(one, grid, found.patch_ids), atol=1e-9)
    assert back.spec == json.loads(SPEC.to_json())
    assert back.scene["id"] == "t-1"
    assert back.positions is None
    assert back.position(5) == 2
    with pytest.raises(PatchError, match=r"^Looking up patch 6: the file holds 4 patches and not this one; .+\.$"):
        back.position(6)


def test_a_scene_without_a_place_has_no_geometry(tmp_path: Path) -> None:
    one = scene(crs=None)
    write_geoparquet(tmp_path / "f.parquet", one, patch_grid(one), features([0, 1]), SPEC)
    table = pq.read_table(tmp_path / "f.parquet")
    assert table["geometry"].null_count == 2
    column = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    assert column["geometry_types"] == []
    assert "bbox" not in column
    assert read_geoparquet(tmp_path / "f.parquet").lonlat is None


def test_labels_come_from_the_truth(tmp_path: Path) -> None:
    truth = np.zeros((192, 256), dtype=np.uint16)
    truth[:64, 64:128], truth[64:128, 64:128] = 2, 1
    write_truth(tmp_path / "truth.tif", truth)
    one = replace(scene(classes=("Forest", "=River")), directory=tmp_path)
    write_geoparquet(tmp_path / "f.parquet", one, patch_grid(one), features([0, 1, 5]), SPEC)
    assert pq.read_table(tmp_path / "f.parquet")["label"].to_pylist() == [None, "=River", "Forest"]


def collection(directory: Path) -> Scene:
    """Three patches in a mosaic of four: one placed, one across the antimeridian, one without a place."""
    corners = np.stack([SQUARE, ACROSS, np.full((4, 2), np.nan), np.full((4, 2), np.nan)])
    table = {
        "patch_id": pa.array(range(4), pa.int64()),
        "source_name": ["a/Forest_1.tif", "b.tif", "c.tif", ""],
        "label": pa.array([None] * 4, pa.string()),
        "corners": pa.FixedSizeListArray.from_arrays(pa.array(corners.ravel()), 8),
        "crs": pa.array(["EPSG:32631"] * 4),
    }
    pq.write_table(pa.table(table), directory / "places.parquet")
    grid = GeoBox(crs=None, transform=(1, 0, 0, 0, 1, 0), height=128, width=128)
    return replace(scene(), grid=grid, kind="collection", patch_size=64, directory=directory)


def test_a_collection_keeps_file_names_and_the_place_of_each_patch(tmp_path: Path) -> None:
    one = collection(tmp_path)
    path = tmp_path / "f.parquet"
    write_geoparquet(path, one, patch_grid(one), features([0, 1, 2]), SPEC)
    table = pq.read_table(path).sort_by("patch_id")
    assert table["source_name"].to_pylist() == ["a/Forest_1.tif", "b.tif", "c.tif"]
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    assert [None if shape is None else shape.geom_type for shape in shapes] == ["Polygon", "MultiPolygon", None]
    column = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    assert column["geometry_types"] == ["MultiPolygon", "Polygon"]
    back = read_geoparquet(path)
    np.testing.assert_allclose(back.lonlat, [[10.5, 49.5], [-180, 49.5], [np.nan, np.nan]], atol=1e-9)


def test_positions_are_added_and_all_else_is_kept(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    path, _, _, found = written
    xy = np.arange(8, dtype=np.float32).reshape(4, 2)
    add_positions(path, path, xy + 50)
    add_positions(path, path.with_name("g.parquet"), xy)
    table = pq.read_table(path.with_name("g.parquet"))
    assert table.column_names == [*COLUMNS, "x", "y"]
    assert table.schema.metadata == pq.read_schema(path).metadata
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 6)
    back = read_geoparquet(path.with_name("g.parquet"))
    np.testing.assert_array_equal(back.positions, xy)
    np.testing.assert_array_equal(back.vectors, found.vectors)
    np.testing.assert_array_equal(back.band_mean, found.band_mean)
    np.testing.assert_array_equal(back.band_std, found.band_std)
    assert json.loads(table.schema.metadata[b"geo"])["version"] == "1.1.0"


def test_positions_of_another_number_are_refused(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    with pytest.raises(StoreError, match="there are 3 positions for 4 patches"):
        add_positions(written[0], written[0], np.zeros((3, 2), dtype=np.float32))


FULL = "the disk is full; free some space or choose another place"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), FULL),
        (OSError("Error writing bytes to file. Detail: [errno 28] No space left on device"), FULL),
        (OSError("Error writing bytes to file. Detail: [errno 122] Disk quota exceeded"), FULL),
        (OSError("Error writing bytes to file. Detail: [errno 5] x"), "input/output error; choose another place"),
        (OSError("Something else."), "something else; choose another place"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file_and_no_other(
    written: tuple[Path, Scene, PatchGrid, Features], monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    path, one, grid, found = written
    before = path.read_bytes()

    def full(_table: pa.Table, where: Path, **_: object) -> None:
        where.write_bytes(b"PAR1")
        raise error

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(StoreError, match=rf"^Writing “f\.parquet”: {words}\.$"):
        write_geoparquet(path, one, grid, found, SPEC)
    assert path.read_bytes() == before
    assert [child.name for child in path.parent.iterdir()] == ["f.parquet"]


def test_writing_into_a_missing_directory_is_one_sentence(tmp_path: Path) -> None:
    one = scene()
    with pytest.raises(StoreError, match=r"^Writing “f\.parquet”: .+; choose another place\.$"):
        write_geoparquet(tmp_path / "none" / "f.parquet", one, patch_grid(one), features([0]), SPEC)


def save(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        pq.write_table(change(pq.read_table(path)), path)

    return apply


def swap(name: str, values: object) -> Callable[[Path], None]:
    return save(lambda table: table.set_column(table.column_names.index(name), name, pa.array(values)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda path: path.unlink(), "there is no such file"),
        (lambda path: path.write_bytes(b""), "no Parquet file"),
        (lambda path: path.write_text("hello"), "no Parquet file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-50]), "no Parquet file"),
        (lambda path: path.write_bytes(path.read_bytes()[:4] + bytes(400) + path.read_bytes()[404:]), "damaged"),
        (save(lambda table: table.drop_columns(["vector"])), "it has no column vector"),
        (save(lambda table: table.slice(0, 0)), "there are no rows"),
        (swap("vector", [[1.0], [1.0, 2.0], [1.0], [1.0]]), "the vectors differ in length"),
        (swap("vector", [[1.0], None, [1.0], [1.0]]), "a vector is missing"),
        (swap("vector", [[1.0], [float("nan")], [1.0], [1.0]]), "not a finite number"),
        (swap("vector", [[1.0], [None], [1.0], [1.0]]), "not a finite number"),
        (swap("vector", [["a"], ["b"], ["c"], ["d"]]), "not features"),
        (swap("vector", [1.0, 2.0, 3.0, 4.0]), "the vectors are not lists"),
        (swap("band_mean", [[1.0, 2.0]] * 4), "band_mean has 2 bands"),
        (swap("patch_id", [1, 1, 2, 3]), "some patch ids occur twice"),
        (swap("patch_id", [1, None, 2, 3]), "not features"),
        (swap("patch_id", ["a", "b", "c", "d"]), "not features"),
        (swap("geometry", [b"", b"", b"", b""]), "a geometry is no WKB, or it is cut off"),
        (swap("geometry", [b"\1\3\0\0\0\1\0\0\0\xff\xff\xff\x7f"] * 4), "a geometry is no WKB, or it is cut off"),
        (swap("geometry", [b"\1\6\0\0\0\1\0\0\0"] * 4), "a geometry is no WKB, or it is cut off"),
        (save(lambda table: table.replace_schema_metadata({"landlike": "{"})), "not features"),
        (save(lambda table: table.replace_schema_metadata({"landlike": "[]"})), "not features"),
    ],
)
def test_damaged_files_are_one_sentence(
    written: tuple[Path, Scene, PatchGrid, Features], damage: Callable[[Path], None], found: str
) -> None:
    damage(written[0])
    with pytest.raises(StoreError) as caught:
        read_geoparquet(written[0])
    sentence = str(caught.value)
    assert sentence.startswith("Reading “f.parquet”: ")
    assert found in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_vectors_as_ordinary_lists_and_doubles_are_read(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    swap("vector", [[1.0, 2.0]] * 4)(written[0])
    assert read_geoparquet(written[0]).vectors.tolist() == [[1.0, 2.0]] * 4


def test_rows_without_ids_are_numbered(written: tuple[Path, Scene, PatchGrid, Features]) -> None:
    save(lambda table: table.drop_columns(["patch_id"]))(written[0])
    assert read_geoparquet(written[0]).patch_ids.tolist() == [0, 1, 2, 3]


def test_a_file_of_another_program_says_what_it_lacks() -> None:
    path = shared("embeddings/03WVN_20220610_20220610_v001.gpq")
    with pytest.raises(StoreError, match="it has no column patch_id and no column vector; give a file that"):
        read_geoparquet(path)


def test_values_are_columns_of_a_file_of_features(tmp_path: Path) -> None:
    one, path = scene(), tmp_path / "f.parquet"
    values = {"ndvi": np.array([0.5, np.nan], np.float32)}
    write_geoparquet(path, one, patch_grid(one), features([0, 1]), SPEC, values=values)
    assert pq.read_table(path).column("ndvi").to_pylist() == [0.5, None]
    assert len(read_geoparquet(path)) == 2


def test_outlines_in_metres_of_another_programs_file_come_in_degrees(tmp_path: Path) -> None:
    boxes = [shapely.box(600_000 + 640 * at, 5_700_000, 600_640 + 640 * at, 5_700_640) for at in range(3)]
    frame = geopandas.GeoDataFrame({"vector": [[1.0, 0.0]] * 3}, geometry=boxes, crs="EPSG:32631")
    frame.to_parquet(tmp_path / "utm.parquet")
    found = read_geoparquet(tmp_path / "utm.parquet")
    expected = frame.geometry.centroid.to_crs(4326)
    assert found.lonlat is not None
    np.testing.assert_allclose(found.lonlat, np.stack([expected.x, expected.y], axis=1), atol=1e-5)
    np.testing.assert_allclose(file_rows(found).columns["area_ha"], 40.96, rtol=2e-3)
