"""Batches hold the pixels of their patches, whatever the size, stride and shape, and read what is new only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from core.bands import BAND_NAMES, EUROSAT_ORDER, FloatArray
from core.features.batches import iter_patches
from core.scenes.cut import Cut, Edge
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import SceneReader
from tests.scenes import add_scene, place_pixels


@pytest.mark.parametrize("edge", ["leave", "cover"])
@pytest.mark.parametrize(("size", "stride"), [(64, 64), (64, 32), (32, 20), (100, 100)])
def test_pixels_come_from_their_window(tmp_path: Path, size: int, stride: int, edge: Edge) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene, Cut.of(size, stride, edge=edge))
    truth = place_pixels(256, 320, 13)
    seen = []
    for batch in iter_patches(scene, grid, EUROSAT_ORDER):
        assert batch.pixels.dtype == np.float32
        assert (batch.valid_fraction == 1).all()
        for patch_id, pixels in zip(batch.ids, batch.pixels, strict=True):
            row, col, height, width = grid.window(int(patch_id))
            for position, band in enumerate(EUROSAT_ORDER):
                expected = truth[BAND_NAMES.index(band), row : row + height, col : col + width]
                np.testing.assert_allclose(pixels[:, :, position] * 10_000, expected, rtol=1e-5)
        seen += batch.ids.tolist()
    assert seen == list(range(grid.count))


class CountingReader(SceneReader):
    """Counts the pixels that are read."""

    read_pixels: ClassVar[list[int]] = []

    def read(
        self, bands: Sequence[str], window: tuple[int, int, int, int], shape: tuple[int, int] | None = None
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        self.read_pixels.append(window[2] * window[3])
        return super().read(bands, window, shape)


@pytest.mark.parametrize(
    "cut", [Cut.of(64), Cut.of(64, 32), Cut.of(64, 8), Cut.of(60, 50, edge="cover"), Cut.of(100, 33, edge="cover")]
)
def test_overlap_costs_one_read(tmp_path: Path, cut: Cut) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene, cut)
    CountingReader.read_pixels.clear()
    batches = list(iter_patches(scene, grid, ("B02",), open_scene=CountingReader))
    below, right = grid.left_over
    assert sum(CountingReader.read_pixels) == (256 - below) * (320 - right), "each pixel that is in a patch, once"
    assert sum(len(batch.ids) for batch in batches) == grid.count


def test_a_strip_too_wide_for_memory_is_read_in_columns_that_share_little(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene, Cut.of(64, 24, edge="cover"))
    whole = {}
    for batch in iter_patches(scene, grid, ("B02",)):
        whole |= dict(zip(batch.ids.tolist(), batch.pixels, strict=True))
    CountingReader.read_pixels.clear()
    parts = list(iter_patches(scene, grid, ("B02",), open_scene=CountingReader, most_bytes=64 * 130 * 4))
    assert max(len(batch.ids) for batch in parts) == 2, "as many as fit"
    ids = np.concatenate([batch.ids for batch in parts])
    assert sorted(ids.tolist()) == list(range(grid.count))
    for batch in parts:
        for patch_id, pixels in zip(batch.ids.tolist(), batch.pixels, strict=True):
            np.testing.assert_array_equal(pixels, whole[patch_id])
    assert sum(CountingReader.read_pixels) < 256 * 320 * 1.6


def test_rows_that_are_done_are_not_read_again(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene)
    done = frozenset(range(7))
    ids = np.concatenate([batch.ids for batch in iter_patches(scene, grid, ("B02",), skip=done)])
    assert ids.tolist() == list(range(7, grid.count))


def test_no_data_is_counted_and_filled_with_the_mean_of_the_rest(tmp_path: Path) -> None:
    pixels = place_pixels(128, 128, 13)
    pixels[:, :32, :64] = 0
    pixels[:, 64:, 64:] = 0
    scene = add_scene(Library(tmp_path), height=128, width=128, pixels=pixels)
    batches = list(iter_patches(scene, patch_grid(scene), ("B04",)))
    fractions = np.concatenate([batch.valid_fraction for batch in batches])
    np.testing.assert_allclose(fractions, [0.5, 1, 1, 0])
    filled = batches[0].pixels[0, :32, :, 0]
    np.testing.assert_allclose(filled, pixels[3, 32:64, :64].mean() / 10_000, rtol=1e-5)
    assert batches[1].pixels[1].max() == 0
