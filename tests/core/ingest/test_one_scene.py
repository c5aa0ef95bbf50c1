"""Several files that are one scene, or several: shards and tiles, dates, and products twice in a folder."""

from __future__ import annotations

import datetime
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from core.errors import ScaleError, SourceError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import NORTH_UP, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")
FOUR = ("B02", "B03", "B04", "B08")
SCENE = land(FOUR, 96, 160)


def part(folder: Path, name: str, rows: slice, cols: slice, pixels: NDArray[np.uint16] = SCENE) -> Path:
    """Write a part of the scene at its place."""
    folder.mkdir(exist_ok=True)
    moved = NORTH_UP @ rasterio.Affine.translation(cols.start, rows.start)
    return write_tif(folder / name, pixels[:, rows, cols], FOUR, transform=moved)


def pixels_of(library: Library, scene: Scene) -> NDArray[np.uint16]:
    return read_scene(library.directory(scene.id))


def lines(library: Library, scene: Scene, topic: str) -> str:
    record = load_quality(library.directory(scene.id))
    return "\n".join(f"{line.value} — {line.because}" for line in record.findings if line.topic == topic)


def test_shards_of_unequal_width_are_one_scene(tmp_path: Path, library: Library) -> None:
    part(tmp_path / "site", "median-0000000000-0000000000.tif", slice(0, 96), slice(0, 96))
    part(tmp_path / "site", "median-0000000000-0000000096.tif", slice(0, 96), slice(96, 160))
    scene = ingest([tmp_path / "site"], library)
    np.testing.assert_array_equal(pixels_of(library, scene), SCENE)
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    assert "2 side by side" in lines(library, scene, "tiles")


def test_square_shards_in_a_zip_are_no_patches(tmp_path: Path, library: Library) -> None:
    names = []
    for row in (0, 48):
        for col in (0, 48, 96):
            name = f"median-{row:010d}-{col:010d}.tif"
            names.append(part(tmp_path / "site", name, slice(row, row + 48), slice(col, col + 48)))
    with zipfile.ZipFile(tmp_path / "median.zip", "w") as packed:
        for path in names:
            packed.write(path, path.name)
    scene = ingest([tmp_path / "median.zip"], library)
    assert scene.kind == "scene"
    np.testing.assert_array_equal(pixels_of(library, scene), SCENE[:, :, :144])


def test_tiles_that_overlap_and_one_that_is_missing(tmp_path: Path, library: Library) -> None:
    part(tmp_path / "site", "north_west.tif", slice(0, 60), slice(0, 90))
    part(tmp_path / "site", "north_east.tif", slice(0, 60), slice(80, 160))
    part(tmp_path / "site", "south_west.tif", slice(50, 96), slice(0, 90))
    scene = ingest([tmp_path / "site"], library)
    expected = SCENE.copy()
    expected[:, 60:, 90:] = 0
    np.testing.assert_array_equal(pixels_of(library, scene), expected)


def test_a_hole_between_shards_is_said(tmp_path: Path, library: Library) -> None:
    for row, col in ((0, 0), (0, 80), (48, 80)):
        part(tmp_path / "site", f"m-{row:010d}-{col:010d}.tif", slice(row, row + 48), slice(col, col + 80))
    scene = ingest([tmp_path / "site"], library)
    assert (pixels_of(library, scene)[:, 48:, :80] == 0).all()
    assert "25.0% of their rectangle none of them covers, which is no data" in lines(library, scene, "tiles")


