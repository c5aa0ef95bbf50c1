"""The stability of every patch, beside a search by hand over patches cut by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bands import FloatArray
from core.encoders.base import Encoder
from core.errors import JobCancelledError, PatchError
from core.evaluation.grid_shift import COMPARED, MOST_SHIFTED, SHIFT, TO_MEASURE, grid_shift, no_stability, stability
from core.scenes.cut import Cut
from core.scenes.patches import PatchGrid, patch_grid
from core.scenes.scene import Scene, SceneReader
from tests.fakes import PlaceEncoder, place_scene

EMPTY = (slice(0, 40), slice(0, 33))


class Waves(PlaceEncoder):
    """Features that differ from place to place and change with a shift: waves of several lengths."""

    def infer(self, prepared: FloatArray) -> FloatArray:
        rows = super().infer(prepared)[:, 2:]
        down, right = rows[:, self._row, None] * 1e4, rows[:, self._col, None] * 1e4
        steps = np.linspace(0.02, 0.3, rows.shape[1] + 2)
        return np.cos(down * steps + right * steps[::-1]).astype(np.float32)


def cut_at(reader: SceneReader, encoder: Encoder, top: int, left: int, size: int) -> tuple[FloatArray, float]:
    pixels, mask = reader.read(encoder.spec.bands, (top, left, size, size))
    patch = pixels.transpose(1, 2, 0).copy()
    if mask.any():
        patch[~mask] = patch[mask].mean(axis=0)
    return encoder.encode(patch[None])[0], float(mask.mean())


def encoded(scene: Scene, grid: PatchGrid, encoder: Encoder) -> tuple[FloatArray, np.ndarray]:
    with SceneReader(scene) as reader:
        found = [cut_at(reader, encoder, *grid.window(patch)[:2], grid.size) for patch in range(grid.count)]
    ids = np.array([patch for patch, (_, valid) in enumerate(found) if valid >= 0.5])
    return np.stack([found[patch][0] for patch in ids]), ids


def by_hand(scene: Scene, grid: PatchGrid, encoder: Encoder, vectors: FloatArray, ids: np.ndarray) -> np.ndarray:
    """What the figure is, patch by patch."""
    kept = []
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    with SceneReader(scene) as reader:
        for patch, own in zip(ids.tolist(), unit, strict=True):
            top, left, size, _ = grid.window(patch)
            top += SHIFT if top + SHIFT + size <= grid.height else -SHIFT
            left += SHIFT if left + SHIFT + size <= grid.width else -SHIFT
            moved, valid = cut_at(reader, encoder, top, left, size)
            apart = ~np.isin(ids, grid.touching(patch))
            before, after = (
                set(ids[apart][np.argsort(-(unit[apart] @ one))[:COMPARED]].tolist())
                for one in (own, moved / np.linalg.norm(moved))
            )
            kept.append(len(before & after) / len(before) if valid >= 0.5 else np.nan)
    return np.array(kept)


@pytest.mark.parametrize("cut", [Cut.of(16), Cut.of(16, 12), Cut.of(16, 12, edge="cover")])
def test_each_patch_has_the_figure_that_a_search_by_hand_finds(tmp_path: Path, cut: Cut) -> None:
    scene, encoder = place_scene(tmp_path, height=104, width=120, empty=EMPTY), Waves()
    grid = patch_grid(scene, cut)
    vectors, ids = encoded(scene, grid, encoder)
    found = stability(scene, grid, encoder, vectors, ids)
    wanted = by_hand(scene, grid, encoder, vectors, ids)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert len(ids) < grid.count
    assert len(np.unique(found[np.isfinite(found)])) > 3
    sampled = grid_shift(scene, grid, encoder, vectors, ids, sample=1000)
    assert sampled.kept.value == pytest.approx(np.nanmean(wanted)), "the sample is of the same figures"
    np.testing.assert_array_equal(sampled.kept_each, found[np.isin(ids, sampled.ids)])


def test_without_room_for_the_shift_there_is_no_figure(tmp_path: Path) -> None:
    scene, encoder = place_scene(tmp_path, height=64, width=21), Waves()
    grid = patch_grid(scene, Cut.of(8, 3))
    vectors, ids = encoded(scene, grid, encoder)
    found = stability(scene, grid, encoder, vectors, ids)
    assert set(grid.first_pixels(ids[np.isnan(found)])[:, 1].tolist()) == {6}, "8 pixels from neither edge"
    narrow = patch_grid(replace(scene, grid=replace(scene.grid, width=15)), Cut.of(8, 2))
    with pytest.raises(PatchError, match="too small"):
        stability(scene, narrow, encoder, vectors, ids)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    scene, log = place_scene(tmp_path), tmp_path / "log"
    grid = patch_grid(scene, Cut.of(16))
    vectors, ids = encoded(scene, grid, Waves())
    kept: list[FloatArray] = []

    def stop(done: int, _: int) -> None:
        if done >= 20:
            raise JobCancelledError("Shifting", "it was cancelled", "start it again")

    with pytest.raises(JobCancelledError):
        stability(scene, grid, Waves(), vectors, ids, save=lambda one: kept.append(one.copy()), progress=stop)
    waiting = int((kept[-1] == TO_MEASURE).sum())
    assert 0 < waiting < len(ids)
    told: list[tuple[int, int]] = []
    found = stability(
        scene, grid, Waves(log=log), vectors, ids, before=kept[-1], progress=lambda *one: told.append(one)
    )
    assert len(log.read_text().splitlines()) == waiting
    assert told[-1] == (len(ids), len(ids))
    assert told[0][0] > len(ids) - waiting
    np.testing.assert_array_equal(found, stability(scene, grid, Waves(), vectors, ids))


def test_why_there_is_no_figure_is_told(tmp_path: Path) -> None:
    scene = place_scene(tmp_path)
    grid = patch_grid(scene, Cut.of(16))
    assert no_stability(scene, grid, grid.count) is None
    assert no_stability(scene, grid, MOST_SHIFTED) is None
    assert f"{MOST_SHIFTED + 1:,} patches" in str(no_stability(scene, grid, MOST_SHIFTED + 1))
    assert "single pictures" in str(no_stability(replace(scene, kind="collection"), grid, MOST_SHIFTED + 1))
