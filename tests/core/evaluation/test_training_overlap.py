"""Patches that a model has learned from are known again by their band statistics, and no others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.errors import EncoderError
from core.evaluation.band_statistics import statistics_of_bands, statistics_of_pixels
from core.evaluation.training_overlap import TOLERANCE, TrainingBlock, TrainingPatches
from core.features.batches import iter_patches
from core.features.encode import band_statistics
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.training.dataset import labelled
from tests.scenes import add_scene

RGB = ("B02", "B03", "B04")


def stored(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations of 13 bands."""
    random = np.random.default_rng(seed)
    return random.random((count, 13)).astype(np.float32), random.random((count, 13)).astype(np.float32) / 10


def learned(*parts: tuple[np.ndarray, np.ndarray], bands: tuple[str, ...] = RGB) -> TrainingPatches:
    return TrainingPatches(
        blocks=tuple(TrainingBlock(bands=bands, statistics=statistics_of_bands(*part, bands)) for part in parts)
    )


def test_band_statistics_are_mean_and_deviation() -> None:
    pixels = np.zeros((2, 4, 4, 2), np.uint16)
    pixels[1, ..., 0] = 1000
    pixels[1, :2, :, 1] = 4000
    np.testing.assert_allclose(statistics_of_pixels(pixels), [[0, 0, 0, 0], [0.1, 0.2, 0, 0.2]], atol=1e-6)
    mean, std = stored(3, 0)
    found = statistics_of_bands(mean, std, ("B04", "B8A"))
    columns = [BAND_NAMES.index("B04"), BAND_NAMES.index("B8A")]
    np.testing.assert_array_equal(found, np.hstack([mean[:, columns], std[:, columns]]))


def test_training_and_scene_tell_the_same_statistics_of_a_patch(tmp_path: Path) -> None:
    """What is stored beside features was summed in another order than what a training sees."""
    random = np.random.default_rng(0)
    pixels = random.integers(1, 12_000, (13, 256, 320)).astype(np.uint16)
    scene = add_scene(Library(tmp_path), pixels=pixels)
    grid = patch_grid(scene)
    give_label(scene, grid, range(grid.count), "Land")
    patches = labelled(scene)
    batches = [band_statistics(batch) for batch in iter_patches(scene, grid, BAND_NAMES)]
    mean, std = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert np.abs(patches.band_statistics() - statistics_of_bands(mean, std, patches.bands)).max() < TOLERANCE / 5
    half = TrainingPatches(
        blocks=(TrainingBlock(bands=patches.bands, statistics=patches.take(np.arange(7)).band_statistics()),)
    )
    assert np.flatnonzero(half.holds(mean, std)).tolist() == list(range(7))


def test_the_same_patches_are_known_and_no_others() -> None:
    known, other = stored(500, 1), stored(300, 2)
    found = learned(known)
    assert found.holds(*known).all()
    assert not found.holds(*other).any()
    near = known[0] + np.float32(TOLERANCE / 3), known[1] - np.float32(TOLERANCE / 3)
    assert found.holds(*near).all()
    for column in (BAND_NAMES.index("B03"), BAND_NAMES.index("B04")):
        off = known[0].copy()
        off[:, column] += 3 * TOLERANCE
        assert not found.holds(off, known[1]).any()
    elsewhere = known[0].copy()
    elsewhere[:, BAND_NAMES.index("B11")] += 1
    assert found.holds(elsewhere, known[1]).all(), "only its own bands count"


def test_patches_that_share_a_number_are_told_apart() -> None:
    mean, std = stored(200, 3)
    mean[:, 1] = 0.25
    found = learned((mean[:100], std[:100]))
    assert np.flatnonzero(found.holds(mean, std)).tolist() == list(range(100))


def test_a_model_that_goes_on_from_another_has_learned_both() -> None:
    first, second, third = stored(50, 4), stored(50, 5), stored(50, 6)
    both = learned(first, second)
    assert both.holds(*first).all()
    assert both.holds(*second).all()
    assert not both.holds(*third).any()


def test_statistics_of_other_bands_are_compared_where_the_bands_are_there() -> None:
    known = stored(50, 7)
    found = learned(known)
    wide = statistics_of_bands(*known, BAND_NAMES)
    assert found.holds_statistics(BAND_NAMES, wide).all()
    assert not found.holds_statistics(("B02", "B03"), statistics_of_bands(*known, ("B02", "B03"))).any()
    assert not found.holds_statistics(BAND_NAMES, statistics_of_bands(*stored(50, 8), BAND_NAMES)).any()


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    found, path = learned(stored(50, 9), stored(20, 10)), tmp_path / "learned.npz"
    path.write_bytes(found.to_bytes())
    back = TrainingPatches.load(path)
    assert [block.bands for block in back.blocks] == [RGB, RGB]
    assert back.holds(*stored(50, 9)).all()
    assert back.holds(*stored(20, 10)).all()


def packed(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"PK",
        packed(),
        packed(bands_0=np.array(["B02"]), light_0=np.zeros((3, 3), np.float32)),
        packed(bands_0=np.array(["B99"]), light_0=np.zeros((3, 2), np.float32)),
        packed(bands_1=np.array(["B02"]), light_1=np.zeros((3, 2), np.float32)),
        packed(bands_0=np.array(["B02"]), light_0=np.array([["a", "b"]])),
        packed(bands_0=np.array([{}], object), light_0=np.zeros((3, 2), np.float32)),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "learned.npz"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"learned\.npz cannot be read or is damaged; get the model again\.$"):
        TrainingPatches.load(path)