def test_band_files_of_neighbouring_tiles(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for tile, cols in (("T33TUL", slice(0, 90)), ("T33TVL", slice(80, 160))):
        moved = NORTH_UP @ rasterio.Affine.translation(cols.start, 0)
        for n, band in enumerate(FOUR):
            name = f"{tile}_20190405T101031_{band}.tif"
            write_tif(tmp_path / "site" / name, SCENE[n : n + 1, :, cols], transform=moved)
    scene = ingest([tmp_path / "site"], library)
    np.testing.assert_array_equal(pixels_of(library, scene), SCENE)
    assert scene.date == "2019-04-05"


def two_dates(folder: Path) -> Path:
    folder.mkdir()
    for date, width in (("20190405", 79), ("20190620", 80)):
        for band in FOUR:
            pixels = land([band])[:, :, :width] + (0 if width == 79 else 100)
            write_tif(folder / f"T33TVM_{date}T101031_{band}.tif", pixels.astype(np.uint16))
    return folder


def test_several_dates_are_named(tmp_path: Path, library: Library) -> None:
    folder = two_dates(tmp_path / "site")
    with pytest.raises(SourceError, match="its files are of 2 dates, 2019-04-05, 2019-06-20; open one scene at a time"):
        ingest([folder], library)


def test_several_dates_are_a_series_of_scenes(tmp_path: Path, library: Library) -> None:
    folder = two_dates(tmp_path / "site")
    first, second = ingest_all([folder], library)
    np.testing.assert_array_equal(pixels_of(library, first), land(FOUR)[:, :, :79])
    np.testing.assert_array_equal(pixels_of(library, second), land(FOUR) + 100)
    assert [(scene.date, scene.name) for scene in (first, second)] == [
        ("2019-04-05", "site, 2019-04-05"),
        ("2019-06-20", "site, 2019-06-20"),
    ]
    assert first.series is not None
    assert first.series.name == "site"
    assert (first.series.index, first.series.count) == (0, 2)
    assert second.series == replace(first.series, index=1)
    assert "date 1 of 2; the other is 2019-06-20" in lines(library, first, "series")
    assert "the names of its files or bands say so" in lines(library, first, "date")
    assert "they are of another date, 2019-04-05" in lines(library, second, "left out")
    assert [scene.id for scene in library.series(first.series.id)] == [first.id, second.id]


def test_a_series_is_read_once_and_a_chosen_date_is_one_of_its_scenes(tmp_path: Path, library: Library) -> None:
    folder = two_dates(tmp_path / "site")
    chosen = ingest([folder], library, IngestSettings(date="2019-06-20"))
    first, second = ingest_all([folder], library)
    assert second == chosen
    assert ingest_all([folder], library) == [first, second]
    assert len(library.scenes()) == 2


def test_a_date_under_cloud_is_written_as_the_others_are(tmp_path: Path, library: Library) -> None:
    """Whether its bright numbers hold the offset of 0.1 its own pixels do not tell."""
    paths = []
    for month, cloud in ((4, 0), (5, 5000), (6, 0)):
        pixels = (land(FOUR) + cloud).astype(np.uint16)
        paths.append(write_tif(tmp_path / f"site_2019-0{month}-05.tif", pixels, FOUR))
    with pytest.raises(ScaleError, match="may hold an offset of 0"):
        ingest(paths[1:2], library)
    scenes = ingest_all(paths, library)
    assert [scene.date for scene in scenes] == ["2019-04-05", "2019-05-05", "2019-06-05"]
    np.testing.assert_array_equal(pixels_of(library, scenes[1]), land(FOUR) + 5000)
    assert "reflectance × 10,000 — the other dates of the series" in lines(library, scenes[1], "scale")


def test_a_date_that_cannot_be_opened_is_left_out_with_its_reason(tmp_path: Path, library: Library) -> None:
    folder = two_dates(tmp_path / "site")
    broken = folder / "T33TVM_20190620T101031_B03.tif"
    broken.write_bytes(broken.read_bytes()[:300])
    (scene,) = ingest_all([folder], library)
    assert scene.date == "2019-04-05"
    told = lines(library, scene, "left out")
    assert "2019-06-20 — this date of the series could not be opened" in told
    assert "“T33TVM_20190620T101031_B03.tif”: the file is damaged or cut short" in told
    for path in folder.glob("*20190405*"):
        path.write_bytes(b"II*\x00")
    with pytest.raises(SourceError, match="none of its 2 dates can be opened, the first because"):
        ingest_all([folder], library)


def test_more_dates_than_are_opened_at_once(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for day in range(300):
        date = datetime.date(2019, 1, 1) + datetime.timedelta(days=day)
        (tmp_path / "site" / f"{date:%Y%m%d}_B02.tif").write_bytes(b"II*\x00")
    with pytest.raises(SourceError, match=r"of 300 dates, 2019-01-01, .* and no more than 100 are opened at once"):
        ingest_all([tmp_path / "site"], library)


def test_an_array_of_dates_is_a_series(tmp_path: Path, library: Library) -> None:
    array = np.stack([np.moveaxis(land(height=64), 0, -1) + 50 * n for n in range(3)])
    np.save(tmp_path / "site.npy", array.astype(np.uint16))
    scenes = ingest_all([tmp_path / "site.npy"], library)
    assert [scene.name for scene in scenes] == [f"site, date {n} of 3" for n in (1, 2, 3)]
    for n, scene in enumerate(scenes):
        np.testing.assert_array_equal(pixels_of(library, scene), land() + 50 * n)
    assert ingest([tmp_path / "site.npy"], library) == scenes[0]
    assert ingest([tmp_path / "site.npy"], library, IngestSettings(time=2)) == scenes[2]
    assert ingest_all([tmp_path / "site.npy"], library) == scenes


def test_scenes_of_a_series_whose_names_state_two_days_have_no_date(tmp_path: Path, library: Library) -> None:
    for days in ("2019-04-05_2019-04-20", "2019-06-20_2019-07-05"):
        for n, band in enumerate(FOUR):
            part_of_name = tmp_path / "site" / f"field_{days}_{band}.tif"
            part_of_name.parent.mkdir(exist_ok=True)
            write_tif(part_of_name, land(FOUR)[n : n + 1], (band,))
    first, second = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in (first, second)] == [None, None]
    assert (first.series and first.series.index, second.series and second.series.index) == (0, 1)
    assert "states 2019-04-05 and 2019-04-20, and not which" in lines(library, first, "date")


def test_whole_rasters_of_a_place_at_several_dates_are_no_patches(tmp_path: Path, library: Library) -> None:
    for n, name in enumerate(("S2A_20190405T101031.tif", "S2B_20190410T101029.tif", "S2A_20190620T101031.tif")):
        (tmp_path / "site").mkdir(exist_ok=True)
        write_tif(tmp_path / "site" / name, (land(FOUR)[:, :, :64] + 10 * n).astype(np.uint16), FOUR)
    scenes = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in scenes] == ["2019-04-05", "2019-04-10", "2019-06-20"]
    for n, scene in enumerate(scenes):
        np.testing.assert_array_equal(pixels_of(library, scene), land(FOUR)[:, :, :64] + 10 * n)


