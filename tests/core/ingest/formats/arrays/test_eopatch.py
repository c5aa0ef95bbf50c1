"""Patches of eo-learn: arrays packed by gzip, their dates, the box that places them, the mask of their data."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.boundary import ingest_all
from core.ingest.files import FileShelf, SourceFiles
from core.ingest.formats.arrays.eopatch import place_beside
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import UTM, land, read_scene

pytestmark = pytest.mark.usefixtures("here")
DATES = ("2019-04-05", "2019-06-20")
BOX = [[400_000, 4_999_360], [400_000, 5_000_000], [400_800, 5_000_000], [400_800, 4_999_360], [400_000, 4_999_360]]


def save(path: Path, array: NDArray[np.generic], packed: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def patch(folder: Path, *, packed: bool = True, crs: str | None = "urn:ogc:def:crs:EPSG::32633") -> Path:
    """Two dates of thirteen bands; of the second the first ten rows hold no data, and numbers all the same."""
    bands = np.stack([np.moveaxis(land(), 0, -1) + 50 * n for n in range(2)]).astype(np.float32) / 10_000
    there = np.ones((2, 64, 80, 1), dtype=bool)
    there[1, :10] = False
    save(folder / "data" / "BANDS.npy", bands, packed)
    save(folder / "data" / "CLP.npy", np.zeros((2, 64, 80, 1), dtype=np.uint8), packed)
    save(folder / "mask" / "IS_DATA.npy", there, packed)
    (folder / "timestamps.json").write_text(json.dumps([f"{date}T10:46:31" for date in DATES]))
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [BOX]}}
    document = {"type": "FeatureCollection", "features": [feature]}
    if crs is not None:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    (folder / "bbox.geojson").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize("how", ["packed", "plain", "zip"])
def test_a_patch_has_its_dates_its_place_and_its_mask(tmp_path: Path, library: Library, how: str) -> None:
    source = patch(tmp_path / "eopatch_1", packed=how != "plain")
    if how == "zip":
        source = Path(shutil.make_archive(str(source), "zip", source.parent, source.name))
    scenes = ingest_all([source], library)
    assert [scene.date for scene in scenes] == list(DATES)
    for n, scene in enumerate(scenes):
        assert (scene.grid.crs, scene.grid.transform) == (UTM, (10, 0, 400_000, 0, -10, 5_000_000))
        expected = land() + 50 * n
        expected[:, : 10 * n] = 0
        np.testing.assert_array_equal(read_scene(scene.directory), expected)
    told = {line.topic: line.value for line in load_quality(scenes[1].directory).findings}
    assert (told["mask"], told["left out"]) == ("IS_DATA.npy", "CLP.npy")


def test_a_box_of_degrees_without_a_reference_system(tmp_path: Path, library: Library) -> None:
    folder = patch(tmp_path / "eopatch_1", crs=None)
    text = (folder / "bbox.geojson").read_text()
    for metres, degrees in (("400000", "13.0"), ("400800", "13.001"), ("4999360", "45.0"), ("5000000", "45.0006")):
        text = text.replace(metres, degrees)
    (folder / "bbox.geojson").write_text(text)
    scene = ingest_all([folder], library)[0]
    assert scene.grid.crs == "EPSG:4326"
    assert scene.grid.transform[2] == 13.0
    assert scene.grid.transform[5] == 45.0006


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}',
        '{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}',
        '{"type": "Polygon", "coordinates": [[[0, 0], [NaN, 0], [NaN, 1], [0, 1], [0, 0]]]}',
        '{"type": "Polygon", "crs": {"properties": {"name": "EPSG:99999"}}, "coordinates": %s}',
        '{"type": "Polygon", "crs": {"properties": 3}, "coordinates": %s}',
        "[" * 100_000,
    ],
)
def test_a_box_that_is_none_places_nothing(tmp_path: Path, text: str) -> None:
    upright = "[[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]"
    assert placed(tmp_path, f'{{"type": "Polygon", "coordinates": {upright}}}') == ("EPSG:4326", 0.0, 1.0)
    assert placed(tmp_path, text.replace("%s", upright)) is None


def placed(folder: Path, text: str) -> tuple[str | None, float, float] | None:
    """Place an array of 64 × 80 by a text beside it; its reference system, its west and its north, if anything."""
    paths = [folder / "BANDS.npy", folder / "bbox.geojson"]
    paths[0].touch()
    paths[1].write_text(text)
    shelf = FileShelf(paths, ["a/data/BANDS.npy", "a/bbox.geojson"])
    files = SourceFiles(name="a", shelf=shelf, members=tuple(shelf.members), settings=IngestSettings())
    found = place_beside(files, next(member for member in shelf.members if member.suffix == ".npy"), 64, 80)
    return None if found is None else (found[0].crs, found[0].transform[2], found[0].transform[5])


@pytest.mark.parametrize(
    "mask",
    [
        np.ones((3, 64, 80, 1), dtype=bool),
        np.ones((2, 64, 80, 1), dtype=np.float32),
        np.array([None]),
    ],
)
def test_a_mask_of_another_shape_or_type_masks_nothing(
    tmp_path: Path, library: Library, mask: NDArray[np.generic]
) -> None:
    folder = patch(tmp_path / "eopatch_1", packed=False)
    np.save(folder / "mask" / "IS_DATA.npy", mask, allow_pickle=True)
    scenes = ingest_all([folder], library)
    np.testing.assert_array_equal(read_scene(scenes[1].directory), land() + 50)


def test_what_gzip_packed_badly_is_refused_in_a_sentence(tmp_path: Path, library: Library) -> None:
    whole = gzip.compress(bytes(66 * 2**20), compresslevel=1)
    for content, found in (
        (whole[:1000], "damaged or cut short"),
        (whole, "it unpacks to more than 64 MB, which is more than allowed"),
        (b"\x1f\x8b" + bytes(40), "damaged or cut short"),
    ):
        path = tmp_path / "stack.npy.gz"
        path.write_bytes(content)
        with pytest.raises(SourceError, match=found):
            ingest_all([path], library)
    assert library.scenes() == []
