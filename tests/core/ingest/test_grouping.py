"""Which files make one source: the page and the child decide it by the same functions, so they agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ingest.files import FileShelf, SourceFiles
from core.ingest.formats.arrays.numpy_file import NumpyArray
from core.ingest.formats.band_files import BandFiles
from core.ingest.formats.class_folders import MAX_PATCH_BYTES, ClassFolders
from core.ingest.grouping import MOST_SCENES, kind_of, sources_of
from core.ingest.settings import IngestSettings


def written(folder: Path, names: list[str], size: int = 10) -> list[Path]:
    """Files of a size; the bytes take no room on the disk."""
    folder.mkdir(exist_ok=True)
    for name in names:
        with (folder / name).open("wb") as file:
            file.truncate(size)
    return [folder / name for name in names]


def kind(paths: list[Path], settings: IngestSettings | None = None) -> type:
    """The kind that the child finds."""
    shelf = FileShelf(paths, [path.name for path in paths])
    files = SourceFiles(name="x", shelf=shelf, members=tuple(shelf.members), settings=settings or IngestSettings())
    return type(kind_of(files))


def test_zips_and_arrays_are_scenes_of_their_own_and_band_files_belong_together() -> None:
    paths = [Path(name) for name in ("a.zip", "B02.tif", "x.NPY", "B03.tif")]
    assert sources_of(paths) == [[Path("a.zip")], [Path("x.NPY")], [Path("B02.tif"), Path("B03.tif")]]


def test_a_file_that_is_not_read_is_refused_by_itself() -> None:
    bands, cube = [Path("B02.tif"), Path("B03.tif")], Path("months.nc")
    assert sources_of([cube, *bands]) == [[cube], bands]


def test_cubes_of_several_dates_or_of_a_band_each_are_one_source() -> None:
    dates = [Path("farm_2021-05-01.nc"), Path("farm_2021-06-01.nc")]
    bands = [Path(f"S2_B0{number}.nc") for number in (2, 3, 4)]
    assert sources_of([*dates, Path("other.nc"), *bands]) == [dates, [Path("other.nc")], bands]
    assert sources_of([Path("B02.nc"), Path("S2_B02.nc")]) == [[Path("B02.nc")], [Path("S2_B02.nc")]]


def test_scenes_sent_together_are_a_scene_each_so_that_a_bad_one_harms_no_other() -> None:
    whole = [Path("good.tif"), Path("text.tif"), Path("more.tif")]
    assert sources_of(whole) == [[path] for path in whole]
    assert sources_of([*whole, Path("B02.tif"), Path("B03.tif")]) == [
        *([path] for path in whole),
        [Path("B02.tif"), Path("B03.tif")],
    ]


def test_files_whose_bands_were_named_belong_together() -> None:
    paths = [Path("one.tif"), Path("two.tif")]
    assert sources_of(paths, ("B02", "B03")) == [paths]


def test_one_scene_comes_with_its_table() -> None:
    pair = [Path("scene.tif"), Path("labels.csv")]
    assert sources_of(pair) == [pair]


def test_many_small_rasters_are_a_collection_for_the_page_and_for_the_child(tmp_path: Path) -> None:
    many = written(tmp_path, [f"field {number}.tif" for number in range(30)])
    assert sources_of(many) == [many]
    assert kind(many) is ClassFolders


def test_a_few_small_rasters_with_a_table_are_a_collection(tmp_path: Path) -> None:
    """But no dates of a place, no large rasters, none with a table of their own, and no two."""
    few = written(tmp_path, [*(f"field {number}.tif" for number in range(3)), "classes.csv"])
    assert sources_of(few) == [few]
    assert kind(few) is ClassFolders
    assert sources_of(few[:3]) == [[path] for path in few[:3]]
    assert len(sources_of(few[1:])) == 3
    assert len(sources_of([*few[:3], few[0].with_suffix(".csv")], size=lambda _path: 10)) == 3
    assert len(sources_of(few, size=lambda _path: 2**22)) == 4
    dates = [Path(f"site_2019-0{month}-05.tif") for month in (4, 5, 6)]
    assert sources_of([*dates, few[3]], size=lambda _path: 10) == [dates, [few[3]]]


def test_a_few_band_files_among_patches_are_left_to_the_collection(tmp_path: Path) -> None:
    many = written(tmp_path, [*(f"field {number}.tif" for number in range(30)), "B02.tif", "B03.tif", "notes.txt"])
    assert sources_of(many) == [many]
    assert kind(many) is ClassFolders


def test_many_whole_rasters_that_can_be_no_patches_are_a_scene_each(tmp_path: Path) -> None:
    whole = written(tmp_path, [f"scene_{number}.tif" for number in range(MOST_SCENES + 3)], MAX_PATCH_BYTES + 1)
    bands = written(tmp_path, [f"B0{number}.tif" for number in range(2, 7)])
    assert sources_of(whole) == [[path] for path in whole]
    assert sources_of([*whole, *bands]) == [*([path] for path in whole), bands]
    assert kind(bands) is BandFiles


def test_what_the_page_parts_is_of_one_kind_for_the_child(tmp_path: Path) -> None:
    array = tmp_path / "dates.npy"
    array.write_bytes(b"\x93NUMPY and more")
    paths = [array, *written(tmp_path, ["one.tif", "two.tif", "S2_B02.jp2", "S2_B03.jp2", "MTD_TL.xml"])]
    sources = sources_of(paths)
    assert [[path.name for path in source] for source in sources] == [
        ["dates.npy"],
        ["one.tif"],
        ["two.tif"],
        ["S2_B02.jp2", "S2_B03.jp2", "MTD_TL.xml"],
    ]
    assert [kind(source) for source in sources] == [NumpyArray, BandFiles, BandFiles, BandFiles]


def test_files_as_many_as_the_named_bands_are_one_scene(tmp_path: Path) -> None:
    paths = written(tmp_path, [f"layer_{number}.tif" for number in range(4)])
    assert kind(paths) is ClassFolders
    assert kind(paths, IngestSettings(bands=("B02", "B03", "B04", "B08"))) is BandFiles


def test_shards_of_one_export_are_one_source(tmp_path: Path) -> None:
    shards = [tmp_path / f"m-0000000000-{col:010d}.tif" for col in (0, 256)]
    other = tmp_path / "whole.tif"
    for path in (*shards, other):
        path.write_bytes(b"x")
    assert sources_of([*shards, other]) == [shards, [other]]


def test_dates_of_one_place_are_one_source() -> None:
    names = ["S2A_20190405T101031_T33TUL.tif", "S2B_20190410T101029_T33TUL.tif", "S2A_20190405T101031_T33TVL.tif"]
    first, second, elsewhere = [Path(name) for name in names]
    assert sources_of([first, second, elsewhere]) == [[first, second], [elsewhere]]


def test_one_date_twice_is_no_series() -> None:
    twice = [Path("site_2019-04-05T101031.tif"), Path("site_2019-04-05.tif"), Path("site_2019-06-20.tif")]
    assert sources_of(twice) == [[path] for path in twice]


def test_band_files_of_several_scenes_chosen_together_are_a_scene_each() -> None:
    patches = [
        [Path(f"S2A_MSIL2A_20170617T113321_{place}_{rest}") for rest in ("B02.tif", "B03.tif", "labels_metadata.json")]
        for place in ("36_85", "4_55")
    ]
    plain = [Path("B02.tif"), Path("B03.tif"), Path("B04.tif")]
    marsh, delta = ([Path(f"{name}_{band}.tif") for band in ("B02", "B03")] for name in ("marsh", "delta"))
    everything = [*patches[0], *plain, *marsh, *patches[1], *delta]
    assert sources_of(everything) == [patches[0], plain, marsh, patches[1], delta]


@pytest.mark.parametrize(
    "names",
    [
        ("T33TUL_20190405T101031_B02.jp2", "T33TUL_20190405T101031_B03.jp2", "T33TVL_20190405T101031_B02.jp2",
         "T33TVL_20190405T101031_B03.jp2"),
        ("S2A_20190405_B02.tif", "S2A_20190405_B03.tif", "S2B_20190410_B02.tif", "S2B_20190410_B03.tif", "MTD_TL.xml"),
        ("x_B02_10m.tif", "x_B03_10m.tif", "x_B02_20m.tif", "x_B03_20m.tif", "x_SCL_20m.tif"),
        ("a_FRE_B2.tif", "a_FRE_B3.tif", "a_SRE_B2.tif", "a_SRE_B3.tif"),
        ("t_0_0_B02.tif", "t_0_0_B03.tif", "t_0_1_B02.tif", "t_0_1_B03.tif"),
        ("blue.tif", "green.tif", "red.tif", "red_edge_1.tif", "nir narrow.tif"),
        ("x_B02.tif", "y_B03.tif", "z_B04.tif", "z_B02.tif"),
    ],
    ids=["tiles", "dates", "sizes of pixels", "processing", "numbered tiles", "common names", "one band twice"],
)  # fmt: skip
def test_band_files_of_one_scene_or_series_stay_together(names: tuple[str, ...]) -> None:
    paths = [Path(name) for name in names]
    assert sources_of(paths) == [paths]


def test_what_is_named_after_a_whole_raster_goes_with_it() -> None:
    marsh = [Path(name) for name in ("marsh.tif", "marsh.tfw", "marsh.tif.aux.xml")]
    delta = [Path(name) for name in ("delta_BOA_10.tif", "delta_SCL_10.tif")]
    twin, bands = [Path("delta_TOA.tif")], [Path("alps_B02.tif"), Path("alps_B03.tif"), Path("alps_SCL.tif")]
    assert sources_of([*marsh, *delta, *twin, *bands]) == [marsh, delta, twin, bands]
