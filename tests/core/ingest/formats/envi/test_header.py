"""ENVI headers beside rasters name their bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

BANDS = ("B02", "B03", "B8A", "B11")
LIGHTS = "wavelength = {492.7, 559.8,\n 864.7, 1613.7}\n"
MICRO = "wavelength units = Micrometers\nwavelength = {0.4927, 0.5598, 0.8647, 1.6137}\n"


@pytest.mark.parametrize(
    "text",
    [
        "band names = {Blue, B3,\n Band 8A,\n  SWIR1}\n",
        LIGHTS,
        f"wavelength units = Nanometers\n{LIGHTS}",
        MICRO,
        "band names = {one, two}\n" + LIGHTS,
    ],
)
@pytest.mark.parametrize("name", ["site.hdr", "site.tif.hdr"])
def test_bands_are_named_by_the_header(tmp_path: Path, library: Library, name: str, text: str) -> None:
    write_tif(tmp_path / "site.tif", land(BANDS))
    (tmp_path / name).write_text(f"ENVI\nsamples = 80\n{text}")
    scene = ingest([tmp_path / "site.tif", tmp_path / name], library)
    assert scene.bands == BANDS
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))
    assert not [line for line in load_quality(scene.directory).findings if line.topic == "left out"]


def test_header_of_another_number_of_bands_names_none(tmp_path: Path, library: Library) -> None:
    write_tif(tmp_path / "site.tif", land(BANDS))
    (tmp_path / "site.hdr").write_text("ENVI\nband names = {B02, B03, B04}\n")
    with pytest.raises(SourceError, match="its 4 bands have no names"):
        ingest([tmp_path / "site.tif", tmp_path / "site.hdr"], library)
