"""Which patches are held out: by place, by blocks of land and at random, and by what the best epoch is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.training.dataset import gather
from core.training.split import split
from tests.finetuning import some


def test_copies_count_once_and_patches_of_one_place_stay_on_one_side() -> None:
    whole = some(20)
    twice = gather([whole, whole])
    assert (len(twice), twice.repeats) == (60, 60)
    darker = replace(whole, pixels=whole.pixels // 2)
    parts = split(gather([whole, darker]), 0)
    assert len(parts.random) == 24
    assert not set(parts.random.names) & set(parts.train.names)


def test_files_of_one_name_in_every_folder_say_nothing_of_their_place() -> None:
    whole = some(20)
    parts = split(replace(whole, names=tuple(f"{row}/patch.tif" for row in range(60))), 0)
    assert len(parts.random) == 12


def test_a_small_scene_is_split_by_blocks_of_a_few_patches() -> None:
    whole = some(40)
    rows, cols = np.divmod(np.arange(120), 12)
    parts = split(replace(whole, lonlat=np.stack([11 + cols * 0.008, 46 - rows * 0.006], axis=1)), 0)
    assert parts.spatial is not None
    assert 0.15 < len(parts.spatial) / 120 < 0.4
    half = whole.lonlat.copy()
    half[:60] = np.random.default_rng(0).uniform([10, 45], [13, 47], (60, 2))
    known = split(replace(whole, lonlat=half), 0).spatial
    assert known is not None
    assert not np.isnan(known.lonlat).any(), "blocks are of land whose place is known"


def test_blocks_of_land_are_held_out_where_places_are_known() -> None:
    whole = some(40)
    random = np.random.default_rng(0)
    parts = split(replace(whole, lonlat=random.uniform([10, 45], [13, 47], (120, 2))), 0)
    assert parts.spatial is not None
    assert parts.validation is not None
    assert len(parts.train) + len(parts.validation) + len(parts.random) + len(parts.spatial) == 120
    assert 0.15 < len(parts.spatial) / 120 < 0.35
    assert split(whole, 0).spatial is None
    names = [set(part.names) for part in (parts.train, parts.validation, parts.random, parts.spatial)]
    assert sum(len(part) for part in names) == len(set.union(*names))


def test_some_are_held_out_at_random_where_blocks_leave_one_of_each_class() -> None:
    whole = some(2).take(np.array([0, 1, 2, 3]))
    far = np.array([[10.0, 45.0], [13.0, 47.0], [10.0, 45.0], [13.0, 47.0]])
    parts = split(replace(whole, lonlat=far), 0)
    assert len(parts.random) >= 1
    assert set(parts.train.labels) == {0, 1}


def test_what_chooses_the_epoch_is_held_out_apart_and_in_blocks_where_places_are_known() -> None:
    whole = some(40)
    alone = split(whole, 0)
    assert alone.validation is not None
    assert alone.validation.counts() == {"Meadow": 6, "Sand": 6, "Water": 6}
    before = split(whole, 0, validates=False)
    assert before.validation is None
    assert set(before.train.names) == set(alone.train.names) | set(alone.validation.names)
    assert before.random.names == alone.random.names
    rows, cols = np.divmod(np.arange(120), 12)
    blocks = split(replace(whole, lonlat=np.stack([11 + cols * 0.008, 46 - rows * 0.006], axis=1)), 0)
    assert blocks.validation is not None
    assert set(blocks.validation.labels.tolist()) == set(blocks.train.labels.tolist()) == {0, 1, 2}
    side = np.abs(blocks.validation.lonlat[:, None] - blocks.train.lonlat).max(axis=2).min(axis=1)
    assert np.mean(side > 0.0081) > 0.1, "blocks have patches inside them"
    assert split(some(12), 0).validation is None, "too few to choose by"