def test_patches_of_several_places_and_dates_are_a_collection(tmp_path: Path, library: Library) -> None:
    for n, name in enumerate(("20190405_7.tif", "20190410_8.tif", "20190620_9.tif")):
        part(tmp_path / "site", name, slice(0, 48), slice(48 * n, 48 * n + 48))
    assert ingest([tmp_path / "site"], library).kind == "collection"


@pytest.mark.parametrize(
    "folders", [("2019-04-05", "2019-06-20"), ("2019/04/05", "2019/06/20"), ("2019/4/5/0", "2019/6/20/0")]
)
def test_dates_may_be_folders(tmp_path: Path, library: Library, folders: tuple[str, str]) -> None:
    for n, date in enumerate(folders):
        (tmp_path / "site" / date).mkdir(parents=True)
        for band in FOUR:
            write_tif(tmp_path / "site" / date / f"{band}.tif", (land([band]) + 10 * n).astype(np.uint16))
    scenes = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in scenes] == ["2019-04-05", "2019-06-20"]
    np.testing.assert_array_equal(pixels_of(library, scenes[1]), land(FOUR) + 10)


def test_band_files_whose_bands_are_dates(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for band in FOUR:
        pixels = np.concatenate([land([band]), land([band]) + 50]).astype(np.uint16)
        write_tif(tmp_path / "site" / f"{band}.tif", pixels, ["2019-04-05", "2019-06-20"])
    scenes = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in scenes] == ["2019-04-05", "2019-06-20"]
    np.testing.assert_array_equal(pixels_of(library, scenes[1]), land(FOUR) + 50)


def test_one_of_several_dates_has_its_own_pixels(tmp_path: Path, library: Library) -> None:
    scene = ingest([two_dates(tmp_path / "site")], library, IngestSettings(date="2019-06-20"))
    np.testing.assert_array_equal(pixels_of(library, scene), land(FOUR) + 100)
    assert scene.date == "2019-06-20"
    assert "T33TVM_20190405T101031_B02.tif" in lines(library, scene, "left out")
    assert "they are of another date, 2019-04-05" in lines(library, scene, "left out")


def test_dates_in_the_names_of_bands(tmp_path: Path, library: Library) -> None:
    names = [f"{date}_{band}" for date in ("2019-04-05", "2019-06-20") for band in FOUR]
    path = write_tif(tmp_path / "series.tif", np.concatenate([land(FOUR), land(FOUR) + 100]).astype(np.uint16), names)
    with pytest.raises(SourceError, match="its bands are of 2 dates, 2019-04-05, 2019-06-20"):
        ingest([path], library)
    scene = ingest([path], library, IngestSettings(date="2019-04-05"))
    np.testing.assert_array_equal(pixels_of(library, scene), land(FOUR))


def test_a_band_twice_in_a_file_is_not_dropped(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "series.tif", np.concatenate([land(FOUR), land(FOUR)]), FOUR * 2)
    with pytest.raises(SourceError, match="its bands 1 and 5 are both called B02"):
        ingest([path], library)


