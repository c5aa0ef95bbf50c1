from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core.errors import SettingsError
from core.similarity.clusters import GroupSettings, cluster


def blobs(groups: int, each: int = 120, width: int = 60, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(groups)
    labels = np.repeat(np.arange(groups), each)
    centres = random.standard_normal((groups, width))
    return (centres[labels] + spread * random.standard_normal((len(labels), width))).astype(np.float32), labels


def test_clear_groups_are_found_when_their_number_is_given() -> None:
    vectors, labels = blobs(7)
    found = cluster(vectors, GroupSettings(n_groups=7))
    assert found.dtype == np.int16
    assert adjusted_rand_score(labels, found) > 0.99


@pytest.mark.parametrize("groups", [5, 9, 10])
def test_the_number_of_clear_groups_is_found(groups: int) -> None:
    vectors, labels = blobs(groups)
    assert adjusted_rand_score(labels, cluster(vectors)) > 0.95


def test_the_largest_cluster_comes_first() -> None:
    vectors, labels = blobs(4)
    keep = np.concatenate([np.flatnonzero(labels == group)[:size] for group, size in enumerate((10, 100, 40, 70))])
    counts = np.bincount(cluster(vectors[keep], GroupSettings(n_groups=4)))
    assert counts.tolist() == [100, 70, 40, 10]


def test_equal_input_gives_equal_clusters() -> None:
    vectors, _ = blobs(6, spread=1.0)
    settings = GroupSettings(seed=3)
    np.testing.assert_array_equal(cluster(vectors, settings), cluster(vectors.copy(), settings))


def test_vectors_are_compared_by_direction() -> None:
    vectors, labels = blobs(5)
    lengths = np.random.default_rng(0).uniform(0.1, 50, (len(vectors), 1)).astype(np.float32)
    assert adjusted_rand_score(labels, cluster(vectors * lengths, GroupSettings(n_groups=5))) > 0.99


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9])
@pytest.mark.parametrize("wanted", [None, 1, 3, 20])
def test_few_vectors(count: int, wanted: int | None) -> None:
    found = cluster(np.random.default_rng(0).random((count, 5), dtype=np.float32), GroupSettings(n_groups=wanted))
    assert found.shape == (count,)
    assert len(set(found.tolist())) <= (wanted or 14)
    assert set(found.tolist()) == set(range(len(set(found.tolist()))))


@pytest.mark.parametrize("wanted", [None, 4])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_vectors_are_one_cluster(value: float, wanted: int | None) -> None:
    found = cluster(np.full((50, 8), value, dtype=np.float32), GroupSettings(n_groups=wanted))
    assert set(found.tolist()) == {0}


@pytest.mark.parametrize("wanted", [0, -1, 101])
def test_a_number_out_of_range_is_refused(wanted: int) -> None:
    with pytest.raises(SettingsError, match=r"^Grouping patches: .+; ask for 1 to 100\.$"):
        GroupSettings(n_groups=wanted)


def test_batches_of_rows_find_the_same_groups() -> None:
    vectors, labels = blobs(6, each=400)
    found = cluster(vectors, GroupSettings(n_groups=6), large=1000)
    assert adjusted_rand_score(labels, found) > 0.99
    np.testing.assert_array_equal(found, cluster(vectors, GroupSettings(n_groups=6), large=1000))


def test_copies_of_few_vectors_are_as_many_groups() -> None:
    few = np.random.default_rng(0).standard_normal((5, 300)).astype(np.float32)
    copies = np.random.default_rng(1).integers(0, 5, 700)
    found = cluster(few[copies], GroupSettings(n_groups=9))
    assert adjusted_rand_score(copies, found) == 1


def test_progress_rises_to_its_end() -> None:
    told: list[tuple[int, int]] = []
    cluster(blobs(5)[0], progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_settings_name_their_files() -> None:
    keys = {GroupSettings().key, GroupSettings(n_groups=5).key, GroupSettings(seed=1).key}
    assert keys == {"kmeans-auto-0", "kmeans-5-0", "kmeans-auto-1"}
    with pytest.raises(SettingsError, match="the seed is -1"):
        GroupSettings(seed=-1)
