"""Spectral statistics: right numbers, fixed constants, stated quality."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bands import BAND_NAMES, EUROSAT_ORDER, INDICES, normalised_difference
from core.config import Config
from core.encoders import spectral
from core.encoders.registry import load_encoder
from core.errors import EncoderError
from tests.core.encoders.conftest import patches
from tests.data import shared


@pytest.fixture(scope="module")
def eurosat() -> tuple[np.ndarray, np.ndarray]:
    """Reflectance of all labelled patches in product order, and their classes."""
    order = [EUROSAT_ORDER.index(name) for name in BAND_NAMES]
    pixels, labels = [], []
    with zipfile.ZipFile(shared("eurosat_ms.zip")) as file:
        for name in sorted(name for name in file.namelist() if name.endswith(".tif")):
            with rasterio.open(io.BytesIO(file.read(name))) as data:
                pixels.append(data.read().transpose(1, 2, 0)[..., order])
            labels.append(name.split("/")[-2])
    return np.stack(pixels).astype(np.float32) / 10_000, np.array(labels)


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 40), count=st.integers(0, 3), seed=st.integers(0, 99))
def test_statistics_are_means_and_deviations(size: int, count: int, seed: int) -> None:
    batch = np.random.default_rng(seed).uniform(0, 1, (count, size, size, 13)).astype(np.float32)
    indices = [
        normalised_difference(batch[..., BAND_NAMES.index(a)], batch[..., BAND_NAMES.index(b)])
        for a, b in INDICES.values()
    ]
    every = np.concatenate([batch, np.stack(indices, axis=-1)], axis=-1).astype(np.float64)
    mean, std = every.mean(axis=(1, 2)), every.std(axis=(1, 2))
    expected = np.concatenate([mean[:, :13], std[:, :13], mean[:, 13:], std[:, 13:]], axis=1)
    np.testing.assert_allclose(spectral.statistics(batch), expected, atol=2e-6)


def test_statistics_keep_small_spread_of_bright_patches() -> None:
    batch = np.full((1, 64, 64, 13), 0.9, np.float32)
    batch[:, ::2] += 1e-4
    expected = batch.astype(np.float64).std(axis=(1, 2))
    np.testing.assert_allclose(spectral.statistics(batch)[:, 13:26], expected, rtol=2e-3)


def test_rows_are_independent_and_finite(config: Config) -> None:
    encoder = load_encoder("spectral", config)
    batch = np.concatenate([patches(5), np.zeros((1, 64, 64, 13), np.float32)])
    together = encoder.encode(batch)
    assert np.isfinite(together).all()
    for position in range(len(batch)):
        np.testing.assert_array_equal(encoder.encode(batch[position : position + 1])[0], together[position])
    np.testing.assert_array_equal(encoder.infer(encoder.prepare(batch)), together)


def test_band_not_measured_counts_as_average(config: Config) -> None:
    batch = patches(40, seed=3)
    missing = batch.copy()
    missing[..., BAND_NAMES.index("B10")] = 0
    encoder = load_encoder("spectral", config)
    full, part = encoder.encode(batch), encoder.encode(missing)

    def cosines(vectors: np.ndarray) -> np.ndarray:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return (unit @ unit.T)[np.triu_indices(len(unit), 1)]

    # Were zero taken at its word, every patch would share two extreme numbers and similarities would shrink together.
    assert np.corrcoef(cosines(full), cosines(part))[0, 1] > 0.9
    assert cosines(part).std() > 0.8 * cosines(full).std()


def test_spec_matches_what_comes_out(config: Config) -> None:
    encoder = load_encoder("spectral", config)
    spec = encoder.spec
    assert (spec.bands, spec.input_size, spec.gain, spec.backend) == (BAND_NAMES, None, None, "numpy")
    features = encoder.encode(patches(3, size=24))
    assert (features.shape, features.dtype) == ((3, spec.dimension), np.float32)


@pytest.mark.parametrize("shape", [(2, 8, 8, 12), (8, 8, 13)])
def test_wrong_shape_is_refused(shape: tuple[int, ...], config: Config) -> None:
    with pytest.raises(EncoderError, match="height, width, 13"):
        load_encoder("spectral", config).prepare(np.zeros(shape, np.float32))


def test_other_backend_is_refused(config: Config) -> None:
    with pytest.raises(EncoderError, match="leave the backend out"):
        load_encoder("spectral", config, "tensorflow")


def test_shipped_table_is_made_from_the_training_patches(eurosat: tuple[np.ndarray, np.ndarray]) -> None:
    made = spectral.fit_table(spectral.statistics(eurosat[0]))
    table, _ = spectral._shipped()
    np.testing.assert_allclose(table.mean, made.mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(table.std, made.std, rtol=1e-4)
    np.testing.assert_allclose(table.axes, made.axes, atol=2e-3)


def test_neighbours_on_eurosat_are_as_good_as_stated(eurosat: tuple[np.ndarray, np.ndarray], config: Config) -> None:
    pixels, labels = eurosat
    vectors = load_encoder("spectral", config).encode(pixels)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    hits = labels[np.argsort(-cosine, axis=1)[:, :10]] == labels[:, None]
    precision = [hits[:, :k].mean() for k in (1, 5, 10)]
    np.testing.assert_allclose(precision, [0.780, 0.682, 0.636], atol=0.011)
