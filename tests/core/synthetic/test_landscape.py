"""Synthetic scenes: the same for one seed, without seams, plausible to physics and to a classifier of real land."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from core.bands import BAND_NAMES, EUROSAT_CLASSES, EUROSAT_ORDER
from core.config import settings
from core.encoders.registry import SHIPPED, load_encoder
from core.encoders.spectral import statistics
from core.errors import JobCancelledError, SettingsError
from core.scenes.labels import patch_labels
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.similarity.neighbours import unit_rows
from core.synthetic.canvas import CODE
from core.synthetic.courses import COUNTY
from core.synthetic.landscape import make_synthetic, render, synthetic_grid, synthetic_id, write_synthetic
from core.synthetic.layout import make_plan
from core.synthetic.noise import Box, gauss, noise, uniform
from core.synthetic.spectra import MATERIALS, path_reflectance, surface, transmittance
from tests.data import shared

SEED = 0
LARGE = 2560
"""Side of the scene that is made when nothing else is asked for."""

WINDOWS = ((3, 18), (18, 27), (15, 3))
"""Row and column of patches of the large scene, from each of which 12 × 12 hold all classes between them."""
SIDE, PATCH = 12 * 64, 64


def band(pixels: NDArray[np.uint16], name: str) -> NDArray[np.float32]:
    return pixels[BAND_NAMES.index(name)].astype(np.float32) / 10_000


def index(pixels: NDArray[np.uint16], a: str, b: str) -> NDArray[np.float32]:
    one, two = band(pixels, a), band(pixels, b)
    return (one - two) / (one + two)


def read(path: Path) -> NDArray[np.uint16]:
    with rasterio.open(path) as data:
        return data.read()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_synthetic(Library(tmp_path_factory.mktemp("library")), size=256, seed=SEED)


def in_large(top: int, left: int, side: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Pixels and classes of a window of the large scene."""
    at = int(synthetic_grid(LARGE).transform[2] - 500_000) // 10 + COUNTY // 2
    plan = make_plan(Box(x0=at, y0=at, width=LARGE, height=LARGE), SEED)
    return render(plan, Box(x0=at + left, y0=at + top, width=side, height=side))


