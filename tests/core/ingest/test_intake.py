"""What ingest makes of small rasters: pixels, validity, bands, scale, and the record of it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import BandsError, PatchError, SourceError
from core.ingest.bands.calibration import calibration
from core.ingest.boundary import ingest
from core.ingest.canonical import write_scene
from core.ingest.formats.geotiff import open_raster
from core.ingest.grid.stack import build_stack, layers_of
from core.ingest.settings import IngestSettings
from core.progress import silent
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.quality import Finding, load_quality
from core.scenes.scene import Scene, SceneReader
from tests.core.ingest.rasters import NORTH_UP, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")


def finding(scene: Scene, topic: str) -> Finding:
    found = [line for line in load_quality(scene.directory).findings if line.topic == topic]
    assert len(found) == 1, f"{len(found)} findings on {topic}"
    return found[0]


def test_no_data(tmp_path: Path, library: Library) -> None:
    pixels = land()
    pixels[:, 0, :] = 0
    pixels[4, 1, 1] = 65535
    pixels[10, 2, 2] = 0
    path = write_tif(tmp_path / "field.tif", pixels, BAND_NAMES, nodata=65535)
    scene = ingest([path], library)
    got = read_scene(scene.directory)
    expected = pixels.copy()
    expected[:, 1, 1] = 0
    expected[10, 2, 2] = 1
    np.testing.assert_array_equal(got, expected)
    with SceneReader(scene) as reader:
        _, mask = reader.read(["B04"], (0, 0, 64, 80))
    assert not mask[0].any()
    assert mask[2, 2]
    assert finding(scene, "no data").value == f"{81 / (64 * 80):.1%} of the pixels"


def test_declared_zero_counts_only_in_all_bands(tmp_path: Path, library: Library) -> None:
    pixels = land()
    pixels[10, :32] = 0
    pixels[:, 63] = 0
    scene = ingest([write_tif(tmp_path / "field.tif", pixels, BAND_NAMES, nodata=0)], library)
    got = read_scene(scene.directory)
    assert (got[:, :63] > 0).all()
    assert (got[:, 63] == 0).all()


def test_chosen_no_data_counts_in_any_band(tmp_path: Path, library: Library) -> None:
    pixels = land()
    pixels[3, 5, 6] = 7
    scene = ingest([write_tif(tmp_path / "field.tif", pixels, BAND_NAMES)], library, IngestSettings(nodata=7))
    got = read_scene(scene.directory)
    assert (got[:, 5, 6] == 0).all()
    assert (got > 0).all(axis=0).sum() == 64 * 80 - 1


def test_nan_and_infinity(tmp_path: Path, library: Library) -> None:
    pixels = (land() / 10_000).astype(np.float32)
    pixels[2, 3, 4], pixels[5, 6, 7], pixels[0, 8, 9], pixels[1, 10, 11] = np.nan, np.inf, -np.inf, -0.02
    pixels[7, 20, 20] = 9.0
    scene = ingest([write_tif(tmp_path / "field.tif", pixels, BAND_NAMES)], library)
    got = read_scene(scene.directory)
    for row, col in ((3, 4), (6, 7), (8, 9)):
        assert (got[:, row, col] == 0).all()
    assert got[1, 10, 11] == 1
    assert got[7, 20, 20] == 65_000
    assert (got > 0).all(axis=0).sum() == 64 * 80 - 3
    assert finding(scene, "scale").value == "reflectance 0 to 1"


def test_mask_inside_the_file(tmp_path: Path, library: Library) -> None:
    mask = np.full((64, 80), 255, dtype=np.uint8)
    mask[10:20, 30:40] = 0
    scene = ingest([write_tif(tmp_path / "field.tif", land(), BAND_NAMES, mask=mask)], library)
    np.testing.assert_array_equal(read_scene(scene.directory)[3] > 0, mask > 0)


def test_transparency(tmp_path: Path, library: Library) -> None:
    alpha = np.full((1, 64, 80), 65535, dtype=np.uint16)
    alpha[0, :5] = 0
    names = ["B04", "B03", "B02"]
    pixels = np.concatenate([land(names), alpha])
    path = write_tif(tmp_path / "field.tif", pixels, [*names, ""], photometric="RGB", ALPHA="YES")
    with rasterio.open(path) as data:
        assert data.colorinterp[3] == ColorInterp.alpha
    scene = ingest([path], library)
    assert scene.bands == ("B02", "B03", "B04")
    np.testing.assert_array_equal(read_scene(scene.directory)[0] > 0, alpha[0] > 0)


@pytest.mark.parametrize(
    ("scale", "encode"),
    [
        ("dn+1000", lambda dn: dn + 1000),
        ("unit", lambda dn: (dn / 10_000).astype(np.float32)),
        ("65535", lambda dn: np.rint(dn * 6.5535).astype(np.uint16)),
        ("dn", lambda dn: dn.astype(np.float32)),
    ],
)
def test_scales_are_told(tmp_path: Path, library: Library, scale: str, encode: Any) -> None:
    path = write_tif(tmp_path / "field.tif", encode(land()), BAND_NAMES)
    decided, chosen = ingest([path], library), ingest([path], library, IngestSettings(scale=scale))
    np.testing.assert_array_equal(read_scene(decided.directory), land())
    np.testing.assert_array_equal(read_scene(chosen.directory), land())
    assert finding(decided, "scale").value == finding(chosen, "scale").value
    assert finding(chosen, "scale").basis == "chosen"


@pytest.mark.parametrize("order", [BAND_NAMES, EUROSAT_ORDER])
@pytest.mark.parametrize("drop", [(), ("B10",)])
def test_nameless_bands_told_by_pixels(tmp_path: Path, library: Library, order: Any, drop: Any) -> None:
    order = tuple(name for name in order if name not in drop)
    scene = ingest([write_tif(tmp_path / "field.tif", land(order))], library)
    assert scene.bands == tuple(name for name in BAND_NAMES if name not in drop)
    np.testing.assert_array_equal(read_scene(scene.directory), land(scene.bands))
    assert finding(scene, "bands").basis == "decided"
    assert scene.level == ("L2A" if drop else "L1C")


def test_chosen_bands(tmp_path: Path, library: Library) -> None:
    names = ("B08", "B04", "B03", "B02")
    path = write_tif(tmp_path / "field.tif", land([*names, "B12"]))
    scene = ingest([path], library, IngestSettings(bands=(*names, "-")))
    assert scene.bands == ("B02", "B03", "B04", "B08")
    np.testing.assert_array_equal(read_scene(scene.directory), land(scene.bands))
    with pytest.raises(BandsError, match="5 bands and the settings name 4"):
        ingest([path], library, IngestSettings(bands=names))


def test_bands_that_are_none_are_left_out(tmp_path: Path, library: Library) -> None:
    names = ["B2", "b3", "Band 4", "SCL", "NDVI", "B8A"]
    pixels = land(["B02", "B03", "B04", "B05", "B06", "B8A"])
    scene = ingest([write_tif(tmp_path / "export.tif", pixels, names)], library)
    assert scene.bands == ("B02", "B03", "B04", "B8A")
    assert "SCL" in finding(scene, "left out").value
    assert finding(scene, "missing bands").basis == "warning"


@pytest.mark.parametrize(
    ("style", "packed"),
    [
        ("{}.tif", "files"),
        ("T32TQM_20190416T100031_{}.tif", "folder"),
        ("S2_L1C_{}_(Raw).tiff", "zip"),
        ("{}.TIF", "zip"),
    ],
)
def test_band_files(tmp_path: Path, library: Library, style: str, packed: str) -> None:
    folder = tmp_path / "bands"
    folder.mkdir()
    wanted = ("B02", "B03", "B04", "B08", "B8A")
    paths = [write_tif(folder / style.format(band), land([band])) for band in wanted]
    (folder / "readme.txt").write_text("hello")
    source = paths
    if packed == "folder":
        source = [folder]
    if packed == "zip":
        source = [tmp_path / "bands.zip"]
        with zipfile.ZipFile(source[0], "w") as file:
            for path in folder.iterdir():
                file.write(path, f"some folder/{path.name}")
    scene = ingest(source, library)
    assert scene.bands == wanted
    np.testing.assert_array_equal(read_scene(scene.directory), land(wanted))
    assert scene.date == ("2019-04-16" if "2019" in style else None)


def test_product_folder(tmp_path: Path, library: Library) -> None:
    product = tmp_path / "S2B_MSIL2A_20230501T100031_N0509_R122_T33TVL_20230501T130000.SAFE"
    images = product / "GRANULE" / "L2A_T33TVL" / "IMG_DATA"
    for resolution, bands in (
        (10, ("B02", "B03", "B04", "B08")),
        (20, ("B02", "B05", "B8A", "B11")),
        (60, ("B01", "B02")),
    ):
        (images / f"R{resolution}m").mkdir(parents=True)
        for band in bands:
            name = f"T33TVL_20230501T100031_{band}_{resolution}m.jp2"
            pixels = (land([band], 1200 // resolution, 2400 // resolution) // 100 * 100 + 1000 + resolution).astype(
                np.uint16
            )
            transform = NORTH_UP @ rasterio.Affine.scale(resolution / 10)
            lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
            write_tif(images / f"R{resolution}m" / name, pixels, transform=transform, **lossless)
    picture = np.full((3, 120, 240), 90, dtype=np.uint8)
    write_tif(images / "R10m" / "T33TVL_20230501T100031_TCI_10m.jp2", picture, driver="JP2OpenJPEG")
    write_tif(product / "MSK_DETFOO_B02.jp2", picture[:1], driver="JP2OpenJPEG")
    (product / "MTD_MSIL2A.xml").write_text(
        "<a><PROCESSING_BASELINE>05.09</PROCESSING_BASELINE><PRODUCT_START_TIME>2023-05-01T10:00:31.024Z</PRODUCT_START_TIME>"
        '<BOA_ADD_OFFSET band_id="0">-1000</BOA_ADD_OFFSET><BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET></a>'
    )
    scene = ingest([product], library)
    assert scene.bands == ("B01", "B02", "B03", "B04", "B05", "B08", "B8A", "B11")
    assert (scene.date, scene.level) == ("2023-05-01", "L2A")
    assert (scene.grid.height, scene.grid.width) == (120, 240)
    got = read_scene(scene.directory)
    np.testing.assert_array_equal(got[1], land(["B02"], 120, 240)[0] // 100 * 100 + 10)
    assert finding(scene, "scale").value == "reflectance × 10,000 + 1000"
    assert "metadata" in finding(scene, "scale").because
    assert finding(scene, "resampled").value == "B01, B05, B8A, B11 (bilinear)"
    left_out = [line for line in load_quality(scene.directory).findings if line.topic == "left out"]
    reasons = {line.because.split(",")[0]: line.value for line in left_out}
    assert reasons == {
        "they are layers of quality": "MSK_DETFOO_B02.jp2",
        "they are pictures or indices made of bands": "T33TVL_20230501T100031_TCI_10m.jp2",
        "a finer copy of the same band is there": ", ".join(f"T33TVL_20230501T100031_B02_{m}m.jp2" for m in (20, 60)),
    }


def test_coarser_bands_are_interpolated(tmp_path: Path, library: Library) -> None:
    """A linear surface stays itself under bilinear interpolation, away from the edge."""

    def surface(pixel: int, base: float) -> Any:
        rows, cols = np.mgrid[0 : 720 // pixel, 0 : 1200 // pixel]
        y, x = (rows + 0.5) * pixel, (cols + 0.5) * pixel
        return (base + 2 * y + x)[None].astype(np.uint16)

    sizes = {"B02": 10, "B03": 10, "B04": 10, "B05": 20, "B09": 60}
    paths = []
    for band, size in sizes.items():
        transform = NORTH_UP @ rasterio.Affine.scale(size / 10)
        paths.append(write_tif(tmp_path / f"{band}.tif", surface(size, 300), transform=transform))
    got = read_scene(ingest(paths, library).directory).astype(int)
    expected = surface(10, 300)[0].astype(int)
    np.testing.assert_array_equal(got[0], expected)
    inner = np.s_[6:-6, 6:-6]
    assert np.abs(got[3][inner] - expected[inner]).max() <= 1
    assert np.abs(got[4][inner] - expected[inner]).max() <= 1


def test_no_data_does_not_bleed_into_interpolated_bands(tmp_path: Path, library: Library) -> None:
    fine = np.full((1, 60, 60), 1000, dtype=np.uint16)
    coarse = np.full((1, 30, 30), 1000, dtype=np.uint16)
    fine[:, :, :20], coarse[:, :, :10] = 0, 0
    paths = [write_tif(tmp_path / f"{band}.tif", fine) for band in ("B02", "B03", "B04")]
    transform = NORTH_UP @ rasterio.Affine.scale(2)
    paths.append(write_tif(tmp_path / "B11.tif", coarse, transform=transform))
    got = read_scene(ingest(paths, library, IngestSettings(scale="dn")).directory)
    assert (got[:, :, :20] == 0).all()
    assert (got[:, :, 20:] == 1000).all()


def test_array(tmp_path: Path, library: Library) -> None:
    pixels = np.moveaxis(land() / 10_000, 0, -1).astype(np.float32)
    path = tmp_path / "dates.npy"
    np.save(path, np.stack([pixels * 0.5, pixels]))
    scene = ingest([path], library, IngestSettings(time=1))
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert scene.grid.crs is None
    assert finding(scene, "place").basis == "warning"
    assert finding(scene, "time").override == "time"
    with pytest.raises(SourceError, match="2 dates and date 2"):
        ingest([path], library, IngestSettings(time=2))


def test_table_of_labels(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(height=32, width=48), BAND_NAMES)
    table = tmp_path / "labels.csv"
    table.write_text("row,col,label\n0,0,Wheat\n0,1,Oak\n0,2,Wheat\n1,0,\n1,1,Oak\n1,2,<b>Lake</b>\n")
    scene = ingest([path, table], library)
    assert scene.name == "field"
    assert scene.classes == ("<b>Lake</b>", "Oak", "Wheat")
    with rasterio.open(scene.directory / "truth.tif") as data:
        truth = data.read(1)
    np.testing.assert_array_equal(truth[::16, ::16], [[3, 2, 3], [0, 2, 1]])
    np.testing.assert_array_equal(truth, np.kron(truth[::16, ::16], np.ones((16, 16))))


def test_table_of_labels_that_does_not_fit(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(height=32, width=48), BAND_NAMES)
    (tmp_path / "labels.csv").write_text("row,col,label\n0,0,Wheat\n6,1,Oak\n")
    scene = ingest([path, tmp_path / "labels.csv"], library)
    assert scene.classes == ()
    assert finding(scene, "classes").basis == "warning"


@pytest.mark.parametrize("day", ["2015-06-22", "2015-06-23", "2015-06-24", "2015-06-26"])
def test_a_date_before_the_first_picture_is_no_date_and_no_reason_to_refuse(
    tmp_path: Path, library: Library, day: str
) -> None:
    tags = {"SENSING_TIME": f"{day}T10:00:00Z"}
    path = write_tif(tmp_path / f"S2A_{day.replace('-', '')}.tif", land(), BAND_NAMES, tags=tags)
    scene = ingest([path], library)
    assert scene.date is None
    assert finding(scene, "date").value == "unknown"


def test_the_day_of_the_first_picture_is_a_date(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "S2A_20150627.tif", land(), BAND_NAMES)
    assert ingest([path], library).date == "2015-06-27"


def test_scene_smaller_than_a_patch(tmp_path: Path, library: Library) -> None:
    scene = ingest([write_tif(tmp_path / "field.tif", land(height=40, width=30), BAND_NAMES)], library)
    assert (scene.grid.height, scene.grid.width) == (40, 30)
    with pytest.raises(PatchError, match="smaller than one patch"):
        patch_grid(scene)


def test_mark_of_the_generator_is_kept(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "made.tif", land(), BAND_NAMES, tags={"LANDLIKE": "synthetic"})
    assert ingest([path], library).synthetic


def test_files_without_names_take_the_chosen_ones(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "layers"
    folder.mkdir()
    for number, band in enumerate(BAND_NAMES):
        write_tif(folder / f"layer_{number}.tif", land([band]))
    scene = ingest([folder], library, IngestSettings(bands=BAND_NAMES))
    np.testing.assert_array_equal(read_scene(scene.directory), land())


def test_several_scenes_at_once_are_refused(tmp_path: Path, library: Library) -> None:
    paths = [
        write_tif(tmp_path / f"2020-0{n}-01_{band}.tif", land([band])) for n in (1, 2) for band in ("B02", "B03", "B04")
    ]
    with pytest.raises(BandsError, match="open one scene at a time"):
        ingest(paths, library)


def test_stacks_of_two_resolutions(tmp_path: Path, library: Library) -> None:
    fine, coarse = ["B02", "B03", "B04", "B08"], ["B02", "B05", "B11"]
    one = write_tif(tmp_path / "ten.tif", land(fine, 64, 64), fine)
    two = write_tif(
        tmp_path / "twenty.tif", land(coarse, 32, 32), coarse, transform=NORTH_UP @ rasterio.Affine.scale(2)
    )
    scene = ingest([two, one], library)
    assert scene.bands == ("B02", "B03", "B04", "B05", "B08", "B11")
    np.testing.assert_array_equal(read_scene(scene.directory)[[0, 1, 2, 4]], land(fine, 64, 64))
    assert finding(scene, "left out").value == "twenty.tif band 1 B02"


def test_windows_of_wide_numbers_take_no_more_memory_than_others(tmp_path: Path) -> None:
    names = ("B02", "B03", "B04")
    for kind in ("uint16", "float32", "float64"):
        path = tmp_path / f"{kind}.tif"
        write_tif(path, land(names, 600, 2300).astype(kind), names)
        raster = open_raster(path, path.name)
        layers = [replace(layer, band=band) for layer, band in zip(layers_of(raster), names, strict=True)]
        windows = list(build_stack(layers, raster.geobox, raster.geobox, None).windows(2_000_000))
        raster.close()
        assert sum(height * width for _, _, height, width in windows) == 600 * 2300
        assert max(height * width for _, _, height, width in windows) * 3 * np.dtype(kind).itemsize <= 4_000_000


def test_windows_change_nothing(tmp_path: Path, library: Library) -> None:
    """A scene of several windows, tiled and striped, equals its source."""
    names = ("B02", "B03", "B04")
    pixels = land(names, 300, 2300)
    tiled = write_tif(tmp_path / "tiled.tif", pixels, names, tiled=True, blockxsize=256, blockysize=256)
    striped = write_tif(tmp_path / "striped.tif", pixels, names, compress="deflate")
    for path in (tiled, striped):
        np.testing.assert_array_equal(read_scene(ingest([path], library).directory), pixels)
    raster = open_raster(striped, "striped.tif")
    layers = [replace(layer, band=band) for layer, band in zip(layers_of(raster), names, strict=True)]
    stack = build_stack(layers, raster.geobox, raster.geobox, None)
    assert len(list(stack.windows(250_000))) > 3 * len(list(stack.windows()))
    write_scene(stack, calibration("dn", "chosen", "so"), tmp_path, silent, budget=250_000)
    raster.close()
    np.testing.assert_array_equal(read_scene(tmp_path), pixels)
