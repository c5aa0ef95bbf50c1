"""Samples beside bands: masks of 0 and 1, transparency that is a band, and what lies beside a portal's band files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from core.errors import BandsError, SourceError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import NORTH_UP, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

WANTED = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
PORTAL = "2023-06-14-00_00_2023-06-14-23_59_Sentinel-2_L2A_{}.tiff"


def said(scene: Scene, topic: str) -> list[str]:
    lines = [line for line in load_quality(scene.directory).findings if line.topic == topic]
    return [f"{line.value} | {line.because}" for line in lines]


def portal_export(folder: Path, kind: str = "uint16", on: int = 1) -> np.ndarray:
    """Write a browser portal's export; returns where it holds something."""
    folder.mkdir()
    mask = np.full((64, 80), on, dtype=kind)
    mask[:, :7] = 0
    for band in WANTED:
        numbers = np.rint(land([band])[0] * 6.5535) if kind == "uint16" else land([band])[0] / 10_000
        numbers = np.where(mask > 0, numbers, 0).astype(kind)
        numbers[20, 30] = 0
        write_tif(folder / PORTAL.format(f"{band}_(Raw)"), np.stack([numbers, mask]))
    write_tif(folder / PORTAL.format("True_color"), np.full((3, 64, 80), 900, dtype=np.uint16))
    write_tif(folder / PORTAL.format("Scene_classification_map"), np.full((3, 64, 80), 4, dtype=np.uint16))
    return mask > 0


@pytest.mark.parametrize(
    ("kind", "on", "packed"),
    [("uint16", 1, "folder"), ("uint16", 65_535, "zip"), ("uint16", 255, "files"), ("float32", 1, "folder")],
)
def test_portal_export_with_masks(tmp_path: Path, library: Library, kind: str, on: int, packed: str) -> None:
    folder = tmp_path / "export"
    valid = portal_export(folder, kind, on)
    source = [folder] if packed == "folder" else sorted(folder.iterdir())
    if packed == "zip":
        source = [tmp_path / "export.zip"]
        with zipfile.ZipFile(source[0], "w") as file:
            for path in folder.iterdir():
                file.write(path, path.name)
    scene = ingest(source, library)
    assert (scene.bands, scene.date, scene.level) == (WANTED, "2023-06-14", "L2A")
    got = read_scene(scene.directory).astype(int)
    valid[20, 30] = False
    np.testing.assert_array_equal(got[0] > 0, valid)
    assert np.abs(got - land(WANTED))[:, valid].max() <= 1
    assert "band 2" in said(scene, "mask")[0]
    assert "Scene_classification_map" in said(scene, "classification")[0]
    (line,) = said(scene, "left out")
    assert "True_color" in line
    assert "pictures" in line


@pytest.mark.parametrize("masks", [False, True])
def test_portal_export_named_by_hand(tmp_path: Path, library: Library, *, masks: bool) -> None:
    portal_export(tmp_path / "export")
    names = tuple(name for band in WANTED for name in ((band, "-") if masks else (band,)))
    scene = ingest([tmp_path / "export"], library, IngestSettings(bands=names))
    assert scene.bands == WANTED
    got = read_scene(scene.directory).astype(int)
    assert np.abs(got - land(WANTED))[:, 30:, 10:].max() <= 1
    with pytest.raises(BandsError, match="the settings name 3"):
        ingest([tmp_path / "export"], library, IngestSettings(bands=("B02", "B03", "B04")))


@pytest.mark.parametrize("on", [1, 255, 65_535])
@pytest.mark.parametrize("described", [("dataMask",), ("",)])
def test_mask_at_the_end_of_a_stack(tmp_path: Path, library: Library, on: int, described: tuple[str]) -> None:
    names = ["B02", "B03", "B04", "B08"]
    mask = np.full((1, 64, 80), on, dtype=np.uint16)
    mask[0, :5] = 0
    path = write_tif(tmp_path / "field.tif", np.concatenate([land(names), mask]), [*names, *described])
    got = read_scene(ingest([path], library).directory)
    np.testing.assert_array_equal(got, np.where(mask > 0, land(names), 0))


def test_mask_beside_each_band_of_a_stack(tmp_path: Path, library: Library) -> None:
    names = ["B02", "B03", "B04"]
    mask = np.ones((64, 80), dtype=np.uint16)
    mask[:, 60:] = 0
    pixels = np.stack([plane for band in land(names) for plane in (band, mask)])
    path = write_tif(tmp_path / "field.tif", pixels, [text for name in names for text in (name, "")])
    np.testing.assert_array_equal(read_scene(ingest([path], library).directory), land(names) * mask)


@pytest.mark.parametrize("described", [True, False])
def test_fourth_sample_that_is_near_infrared(tmp_path: Path, library: Library, *, described: bool) -> None:
    names = ("B04", "B03", "B02", "B08")
    options: dict[str, Any] = {"photometric": "RGB", "ALPHA": "YES"}
    texts = names if described else (*names[:3], "")
    path = write_tif(tmp_path / "field.tif", land(names), texts, **options)
    with rasterio.open(path) as data:
        assert data.colorinterp[3].name == "alpha"
    scene = ingest([path], library, IngestSettings(bands=None if described else names))
    assert scene.bands == ("B02", "B03", "B04", "B08")
    np.testing.assert_array_equal(read_scene(scene.directory), land(scene.bands))
    alone = ingest([path], library)
    if not described:
        assert alone.bands == ("B02", "B03", "B04")
        assert "band 4" in said(alone, "left out")[0]