@pytest.fixture(scope="module")
def windows() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Pixels and classes of ``WINDOWS``, one below the other."""
    parts = [in_large(row * PATCH, col * PATCH, SIDE) for row, col in WINDOWS]
    return np.concatenate([part for part, _ in parts], axis=1), np.concatenate([kinds for _, kinds in parts])


@pytest.fixture(scope="module")
def pixels(windows: tuple[NDArray[np.uint16], NDArray[np.uint16]]) -> NDArray[np.uint16]:
    return windows[0]


@pytest.fixture(scope="module")
def truth(windows: tuple[NDArray[np.uint16], NDArray[np.uint16]]) -> NDArray[np.uint16]:
    return windows[1]


def inside(truth: NDArray[np.uint16], name: str, margin: int = 12) -> NDArray[np.bool_]:
    """Pixels of a class whose surroundings in their window are of the class too."""
    from scipy.ndimage import binary_erosion

    parts = np.split(truth == CODE[name], len(WINDOWS))
    return np.concatenate([binary_erosion(part, iterations=margin) for part in parts])


# --- the same for the same seed, whatever the window ------------------------------------------------------------


def test_equal_seeds_give_equal_pixels_and_other_seeds_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_synthetic(tmp_path / name, size=160, seed=seed)
    a, b, c = (read(tmp_path / name) for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert (a != c).mean() > 0.5


def test_blocks_leave_no_seams() -> None:
    box = Box(x0=1440, y0=1320, width=168, height=168)
    plan = make_plan(box, SEED)
    whole, classes = render(plan, box)
    for side in (60, 96):
        for top in range(0, 168, side):
            for left in range(0, 168, side):
                high, wide = min(side, 168 - top), min(side, 168 - left)
                part, kinds = render(plan, Box(x0=box.x0 + left, y0=box.y0 + top, width=wide, height=high))
                np.testing.assert_array_equal(part, whole[:, top : top + high, left : left + wide])
                np.testing.assert_array_equal(kinds, classes[top : top + high, left : left + wide])


def test_a_small_scene_is_a_cut_of_a_large_one(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "small.tif", size=240, seed=SEED)
    small, large = synthetic_grid(240), synthetic_grid(LARGE)
    row, col = large.rowcol(*small.xy(np.array(0.0), np.array(0.0)))
    assert (row, col) == (int(row), int(col))
    np.testing.assert_array_equal(read(tmp_path / "small.tif"), in_large(int(row), int(col), 240)[0])


def test_sizes_that_fit_no_block_are_written_whole(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "one.tif", size=131, seed=1, truth=tmp_path / "truth.tif")
    done: list[tuple[int, int]] = []
    write_synthetic(tmp_path / "many.tif", size=131, seed=1, progress=lambda *step: done.append(step), block_side=48)
    np.testing.assert_array_equal(read(tmp_path / "one.tif"), read(tmp_path / "many.tif"))
    assert read(tmp_path / "one.tif").shape == (13, 131, 131)
    assert set(np.unique(read(tmp_path / "truth.tif"))) <= set(range(1, 11))
    assert done == [(step, 9) for step in range(10)]


def test_noise_is_standard_and_a_function_of_place() -> None:
    box = Box(x0=-300, y0=-200, width=900, height=700)
    whole = noise(box, 4.0, 5)
    assert abs(whole.mean()) < 0.05
    assert 0.9 < whole.std() < 1.1
    part = noise(Box(x0=-37, y0=11, width=50, height=40), 4.0, 5)
    np.testing.assert_array_equal(part, whole[211:251, 263:313])
    ids = np.arange(200_000)
    assert abs(gauss(ids, ids * 0 + 7, 1).std() - 1) < 0.01
    draws = uniform(ids, ids * 0, 2)
    assert 0 <= draws.min() < 0.001 < 0.999 < draws.max() < 1
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.01


# --- what is written ------------------------------------------------------------


def test_the_file_is_georeferenced_described_and_called_synthetic(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "scene.tif", size=128, seed=2)
    with rasterio.open(tmp_path / "scene.tif") as data:
        assert data.descriptions == BAND_NAMES
        assert set(data.dtypes) == {"uint16"}
        assert data.crs.to_epsg() == 32631
        assert data.res == (10, 10)
        assert data.nodata == 0
        assert data.read().min() >= 1
        tags = data.tags()
    assert "synthetic" in " ".join(tags.values()).lower()
    assert tags["SEED"] == "2"


def test_scenes_of_all_sizes_share_their_middle_and_keep_to_the_lattice_of_60_metres() -> None:
    for size in (64, 513, 2560, 10_980):
        grid = synthetic_grid(size)
        assert (grid.transform[2] % 120, grid.transform[5] % 120) == (
            synthetic_grid(2560).transform[2] % 120,
            synthetic_grid(2560).transform[5] % 120,
        )
        middle = grid.xy(np.array(size / 2), np.array(size / 2))
        assert np.hypot(middle[0] - 500_000, middle[1] - 5_200_000) < 200


def test_the_scene_says_that_it_is_synthetic(scene: Scene) -> None:
    assert scene.synthetic
    assert "synthetic" in scene.name.lower()
    assert (scene.level, scene.bands, scene.classes) == ("L1C", BAND_NAMES, EUROSAT_CLASSES)
    assert {"true", "false", "swir"} <= scene.stretch.keys()
    record = load_quality(scene.directory)
    told = record.to_json().lower()
    assert "no satellite" in told
    assert "made up" in told
    assert record.settings == {"size": 256, "seed": SEED}
    assert any("synthetic" in finding.value for finding in record.warnings())
    json.loads(record.to_json())


def test_the_scene_lies_on_a_map(scene: Scene) -> None:
    corners = corners_lonlat(scene, patch_grid(scene), np.array([0, 15]))
    assert corners is not None
    assert 2.5 < corners[..., 0].min() < corners[..., 0].max() < 3.5
    assert 46.7 < corners[..., 1].min() < corners[..., 1].max() < 47.2


def test_a_known_scene_is_returned_at_once(scene: Scene) -> None:
    def refuse(_done: int, _total: int) -> None:
        raise AssertionError("it was made again")

    again = make_synthetic(Library(scene.directory.parents[1]), size=256, seed=SEED, progress=refuse)
    assert again.id == scene.id == synthetic_id(256, SEED)


def test_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise JobCancelledError("Making a scene", "it was stopped", "start it again")

    library = Library(tmp_path)
    with pytest.raises(JobCancelledError):
        make_synthetic(library, size=128, seed=0, progress=stop)
    assert list(library.root.iterdir()) == []


@pytest.mark.parametrize(("size", "seed"), [(63, 0), (30_001, 0), (64, -1), (64, 2**31)])
def test_sizes_and_seeds_out_of_range_are_refused(tmp_path: Path, size: int, seed: int) -> None:
    with pytest.raises(SettingsError, match="Making a synthetic scene"):
        write_synthetic(tmp_path / "scene.tif", size=size, seed=seed)
    assert not (tmp_path / "scene.tif").exists()


# --- what is in it ------------------------------------------------------------


def test_the_truth_of_a_scene_is_what_was_painted(scene: Scene) -> None:
    small, large = scene.grid, synthetic_grid(LARGE)
    row, col = large.rowcol(*small.xy(np.array(0.0), np.array(0.0)))
    found, kinds = in_large(int(row), int(col), 256)
    assert scene.truth_path is not None
    np.testing.assert_array_equal(read(scene.truth_path)[0], kinds)
    np.testing.assert_array_equal(read(scene.pixels_path), found)
    labels = patch_labels(scene, patch_grid(scene))
    assert labels is not None
    shares = [(kinds[:64, :64] == 1 + k).mean() for k in range(10)]
    assert (labels.index[0], labels.purity[0]) == (np.argmax(shares), pytest.approx(max(shares)))


def test_each_class_has_pure_patches(pure: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    counts = dict(zip(EUROSAT_CLASSES, np.bincount(pure[1], minlength=10).tolist(), strict=True))
    assert min(counts.values()) >= 15, counts


def test_plants_are_green_and_water_is_not(pixels: NDArray[np.uint16], truth: NDArray[np.uint16]) -> None:
    forest, sea = inside(truth, "Forest"), inside(truth, "SeaLake")
    ndvi, ndwi = index(pixels, "B08", "B04"), index(pixels, "B03", "B08")
    assert np.percentile(ndvi[forest], 10) > 0.6
    assert np.percentile(ndwi[sea], 1) > 0
    assert np.median(ndvi[inside(truth, "Pasture")]) > 0.5
    assert -0.1 < np.median(ndvi[inside(truth, "Industrial")]) < 0.35
    assert np.median(ndwi[forest]) < -0.4


def test_air_and_bands_behave_as_at_the_top_of_the_atmosphere(
    pixels: NDArray[np.uint16], truth: NDArray[np.uint16]
) -> None:
    assert band(pixels, "B10").max() < 0.01
    assert (band(pixels, "B10")[inside(truth, "Forest")] < 0.003).all()
    assert np.median(band(pixels, "B01")) > 0.09
    dark = inside(truth, "SeaLake")
    blue = [float(np.median(band(pixels, name)[dark])) for name in ("B01", "B02", "B03", "B04", "B08", "B11")]
    assert blue == sorted(blue, reverse=True)
    ratio = np.median(band(pixels, "B09")) / np.median(band(pixels, "B8A"))
    assert 0.15 < ratio < 0.45
    assert pixels.min() >= 1
    assert np.percentile(pixels, 99.9) < 9000


def test_bands_of_60_metres_are_smooth_at_10(pixels: NDArray[np.uint16]) -> None:
    """Between the centres of native pixels (columns 2.5, 8.5, …) a band laid out bilinearly is a straight line."""
    fine = pixels[BAND_NAMES.index("B04"), 60:660, 60:660].astype(np.int64)
    for name in ("B01", "B09"):
        field = pixels[BAND_NAMES.index(name), 60:660, 60:660].astype(np.int64)
        bends = np.abs(field[:, 2:] - 2 * field[:, 1:-1] + field[:, :-2])
        assert bends[:, np.isin(np.arange(61, 659) % 6, (4, 5, 0, 1))].max() <= 2
        assert np.abs(np.diff(field)).mean() < 0.25 * np.abs(np.diff(fine)).mean()


def test_bands_of_20_metres_hold_no_detail_of_10(pixels: NDArray[np.uint16]) -> None:
    """The step inside a native pixel is the mean of the steps to its neighbours."""
    for name, coarse in (("B05", True), ("B11", True), ("B08", False)):
        steps = np.diff(pixels[BAND_NAMES.index(name), 60:660, 60:660].astype(np.int64))
        inner, outer = steps[:, 2:-1:2], steps[:, 1::2]
        off = np.abs(2 * inner - outer[:, :-1] - outer[:, 1:])
        assert (off.max() <= 4) == coarse, name


def test_within_a_class_parcels_differ(pixels: NDArray[np.uint16], truth: NDArray[np.uint16]) -> None:
    for name in ("AnnualCrop", "Forest", "Pasture"):
        values = band(pixels, "B08")[inside(truth, name, 6)]
        assert 0.02 < values.std() / values.mean() < 0.5, name


def test_spectra_are_reflectances_and_air_lets_light_through() -> None:
    table = surface()
    assert table.shape == (len(MATERIALS), 13)
    assert table.min() > 0
    assert table.max() < 0.6
    assert (path_reflectance() > 0).all()
    assert path_reflectance().argmax() == 0
    assert ((transmittance() > 0) & (transmittance() < 1)).all()


# --- held to reality ------------------------------------------------------------


def spectrum(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean and deviation of each band and index, evened out."""
    return np.sqrt(np.abs(statistics(patches)))


