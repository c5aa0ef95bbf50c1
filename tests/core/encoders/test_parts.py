"""On which bands features rest: of models of ours, of statistics, of any other model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, GROUND_BANDS
from core.config import Config
from core.encoders.files import NETWORK, SHARES
from core.encoders.parts import NetworkFeatures, feature_parts, network_features, parts_of_model
from core.encoders.registry import ENTRIES, FORMER, SHIPPED, describe
from core.encoders.spectral import N_BANDS, SPECTRAL, SpectralEncoder, shipped_table, spectral_spec, statistics

RGB = ("B02", "B03", "B04")


@pytest.mark.parametrize(("name", "network"), [(SHIPPED, 64), (FORMER, 128)])
def test_the_network_of_a_model_of_ours_rests_on_the_bands_it_sees(name: str, network: int, tmp_path: Path) -> None:
    config = Config(root=tmp_path, model_cache=tmp_path)
    spec = describe(name, config)
    parts = feature_parts(name, spec.fingerprint, config)
    assert parts is not None
    assert len(parts.bands) == spec.dimension
    assert np.flatnonzero(parts.alike(BAND_NAMES, RGB)).tolist() == list(range(network))
    assert parts.alike(RGB, RGB).all()
    assert not parts.alike(BAND_NAMES, ("B08",)).any(), "the near infrared stands in for all that the network sees"
    assert feature_parts(name, "0" * 64, config) is None, "other features"
    assert feature_parts("no such", spec.fingerprint, config) is None


def test_bands_that_see_no_ground_make_no_difference_to_the_shipped_encoder(tmp_path: Path) -> None:
    config = Config(root=tmp_path, model_cache=tmp_path)
    parts = feature_parts(SHIPPED, describe(SHIPPED, config).fingerprint, config)
    assert parts is not None
    assert parts.alike(BAND_NAMES, GROUND_BANDS).all()


def test_statistics_come_apart_by_bands_and_indices(tmp_path: Path) -> None:
    parts = feature_parts(SPECTRAL, spectral_spec().fingerprint, Config(root=tmp_path, model_cache=tmp_path))
    assert parts is not None
    numbers = parts.alike(BAND_NAMES, ("B02", "B03", "B04", "B08"))
    assert int(numbers.sum()) == 2 * 4 + 2 * 2, "four bands, NDVI and NDWI"
    pixels = np.random.default_rng(0).uniform(0.02, 0.4, (5, 8, 8, N_BANDS)).astype(np.float32)
    features = SpectralEncoder().encode(pixels)
    np.testing.assert_allclose(parts.of(features, np.ones(len(numbers), bool)), features, atol=1e-4)
    table, stats = shipped_table(), statistics(pixels)
    stats[:, ~numbers] = 1e3  # What the others say is of no account: their axes are gone.
    without = replace(table, axes=np.where(numbers[:, None], table.axes, 0))
    np.testing.assert_allclose(parts.of(features, numbers), without.features(stats), atol=1e-4)


def test_any_other_model_rests_on_all_its_bands(tmp_path: Path) -> None:
    spec = replace(spectral_spec(), bands=("B02", "B08"), dimension=3)
    parts = parts_of_model(spec, None)
    assert parts.bands == (("B02", "B08"),) * 3
    assert parts_of_model(spec, tmp_path).bands == parts.bands
    shipped = describe(SHIPPED, Config(root=tmp_path, model_cache=tmp_path))
    assert parts_of_model(shipped, Path(ENTRIES[SHIPPED].reference)).bands[0] == RGB


@pytest.mark.parametrize(
    ("said", "shares", "found"),
    [
        ({"bands": RGB, "classes": ["Fen", "Sea"]}, 5, NetworkFeatures(count=5, bands=RGB, taught=("Fen", "Sea"))),
        ({"bands": RGB}, 5, NetworkFeatures(count=5, bands=RGB)),
        ({"bands": RGB, "classes": ["Fen", "Sea"]}, 0, NetworkFeatures(count=128, bands=RGB)),
        ({"bands": RGB, "heads": 2}, 0, NetworkFeatures()),
        ({"classes": ["Fen", "Sea"]}, 5, NetworkFeatures()),
        ({"bands": RGB, "classes": 2}, 5, NetworkFeatures()),
        ([], 5, NetworkFeatures()),
        (None, 5, NetworkFeatures()),
    ],
)
def test_files_say_which_features_are_the_networks_and_what_it_was_taught(
    said: object, shares: int, found: NetworkFeatures, tmp_path: Path
) -> None:
    if said is not None:
        (tmp_path / NETWORK).write_text(json.dumps(said))
    if shares:
        with (tmp_path / SHARES).open("wb") as file:
            np.savez(file, centre=np.zeros(shares, np.float32))
    assert network_features(tmp_path) == found
    assert network_features(None) == NetworkFeatures()


def test_a_damaged_table_of_shares_leaves_a_model_without_a_network(tmp_path: Path) -> None:
    (tmp_path / NETWORK).write_text(json.dumps({"bands": RGB}))
    (tmp_path / SHARES).write_bytes(b"PK no table")
    assert network_features(tmp_path) == NetworkFeatures()
