"""Rasters side by side: what none of them covers, tiles of two UTM zones, and products that do not go together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from core.errors import SourceError
from core.ingest.boundary import ingest, ingest_all
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import LAND, NORTH_UP, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")
FOUR = ("B02", "B03", "B04", "B08")
SCENE = land(FOUR, 96, 160)


def part(folder: Path, name: str, rows: slice, cols: slice, *, placed: bool = True) -> Path:
    """Write a part of the scene, at its place or without one."""
    folder.mkdir(parents=True, exist_ok=True)
    moved = NORTH_UP @ rasterio.Affine.translation(cols.start, rows.start)
    place = {"transform": moved} if placed else {"transform": None, "crs": None}
    return write_tif(folder / name, SCENE[:, rows, cols], FOUR, **place)


def bands(folder: Path, stem: str, pixels: NDArray[np.uint16] = SCENE, **place: object) -> None:
    """Write a file a band."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, band in enumerate(FOUR):
        write_tif(folder / f"{stem}_{band}.tif", pixels[n : n + 1], **place)


def lines(scene: Scene, topic: str) -> str:
    found = load_quality(scene.directory).findings
    return "\n".join(f"{line.basis}: {line.value} — {line.because}" for line in found if line.topic == topic)


def test_a_hole_is_said_where_tiles_overlap_too(tmp_path: Path, library: Library) -> None:
    part(tmp_path / "site", "nw.tif", slice(0, 60), slice(0, 90))
    part(tmp_path / "site", "ne.tif", slice(0, 60), slice(80, 160))
    part(tmp_path / "site", "sw.tif", slice(50, 96), slice(0, 80))
    scene = ingest([tmp_path / "site"], library)
    assert f"{36 * 80 / (96 * 160):.1%} of their rectangle none of them covers" in lines(scene, "tiles")
    assert (read_scene(scene.directory) == 0).all(axis=0).sum() == 36 * 80
    assert lines(scene, "tiles").startswith("warning")


def test_shards_need_not_touch_and_their_names_tell_of_those_before(tmp_path: Path, library: Library) -> None:
    for col in (40, 120):
        part(tmp_path / "site", f"m-{0:010d}-{col:010d}.tif", slice(0, 96), slice(col, col + 40))
    scene = ingest([tmp_path / "site"], library)
    expected = SCENE[:, :, 40:].copy()
    expected[:, :, 40:80] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), expected)
    assert "begin at row 0 and column 40, so some before are missing; 33.3% of their rectangle" in lines(scene, "tiles")


def test_shards_without_a_place_lie_where_their_names_say(tmp_path: Path, library: Library) -> None:
    for row, col in ((0, 80), (0, 0), (48, 0), (48, 80)):
        rows, cols = slice(row, row + 48), slice(col, col + 80)
        part(tmp_path / "site", f"m-{row:010d}-{col:010d}.tif", rows, cols, placed=False)
    scene = ingest([tmp_path / "site"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), SCENE)
    assert scene.grid.crs is None


@pytest.mark.parametrize(
    ("unit", "east", "south"),
    [(1, slice(80, 160), slice(0, 96)), (1, slice(60, 160), slice(0, 96)), (1e-4, slice(80, 160), slice(0, 96)),
     (1, slice(0, 160), slice(48, 96))],
    ids=["beside each other", "over each other", "fractions", "one above the other"],
)  # fmt: skip
def test_tiles_of_which_one_holds_the_offset_are_refused(
    tmp_path: Path, library: Library, unit: float, east: slice, south: slice
) -> None:
    first = np.s_[:, :, :80] if south == slice(0, 96) else np.s_[:, :48, :]
    scene = SCENE * np.float32(unit) if unit != 1 else SCENE
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "old.tif", scene[first], FOUR)
    moved = NORTH_UP @ rasterio.Affine.translation(east.start, south.start)
    lifted = (scene[:, south, east] + 1000 * unit).astype(scene.dtype)
    write_tif(tmp_path / "site" / "new.tif", lifted, FOUR, transform=moved)
    with pytest.raises(SourceError, match=r"“new\.tif” is brighter by 0\.10 than “old\.tif” where they meet, in every"):
        ingest([tmp_path / "site"], library)


def test_tiles_that_are_brighter_in_some_bands_only_are_one_scene(tmp_path: Path, library: Library) -> None:
    pixels = SCENE.copy()
    pixels[3, :, 80:] += 1000
    (tmp_path / "site").mkdir()
    for name, cols in (("west.tif", slice(0, 80)), ("east.tif", slice(80, 160))):
        moved = NORTH_UP @ rasterio.Affine.translation(cols.start, 0)
        write_tif(tmp_path / "site" / name, pixels[:, :, cols], FOUR, transform=moved)
    np.testing.assert_array_equal(read_scene(ingest([tmp_path / "site"], library).directory), pixels)