def learned(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of the shipped encoder, scaled to length 1."""
    return unit_rows(load_encoder(SHIPPED, settings()).encode(patches))


Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Described = tuple[Features, NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture(scope="module")
def pure(pixels: NDArray[np.uint16], truth: NDArray[np.uint16]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Reflectance and class of the patches with at least 80 % of one class."""
    high, wide = (side // PATCH for side in truth.shape)
    cut = pixels.reshape(13, high, PATCH, wide, PATCH).transpose(1, 3, 2, 4, 0).reshape(-1, PATCH, PATCH, 13)
    tiles = truth.reshape(high, PATCH, wide, PATCH).transpose(0, 2, 1, 3).reshape(high * wide, -1)
    share = np.stack([(tiles == 1 + k).mean(axis=1) for k in range(10)], axis=1)
    pure = share.max(axis=1) >= 0.8
    return cut[pure].astype(np.float32) / 10_000, share.argmax(axis=1)[pure]


@pytest.fixture(scope="module", params=[spectrum, learned], ids=lambda features: features.__name__)
def described(request: pytest.FixtureRequest, pure: tuple[NDArray[np.float32], NDArray[np.int64]]) -> Described:
    """What gives features, those of the pure patches, and their classes."""
    return request.param, request.param(pure[0]), pure[1]


@cache
def real_patches(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Reflectance and class of every second of the real EuroSAT patches."""
    order = [EUROSAT_ORDER.index(name) for name in BAND_NAMES]
    found, labels = [], []
    with zipfile.ZipFile(path) as archive:
        for name in [name for name in archive.namelist() if name.endswith(".tif")][::2]:
            with MemoryFile(archive.read(name)) as memory, memory.open() as data:
                found.append(data.read()[order].transpose(1, 2, 0))
            labels.append(EUROSAT_CLASSES.index(name.split("/")[1]))
    return np.stack(found).astype(np.float32) / 10_000, np.array(labels)


def test_a_classifier_of_real_land_names_the_pure_patches(described: Described) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, made, named = described
    real, classes = real_patches(shared("eurosat_ms.zip"))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=5000))
    model.fit(features(real), classes)
    right = float((model.predict(made) == named).mean())
    sys.stdout.write(f"\n{features.__name__}: a classifier of real land names {right:.3f} of {len(made):,} patches\n")
    assert right >= 0.75


def test_the_nearest_neighbours_of_a_pure_patch_share_its_class(described: Described) -> None:
    features, found, named = described
    if features is spectrum:
        found = (found - found.mean(axis=0)) / found.std(axis=0)
    unit = unit_rows(found)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -2)
    nearest = np.argsort(-alike, axis=1)[:, :5]  # Of some classes there are hardly more than ten.
    share = float((named[nearest] == named[:, None]).mean())
    sys.stdout.write(f"\n{features.__name__}: {share:.3f} of the nearest 5 share the class\n")
    # Over the whole scene, where each has four times as many to choose from, 0.9 of ten do by either.
    assert share >= (0.85 if features is spectrum else 0.92)
