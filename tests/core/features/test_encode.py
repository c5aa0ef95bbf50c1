"""The encode run: every patch in its place, once, and nothing done twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, FloatArray
from core.errors import EncoderError, JobCancelledError, PatchError
from core.features.database import connect
from core.features.encode import encode_scene
from core.features.recipe import Features
from core.features.store import FeatureStore
from core.scenes.cut import Cut
from core.scenes.patches import centres_lonlat, patch_grid
from tests.fakes import PlaceEncoder, place_scene, recipe_of


def places(features: Features) -> list[tuple[int, int]]:
    return [(int(row), int(col)) for row, col in features.vectors[:, :2]]


def logged(path: Path) -> list[tuple[int, int]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(row), int(col)) for row, col in (line.split() for line in lines)]


@pytest.mark.parametrize(("size", "stride"), [(16, 16), (16, 7), (23, 11)])
def test_features_lie_under_the_id_of_their_patch(tmp_path: Path, size: int, stride: int) -> None:
    scene, encoder, store = place_scene(tmp_path), PlaceEncoder(), FeatureStore(tmp_path)
    recipe, grid = recipe_of(scene, encoder, size, stride), patch_grid(scene, Cut.of(size, stride))
    encode_scene(scene, encoder, recipe, store)
    features = store.read(recipe)
    assert features.patch_ids.tolist() == list(range(grid.count))
    assert places(features) == [grid.window(patch_id)[:2] for patch_id in range(grid.count)]
    assert not features.vectors.flags.writeable


def test_statistics_are_those_of_the_pixels(tmp_path: Path) -> None:
    scene, encoder, store = place_scene(tmp_path), PlaceEncoder(bands=("B11", "B02", "B04")), FeatureStore(tmp_path)
    recipe = recipe_of(scene, encoder)
    encode_scene(scene, encoder, recipe, store)
    features, grid = store.read(recipe), patch_grid(scene, Cut.of(16))
    for patch_id in (0, 13, grid.count - 1):
        row, col, size, _ = grid.window(patch_id)
        mean, std = features.band_mean[patch_id], features.band_std[patch_id]
        assert mean[BAND_NAMES.index("B02")] == pytest.approx((np.arange(row, row + size) + 1).mean() / 1e4, rel=1e-5)
        assert std[BAND_NAMES.index("B11")] == pytest.approx(np.arange(col, col + size).std() / 1e4, rel=1e-4)
        assert mean[BAND_NAMES.index("B10")] == pytest.approx(0.05)
        assert features.vectors[patch_id, 2] == pytest.approx(mean[BAND_NAMES.index("B11")], rel=1e-5)


def test_missing_bands_are_filled_in_statistics_too(tmp_path: Path) -> None:
    bands = tuple(name for name in BAND_NAMES if name not in ("B10", "B12"))
    scene, encoder, store = place_scene(tmp_path, bands=bands), PlaceEncoder(), FeatureStore(tmp_path)
    recipe = recipe_of(scene, encoder)
    encode_scene(scene, encoder, recipe, store)
    mean = store.read(recipe).band_mean
    assert (mean[:, BAND_NAMES.index("B10")] == 0).all()
    np.testing.assert_allclose(mean[:, BAND_NAMES.index("B12")], mean[:, BAND_NAMES.index("B11")], rtol=1e-5)


def test_patches_without_enough_data_are_skipped_and_the_run_is_complete(tmp_path: Path) -> None:
    scene = place_scene(tmp_path, empty=(slice(0, 40), slice(0, 40)))
    encoder, store = PlaceEncoder(log=tmp_path / "log"), FeatureStore(tmp_path)
    recipe, grid = recipe_of(scene, encoder), patch_grid(scene, Cut.of(16))
    told: list[tuple[int, int]] = []
    encode_scene(scene, encoder, recipe, store, progress=lambda done, total: told.append((done, total)))
    features = store.read(recipe)
    # 40 pixels hold two patches and a half; the halves have exactly the least valid fraction, 0.5.
    assert set(range(grid.count)) - set(features.patch_ids.tolist()) == {0, 1, 10, 11}
    assert features.valid_fraction[features.position(2)] == pytest.approx(0.5)
    assert store.complete(recipe)
    assert told[-1] == (grid.count, grid.count)
    half = features.position(2)
    expected = np.arange(40, 48).std() / 1e4
    assert features.band_std[half, BAND_NAMES.index("B11")] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("least", "skipped"), [(0.25, {0, 1, 10, 11}), (0.2, {0, 1, 10, 11}), (0.51, None)])
def test_the_least_valid_fraction_is_that_of_the_cut(tmp_path: Path, least: float, skipped: set[int] | None) -> None:
    scene = place_scene(tmp_path, empty=(slice(0, 40), slice(0, 40)))
    encoder, store = PlaceEncoder(), FeatureStore(tmp_path)
    recipe = replace(recipe_of(scene, encoder), cut=Cut.of(16, least_valid=least))
    encode_scene(scene, encoder, recipe, store)
    grid, ids = patch_grid(scene, recipe.cut), set(store.read(recipe).patch_ids.tolist())
    missing = set(range(grid.count)) - ids
    assert missing == (skipped or {0, 1, 2, 10, 11, 12, 20, 21})
    assert store.complete(recipe)
    assert not store.complete(recipe_of(scene, encoder)), "another cut is another run"


def test_a_covered_edge_has_features_of_its_place(tmp_path: Path) -> None:
    scene, encoder, store = place_scene(tmp_path), PlaceEncoder(), FeatureStore(tmp_path)
    recipe = replace(recipe_of(scene, encoder), cut=Cut.of(23, 11, edge="cover"))
    encode_scene(scene, encoder, recipe, store)
    grid = patch_grid(scene, recipe.cut)
    assert grid.left_over == (0, 0)
    assert patch_grid(scene, Cut.of(23, 11)).left_over != (0, 0)
    assert places(store.read(recipe)) == [grid.window(patch_id)[:2] for patch_id in range(grid.count)]


def test_places_on_earth_are_stored(tmp_path: Path) -> None:
    scene, encoder, store = place_scene(tmp_path), PlaceEncoder(), FeatureStore(tmp_path)
    recipe, grid = recipe_of(scene, encoder), patch_grid(scene, Cut.of(16))
    encode_scene(scene, encoder, recipe, store)
    name = next(path.stem for path in store.root.glob("encoder-*.lance"))
    table = connect(str(store.root)).open_table(name).to_arrow().sort_by("patch_id")
    expected = centres_lonlat(scene, grid, np.arange(grid.count))
    assert expected is not None
    np.testing.assert_allclose(table.column("lon").to_numpy(), expected[:, 0])
    np.testing.assert_allclose(table.column("lat").to_numpy(), expected[:, 1])
    assert (table.column("row").to_numpy() * grid.n_cols + table.column("col").to_numpy()).tolist() == list(
        range(grid.count)
    )


def test_a_scene_without_a_place_stores_null_places(tmp_path: Path) -> None:
    scene, encoder, store = place_scene(tmp_path, crs=None), PlaceEncoder(), FeatureStore(tmp_path)
    recipe = recipe_of(scene, encoder)
    encode_scene(scene, encoder, recipe, store)
    assert len(store.read(recipe)) == patch_grid(scene, Cut.of(16)).count


def test_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    scene, store, log = place_scene(tmp_path), FeatureStore(tmp_path), tmp_path / "log"
    encoder = PlaceEncoder(log=log)
    recipe = recipe_of(scene, encoder)
    encode_scene(scene, encoder, recipe, store)
    first = logged(log)
    encode_scene(scene, encoder, recipe, store)
    assert logged(log) == first
    assert sorted(first) == sorted(set(first))


def test_a_cancelled_run_keeps_its_chunks_and_goes_on_where_it_was(tmp_path: Path) -> None:
    scene, store, log = place_scene(tmp_path), FeatureStore(tmp_path), tmp_path / "log"
    encoder = PlaceEncoder(log=log)
    recipe, grid = recipe_of(scene, encoder), patch_grid(scene, Cut.of(16))
    with pytest.raises(JobCancelledError):
        encode_scene(
            scene, encoder, recipe, store, cancelled=lambda: len(logged(log)) >= grid.count // 2, chunk_patches=8
        )
    kept = store.done_ids(recipe)
    assert 0 < len(kept) < grid.count
    assert not store.complete(recipe)
    log.unlink()
    encode_scene(scene, encoder, recipe, store)
    assert len(logged(log)) == grid.count - len(kept)
    assert store.read(recipe).patch_ids.tolist() == list(range(grid.count))


def test_a_scene_without_data_is_refused(tmp_path: Path) -> None:
    scene, encoder = place_scene(tmp_path, empty=(slice(None), slice(None))), PlaceEncoder()
    store = FeatureStore(tmp_path)
    with pytest.raises(PatchError, match="none of its 80 patches has enough valid pixels"):
        encode_scene(scene, encoder, recipe_of(scene, encoder), store)


def test_another_encoder_than_the_recipes_is_refused(tmp_path: Path) -> None:
    scene = place_scene(tmp_path)
    recipe = recipe_of(scene, PlaceEncoder(name="other"))
    with pytest.raises(EncoderError, match="have changed"):
        encode_scene(scene, PlaceEncoder(), recipe, FeatureStore(tmp_path))


class BrokenEncoder(PlaceEncoder):
    def infer(self, prepared: FloatArray) -> FloatArray:
        return np.full((len(prepared), self.spec.dimension), np.nan, np.float32)


def test_features_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    scene, encoder = place_scene(tmp_path), BrokenEncoder()
    with pytest.raises(EncoderError, match="not finite"):
        encode_scene(scene, encoder, recipe_of(scene, encoder), FeatureStore(tmp_path))


class FailingEncoder(PlaceEncoder):
    def prepare(self, batch: FloatArray) -> FloatArray:
        raise EncoderError("Preparing", "it failed", "try another")


def test_a_failure_ahead_of_the_encoder_comes_to_light(tmp_path: Path) -> None:
    scene, encoder = place_scene(tmp_path), FailingEncoder()
    with pytest.raises(EncoderError, match="Preparing: it failed"):
        encode_scene(scene, encoder, recipe_of(scene, encoder), FeatureStore(tmp_path))
