"""The map of a head: means over overlapping patches by hand and by pixels, and smoothing."""

from __future__ import annotations

import numpy as np
import pytest

from core.bands import FloatArray
from core.classification.cells import chance_cells, cut_to_patches, patch_chances, smoothed_cells
from core.errors import SettingsError
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchGrid

PLACE = GeoBox(crs="EPSG:32633", transform=(10.0, 0.0, 400_000.0, 0.0, -10.0, 5_000_000.0), height=100, width=140)


def grid_of(cut: Cut) -> PatchGrid:
    return PatchGrid(height=PLACE.height, width=PLACE.width, cut=cut)


def some_chances(count: int, classes: int = 3) -> FloatArray:
    table = np.random.default_rng(0).random((count, classes)).astype(np.float32)
    return table / table.sum(axis=1, keepdims=True)


def test_side_by_side_a_cell_is_a_patch() -> None:
    grid = grid_of(Cut.of(20))
    chances, ids = some_chances(grid.count), np.arange(grid.count)
    cells = chance_cells(PLACE, grid, ids[1:], chances[1:])
    assert cells.place == GeoBox(crs=PLACE.crs, transform=(200, 0, 400_000, 0, -200, 5_000_000), height=5, width=7)
    assert cells.chances.reshape(-1, 3)[1:] == pytest.approx(chances[1:])
    assert (cells.index[0, 0], cells.known[0, 0]) == (-1, False)
    assert (cells.index.ravel()[1:] == chances[1:].argmax(axis=1)).all()


@pytest.mark.parametrize("cut", [Cut.of(20, 10), Cut.of(20, 8), Cut.of(30, 20, edge="cover")])
def test_a_cell_is_the_mean_of_all_patches_over_it_by_area(cut: Cut) -> None:
    grid = grid_of(cut)
    chances, ids = some_chances(grid.count), np.arange(grid.count)
    novel = ids % 2 == 0
    cells = chance_cells(PLACE, grid, ids, chances, novel)
    side = cut.stride
    sums, counts = np.zeros((200, 200, 4)), np.zeros((200, 200))
    for patch_id in ids.tolist():  # Pixel by pixel, as the sentence says it.
        top, left, height, width = grid.window(patch_id)
        sums[top : top + height, left : left + width] += [*chances[patch_id], novel[patch_id]]
        counts[top : top + height, left : left + width] += 1
    for row, col in ((0, 0), (1, 2), (cells.index.shape[0] - 1, cells.index.shape[1] - 1)):
        part = np.s_[row * side : (row + 1) * side, col * side : (col + 1) * side]
        mean = sums[part].sum(axis=(0, 1)) / counts[part].sum()
        assert cells.chances[row, col] == pytest.approx(mean[:3], abs=1e-5)
        assert cells.novel[row, col] == pytest.approx(mean[3], abs=1e-5)
    assert cells.chances.sum(axis=2) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("cut", [Cut.of(20), Cut.of(32, edge="cover"), Cut.of(24, 20), Cut.of(16, 8)])
def test_a_map_ends_where_patches_end(cut: Cut) -> None:
    grid = grid_of(cut)
    chances, ids = some_chances(grid.count), np.arange(grid.count)
    cells = chance_cells(PLACE, grid, ids, chances)
    assert cells.place is not None
    place, (index,) = cut_to_patches(cells.place, grid, [cells.index])
    assert index.shape == (place.height, place.width)
    ends = grid.tops[-1] + grid.size, grid.lefts[-1] + grid.size
    assert (place.height * -place.transform[4], place.width * place.transform[0]) == (10 * ends[0], 10 * ends[1])
    middles = (np.argwhere(index >= 0) + 0.5) * (place.transform[0] / 10) // cut.stride
    assert (index.ravel() == cells.index[tuple(middles.astype(int).T)]).all(), "each lies in the cell it was part of"
    assert cut_to_patches(cells.place, grid, [cells.index], most=1)[0] == cells.place


def test_abstaining_is_by_confidence_and_by_most_of_the_land() -> None:
    grid = grid_of(Cut.of(20))
    chances = np.tile(np.float32([0.7, 0.3]), (grid.count, 1))
    chances[3] = [0.45, 0.55]
    novel = np.arange(grid.count) == 5
    cells = chance_cells(PLACE, grid, np.arange(grid.count), chances, novel)
    assert np.flatnonzero(cells.abstained(0.6)).tolist() == [3, 5]
    assert np.flatnonzero(cells.abstained(0.0)).tolist() == [5]


def test_smoothing_takes_a_speck_away_and_keeps_halves_and_holes() -> None:
    grid = grid_of(Cut.of(20))
    chances = np.tile(np.float32([0.8, 0.2]), (grid.count, 1))
    laid = chances.reshape(5, 7, 2)
    laid[:, 4:] = [0.2, 0.8]
    laid[2, 1] = [0.3, 0.7]
    ids = np.delete(np.arange(grid.count), 10)
    cells = patch_chances(grid, ids, chances[ids])
    for how in ("majority", "probability"):
        found = smoothed_cells(cells, how)
        expected = np.where(np.arange(7) < 4, 0, 1) * np.ones((5, 1))
        expected.ravel()[10] = -1
        assert (found.index == expected).all(), how
        assert np.nansum(found.chances, axis=2)[found.known] == pytest.approx(1, abs=1e-5)
    assert smoothed_cells(cells, "none") is cells
    with pytest.raises(SettingsError, match="choose none, majority, probability"):
        smoothed_cells(cells, "median")  # type: ignore[arg-type]
