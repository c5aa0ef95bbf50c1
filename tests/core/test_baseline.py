from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.bands import INDICES
from core.baseline import plain_spectrum
from core.config import Config
from core.encoders.spectral import shipped_table, spectral_spec
from core.evaluation import retrieval
from core.features import Features, Recipe
from core.labels import PatchLabels, patch_labels
from core.library import Library
from core.patches import patch_grid
from core.pipeline import Engine
from core.scene import Scene
from core.sources.ingest import ingest
from core.sources.settings import IngestSettings
from core.sources.synthetic import make_sample
from tests.data import shared

WITHIN = 0.02


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    yield made
    made.close()


def encoded(engine: Engine, scene: Scene) -> tuple[Features, PatchLabels]:
    recipe: Recipe = engine.recipe(scene, spectral_spec().name)
    truth = patch_labels(scene, patch_grid(scene))
    assert truth is not None
    return engine.encode_now(scene, recipe), truth


def precision(vectors: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> list[float]:
    found = retrieval(vectors, labels.astype(np.int64), classes)
    return [*(share.value for share in found.precision.values()), found.accuracy.value]


def test_it_does_as_well_as_the_encoder_of_spectra_on_a_scene(engine: Engine) -> None:
    found, truth = encoded(engine, make_sample(Library(engine.config.root), size=768))
    labels = truth.index[found.patch_ids]
    ours = precision(plain_spectrum(found.band_mean, found.band_std), labels, truth.classes)
    np.testing.assert_allclose(ours, precision(found.vectors, labels, truth.classes), atol=WITHIN)
    blind = precision(np.random.default_rng(0).standard_normal(found.vectors.shape), labels, truth.classes)
    assert blind[0] < ours[0] - 5 * WITHIN


def test_it_does_as_well_as_the_encoder_of_spectra_on_eurosat(engine: Engine) -> None:
    scene = ingest([shared("eurosat_ms.zip")], Library(engine.config.root), IngestSettings())
    found, truth = encoded(engine, scene)
    labels = truth.index[found.patch_ids]
    ours = precision(plain_spectrum(found.band_mean, found.band_std), labels, truth.classes)
    np.testing.assert_allclose(ours, precision(found.vectors, labels, truth.classes), atol=WITHIN)


def test_means_deviations_and_indices_have_the_encoders_weights() -> None:
    """A patch whose statistics are all the average ones lies at the origin."""
    table = shipped_table()
    mean, std = np.square(table.mean[:13])[None], np.square(table.mean[13:26])[None]
    found = plain_spectrum(mean, std)
    assert found.shape == (1, 32)
    assert found.dtype == np.float32
    brighter = plain_spectrum(mean, std * 1.5)
    expected = table.axes[13:26].T @ ((np.sqrt(std * 1.5) - np.sqrt(std))[0] / table.std[13:26])
    np.testing.assert_allclose(brighter[0] - found[0], expected, atol=1e-5)
    red, infrared = 3, 7
    assert INDICES["NDVI"] == ("B08", "B04")
    greener = mean.copy()
    greener[0, infrared] *= 3
    assert np.abs(plain_spectrum(greener, std) - found).max() > 0.3
    assert mean[0, red] == pytest.approx(table.mean[3] ** 2)