def test_a_date_is_not_taken_from_a_file_that_is_left_out(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for band in FOUR:
        write_tif(tmp_path / "site" / f"clip_{band}.tif", land([band]))
    write_tif(tmp_path / "site" / "20200101_TCI.tif", land(["B04"]))
    scene = ingest(sorted((tmp_path / "site").iterdir()), library)
    assert scene.date is None


def test_theias_two_reflectances(tmp_path: Path, library: Library) -> None:
    stem = "SENTINEL2A_20190812-101508-123_L2A_T33TUL_C_V2-2"
    (tmp_path / "theia").mkdir()
    for n, band in enumerate(("B2", "B3", "B4", "B8")):
        for kind, more in (("FRE", 0), ("SRE", 50)):
            pixels = (land([FOUR[n]]) + more).astype(np.uint16)
            write_tif(tmp_path / "theia" / f"{stem}_{kind}_{band}.tif", pixels)
    scene = ingest([tmp_path / "theia"], library)
    np.testing.assert_array_equal(pixels_of(library, scene), land(FOUR))
    assert "corrected for slopes (FRE) are there" in lines(library, scene, "left out")


def test_acolites_two_reflectances(tmp_path: Path, library: Library) -> None:
    stem = "S2A_MSI_2019_06_20_10_10_29_T33TUL_L2R"
    (tmp_path / "water").mkdir()
    for n, light in enumerate((492, 560, 665, 833)):
        for kind, more in (("rhos", 0), ("rhot", 50)):
            pixels = (land([FOUR[n]]) + more).astype(np.uint16)
            write_tif(tmp_path / "water" / f"{stem}_{kind}_{light}.tif", pixels)
    write_tif(tmp_path / "water" / f"{stem}_rhot_945.tif", land(["B09"]))
    scene = ingest([tmp_path / "water"], library)
    assert (scene.bands, scene.level) == (FOUR, "L2A")
    np.testing.assert_array_equal(pixels_of(library, scene), land(FOUR))
    assert "_rhot_945.tif" in lines(library, scene, "left out")


def world(folder: Path, stem: str, crs: str | None) -> None:
    """Write a world file, which states the centre of the first pixel, and perhaps a .prj."""
    (folder / f"{stem}.tfw").write_text("10\n0\n0\n-10\n400005\n4999995\n")
    if crs:
        (folder / f"{stem}.prj").write_text(rasterio.crs.CRS.from_string(crs).to_wkt(version="WKT1_ESRI"))


@pytest.mark.parametrize(("crs", "chosen"), [("EPSG:32633", None), (None, "EPSG:32633"), (None, None)])
def test_world_files(tmp_path: Path, library: Library, crs: str | None, chosen: str | None) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "clip.tif", SCENE, FOUR, crs=None, transform=None)
    world(tmp_path / "site", "clip", crs)
    scene = ingest([tmp_path / "site"], library, IngestSettings(crs=chosen))
    assert scene.grid.crs == (crs or chosen)
    assert scene.grid.crs is None or scene.grid.transform == tuple(NORTH_UP)[:6]
    np.testing.assert_array_equal(pixels_of(library, scene), SCENE)


def test_a_world_file_of_nonsense_places_nothing(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "clip.tif", SCENE, FOUR, crs=None, transform=None)
    (tmp_path / "site" / "clip.tfw").write_text("ten\n0\n")
    scene = ingest([tmp_path / "site"], library)
    assert scene.grid.crs is None
    assert "does not hold six numbers" in lines(library, scene, "place")


@pytest.mark.parametrize("pattern", ["{image}_{band}", "{band}_{image}"])
def test_images_that_names_of_bands_only_count_are_scenes_without_dates(
    tmp_path: Path, library: Library, pattern: str
) -> None:
    names = [pattern.format(image=image, band=band) for image in (3, 4) for band in FOUR]
    write_tif(tmp_path / "bands.tif", np.concatenate([SCENE, SCENE + np.uint16(100)]), names)
    scenes = ingest_all([tmp_path / "bands.tif"], library)
    assert [(scene.date, scene.bands) for scene in scenes] == [(None, FOUR)] * 2
    for image, scene in enumerate(scenes):
        np.testing.assert_array_equal(pixels_of(library, scene), SCENE + 100 * image)
    assert lines(library, scenes[1], "series").startswith("image 2 of 2")


@pytest.mark.parametrize(
    ("other", "names", "why"),
    [
        (SCENE[:3], FOUR[:3], "differ in the number of bands, 4 and 3"),
        (SCENE, ("B02", "B03", "B04", "B8A"), "differ in the names of their bands"),
        (SCENE / np.float32(10_000), FOUR, "their numbers differ by a factor of 9.99e\\+03 where they meet"),
        (SCENE * np.uint16(6), FOUR, "their numbers differ by a factor of 6.* where they meet"),
        (SCENE.astype(np.int32) * 6, FOUR, "their numbers differ by a factor of 6.* where they meet"),
    ],
)
def test_tiles_that_hold_their_bands_otherwise_are_refused_for_that(
    tmp_path: Path, library: Library, other: NDArray[np.generic], names: tuple[str, ...], why: str
) -> None:
    part(tmp_path / "site", "a.tif", slice(0, 96), slice(0, 96))
    moved = NORTH_UP @ rasterio.Affine.translation(96, 0)
    write_tif(tmp_path / "site" / "b.tif", other[:, :, 96:], names, transform=moved)
    with pytest.raises(SourceError, match=f"“a.tif” and “b.tif” lie side by side, but {why}"):
        ingest([tmp_path / "site"], library)
