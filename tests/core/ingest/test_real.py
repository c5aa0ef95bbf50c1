"""Ingest of real files: portal export, product bands, arrays, a quilt, and EuroSAT; skips where they are absent."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.warp import transform as warp_points

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.labels import patch_labels
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.places import source_names
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import read_scene
from tests.data import shared
from tests.scenes import read_patch


def facts(scene: Scene) -> dict[str, str]:
    return {line.topic: line.value for line in load_quality(scene.directory).findings}


@pytest.mark.usefixtures("here")
def test_portal_export(library: Library) -> None:
    path = shared("scenes/eo_browser_aquileia_2019-04-16_L2A.zip")
    scene = ingest([path], library)
    assert scene.bands == tuple(name for name in BAND_NAMES if name != "B10")
    assert (scene.date, scene.level, scene.grid.crs) == ("2019-04-16", "L2A", "EPSG:4326")
    assert (scene.grid.height, scene.grid.width) == (689, 1200)
    assert facts(scene)["scale"] == "reflectance × 65,535"
    assert facts(scene)["no data"] == "3.0% of the pixels"
    assert "B10 ← zero" in facts(scene)["missing bands"]
    with zipfile.ZipFile(path) as file:
        member = next(name for name in file.namelist() if "B08" in name)
        with MemoryFile(file.read(member)) as memory, memory.open() as data:
            source = data.read(1)
            assert tuple(data.transform)[:6] == scene.grid.transform
    got = read_scene(scene.directory)[scene.bands.index("B08")]
    np.testing.assert_array_equal(got > 0, source > 0)
    off = got.astype(float) - source.astype(float) * 10_000 / 65_535
    assert np.abs(off[source > 0]).max() <= 0.5001


@pytest.mark.usefixtures("here")
def test_product_bands(library: Library) -> None:
    folder = shared("scenes/l1c_belgium_7band")
    scene = ingest([folder], library)
    assert scene.bands == ("B02", "B03", "B04", "B08", "B8A", "B09", "B11")
    assert (scene.grid.crs, scene.date) == ("EPSG:32631", "2019-04-11")
    assert facts(scene)["scale"] == "reflectance × 10,000"
    record = json.loads((scene.directory / "quality.json").read_text(encoding="utf-8"))
    assert record["source"] == "l1c_belgium_7band"
    assert record["settings"]["scale"] == "auto"
    assert {line["basis"] for line in record["findings"]} <= {"read", "decided", "assumed", "chosen", "warning"}
    got = read_scene(scene.directory)
    for position, band in enumerate(scene.bands):
        with rasterio.open(folder / f"{band}.tif") as data:
            np.testing.assert_array_equal(got[position], data.read(1))


@pytest.mark.usefixtures("here")
def test_quilt_with_its_labels(library: Library) -> None:
    path, table = shared("scenes/quilt_l1c_13band.tif"), shared("scenes/quilt_labels.csv")
    scene = ingest([path, table], library)
    assert (scene.name, scene.bands, scene.level) == ("quilt_l1c_13band", BAND_NAMES, "L1C")
    with rasterio.open(path) as data:
        source = data.read()
    order = [EUROSAT_ORDER.index(band) for band in BAND_NAMES]
    np.testing.assert_array_equal(read_scene(scene.directory), source[order])
    grid = patch_grid(scene)
    labels = patch_labels(scene, grid)
    assert labels is not None
    for line in table.read_text().splitlines()[1:]:
        row, col, label, _ = line.split(",")
        patch_id = int(row) * grid.n_cols + int(col)
        assert labels.classes[labels.index[patch_id]] == label
        assert labels.purity[patch_id] == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("time", [0, 3])
def test_array_of_dates(library: Library, time: int) -> None:
    path = shared("scenes/eolearn_reference_l1c_5x101x100x13.npy")
    scene = ingest([path], library, IngestSettings(time=time))
    source = np.load(path)[time]
    assert scene.bands == BAND_NAMES
    expected = np.maximum(np.rint(np.moveaxis(source, -1, 0) * 10_000), 1)
    assert np.abs(read_scene(scene.directory) - expected).max() <= 1
    assert facts(scene)["scale"] == "reflectance 0 to 1"


def source_pixels(file: zipfile.ZipFile, name: str) -> NDArray[np.uint16]:
    """Pixels in product order."""
    with MemoryFile(file.read(name)) as memory, memory.open() as data:
        return data.read([EUROSAT_ORDER.index(band) + 1 for band in BAND_NAMES])


def source_corners(file: zipfile.ZipFile, name: str) -> NDArray[np.float64]:
    """Corners by rasterio."""
    with MemoryFile(file.read(name)) as memory, memory.open() as data:
        left, bottom, right, top = data.bounds
        corners = [left, right, right, left], [top, top, bottom, bottom]
        return np.stack(warp_points(data.crs, "EPSG:4326", *corners), axis=1)


@pytest.mark.usefixtures("here")
def test_eurosat(tmp_path: Path, eurosat: Callable[[Path], Scene]) -> None:
    path = shared("eurosat_ms.zip")
    scene = eurosat(tmp_path)
    grid = patch_grid(scene)
    names, labels = source_names(scene), patch_labels(scene, grid)
    corners = corners_lonlat(scene, grid, np.arange(grid.count))
    assert (scene.kind, scene.patch_size, scene.bands, len(scene.classes)) == ("collection", 64, BAND_NAMES, 10)
    assert (grid.n_cols, grid.n_rows) == (18, 17)
    assert names is not None
    assert labels is not None
    assert corners is not None
    with zipfile.ZipFile(path) as file:
        members = {name.rsplit("/", 1)[-1]: name for name in file.namelist() if name.endswith(".tif")}
        assert sorted(filter(None, names)) == sorted(members)
        for patch_id, name in enumerate(filter(None, names)):
            assert labels.classes[labels.index[patch_id]] == re.split(r"_\d", name)[0]
            if patch_id % 4 == 0:
                np.testing.assert_allclose(corners[patch_id], source_corners(file, members[name]), atol=1e-8)
            if patch_id % 9 == 0:
                pixels = source_pixels(file, members[name])
                got, _ = read_patch(scene, grid, patch_id, BAND_NAMES)
                np.testing.assert_array_equal(np.rint(got * 10_000), pixels)


@pytest.mark.usefixtures("here")
def test_pictures_of_eurosat(tmp_path: Path, library: Library) -> None:
    """Pictures and 13-band patches of the same place agree within a step of 8 bits and the loss of JPEG."""
    with zipfile.ZipFile(shared("eurosat_ms.zip")) as bands, zipfile.ZipFile(shared("eurosat_rgb.zip")) as pictures:
        twins = {name.rsplit("/", 1)[-1].removesuffix(".jpg"): name for name in pictures.namelist()}
        members = [name for name in bands.namelist() if name.rsplit("/", 1)[-1].removesuffix(".tif") in twins]
        if len(members) < 4:
            pytest.skip("no pictures of the same patches")
        with zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
            for name in members[:: max(1, len(members) // 20)]:
                twin = twins[name.rsplit("/", 1)[-1].removesuffix(".tif")]
                few.writestr(twin, pictures.read(twin))
        scene = ingest([tmp_path / "few.zip"], library)
        grid, names = patch_grid(scene), source_names(scene)
        assert names is not None
        assert scene.bands == ("B02", "B03", "B04")
        by_name = {name.rsplit("/", 1)[-1].removesuffix(".tif"): name for name in members}
        off = []
        for patch_id, name in enumerate(filter(None, names)):
            pixels = source_pixels(bands, by_name[name.removesuffix(".jpg")])
            got, _ = read_patch(scene, grid, patch_id, scene.bands)
            off.append(np.median(np.abs(got * 10_000 - np.minimum(pixels[[1, 2, 3]], 2750))))
    assert np.median(off) < 40


@pytest.mark.usefixtures("here")
def test_bands_of_a_stac_item_beside_it(library: Library) -> None:
    folder = shared("stac/cogs/S2A_29RKH_20200219_0_L2A")
    scene = ingest([folder], library)
    assert scene.bands == tuple(name for name in BAND_NAMES if name != "B10")
    assert (scene.date, scene.level, scene.classification is not None) == ("2020-02-19", "L2A", True)
    assert facts(scene)["resolution"] == "100.0 m × 100.0 m a pixel"
    got = read_scene(scene.directory)
    with rasterio.open(folder / "B04.tif") as data:
        source = data.read(1)
        assert tuple(data.transform)[:6] == scene.grid.transform
    here = (source > 0) & (got[scene.bands.index("B04")] > 0)
    assert here.mean() > 0.5
    np.testing.assert_array_equal(got[scene.bands.index("B04")][here], source[here])
