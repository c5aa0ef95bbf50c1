"""GeoTIFFs that SNAP wrote: names, scale, no data and day stand in a private tag."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.formats.snap.dimap import DIMAP_TAG, read_dimap
from core.ingest.grouping import sources_of
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.formats.envi.test_raster import write_envi
from tests.core.ingest.rasters import land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

BANDS = ("B02", "B03", "B04", "B8A", "B11")
NAMES = {
    "B02": ("B2", 492.4),
    "B03": ("B3", 559.8),
    "B04": ("B4", 664.6),
    "B8A": ("B8A", 864.7),
    "B11": ("B11", 1613.7),
}


def info(index: int, name: str, light: float, more: str = "") -> str:
    return (
        f"<Spectral_Band_Info><BAND_INDEX>{index}</BAND_INDEX><BAND_DESCRIPTION /><BAND_NAME>{name}</BAND_NAME>"
        f"<BAND_WAVELEN>{light}</BAND_WAVELEN>{more}</Spectral_Band_Info>"
    )


def document(more: str = "", kind: str = "S2_MSI_Level-2A") -> str:
    bands = [info(n, *NAMES[band], more) for n, band in enumerate(BANDS)]
    virtual = info(5, "ndvi", 0.0, "<VIRTUAL_BAND>true</VIRTUAL_BAND><EXPRESSION>B8A - B4</EXPRESSION>")
    return (
        f"<?xml version='1.0'?><Dimap_Document><Production><PRODUCT_TYPE>{kind}</PRODUCT_TYPE>"
        "<PRODUCT_SCENE_RASTER_START_TIME>05-JUN-2021 10:00:31.024000</PRODUCT_SCENE_RASTER_START_TIME></Production>"
        f"<Image_Interpretation>{virtual}{''.join(reversed(bands))}</Image_Interpretation></Dimap_Document>"
    )


def with_tag(path: Path, text: str) -> Path:
    """Append a first directory that holds one tag more."""
    data = bytearray(path.read_bytes())
    start = struct.unpack("<L", data[4:8])[0]
    count = struct.unpack("<H", data[start : start + 2])[0]
    entries = bytes(data[start + 2 : start + 2 + 12 * count])
    content = text.encode() + b"\0"
    entries += struct.pack("<HHLL", DIMAP_TAG, 2, len(content), len(data))
    data += content + b"\0" * (len(content) % 2)
    data[4:8] = struct.pack("<L", len(data))
    path.write_bytes(bytes(data) + struct.pack("<H", count + 1) + entries + bytes(4))
    return path


SCALED = (
    "<SCALING_FACTOR>1.0E-4</SCALING_FACTOR><SCALING_OFFSET>-0.1</SCALING_OFFSET><LOG10_SCALED>false</LOG10_SCALED>"
    "<NO_DATA_VALUE_USED>true</NO_DATA_VALUE_USED><NO_DATA_VALUE>7.0</NO_DATA_VALUE>"
)


def test_what_the_tag_states(tmp_path: Path, library: Library) -> None:
    numbers = (land(BANDS) + 1000).astype(np.uint16)
    numbers[:, :, :16] = 7
    path = with_tag(write_tif(tmp_path / "subset_0_of_x.tif", numbers), document(SCALED))
    scene = ingest([path], library)
    assert (scene.bands, scene.date, scene.level) == (BANDS, "2021-06-05", "L2A")
    expected = land(BANDS)
    expected[:, :, :16] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), expected)


def test_a_product_as_snap_keeps_it(tmp_path: Path, library: Library) -> None:
    """A folder of rasters in ENVI's own format, and a file beside it that states what they are; pins are no classes."""
    folder = tmp_path / "site" / "subset.data"
    (folder / "vector_data").mkdir(parents=True)
    (folder / "tie_point_grids").mkdir()
    for band, pixels in zip(BANDS, land(BANDS), strict=True):
        write_envi(folder / f"{NAMES[band][0]}.img", (pixels + 1000)[None].astype(">u2"))
    write_envi(folder / "tie_point_grids" / "sun_zenith.img", np.full((1, 5, 5), 40, np.float32))
    (folder / "vector_data" / "pins.csv").write_text("#defaultGeometry=geometry\nname\tgeometry\n")
    (tmp_path / "site" / "subset.dim").write_text(document(SCALED))
    scene = ingest([tmp_path / "site"], library)
    assert (scene.bands, scene.date, scene.level, scene.classes) == (BANDS, "2021-06-05", "L2A", ())
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))
    left_out = [line.value for line in load_quality(scene.directory).findings if line.topic == "left out"]
    assert left_out == ["sun_zenith.img"]


def test_a_product_whose_files_lost_their_folder(tmp_path: Path, library: Library) -> None:
    """As when all of them are chosen one by one; alone, the file that describes it is called so."""
    for band, pixels in zip(BANDS, land(BANDS), strict=True):
        write_envi(tmp_path / f"{NAMES[band][0]}.img", (pixels + 1000)[None].astype(">u2"))
    write_envi(tmp_path / "quality_scene_classification.img", np.full((1, 64, 80), 4, np.uint8))
    (tmp_path / "subset.dim").write_text(document(SCALED))
    files = sorted(tmp_path.glob("*.*"))
    assert sources_of(files) == [files]
    scene = ingest(files, library)
    assert (scene.bands, scene.date, scene.level) == (BANDS, "2021-06-05", "L2A")
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))
    with pytest.raises(SourceError, match=r"describes a product of SNAP, .* ends in .data; put this file and that"):
        ingest([tmp_path / "subset.dim"], library)


def test_another_number_of_bands_and_another_satellite(tmp_path: Path, library: Library) -> None:
    four = with_tag(write_tif(tmp_path / "four.tif", land(BANDS[:4])), document())
    with pytest.raises(SourceError, match="its 4 bands have no names"):
        ingest([four], library)
    other = with_tag(write_tif(tmp_path / "other.tif", land(BANDS)), document(kind="LANDSAT_8_OLI"))
    with pytest.raises(SourceError, match="it is a Landsat product"):
        ingest([other], library)


def test_nonsense_in_the_tag_states_nothing() -> None:
    told = read_dimap("<Spectral_Band_Info><BAND_INDEX>x</BAND_INDEX><NO_DATA_VALUE_USED>true</NO_DATA_VALUE_USED>"
                      "<NO_DATA_VALUE>?</NO_DATA_VALUE><SCALING_FACTOR>-1</SCALING_FACTOR></Spectral_Band_Info>"
                      "<PRODUCT_SCENE_RASTER_START_TIME>99-XXX-2021</PRODUCT_SCENE_RASTER_START_TIME>")  # fmt: skip
    assert (told.texts, told.nodata, told.scaling, told.tags) == (("",), (None,), (None,), {})