@pytest.mark.parametrize(
    ("order", "factor", "kind", "tags"),
    [
        ((3, 1, 0, 2), 1, "uint16", {}),
        ((0, 1, 2, 3), 1, "int16", {}),
        ((2, 1, 0, 3), 1, "float32", {"nodata": -9999.0}),
        ((0, 1, 2, 3), 2, "int32", {"scales": (0.00005,) * 4, "nodata": 7}),
        ((1, 0, 2, 3), 1e-4, "float64", {"scales": (1.0,) * 4, "offsets": (-0.1,) * 4}),
    ],
    ids=["order", "type", "fractions", "packing", "offset"],
)
def test_tiles_that_hold_the_same_bands_in_another_way_are_one_scene(
    tmp_path: Path, library: Library, order: tuple[int, ...], factor: float, kind: str, tags: dict[str, object]
) -> None:
    scales, offsets = tags.pop("scales", None), tags.pop("offsets", None)
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "west.tif", SCENE[:, :, :80], FOUR)
    east = SCENE[list(order), :, 80:].astype(float) * factor + (0.1 if offsets else 0)
    if "nodata" in tags:
        east[:, :10] = tags["nodata"]
    names = [FOUR[n] for n in order]
    moved = NORTH_UP @ rasterio.Affine.translation(80, 0)
    write_tif(tmp_path / "site" / "east.tif", east.astype(kind), names, transform=moved, **tags)
    for path, scale, offset in (("west.tif", (1e-4,) * 4, (0.0,) * 4), ("east.tif", scales, offsets or (0.0,) * 4)):
        if scales:
            with rasterio.open(tmp_path / "site" / path, "r+") as data:
                data.scales, data.offsets = scale, offset
    right = SCENE.astype(int)
    if "nodata" in tags:
        right[:, :10, 80:] = 0
    scene = ingest([tmp_path / "site"], library)
    assert np.abs(read_scene(scene.directory) - right).max() <= (1 if kind == "float64" else 0)
    assert "type, order or packing of their bands differ" in lines(scene, "tiles")


