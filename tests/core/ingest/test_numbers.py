"""What numbers mean when a source is taken in: statements of tags and products, fills, units, and empty bands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import BandsError, SourceError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import LAND, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

FOUR = ("B02", "B03", "B04", "B08")
MODERN = "S2B_MSIL2A_20230520T104629_N0509_R051_T30UYV_20230520T152439"
HEIGHT, WIDTH = 70, 90


def fields(bands: Sequence[str] = FOUR, brighter: int = 0, seed: int = 0) -> NDArray[np.int32]:
    """Digital numbers of fields of many brightnesses, shape (bands, HEIGHT, WIDTH)."""
    light = np.random.default_rng(seed).uniform(0.6, 1.8, (HEIGHT, WIDTH))
    return np.stack([np.rint(LAND[band] * light + brighter) for band in bands]).astype(np.int32)


def said(scene: Scene, topic: str) -> list[str]:
    """What the record says on a topic, value and reason, a line each."""
    lines = [line for line in load_quality(scene.directory).findings if line.topic == topic]
    return [f"{line.value} | {line.because}" for line in lines]


def with_tags(path: Path, scales: Sequence[float], offsets: Sequence[float]) -> Path:
    with rasterio.open(path, "r+") as data:
        data.scales, data.offsets = tuple(scales), tuple(offsets)
    return path


def assert_pixels(scene: Scene, expected: NDArray[Any], within: float = 1) -> None:
    got = read_scene(scene.directory).astype(float)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= within


@pytest.mark.parametrize(
    ("encode", "scale", "offset"),
    [
        (lambda dn: (dn + 1000).astype(np.uint16), 1e-4, -0.1),
        (lambda dn: dn.astype(np.uint16), 1e-4, 0),
        (lambda dn: np.rint((dn / 10_000 - 0.5) / 2e-5).astype(np.int16), 2e-5, 0.5),
        (lambda dn: (dn + 1000).astype(np.uint16), 1, -1000),
        (lambda dn: (dn / 10_000 + 0.1).astype(np.float32), 1, -0.1),
        (lambda dn: np.rint(dn / 10_000 / 0.0025).astype(np.uint8), 0.0025, 0),
        (lambda dn: np.rint(dn / 100 / 0.01).astype(np.int32), 0.01, 0),
    ],
)
def test_tags_count_before_pixels(tmp_path: Path, library: Library, encode: Any, scale: float, offset: float) -> None:
    """Bright land of 2023, which pixels alone would not tell from numbers with the offset."""
    pixels = fields(brighter=700)
    path = write_tif(tmp_path / "S2A_20230714.tif", encode(pixels), FOUR)
    scene = ingest([with_tags(path, [scale] * 4, [offset] * 4)], library)
    assert_pixels(scene, pixels, within=13 if scale == 0.0025 else 1)
    (line,) = said(scene, "scale")
    assert "state it" in line
    assert f"{scale:g}" in line


def test_tags_differ_from_band_to_band(tmp_path: Path, library: Library) -> None:
    pixels = fields()
    scales, offsets = [1e-4, 5e-5, 1e-4, 2e-4], [-0.1, 0, 0, -0.05]
    pairs = zip(pixels, scales, offsets, strict=True)
    numbers = np.stack([np.rint((band / 10_000 - offset) / scale) for band, scale, offset in pairs]).astype(np.uint16)
    scene = ingest([with_tags(write_tif(tmp_path / "mixed.tif", numbers, FOUR), scales, offsets)], library)
    assert_pixels(scene, pixels)
    assert "B03: scale 5e-05 and offset 0" in said(scene, "scale")[0]


def test_zero_of_packed_numbers_is_light(tmp_path: Path, library: Library) -> None:
    numbers = np.rint((fields() / 10_000 - 0.5) / 2e-5).astype(np.int16)
    numbers[:, 3, 4], numbers[:, 5] = 0, -32768
    path = with_tags(write_tif(tmp_path / "packed.tif", numbers, FOUR, nodata=-32768), [2e-5] * 4, [0.5] * 4)
    got = read_scene(ingest([path], library).directory)
    assert (got[:, 3, 4] == 5000).all()
    assert (got[:, 5] == 0).all()


def test_tags_by_which_there_is_no_light_are_refused(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "odd.tif", (fields() / 10_000).astype(np.float32), FOUR)
    with pytest.raises(SourceError, match=r"scale 0\.0001 and offset 0, by which .* no reflectance"):
        ingest([with_tags(path, [1e-4] * 4, [0] * 4)], library)
    assert_pixels(ingest([path], library, IngestSettings(scale="unit")), fields())


def test_tags_that_a_product_name_contradicts_are_said(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / f"{MODERN}.tif", fields(brighter=900).astype(np.uint16), FOUR)
    scene = ingest([with_tags(path, [1e-4] * 4, [0] * 4)], library)
    assert_pixels(scene, fields(brighter=900))
    assert "although the file name states processing baseline 05.09" in said(scene, "scale")[0]


@pytest.mark.parametrize("as_floats", [False, True])
def test_offset_of_a_product_is_taken_off_whatever_the_type(
    tmp_path: Path, library: Library, *, as_floats: bool
) -> None:
    pixels = fields(brighter=800)
    if as_floats:  # Whether programs that made floats took it off is told by the darkest pixels only.
        pixels[:, :8, :8] = 20
    numbers = ((pixels + 1000) / 10_000).astype(np.float32) if as_floats else (pixels + 1000).astype(np.uint16)
    scene = ingest([write_tif(tmp_path / f"{MODERN}.tif", numbers, FOUR)], library)
    assert_pixels(scene, pixels)
    assert (scene.date, scene.level) == ("2023-05-20", "L2A")


@pytest.mark.parametrize(
    ("stem", "ending", "dark"),
    [("T33TUL_20230416T101029_{}_10m", "jp2", 0), ("T33TUL_20230416T101029_{}_10m", "jp2", 860),
     ("T33TUL_20190416T101029_{}_10m", "jp2", 0), ("T33TUL_20230416T101029_{}_10m", "tif", 0)],
)  # fmt: skip
def test_images_of_esa_hold_the_offset_by_their_day(
    tmp_path: Path, library: Library, stem: str, ending: str, dark: int
) -> None:
    """Their pixels do not tell: bright land, or a shadow that correction made darker than nothing."""
    pixels = fields(brighter=800)
    pixels[:, :12, :12] = dark - 1000 if dark else pixels[:, :12, :12]
    driver = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"} if ending == "jp2" else {}
    for band, numbers in zip(FOUR, (pixels + 1000).astype(np.uint16), strict=True):
        write_tif(tmp_path / f"{stem.format(band)}.{ending}", numbers[None], **driver)
    files = sorted(tmp_path.glob("T33*"))
    if "2019" in stem or ending == "tif":
        with pytest.raises(SourceError, match=r"may hold an offset of 0\.1 or not"):
            ingest(files, library)
        return
    scene = ingest(files, library)
    assert_pixels(scene, np.maximum(pixels, 1))
    assert "all of which hold it since 2022-01-25" in said(scene, "scale")[0]


def test_zeros_that_end_at_another_pixel_in_each_band(tmp_path: Path, library: Library) -> None:
    pixels = fields()
    numbers = (pixels + 1000).astype(np.uint16)
    for position in range(4):
        numbers[position, :, : 10 + 3 * position] = 0
    numbers[2, 50, 60] = 0
    folder = tmp_path / f"{MODERN}.SAFE"
    folder.mkdir()
    for band, one in zip(FOUR, numbers, strict=True):
        write_tif(folder / f"T30UYV_20230520T104629_{band}_10m.tif", one[None])
    scene = ingest([folder], library)
    expected = pixels.copy()
    expected[:, :, :19] = 0
    expected[:, 50, 60] = 0
    assert_pixels(scene, expected)
    assert "+ 1000" in said(scene, "scale")[0]


def test_zeros_of_old_products_end_at_another_pixel_too(tmp_path: Path, library: Library) -> None:
    numbers = fields().astype(np.uint16)
    for position in range(4):
        numbers[position, :, : 20 + 3 * position] = 0
    got = read_scene(ingest([write_tif(tmp_path / "S2A_20180520.tif", numbers, FOUR)], library).directory)
    assert (got[:, :, :29] == 0).all()
    assert (got[:, :, 29:] > 0).all()


def test_dark_water_that_is_clipped_to_zero_stays(tmp_path: Path, library: Library) -> None:
    """In the infrared alone, with shores of all brightnesses between."""
    numbers = fields().astype(np.uint16)
    numbers[3] = np.maximum(0, np.linspace(-1500, 4000, WIDTH)[None, :] + np.zeros((HEIGHT, 1))).astype(np.uint16)
    got = read_scene(ingest([write_tif(tmp_path / "lake.tif", numbers, FOUR)], library).directory)
    assert (got > 0).all()


@pytest.mark.parametrize(
    ("kind", "fill"),
    [("int16", -9999), ("int32", -99_999), ("uint16", 65_535), ("uint16", 55_537), ("float32", -3.4028235e38),
     ("float32", 3.4e38), ("float32", -1)],
)  # fmt: skip
def test_fill_that_no_tag_declares(tmp_path: Path, library: Library, kind: str, fill: float) -> None:
    pixels = fields()
    numbers = (pixels / 10_000 if kind == "float32" else pixels).astype(kind)
    corner = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) < 60
    numbers[:, corner] = fill
    scene = ingest([write_tif(tmp_path / "clip.tif", numbers, FOUR)], library)
    assert_pixels(scene, np.where(corner, 0, pixels))
    assert f"{fill:g} in B02" in said(scene, "fill")[0]
    assert said(scene, "no data")[0].startswith(f"{corner.mean():.1%}")


@pytest.mark.parametrize(
    ("kind", "fill"),
    [("uint16", 0), ("uint16", 55_537), ("int32", 2**31 - 1), ("float32", 255)],
)
def test_few_pixels_of_a_fill_in_one_band(tmp_path: Path, library: Library, kind: str, fill: float) -> None:
    """Where other bands see land; the pixel is then no data in all."""
    pixels = fields()
    numbers = (pixels / 10_000 if kind == "float32" else pixels).astype(kind)
    numbers[2, 30:33, 40:43], pixels[:, 30:33, 40:43] = fill, 0
    assert_pixels(ingest([write_tif(tmp_path / "clip.tif", numbers, FOUR)], library), pixels)


def test_dark_water_with_a_sharp_shore_stays(tmp_path: Path, library: Library) -> None:
    """Clipped to 0 in the infrared; the bands beside see no land there either."""
    bands = ("B02", "B03", "B04", "B08", "B11", "B12")
    numbers = fields(bands).astype(np.uint16)
    numbers[3:, :, :40] = np.array([90, 30, 0])[:, None, None]
    got = read_scene(ingest([write_tif(tmp_path / "lake.tif", numbers, bands)], library).directory)
    assert (got > 0).all()


@pytest.mark.parametrize("number", [123, 2500])
def test_constant_edge(tmp_path: Path, library: Library, number: int) -> None:
    pixels = fields()
    numbers = pixels.copy()
    numbers[:, :, -7:] = number
    scene = ingest([write_tif(tmp_path / "clip.tif", numbers.astype(np.uint16), FOUR)], library)
    pixels[:, :, -7:] = 0
    assert_pixels(scene, pixels)
    assert f"{number} in B02" in said(scene, "edge")[0]


@pytest.mark.parametrize("number", [1, 1000])
def test_constant_corner(tmp_path: Path, library: Library, number: int) -> None:
    """Beside the slanting edge of a swath; the same number elsewhere, or a bright cloud cut off at one, is none."""
    pixels = fields()
    corner = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)[::-1]) < 40
    numbers = np.where(corner, number, pixels)
    numbers[1, 50, 60] = pixels[1, 50, 60] = number
    scene = ingest([write_tif(tmp_path / "clip.tif", numbers.astype(np.uint16), FOUR)], library)
    assert_pixels(scene, np.where(corner, 0, pixels))
    assert f"{number} in B02" in said(scene, "edge")[0]


def test_a_flat_corner_of_land_that_is_all_of_flat_pieces_stays(tmp_path: Path, library: Library) -> None:
    """Such as a picture that was drawn, or coarse pixels that were cut into finer ones."""
    pieces = np.random.default_rng(1).integers(300, 4000, (4, -(-HEIGHT // 16), -(-WIDTH // 16)))
    pixels = pieces.repeat(16, axis=1).repeat(16, axis=2)[:, :HEIGHT, :WIDTH]
    assert_pixels(ingest([write_tif(tmp_path / "clip.tif", pixels.astype(np.uint16), FOUR)], library), pixels)


def test_bright_cloud_that_is_cut_off_at_a_corner_stays(tmp_path: Path, library: Library) -> None:
    cloud = 18_000 - 200 * np.add.outer(np.arange(HEIGHT), np.arange(WIDTH))
    pixels = np.maximum(fields(), np.clip(cloud, 0, 10_000))
    assert_pixels(ingest([write_tif(tmp_path / "clip.tif", pixels.astype(np.uint16), FOUR)], library), pixels)


def turned(degrees: float) -> NDArray[np.bool_]:
    """What lies beside a scene that was turned within its raster."""
    rows, cols = np.mgrid[0:HEIGHT, 0:WIDTH] - np.array([HEIGHT / 2, WIDTH / 2])[:, None, None]
    turn = np.deg2rad(degrees)
    across, down = cols * np.cos(turn) + rows * np.sin(turn), rows * np.cos(turn) - cols * np.sin(turn)
    return (np.abs(across) > 0.42 * WIDTH) | (np.abs(down) > 0.42 * HEIGHT)


@pytest.mark.parametrize(("number", "degrees"), [(1, 12), (255, 40), (10_000, 12)])
def test_constant_corners_beside_a_turned_scene(tmp_path: Path, library: Library, number: int, degrees: float) -> None:
    pixels, beside = fields(), turned(degrees)
    numbers = np.where(beside, number, pixels)
    scene = ingest([write_tif(tmp_path / "clip.tif", numbers.astype(np.uint16), FOUR)], library)
    assert_pixels(scene, np.where(beside, 0, pixels))
    assert f"{number} in B02" in said(scene, "edge")[0]


def bay() -> NDArray[np.bool_]:
    """A corner with a shore of bends."""
    rows, cols = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.asarray(rows + WIDTH - cols < 45 + 6 * np.sin(rows / 4) + 5 * np.sin(cols / 7))


CORNER = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)[::-1]) < 40
WATER, SNOW = (420, 300, 180, 60), (17_824, 16_500, 16_800, 15_600)


@pytest.mark.parametrize(
    ("where", "light", "why"),
    [
        pytest.param(CORNER, WATER, "differ from band to band", id="water with a straight shore"),
        pytest.param(bay(), (1,) * 4, "not straight", id="water cut off at one number"),
        pytest.param(bay(), SNOW, "differ from band to band", id="snow that saturated each band"),
    ],
)
@pytest.mark.parametrize("brighter", [0, 25_000])
def test_flat_water_cloud_and_snow_stay_and_are_told(
    tmp_path: Path, library: Library, where: Any, light: tuple[int, ...], why: str, brighter: int
) -> None:
    pixels = np.where(where, np.array(light)[:, None, None], fields())
    pixels[:, HEIGHT - 1, 0] = np.maximum(pixels[:, HEIGHT - 1, 0], brighter)
    scene = ingest([write_tif(tmp_path / "clip.tif", pixels.astype(np.uint16), FOUR)], library)
    assert_pixels(scene, pixels)
    (told,) = said(scene, "edge")
    assert f"{light[0]} in B02" in told
    assert why in told
    assert "it counts as land" in told


def test_the_edge_of_a_swath_counts_where_only_windows_are_looked_at(tmp_path: Path, library: Library) -> None:
    """In a scene larger than what is read to find fills; a shore of bends there is none."""
    rows, cols = np.mgrid[0:320, 0:330]
    light = np.random.default_rng(4).uniform(0.6, 1.8, rows.shape)
    land = np.stack([np.rint(LAND[band] * light) for band in FOUR])
    for name, beyond in (("swath", cols > 200 + rows // 5), ("shore", cols > 220 + 20 * np.sin(rows / 25))):
        numbers = np.where(beyond, 255, land)
        scene = ingest([write_tif(tmp_path / f"{name}.tif", numbers.astype(np.uint16), FOUR)], library)
        assert_pixels(scene, np.where(beyond, 0, land) if name == "swath" else numbers)


def test_a_number_at_which_ponds_are_cut_off_too_is_no_fill(tmp_path: Path, library: Library) -> None:
    pixels = np.where(CORNER, 1, fields())
    pixels[3, 50:60, 10:20] = 1
    scene = ingest([write_tif(tmp_path / "clip.tif", pixels.astype(np.uint16), FOUR)], library)
    assert_pixels(scene, pixels)
    assert "B08 holds it elsewhere too" in said(scene, "edge")[0]


def test_clouds_that_saturated_stay_and_are_told(tmp_path: Path, library: Library) -> None:
    rows, cols = np.mgrid[0:HEIGHT, 0:WIDTH]
    cloud = np.hypot(rows - 35, cols - 40) < 14
    for number, name in ((10_000, "white"), (14_000, "grey")):
        light = number + (np.arange(4) * 111 if name == "grey" else 0)
        pixels = np.where(cloud, np.broadcast_to(light, 4)[:, None, None], fields())
        scene = ingest([write_tif(tmp_path / f"{name}.tif", pixels.astype(np.uint16), FOUR)], library)
        assert_pixels(scene, pixels)
        assert said(scene, "fill") == []
        assert f"{number} in B02" in said(scene, "bright")[0]


@pytest.mark.parametrize("text", ["-3.40282306e+38", "-9999.0000001"])
def test_no_data_stated_as_text_that_is_nearly_the_value(tmp_path: Path, library: Library, text: str) -> None:
    numbers = (fields() / 10_000).astype(np.float32)
    numbers[:, :9] = np.float32(-3.4028235e38 if "e" in text else -9999)
    path = write_tif(tmp_path / "clip.tif", numbers, FOUR, nodata=-9999 if "e" not in text else -3.40282306e38)
    scene = ingest([path], library)
    got = read_scene(scene.directory)
    assert (got[:, :9] == 0).all()
    assert (got[:, 9:] > 0).all()
    assert said(scene, "fill") == [], "what a tag declares is not said to be undeclared"


def test_no_data_stated_as_text_that_is_no_number(tmp_path: Path, library: Library) -> None:
    numbers = fields().astype(np.uint16)
    numbers[:, :9] = 65
    path = write_tif(tmp_path / "clip.tif", numbers, FOUR, nodata=65_535)
    path.write_bytes(path.read_bytes().replace(b"65535\0", b"65x35\0"))
    scene = ingest([path], library)
    assert "65x35" in said(scene, "no-data tag")[0]
    assert "65 as the file declares" not in said(scene, "no data")[0]


@pytest.mark.parametrize("number", [7, np.nan, -9999])
def test_a_band_that_holds_nothing_is_missing_and_the_scene_is_not_void(
    tmp_path: Path, library: Library, number: float
) -> None:
    bands = (*FOUR, "B11")
    numbers = (fields(bands) / 10_000).astype(np.float32)
    numbers[3] = number
    scene = ingest([write_tif(tmp_path / "field.tif", numbers, bands)], library)
    assert scene.bands == ("B02", "B03", "B04", "B11")
    assert_pixels(scene, fields(bands)[[0, 1, 2, 4]])
    assert any("B08" in line and "counts as missing" in line for line in said(scene, "left out"))


def test_too_few_bands_that_hold_something(tmp_path: Path, library: Library) -> None:
    numbers = fields().astype(np.uint16)
    numbers[2:] = 0
    with pytest.raises(BandsError, match="only B02, B03 holds data"):
        ingest([write_tif(tmp_path / "field.tif", numbers, FOUR)], library)


@pytest.mark.parametrize(
    ("scale", "encode", "within"),
    [
        ("reflectance × 1,000", lambda dn: np.rint(dn / 10).astype(np.uint16), 5),
        ("reflectance × 1,000", lambda dn: (dn / 10).astype(np.float32), 1),
        ("reflectance × 10,000", lambda dn: dn.astype(np.int16), 0),
        ("reflectance × 10,000 + 1000", lambda dn: (dn + 1000).astype(np.uint16), 0),
        ("reflectance × 65,535", lambda dn: np.rint(dn * 6.5535).astype(np.uint16), 1),
        ("reflectance 0 to 1", lambda dn: (dn / 10_000).astype(np.float32), 1),
        ("reflectance 0 to 1, + 0.1", lambda dn: (dn / 10_000 + 0.1).astype(np.float32), 1),
        ("reflectance in percent", lambda dn: (dn / 100).astype(np.float32), 1),
        ("reflectance in percent, + 10", lambda dn: (dn / 100 + 10).astype(np.float32), 1),
    ],
)
def test_units(tmp_path: Path, library: Library, scale: str, encode: Any, within: float) -> None:
    pixels = fields((*FOUR, "B11", "B12"))
    pixels[2] //= 4
    pixels[:, :8, :8] = 20  # A shadow, by which the offset is told.
    path = write_tif(tmp_path / "field.tif", encode(pixels), (*FOUR, "B11", "B12"))
    scene = ingest([path], library)
    assert said(scene, "scale")[0].split(" | ")[0] == scale
    assert_pixels(scene, pixels, within)


def test_files_of_one_scene_in_two_units(tmp_path: Path, library: Library) -> None:
    bands = (*FOUR, "B11", "B12")
    for position, (band, pixels) in enumerate(zip(bands, fields(bands), strict=True)):
        numbers = (pixels / 10_000).astype(np.float32) if position < 3 else pixels.astype(np.uint16)
        write_tif(tmp_path / f"field_{band}.tif", numbers[None])
    scene = ingest(sorted(tmp_path.glob("*.tif")), library)
    assert_pixels(scene, fields(bands))
    assert "B02, B03, B04: reflectance 0 to 1; B08, B11, B12: reflectance × 10,000" in said(scene, "scale")[0]


@pytest.mark.parametrize("kind", [np.float32, np.uint16])
def test_units_of_files_that_pixels_do_not_settle_are_refused(tmp_path: Path, library: Library, kind: Any) -> None:
    bands = (*FOUR, "B11", "B12")
    for band, pixels in zip(bands, fields(bands), strict=True):
        write_tif(tmp_path / f"field_{band}.tif", (pixels / (10 if band == "B12" else 1))[None].astype(kind))
    with pytest.raises(SourceError, match=r"B11 and B12 differ by a factor of .* differ in unit"):
        ingest(sorted(tmp_path.glob("*.tif")), library)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("HLS.S30.T33TUL.2021196T100031.v2.0", "L2A"),
        ("SENTINEL2A_20190812-101508-123_T33TUL_FRE", "L2A"),
        ("site_S2MSI1C", "L1C"),
        ("site", "L1C"),
    ],
)
def test_level_of_a_product_that_holds_cirrus(tmp_path: Path, library: Library, name: str, level: str) -> None:
    scene = ingest([write_tif(tmp_path / f"{name}.tif", fields(BAND_NAMES).astype(np.uint16), BAND_NAMES)], library)
    assert scene.level == level
    lines = [line for line in load_quality(scene.directory).findings if line.topic == "level"]
    assert lines[0].basis == ("assumed" if name == "site" else "read")


def test_patches_of_a_collection_keep_the_same_rules(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "patches"
    pixels = fields()[:, :64, :64]
    for number in range(9):
        place = folder / ("Oak" if number % 2 else "Wheat")
        place.mkdir(parents=True, exist_ok=True)
        numbers = (pixels + 1000).astype(np.int16)
        numbers[:, :6] = -9999
        path = write_tif(place / f"patch_{number}.tif", numbers, FOUR)
        with_tags(path, [1e-4] * 4, [-0.1] * 4)
    scene = ingest([folder], library)
    assert (scene.kind, scene.patch_size) == ("collection", 64)
    expected = pixels.copy()
    expected[:, :6] = 0
    assert np.abs(read_scene(scene.directory)[:, :64, :64].astype(int) - expected).max() <= 1
    assert "-9999 in B02" in said(scene, "fill")[0]


def test_a_few_bright_pixels_of_one_number_are_no_fill(tmp_path: Path, library: Library) -> None:
    """An island in dark water, in a band of 60 m written with 10 m."""
    dark = np.random.default_rng(3).integers(20, 60, (4, HEIGHT, WIDTH)) + np.array([900, 600, 300, 100])[:, None, None]
    dark[3, 12:18, 24:30] = 1700
    scene = ingest([write_tif(tmp_path / "sea.tif", dark.astype(np.uint16), FOUR)], library, IngestSettings(scale="dn"))
    assert_pixels(scene, dark, within=0)
    assert said(scene, "fill") == []


def test_a_number_in_most_bands_is_a_fill_though_small(tmp_path: Path, library: Library) -> None:
    pixels = fields()
    pixels[:, 12:18, 24:30] = 32_767
    scene = ingest([write_tif(tmp_path / "a.tif", pixels.astype(np.int16), FOUR)], library)
    assert (read_scene(scene.directory)[:, 12:18, 24:30] == 0).all()
    assert "32767 in B02, B03, B04, B08" in said(scene, "fill")[0]


def test_a_band_whose_tags_were_lost_holds_the_offset_of_the_others(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    pixels = fields(brighter=600)
    for band, numbers in zip(FOUR, pixels, strict=True):
        path = write_tif(tmp_path / "site" / f"{band}.tif", (numbers[None] + 1000).astype(np.uint16))
        if band != "B08":
            with_tags(path, [1e-4], [-0.1])
    scene = ingest([tmp_path / "site"], library)
    assert_pixels(scene, pixels)
    assert "the tag of each other band states an offset" in said(scene, "scale")[0]


def test_bands_of_one_file_in_two_units(tmp_path: Path, library: Library) -> None:
    bands = (*FOUR, "B8A", "B11", "B12")
    numbers = fields(bands).astype(np.float32)
    numbers[:4] /= 10_000
    scene = ingest([write_tif(tmp_path / "field.tif", numbers, bands)], library)
    assert_pixels(scene, fields(bands))
    assert "B02, B03, B04, B08: reflectance 0 to 1; B8A, B11, B12: reflectance × 10,000" in said(scene, "scale")[0]


def test_files_of_which_some_hold_the_offset_are_refused(tmp_path: Path, library: Library) -> None:
    bands = ("B03", "B04", "B05", "B08", "B8A", "B11")
    for band, pixels in zip(bands, fields(bands), strict=True):
        write_tif(tmp_path / f"field_{band}.tif", (pixels + 1000 * (band in FOUR))[None].astype(np.uint16))
    with pytest.raises(SourceError, match=r"B08 is by 0\.\d\d brighter than B8A .* hold the offset of 0\.1 and"):
        ingest(sorted(tmp_path.glob("*.tif")), library)
