"""The encoder that comes with Landlike: two parts, weighed by how well its network knows the land."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from rasterio.io import MemoryFile

from core.bands import BAND_NAMES, FloatArray
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.registry import SHIPPED, load_encoder
from core.evaluation.classifier import HEARD_FROM
from core.features.batches import iter_patches
from core.features.level import as_fed
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.sample.package import sample_files
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.training.hyperparameters import NETWORK_FEATURES
from tests.data import shared
from tests.ground import ground, unit


@cache
def default() -> Encoder:
    return load_encoder(SHIPPED, settings(), "openvino-f32")


def patches(count: int = 6) -> FloatArray:
    """Land of fields: blocks of a few kinds of ground, each with a spectrum and a grain of its own."""
    random = np.random.default_rng(3)
    spectra = random.uniform(0.02, 0.45, (4, 13))
    kinds = np.repeat(np.repeat(random.integers(0, 4, (count, 8, 8)), 8, axis=1), 8, axis=2)
    grain = random.normal(1, 0.08, (count, 64, 64, 13))
    return np.clip(spectra[kinds] * grain, 0, 1).astype(np.float32)


def test_its_ground_part_is_what_pixels_say() -> None:
    images = patches()
    found = default().encode(images)[:, NETWORK_FEATURES:]
    np.testing.assert_allclose(unit(found), ground(images), atol=2e-3)


def test_all_features_have_one_length_and_the_network_never_has_all_the_say() -> None:
    found = default().encode(np.concatenate([patches(), np.zeros((1, 64, 64, 13), np.float32)]))
    assert found.shape == (7, 192)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    share = np.square(found[:, :NETWORK_FEATURES]).sum(axis=1)
    assert share.max() <= 0.8401
    assert share.min() >= 0


def test_the_network_has_its_say_of_land_like_what_it_was_taught_and_little_of_other_land(tmp_path: Path) -> None:
    library = Library(tmp_path)
    taught, other = (
        _share_known(ingest(files, library, IngestSettings()))
        for files in ([shared("scenes/quilt_l1c_13band.tif")], list(sample_files()))
    )
    assert taught >= 0.85
    assert other <= 0.2


def _share_known(scene: Scene) -> float:
    batches = iter_patches(scene, patch_grid(scene), BAND_NAMES)
    vectors = np.concatenate([default().encode(as_fed(batch.pixels, scene, default().spec)) for batch in batches])
    return float((np.square(vectors[:, :NETWORK_FEATURES]).sum(axis=1) >= HEARD_FROM).mean())


def test_the_network_has_less_to_say_of_a_patch_of_two_kinds_of_land() -> None:
    """Both halves are land that it knows."""
    with zipfile.ZipFile(shared("eurosat_ms.zip")) as held:
        pair = [_patch(held, name) for name in ("Forest/Forest_", "AnnualCrop/AnnualCrop_")]
    mixed = pair[0].copy()
    mixed[:, :32] = pair[1][:, :32]
    shares = np.square(default().encode(np.stack([*pair, mixed]))[:, :NETWORK_FEATURES]).sum(axis=1)
    assert shares[2] < shares[:2].min() - 0.2


def _patch(held: zipfile.ZipFile, name: str) -> FloatArray:
    """The first patch of a class, reflectance in product order; in the file B8A is the last band."""
    path = next(path for path in sorted(held.namelist()) if name in path and path.endswith(".tif"))
    with MemoryFile(held.read(path)) as memory, memory.open() as file:
        pixels = file.read().transpose(1, 2, 0).astype(np.float32) / 10_000
    order = [name for name in BAND_NAMES if name != "B8A"] + ["B8A"]
    return np.asarray(pixels[..., [order.index(name) for name in BAND_NAMES]])


@pytest.mark.parametrize("lost", [("B10",), ("B01", "B09", "B10")])
def test_air_bands_change_nothing_of_the_ground(lost: tuple[str, ...]) -> None:
    images = patches()
    bare = images.copy()
    bare[..., [BAND_NAMES.index(name) for name in lost]] = 0
    np.testing.assert_allclose(default().encode(bare), default().encode(images), atol=1e-3)
