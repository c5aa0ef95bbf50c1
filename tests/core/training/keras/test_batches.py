"""Which patches come together in a batch, and that turning and cutting moves pixels without changing them."""

from __future__ import annotations

import numpy as np
import pytest

from core.training.hyperparameters import Examples, Hyperparameters
from core.training.keras.batches import batch_size, draw_batches, draw_indices, evenly, step_count, turned
from tests.scenes import place_pixels

SIDE = 32


def examples(*counts: int, side: int = 2) -> Examples:
    """So many patches of each class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return Examples(pixels=np.zeros((len(labels), side, side, 1), np.uint16), labels=labels)


@pytest.mark.parametrize(
    ("patches", "size", "steps"), [(1, 4, 1), (24, 4, 6), (80, 10, 8), (1_024, 128, 8), (5_000, 128, 39)]
)
def test_few_patches_come_in_small_batches(patches: int, size: int, steps: int) -> None:
    settings = Hyperparameters(batch_size=128)
    assert (batch_size(patches, settings), step_count(patches, settings)) == (size, steps)


def test_classes_come_alike_often_however_many_patches_they_have() -> None:
    train, random = examples(200, 20, 2), np.random.default_rng(0)
    drawn = np.concatenate([*draw_indices(train, Hyperparameters(), random)])
    counts = np.bincount(train.labels[drawn])
    assert counts.max() - counts.min() <= 1
    small = np.bincount(drawn)[train.labels == 2]
    assert small.max() - small.min() <= 1, "patches of a class come alike often too"


def test_turned_patches_hold_the_pixels_of_their_cut() -> None:
    whole = np.stack([place_pixels(SIDE, SIDE, 1).transpose(1, 2, 0) + 7 * number for number in range(40)])
    found = turned(whole, np.arange(40), np.random.default_rng(0), 0.75)
    assert found.shape == (40, 24, 24, 1)
    ways = set()
    for before, after in zip(whole[..., 0], found[..., 0], strict=True):
        cuts = [
            (top, left)
            for top in range(SIDE - 23)
            for left in range(SIDE - 23)
            if set(before[top : top + 24, left : left + 24].flat) == set(after.flat)
        ]
        ((top, left),) = cuts
        piece = before[top : top + 24, left : left + 24]
        eight = [np.rot90(one, turn) for one in (piece, piece.T) for turn in range(4)]
        ((way,),) = [[number for number, one in enumerate(eight) if (one == after).all()]]
        ways.add(way)
    assert len(ways) == 8, "all turns and mirrorings come"


def test_the_whole_patch_is_cut_out_where_its_side_divides_by_eight() -> None:
    train = examples(8, 8, side=SIDE)
    for pixels, labels in draw_batches(train, Hyperparameters(), np.random.default_rng(0), 1.0):
        assert pixels.shape == (len(labels), SIDE, SIDE, 1)


def test_judges_are_spread_evenly_over_the_classes() -> None:
    held_out = examples(300, 60, 40)
    chosen = evenly(held_out, 100)
    assert np.bincount(chosen.labels).tolist() == [75, 15, 10]
    assert len(evenly(held_out)) == 400
    assert len(evenly(examples())) == 0
