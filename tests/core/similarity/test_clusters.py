from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.metrics.pairwise import euclidean_distances

from core.errors import SettingsError
from core.similarity.clusters import cluster, silhouette


def blobs(groups: int, each: int = 120, width: int = 60, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(groups)
    labels = np.repeat(np.arange(groups), each)
    centres = random.standard_normal((groups, width))
    return (centres[labels] + spread * random.standard_normal((len(labels), width))).astype(np.float32), labels


def test_clear_groups_are_found_when_their_number_is_given() -> None:
    vectors, labels = blobs(7)
    found = cluster(vectors, 7, 0)
    assert found.dtype == np.int16
    assert adjusted_rand_score(labels, found) > 0.99


@pytest.mark.parametrize("groups", [5, 9, 10])
def test_the_number_of_clear_groups_is_found(groups: int) -> None:
    vectors, labels = blobs(groups)
    assert adjusted_rand_score(labels, cluster(vectors, None, 0)) > 0.95


def test_the_largest_cluster_comes_first() -> None:
    vectors, labels = blobs(4)
    keep = np.concatenate([np.flatnonzero(labels == group)[:size] for group, size in enumerate((10, 100, 40, 70))])
    counts = np.bincount(cluster(vectors[keep], 4))
    assert counts.tolist() == [100, 70, 40, 10]


def test_equal_input_gives_equal_clusters() -> None:
    vectors, _ = blobs(6, spread=1.0)
    np.testing.assert_array_equal(cluster(vectors, None, 3), cluster(vectors.copy(), None, 3))


def test_vectors_are_compared_by_direction() -> None:
    vectors, labels = blobs(5)
    lengths = np.random.default_rng(0).uniform(0.1, 50, (len(vectors), 1)).astype(np.float32)
    assert adjusted_rand_score(labels, cluster(vectors * lengths, 5)) > 0.99


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9])
@pytest.mark.parametrize("wanted", [None, 1, 3, 20])
def test_few_vectors(count: int, wanted: int | None) -> None:
    found = cluster(np.random.default_rng(0).random((count, 5), dtype=np.float32), wanted)
    assert found.shape == (count,)
    assert len(set(found.tolist())) <= (wanted or 14)
    assert set(found.tolist()) == set(range(len(set(found.tolist()))))


@pytest.mark.parametrize("wanted", [None, 4])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_vectors_are_one_cluster(value: float, wanted: int | None) -> None:
    assert set(cluster(np.full((50, 8), value, dtype=np.float32), wanted).tolist()) == {0}


@pytest.mark.parametrize("wanted", [0, -1, 101])
def test_a_number_out_of_range_is_refused(wanted: int) -> None:
    with pytest.raises(SettingsError, match=r"^Grouping patches: .+; ask for 1 to 100\.$"):
        cluster(np.ones((5, 2), dtype=np.float32), wanted)


def test_the_silhouette_is_that_of_scikit_learn() -> None:
    points = np.random.default_rng(0).random((200, 4)).astype(np.float32)
    owner = (points[:, 0] * 5).astype(np.int64) * 3
    owner[7] = 99
    distances = euclidean_distances(points)
    np.testing.assert_allclose(silhouette(distances, owner), silhouette_score(points, owner), atol=1e-5)
    assert silhouette(distances, np.zeros(200, dtype=np.int64)) == 0