def test_tiles_of_two_sizes_of_pixels_are_no_copies_of_each_other(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    write_tif(tmp_path / "site" / "west.tif", SCENE[:, :, :80], FOUR)
    coarse = rasterio.Affine(20, 0, 400_800, 0, -20, 5_000_000)
    write_tif(tmp_path / "site" / "east.tif", SCENE[:, ::2, 80::2], FOUR, transform=coarse)
    with pytest.raises(SourceError, match="land side by side and in pixels of two sizes"):
        ingest([tmp_path / "site"], library)


def test_what_tiles_declare_to_be_no_data_does_not_count_where_they_meet(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    east, right = SCENE[:, :, 80:].copy(), SCENE.copy()
    east[:, :, :10], right[:, :, 80:90] = 65_535, 0
    write_tif(tmp_path / "site" / "west.tif", SCENE[:, :, :80], FOUR, nodata=0)
    moved = NORTH_UP @ rasterio.Affine.translation(80, 0)
    write_tif(tmp_path / "site" / "east.tif", east, FOUR, transform=moved, nodata=65_535)
    np.testing.assert_array_equal(read_scene(ingest([tmp_path / "site"], library).directory), right)


def test_tiles_that_do_not_touch_are_refused(tmp_path: Path, library: Library) -> None:
    part(tmp_path / "site", "west.tif", slice(0, 96), slice(0, 50))
    part(tmp_path / "site", "east.tif", slice(0, 96), slice(100, 150))
    with pytest.raises(SourceError, match="lie apart as if one between were missing; add what lies between"):
        ingest([tmp_path / "site"], library)


def seen(crs: str, left: float, top: float, width: int) -> NDArray[np.uint16]:
    """Pixels whose numbers tell where they lie in zone 33: a metre east is 0.1 more, one north 0.1 less."""
    x, y = np.meshgrid(left + 10 * np.arange(width) + 5, top - 10 * np.arange(120) - 5)
    x, y = Transformer.from_crs(crs, "EPSG:32633", always_xy=True).transform(x, y)
    place = (x - 699_000) / 10 + (5_000_000 - y) / 10
    return np.stack([LAND[band] + np.clip(place, -300, 600) for band in FOUR]).round().astype(np.uint16)


@pytest.mark.parametrize("kind", ["uint16", "int32"])
def test_tiles_of_two_utm_zones_are_laid_over_the_one_with_most_land(
    tmp_path: Path, library: Library, kind: str
) -> None:
    left, top = Transformer.from_crs("EPSG:32633", "EPSG:32634", always_xy=True).transform(699_800, 5_000_000)
    left, top = round(left / 10) * 10, round(top / 10) * 10
    west, east = seen("EPSG:32633", 699_000, 5_000_000, 100), seen("EPSG:32634", left, top, 60)
    bands(tmp_path / "site", "T34TBL_20190405T101031", east.astype(kind), crs="EPSG:32634", transform=at(left, top))
    bands(tmp_path / "site", "T33TXL_20190405T101031", west, crs="EPSG:32633", transform=at(699_000, 5_000_000))
    scene = ingest([tmp_path / "site"], library)
    assert scene.grid.crs == "EPSG:32633"
    assert "T34TBL_20190405T101031_B02.tif of another UTM zone were laid over EPSG:32633" in lines(scene, "tiles")
    got = read_scene(scene.directory).astype(float)
    a, _, c, _, e, f = scene.grid.transform
    rows, cols = np.mgrid[0 : scene.grid.height, 0 : scene.grid.width]
    place = (c + a * (cols + 0.5) - 699_000) / 10 + (5_000_000 - f - e * (rows + 0.5)) / 10
    valid = got[0] != 0
    assert valid.sum() > 0.95 * (west[0].size + 0.6 * east[0].size)
    for band, numbers in zip(FOUR, got, strict=True):
        # A pixel of the other zone is at most half a pixel off along each axis.
        assert np.abs(numbers - LAND[band] - np.clip(place, -300, 600))[valid].max() <= 1.6
    top_row, left_col = round((5_000_000 - f) / e), round((699_000 - c) / a)
    np.testing.assert_array_equal(got[:, top_row:, left_col:][:, :120, :100], west)


def at(left: float, top: float) -> rasterio.Affine:
    return rasterio.Affine(10, 0, left, 0, -10, top)


def product(folder: Path, level: str, baseline: str, tile: str, date: str = "20190405") -> Path:
    return folder / f"S2A_MSI{level}_{date}T101031_N{baseline}_R022_{tile}_{date}T130000.SAFE"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("L1C", "0207", "T33TUL"), ("L2A", "0211", "T33TUL"), "two products of one date and place"),
        (("L2A", "0211", "T33TUL"), ("L2A", "0500", "T33TUL"), "two products of one date and place"),
        (("L1C", "0207", "T33TUL"), ("L2A", "0211", "T33TVL"), "tiles of different levels"),
        (("L2A", "0211", "T33TUL"), ("L2A", "0500", "T33TVL"), "tiles of different baselines"),
    ],
)
def test_products_that_do_not_go_together(
    tmp_path: Path, library: Library, first: tuple[str, str, str], second: tuple[str, str, str], told: str
) -> None:
    for (level, baseline, tile), cols in ((first, slice(0, 80)), (second, slice(80, 160))):
        folder = product(tmp_path / "both", level, baseline, tile) / "GRANULE" / "IMG_DATA"
        moved = NORTH_UP @ rasterio.Affine.translation(cols.start if first[2] != second[2] else 0, 0)
        bands(folder, f"{tile}_20190405T101031", SCENE[:, :, cols], transform=moved)
    with pytest.raises(SourceError, match=f"it holds {told}.* open one product at a time"):
        ingest([tmp_path / "both"], library)


def test_each_of_two_products_has_its_own_metadata(tmp_path: Path, library: Library) -> None:
    for date, baseline, more in (("20190405", "0211", 0), ("20220620", "0400", 1000)):
        folder = product(tmp_path / "both", "L2A", baseline, "T33TUL", date)
        bands(folder / "IMG_DATA", f"T33TUL_{date}T101031", SCENE + np.uint16(more))
        iso, offset = f"{date[:4]}-{date[4:6]}-{date[6:]}", f"<BOA_ADD_OFFSET>{-more}</BOA_ADD_OFFSET>" if more else ""
        (folder / "MTD_MSIL2A.xml").write_text(f"<PRODUCT_START_TIME>{iso}T10:10:31</PRODUCT_START_TIME>{offset}")
    write_tif(tmp_path / "both" / "T33TUL_20220620T101031_SCL.tif", np.full_like(SCENE[:1], 4))
    first, second = ingest_all([tmp_path / "both"], library)
    np.testing.assert_array_equal(read_scene(first.directory), SCENE)
    np.testing.assert_array_equal(read_scene(second.directory), SCENE)
    assert "metadata" not in lines(first, "scale")
    assert lines(first, "classification") == ""
    assert "T33TUL_20220620T101031_SCL.tif" in lines(first, "left out")
    assert "SCL" in lines(second, "classification")


