"""What is tested on a patch is taught by none that shows its land: classes, numbers and curves alike."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from core.classification.labelled import LabelledPatches, labelled_patches, window_outlines
from core.classification.numbers.regression import teach_values
from core.classification.suggestions import learning_curve
from core.classification.validation import validate
from core.errors import ClassificationError
from core.evaluation.splits import grid_blocks, left_to_learn, sharing_land
from core.scenes.cut import Cut
from core.scenes.patches import PatchGrid

OVERLAPPING = PatchGrid(height=264, width=264, cut=Cut.of(32, 8))
"""30 × 30 patches, each three quarters over the next."""


def noise(grid: PatchGrid) -> tuple[np.ndarray, np.ndarray]:
    """Return features of patches that are means of noise under them, and values that are the noise of one pixel more.

    Only pixels that two patches share make them alike, so that nothing can be learned of land that was not seen.
    """
    random = np.random.default_rng(3)
    cells = random.normal(size=(grid.height // 8, grid.width // 8, 24))
    top, left = grid.first_pixels(np.arange(grid.count)).T // 8
    side = grid.size // 8
    vectors = np.stack([cells[y : y + side, x : x + side].mean(axis=(0, 1)) for y, x in zip(top, left, strict=True)])
    secret = random.normal(size=cells.shape[:2])
    values = np.array([secret[y : y + side, x : x + side].mean() for y, x in zip(top, left, strict=True)])
    return vectors.astype(np.float32), values


def known(grid: PatchGrid, *, apart: bool) -> LabelledPatches:
    vectors, values = noise(grid)
    ids = np.arange(grid.count)
    names = {patch: ("Fen", "Bog")[int(value > 0)] for patch, value in enumerate(values.tolist())}
    places = np.stack(grid.rows_cols(ids), axis=1)
    outlines = window_outlines(grid, ids) if apart else None
    return labelled_patches(vectors, ids, names, places=places, outlines=outlines)


def test_patches_side_by_side_share_nothing_and_an_edge_that_is_covered_shares_with_the_row_before() -> None:
    assert window_outlines(PatchGrid(height=64, width=64, cut=Cut.of(16)), np.arange(16)) is None
    covered = PatchGrid(height=56, width=32, cut=Cut.of(16, edge="cover"))
    shapes = window_outlines(covered, np.arange(covered.count))
    assert shapes is not None
    pairs = {(a, b) for a, b in sharing_land(shapes).T.tolist() if a < b}
    assert pairs == {(4, 6), (5, 7)}, "rows 2 and 3 overlap by half; those beside each other only touch"


def test_of_overlapping_patches_those_that_touch_share_land_too() -> None:
    shapes = window_outlines(OVERLAPPING, np.arange(OVERLAPPING.count))
    assert shapes is not None
    pairs = sharing_land(shapes)
    held = np.zeros(OVERLAPPING.count, np.bool_)
    held[[0, 465]] = True
    near = {int(one) for patch in (0, 465) for one in OVERLAPPING.touching(patch)}
    assert set(np.flatnonzero(~left_to_learn(held, pairs)).tolist()) == near


def test_outlines_in_degrees_share_land_that_both_show_across_the_antimeridian_too() -> None:
    parted = shapely.union_all([shapely.box(179.9, 0, 180, 0.1), shapely.box(-180, 0, -179.95, 0.1)])
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(1.9, 0.5, 3, 2), parted]
    shapes = np.array([*boxes, shapely.box(-179.96, 0, -179.9, 0.1), None], dtype=object)
    assert sorted(map(tuple, sharing_land(shapes).T.tolist())) == [(1, 2), (2, 1), (3, 4), (4, 3)]
    assert sharing_land(shapes[5:]).shape == (2, 0)


def test_classes_of_nothing_but_shared_pixels_are_not_promised() -> None:
    leaking, apart = (validate("knn", known(OVERLAPPING, apart=one)) for one in (False, True))
    assert leaking.accuracy.value > 0.6
    assert apart.accuracy.value < 0.55
    assert apart.tested.all()
    curves = [learning_curve(known(OVERLAPPING, apart=one), seed=0)[-1] for one in (False, True)]
    assert curves[0].accuracy.value > curves[1].accuracy.value
    assert curves[1].labels < curves[0].labels


def test_numbers_of_nothing_but_shared_pixels_are_not_promised() -> None:
    vectors, values = noise(OVERLAPPING)
    ids = np.arange(OVERLAPPING.count)
    blocks = grid_blocks(np.stack(OVERLAPPING.rows_cols(ids), axis=1))
    outlines = window_outlines(OVERLAPPING, ids)
    wanted = dict(enumerate(values.tolist()))
    leaking, apart = (teach_values(vectors, ids, wanted, blocks=blocks, outlines=one) for one in (None, outlines))
    assert apart.r_squared <= leaking.r_squared
    assert apart.tested.all()


def test_numbers_whose_patches_all_share_land_cannot_be_tested_and_are_refused() -> None:
    grid = PatchGrid(height=30, width=30, cut=Cut.of(16, 2))
    vectors = np.random.default_rng(0).normal(size=(grid.count, 4)).astype(np.float32)
    ids = np.arange(grid.count)
    given = dict(enumerate(vectors[:, 0].tolist()))
    with pytest.raises(ClassificationError, match="0 of 64 patches can be tested"):
        teach_values(vectors, ids, given, outlines=window_outlines(grid, ids))


def test_a_number_that_was_tested_in_part_is_measured_by_that_part() -> None:
    """Ten patches that all lie on one another, apart from twenty that lie alone."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(60, 3)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    values = unit @ np.array([1.0, 2.0, 3.0]) + 0.01 * random.normal(size=60)
    outlines = shapely.box(np.arange(60) * 2.0, 0, np.arange(60) * 2.0 + 1, 1)
    outlines[:3] = shapely.box(0, 0, 200, 1)
    model = teach_values(vectors, np.arange(60), dict(enumerate(values.tolist())), outlines=outlines)
    assert 0 < model.tested.sum() < 60
    kept = model.tested
    errors = np.abs(model.actual - model.held_out)[kept]
    assert model.error == pytest.approx(np.sqrt((errors**2).mean()))
    assert model.covered.count in {0, int(kept.sum())}
    assert np.isfinite([model.half_width, model.r_squared]).all()
