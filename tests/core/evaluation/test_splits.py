from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.splits import BLOCK_DEGREES, held_together, leaves_every_class, random_split, spatial_split


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), part=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_a_random_split_takes_a_part_of_every_class(sizes: list[int], part: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    held = random_split(labels, part, seed)
    for name, size in enumerate(sizes):
        count = int(held[labels == name].sum())
        assert count == min(size - 1, max(1, round(part * size)))
    assert (held == random_split(labels, part, seed)).all()


def test_another_seed_holds_others_out() -> None:
    labels = np.zeros(200, np.int64)
    assert (random_split(labels, 0.2, 0) != random_split(labels, 0.2, 1)).any()


def test_a_spatial_split_keeps_blocks_whole() -> None:
    random = np.random.default_rng(0)
    lonlat = random.uniform([10, 45], [14, 48], (2000, 2))
    held = spatial_split(lonlat, 0.2, 0)
    assert held is not None
    assert 0.2 <= held.mean() <= 0.25
    east = np.floor(lonlat[:, 0] / (BLOCK_DEGREES / np.cos(np.radians(45))))
    block = east * 1e4 + np.floor(lonlat[:, 1] / BLOCK_DEGREES)
    for name in np.unique(block):
        assert len(set(held[block == name].tolist())) == 1


@pytest.mark.parametrize("lonlat", [np.full((9, 2), np.nan), np.full((9, 2), [10.01, 45.01])])
def test_no_spatial_split_without_places_or_in_one_block(lonlat: np.ndarray) -> None:
    assert spatial_split(lonlat, 0.2, 0) is None


def test_a_spatial_split_never_holds_everything_out() -> None:
    held = spatial_split(np.array([[1.0, 1.0], [9.0, 9.0]]), 0.9, 0)
    assert held is not None
    assert sorted(held.tolist()) == [False, True]


def test_a_split_may_leave_nothing_of_a_class() -> None:
    labels = np.array([0, 0, 1, 1])
    assert leaves_every_class(labels, np.array([True, False, True, False]))
    assert not leaves_every_class(labels, np.array([True, True, False, False]))


def test_patches_of_unknown_place_are_held_out_each_by_itself() -> None:
    together, by_land = held_together(np.array([0, 0, 1, -1, -1]))
    assert by_land
    assert together.tolist() == [0, 0, 1, 2, 3]
    for nowhere in ([3, 3, 3], [-1, -1, -1]):
        together, by_land = held_together(np.array(nowhere))
        assert (together.tolist(), by_land) == ([0, 1, 2], False)