def test_transparency_that_is_counted_by_hand(tmp_path: Path, library: Library) -> None:
    names = ("B04", "B03", "B02")
    alpha = np.full((1, 64, 80), 65_535, dtype=np.uint16)
    alpha[0, :5] = 0
    path = write_tif(tmp_path / "f.tif", np.concatenate([land(names), alpha]), None, photometric="RGB", ALPHA="YES")
    expected = np.where(alpha > 0, land(("B02", "B03", "B04")), 0)
    for given in (names, (*names, "-")):
        scene = ingest([path], library, IngestSettings(bands=given))
        np.testing.assert_array_equal(read_scene(scene.directory), expected)


def test_second_sample_that_is_no_mask_is_never_taken_for_one(tmp_path: Path, library: Library) -> None:
    for band in ("B02", "B03", "B04"):
        write_tif(tmp_path / f"{band}.tif", land([band, "B09"]))
    with pytest.raises(BandsError, match="no Sentinel-2 band could be told"):
        ingest(sorted(tmp_path.glob("*.tif")), library)


FOUR = ("B02", "B03", "B04", "B08")


def bands_in(folder: Path) -> Path:
    """Write four bands, a file each."""
    for band in FOUR:
        write_tif(folder / f"site_{band}.tif", land([band]))
    return folder


def masked(columns: slice) -> np.ndarray:
    expected = land(FOUR)
    expected[:, :, columns] = 0
    return expected


@pytest.mark.parametrize(
    ("name", "on", "kind"),
    [
        ("site_dataMask.tif", 1, "uint8"),
        ("site_dataMask.tif", 1, "float32"),
        ("site_mask.tif", 255, "uint8"),
        ("site_B02.tif.msk", 65_535, "uint16"),
        ("site_nodata_mask.tif", 1, "uint8"),
        ("site_nodata_mask.tif", 255, "uint8"),
        ("site_nodata_mask.tif", 65_535, "uint16"),
    ],
)
def test_mask_in_a_file_of_its_own(tmp_path: Path, library: Library, on: int, kind: str, name: str) -> None:
    """Of pixels of another size; one that is named for holes is on where there is nothing."""
    mask = np.full((32, 40), on, dtype=kind)
    mask[:, :5] = 0
    if "nodata" in name:
        mask = np.where(mask == 0, on, 0).astype(kind)
    write_tif(bands_in(tmp_path) / name, mask[None], transform=NORTH_UP @ NORTH_UP.scale(2), driver="GTiff")
    scene = ingest(_files(tmp_path), library)
    np.testing.assert_array_equal(read_scene(scene.directory), masked(slice(0, 10)))
    assert said(scene, "mask")[0].startswith(name)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


@pytest.mark.parametrize("text", ["cloud_mask", "B11_mask", "snow mask"])
def test_masks_of_other_things_take_nothing_out(tmp_path: Path, library: Library, text: str) -> None:
    """Of clouds, or of a band that is not there; they are listed."""
    mask = np.zeros((1, 64, 80), dtype=np.uint16)
    mask[0, 5:9] = 1
    path = write_tif(tmp_path / "field.tif", np.concatenate([land(FOUR), mask]), [*FOUR, text])
    scene = ingest([path], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(FOUR))
    assert text in said(scene, "left out")[0]


def test_mask_band_that_is_on_where_there_is_nothing(tmp_path: Path, library: Library) -> None:
    mask = np.zeros((1, 64, 80), dtype=np.uint16)
    mask[..., :10] = 1
    path = write_tif(tmp_path / "field.tif", np.concatenate([land(FOUR), mask]), [*FOUR, "nodata mask"])
    np.testing.assert_array_equal(read_scene(ingest([path], library).directory), masked(slice(0, 10)))


@pytest.mark.parametrize("given", [FOUR, (*FOUR, "-")])
def test_last_sample_of_a_nameless_stack_that_masks(tmp_path: Path, library: Library, given: tuple[str, ...]) -> None:
    mask = np.ones((1, 64, 80), dtype=np.uint16)
    mask[..., :10] = 0
    path = write_tif(tmp_path / "field.tif", np.concatenate([land(FOUR), mask]))
    scene = ingest([path], library, IngestSettings(bands=given))
    np.testing.assert_array_equal(read_scene(scene.directory), masked(slice(0, 10)))


@pytest.mark.parametrize(("name", "what"), [("SCL.tif", "a scene classification"), ("x_dataMask.tif", "a mask")])
def test_files_that_hold_no_bands_alone(tmp_path: Path, library: Library, name: str, what: str) -> None:
    with pytest.raises(SourceError, match=f"it is {what}, which .*holds no bands; open it together with the bands"):
        ingest([write_tif(tmp_path / name, np.ones((1, 64, 80), dtype=np.uint8))], library)


def test_scene_classification_says_the_level(tmp_path: Path, library: Library) -> None:
    for band in ("B02", "B03", "B04", "B08"):
        write_tif(tmp_path / f"{band}.tif", land([band]))
    write_tif(tmp_path / "SCL.tif", np.full((1, 64, 80), 4, dtype=np.uint8))
    assert ingest(sorted(tmp_path.glob("*.tif")), library).level == "L2A"
