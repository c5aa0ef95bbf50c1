"""Landsat and HLS L30 are refused as what they are, and taken by wavelength where a person wants that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings, settings_from_dict
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

WISH = IngestSettings(by_wavelength=True)
NEW = ("B01", "B02", "B03", "B04", "B8A", "B11", "B12")
"""What Landsat 8 and 9 call B1 to B7."""
OLD = ("B02", "B03", "B04", "B08", "B11", "B12")
"""What Landsat 4 to 7 call B1 to B5, and B7."""
LC08 = "LC08_L2SP_190029_20220507_20220509_02_T1"


def packed(bands: tuple[str, ...]) -> np.ndarray:
    """Numbers of Collection 2."""
    return np.rint((land(bands) / 10_000 + 0.2) / 2.75e-5).astype(np.uint16)


def said(scene: Scene, topic: str) -> str:
    lines = [line for line in load_quality(scene.directory).findings if line.topic == topic]
    return "; ".join(f"{line.value} | {line.because}" for line in lines)


def assert_pixels(scene: Scene, bands: tuple[str, ...]) -> None:
    assert scene.bands == bands
    assert np.abs(read_scene(scene.directory).astype(int) - land(bands)).max() <= 1


def landsat_8(folder: Path) -> list[Path]:
    numbers = packed(NEW)
    files = [write_tif(folder / f"{LC08}_SR_B{n}.TIF", one[None], nodata=0) for n, one in enumerate(numbers, 1)]
    return [
        *files,
        write_tif(folder / f"{LC08}_ST_B10.TIF", numbers[:1]),
        write_tif(folder / f"{LC08}_QA_PIXEL.TIF", numbers[:1]),
    ]


def test_landsat_8_as_a_person_wants_it(tmp_path: Path, library: Library) -> None:
    files = landsat_8(tmp_path)
    with pytest.raises(SourceError, match=r"a Landsat product.*take its bands by their wavelengths"):
        ingest(files, library)
    scene = ingest(files, library, WISH)
    assert_pixels(scene, NEW)
    assert (scene.date, scene.level) == ("2022-05-07", "L2A")
    assert "B05 as B8A, B06 as B11, B07 as B12" in said(scene, "bands")
    assert said(scene, "sensor").startswith("Landsat 8 or 9")
    assert "Collection 2 is defined so" in said(scene, "scale")
    assert f"{LC08}_ST_B10.TIF" in said(scene, "left out")


def test_landsat_5_and_its_own_numbers(tmp_path: Path, library: Library) -> None:
    names = ["SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7"]
    scene = ingest([write_tif(tmp_path / "landsat5_site.tif", packed(OLD), names)], library, WISH)
    assert_pixels(scene, OLD)
    floats = (land(OLD) / 10_000).astype(np.float32)
    scene = ingest([write_tif(tmp_path / "landsat5_floats.tif", floats, names)], library, WISH)
    assert_pixels(scene, OLD)
    assert "Collection 2" not in said(scene, "scale")


def test_harmonised_landsat(tmp_path: Path, library: Library) -> None:
    numbers = land(NEW).astype(np.int16)
    files = [
        write_tif(tmp_path / f"HLS.L30.T32TQM.2021200T101010.v2.0.B0{n}.tif", one[None], nodata=-9999)
        for n, one in enumerate(numbers, 1)
    ]
    scene = ingest(files, library, WISH)
    assert_pixels(scene, NEW)
    assert (scene.date, scene.level) == ("2021-07-19", "L2A")
    for path in files:
        with rasterio.open(path, "r+") as data:
            data.scales = (1e-4,)
    cirrus = np.full((1, *numbers.shape[1:]), 15, np.int16)  # So little light, without tags, told no unit.
    files.append(write_tif(tmp_path / "HLS.L30.T32TQM.2021200T101010.v2.0.B09.tif", cirrus, nodata=-9999))
    scene = ingest(files, library, WISH)
    assert "B10" in scene.bands
    assert set(read_scene(scene.directory)[scene.bands.index("B10")].ravel().tolist()) == {15}


@pytest.mark.parametrize(
    ("name", "tags", "texts", "bands"),
    [
        ("20180610_LEVEL2_LND08_BOA.tif", {}, "BLUE GREEN RED NIR SWIR1 SWIR2", NEW[1:]),
        ("20100610_LEVEL2_LND05_BOA.tif", {}, "BLUE GREEN RED NIR SWIR1 SWIR2", OLD),
        ("clip.tif", {"platform": "landsat-8"}, "blue green red nir08 swir16 swir22", NEW[1:]),
    ],
)
def test_common_names_mean_what_the_satellite_sees(
    tmp_path: Path, library: Library, name: str, tags: dict[str, str], texts: str, bands: tuple[str, ...]
) -> None:
    path = write_tif(tmp_path / name, land(bands).astype(np.int16), texts.split(), tags=tags)
    assert_pixels(ingest([path], library, WISH), bands)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("LC08_L1TP_190029_20220507_20220509_02_T1_stack.tif", "angle of the sun"),
        ("landsat_clip.tif", "nothing says of which Landsat"),
        ("MOD09A1.A2019121.h18v04.006.tif", "a MODIS product"),
    ],
)
def test_what_cannot_be_taken_is_refused_all_the_same(tmp_path: Path, library: Library, name: str, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        ingest([write_tif(tmp_path / name, land(OLD), ["B1", "B2", "B3", "B4", "B5", "B7"])], library, WISH)


def test_the_wish_changes_nothing_of_sentinel_2(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "S2A_field.tif", land(OLD), OLD)
    np.testing.assert_array_equal(read_scene(ingest([path], library, WISH).directory), land(OLD))


def test_settings_without_the_wish_are_written_as_before() -> None:
    assert "by_wavelength" not in IngestSettings().to_dict()
    assert settings_from_dict(WISH.to_dict()) == WISH
    assert WISH.digest != IngestSettings().digest