def test_what_is_left_out_has_its_true_reason(tmp_path: Path, library: Library) -> None:
    bands(tmp_path / "site", "T33TUL_20190405T101031")
    for name in ("T33TUL_20190405T101031_AOT.tif", "slope.tif"):
        write_tif(tmp_path / "site" / name, SCENE[:1])
    for name in ("readme.html", "B11.tif.crdownload", "MTD_MSIL2A.xml", "T33TUL_20190405T101031_B02.tif.aux.xml"):
        (tmp_path / "site" / name).write_text("<x/>")
    scene = ingest([tmp_path / "site"], library)
    assert lines(scene, "left out").splitlines() == [
        "read: B11.tif.crdownload — their names are those of downloads that did not end",
        "read: readme.html — they are no rasters",
        "read: slope.tif — their names are of no Sentinel-2 band, as those of the other files are",
        "read: T33TUL_20190405T101031_AOT.tif — they are layers of quality, masks or indices, and no bands",
    ]


def test_rasters_of_which_each_may_be_the_scene(tmp_path: Path, library: Library) -> None:
    (tmp_path / "set").mkdir()
    for name in ("S2A_TOA_20170703.tif", "S2A_BOA_20170703.tif"):
        write_tif(tmp_path / "set" / name, SCENE)
    with pytest.raises(SourceError, match="it holds 2 rasters of several bands each") as caught:
        ingest([tmp_path / "set"], library)
    assert "“S2A_BOA_20170703.tif” and “S2A_TOA_20170703.tif” among them, and nothing says which" in str(caught.value)


def test_shards_whose_no_data_is_nan(tmp_path: Path, library: Library) -> None:
    """NaN is not equal to itself, and floats of Earth Engine declare it."""
    (tmp_path / "site").mkdir()
    pixels = SCENE.astype(np.float32) / 10_000
    pixels[:, :6] = np.nan
    for col in (0, 80):
        moved = NORTH_UP @ rasterio.Affine.translation(col, 0)
        name = f"e-0000000000-{col:010d}.tif"
        write_tif(tmp_path / "site" / name, pixels[:, :, col : col + 80], FOUR, transform=moved, nodata=np.nan)
    got = read_scene(ingest([tmp_path / "site"], library).directory)
    assert (got[:, :6] == 0).all()
    np.testing.assert_array_equal(got[:, 6:], SCENE[:, 6:])


def test_shards_of_two_dates(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for date, more in (("20190405", 0), ("20190420", 50)):
        for col in (0, 80):
            moved = NORTH_UP @ rasterio.Affine.translation(col, 0)
            pixels = SCENE[:, :80, col : col + 80] + np.uint16(more)
            write_tif(tmp_path / "site" / f"S2_{date}-0000000000-{col:010d}.tif", pixels, FOUR, transform=moved)
    first, second = ingest_all([tmp_path / "site"], library)
    assert (first.date, second.date) == ("2019-04-05", "2019-04-20")
    np.testing.assert_array_equal(read_scene(first.directory), SCENE[:, :80])
    np.testing.assert_array_equal(read_scene(second.directory), SCENE[:, :80] + 50)


def test_twins_of_one_name_are_told_by_their_folders(tmp_path: Path, library: Library) -> None:
    for folder in ("maja", "sen2cor"):
        bands(tmp_path / "site" / folder, "T33TUL_20190405")
    with pytest.raises(SourceError, match=r"maja/T33TUL_\d+_B02\.tif and sen2cor/T33TUL_\d+_B02\.tif both hold"):
        ingest([tmp_path / "site"], library)


def test_tiles_in_a_folder_each(tmp_path: Path, library: Library) -> None:
    for folder, cols in (("X0055_Y0053", slice(0, 96)), ("X0056_Y0053", slice(96, 160))):
        for date in ("20210715", "20210720"):
            part(tmp_path / "cube" / folder, f"{date}_LEVEL2_SEN2A_BOA.tif", slice(0, 96), cols)
    scenes = ingest_all([tmp_path / "cube"], library)
    assert [scene.date for scene in scenes] == ["2021-07-15", "2021-07-20"]
    for scene in scenes:
        np.testing.assert_array_equal(read_scene(scene.directory), SCENE)


def test_tiles_of_one_name_in_a_folder_each(tmp_path: Path, library: Library) -> None:
    part(tmp_path / "site" / "west", "stack.tif", slice(0, 96), slice(0, 96))
    part(tmp_path / "site" / "east", "stack.tif", slice(0, 96), slice(96, 160))
    scene = ingest([tmp_path / "site"], library)
    assert scene.kind == "scene"
    np.testing.assert_array_equal(read_scene(scene.directory), SCENE)
