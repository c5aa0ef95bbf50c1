"""A part of a scene holds the very pixels that the whole scene holds there, at the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from core.bands import BAND_NAMES
from core.errors import SettingsError, SourceError
from core.ingest.boundary import ingest
from core.ingest.files import scene_id_of
from core.ingest.grid.part import grid_of_part, wished_window
from core.ingest.settings import IngestSettings, settings_from_dict
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene, write_tif

GRID = GeoBox(crs="EPSG:32633", transform=(10, 0, 400_000, 0, -10, 5_000_000), height=64, width=80)


@pytest.mark.usefixtures("here")
def test_a_part_is_cut_out_of_the_whole(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "scene.tif", land(), BAND_NAMES)
    whole = ingest([path], library)
    part = ingest([path], library, IngestSettings(window=(10, 20, 30, 40)))
    assert part.id != whole.id
    np.testing.assert_array_equal(read_scene(part.directory), read_scene(whole.directory)[:, 10:40, 20:60])
    assert part.grid.transform == (10, 0, 400_200, 0, -10, 4_999_900)
    lines = {line.topic: line for line in load_quality(part.directory).findings}
    assert lines["part"].value == "40 × 30 pixels from column 20 and row 10"
    assert lines["part"].basis == "chosen"
    assert "size" not in lines


@pytest.mark.usefixtures("here")
def test_a_part_of_a_scene_without_place(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "scene.tif", land(), BAND_NAMES, crs=None, transform=None)
    whole, part = ingest([path], library), ingest([path], library, IngestSettings(window=(10, 20, 30, 40)))
    np.testing.assert_array_equal(read_scene(part.directory), read_scene(whole.directory)[:, 10:40, 20:60])
    assert part.grid.transform == UNPLACED
    with pytest.raises(SourceError, match="its place is unknown"):
        ingest([path], library, IngestSettings(bounds=(13, 45, 14, 46)))


@pytest.mark.usefixtures("here")
def test_a_part_at_ten_metres_of_coarser_pixels(tmp_path: Path, library: Library) -> None:
    coarse = rasterio.Affine(20, 0, 400_000, 0, -20, 5_000_000)
    path = write_tif(tmp_path / "scene.tif", land(), BAND_NAMES, transform=coarse)
    whole = ingest([path], library, IngestSettings(ten_metres=True))
    part = ingest([path], library, IngestSettings(ten_metres=True, window=(10, 20, 30, 40)))
    np.testing.assert_array_equal(read_scene(part.directory), read_scene(whole.directory)[:, 20:80, 40:120])


@pytest.mark.usefixtures("here")
def test_labels_of_tiles_stay_where_they_are(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    write_tif(folder / "scene.tif", land(height=64, width=64), BAND_NAMES)
    (folder / "labels.csv").write_text("row,col,label\n0,0,a\n0,1,b\n1,0,c\n1,1,d\n")
    whole, part = ingest([folder], library), ingest([folder], library, IngestSettings(window=(16, 24, 32, 32)))
    with rasterio.open(whole.directory / "truth.tif") as one, rasterio.open(part.directory / "truth.tif") as other:
        np.testing.assert_array_equal(other.read(1), one.read(1)[16:48, 24:56])


def test_degrees_are_covered_by_whole_pixels() -> None:
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    west, south = to_degrees.transform(400_203, 4_999_607)
    east, north = to_degrees.transform(400_597, 4_999_893)
    window = wished_window(GRID, IngestSettings(bounds=(west, south, east, north)))
    assert window is not None
    row, col, height, width = window
    assert (row <= 10, row + height >= 40, col <= 20, col + width >= 60) == (True,) * 4
    assert height <= 33
    assert width <= 43


def test_a_part_is_cut_to_the_scene() -> None:
    assert wished_window(GRID, IngestSettings(window=(50, 70, 100, 100))) == (50, 70, 14, 10)
    assert wished_window(GRID, IngestSettings()) is None
    assert grid_of_part(GRID, (0, 0, 64, 80)) == GRID
    with pytest.raises(SourceError, match="lies beside it: it has 80 × 64 pixels"):
        wished_window(GRID, IngestSettings(window=(64, 0, 10, 10)))
    with pytest.raises(SourceError, match="lies beside it"):
        wished_window(GRID, IngestSettings(bounds=(100, 0, 101, 1)))


@pytest.mark.parametrize(
    "fields",
    [
        {"window": (0, 0, 0, 5)},
        {"window": (-1, 0, 5, 5)},
        {"window": (0, 0, 5)},
        {"window": (0, 0, 5, 5), "bounds": (0, 0, 1, 1)},
        {"bounds": (0, 1, 1, 0)},
        {"bounds": (0, 0, float("nan"), 1)},
        {"bounds": (200, 0, 201, 1)},
        {"tile": "T32TPS"},
    ],
)
def test_parts_that_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        settings_from_dict(fields)


def test_settings_without_a_part_are_those_of_before() -> None:
    """Scenes of older data folders keep their ids, and a part comes back as it was written."""
    assert not {"tile", "window", "bounds"} & IngestSettings().to_dict().keys()
    assert scene_id_of(b"x", IngestSettings(), "4") == "s-5992064c07e1d2755a52"
    for settings in (IngestSettings(window=(1, 2, 3, 4)), IngestSettings(bounds=(1.5, 2, 3, 4), tile="32TPS")):
        assert settings_from_dict(settings.to_dict()) == settings
        assert settings.digest != IngestSettings().digest
