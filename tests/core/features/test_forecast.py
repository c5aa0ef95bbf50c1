"""What a run will take, by what earlier runs took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.encoders.base import EncoderSpec
from core.features.encode import encode_scene
from core.features.forecast import Forecast, forecast
from core.features.recipe import Recipe
from core.features.runs import RunRecord, Runs
from core.features.store import FeatureStore
from core.scenes.cut import Cut
from core.scenes.patches import PatchGrid
from tests.fakes import PlaceEncoder, place_scene, recipe_of

ANY_SIZE: EncoderSpec = PlaceEncoder().spec
ONE_SIZE = replace(ANY_SIZE, input_size=64, fingerprint="f" * 64)
PLACES = PatchGrid(height=160, width=160, cut=Cut.of(16))


def forecast_of(runs: Runs, spec: EncoderSpec, grid: PatchGrid) -> Forecast:
    """The forecast of all patches of a grid."""
    return forecast(runs, spec, grid, grid.count)


def note(runs: Runs, spec: EncoderSpec, cut: Cut, rate: float, scene: str = "s-1") -> None:
    recipe = Recipe(scene_id=scene, encoder="e", fingerprint=spec.fingerprint, cut=cut)
    runs.put(RunRecord(recipe=recipe, spec=spec, planned=100, stored=100, rate=rate).finished())


def grid(cut: Cut) -> PatchGrid:
    return PatchGrid(height=640, width=640, cut=cut)


def test_without_a_run_the_time_is_not_known_but_the_disk_is(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    note(runs, ONE_SIZE, Cut.of(64), 0.0)
    note(runs, ANY_SIZE, Cut.of(64), 50.0)
    found = forecast_of(runs, ONE_SIZE, grid(Cut.of(64)))
    assert (found.patches, found.seconds) == (100, None)
    assert found.bytes == pytest.approx(100 * 2 * (4 * ONE_SIZE.dimension + 160), rel=0.1)


def test_the_run_of_the_nearest_size_counts_and_an_encoder_of_one_size_takes_as_long_for_any(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    note(runs, ONE_SIZE, Cut.of(64), 50.0)
    note(runs, ONE_SIZE, Cut.of(256), 5.0, "s-2")
    assert forecast_of(runs, ONE_SIZE, grid(Cut.of(32))).seconds == pytest.approx(400 / 50)
    assert forecast_of(runs, ONE_SIZE, grid(Cut.of(320))).seconds == pytest.approx(4 / 5)


def test_an_encoder_of_any_size_takes_as_long_as_there_are_pixels(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    note(runs, ANY_SIZE, Cut.of(64), 50.0)
    assert forecast_of(runs, ANY_SIZE, grid(Cut.of(128))).seconds == pytest.approx(25 * 4 / 50)


def test_a_run_measures_itself(tmp_path: Path) -> None:
    scene, encoder, store = place_scene(tmp_path), PlaceEncoder(delay=0.01), FeatureStore(tmp_path)
    recipe = recipe_of(scene, encoder)
    encode_scene(scene, encoder, recipe, store)
    record = store.runs.get(recipe)
    assert record is not None
    assert 0 < record.rate < encoder.batch_size / 0.01
    assert forecast_of(store.runs, encoder.spec, PLACES).seconds == pytest.approx(100 / record.rate)
