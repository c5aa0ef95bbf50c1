"""Clusters of patches: clear ones are found by both methods, the same each time, and what cannot be is said."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from core.errors import SettingsError
from core.similarity.clusters import CHOICES, ClusterSettings, find_clusters


def blobs(count: int, each: int = 120, width: int = 60, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(count)
    labels = np.repeat(np.arange(count), each)
    centres = random.standard_normal((count, width))
    return (centres[labels] + spread * random.standard_normal((len(labels), width))).astype(np.float32), labels


def clustered(vectors: np.ndarray, *, large: int = 50_000, **settings: object) -> np.ndarray:
    return find_clusters(vectors, ClusterSettings(**settings), large=large).index  # type: ignore[arg-type]


def test_clear_clusters_are_found_when_their_number_is_given() -> None:
    vectors, labels = blobs(7)
    found = find_clusters(vectors, ClusterSettings(count=7))
    assert adjusted_rand_score(labels, found.index) > 0.99
    assert found.index.dtype == np.int16
    assert found.scores == {}, "nothing was tried"


@pytest.mark.parametrize("count", [5, 9, 10])
def test_the_number_of_clear_clusters_is_suggested_by_silhouettes(count: int) -> None:
    vectors, labels = blobs(count)
    found = find_clusters(vectors)
    assert adjusted_rand_score(labels, found.index) > 0.99
    assert set(found.scores) == set(CHOICES)
    assert max(found.scores, key=found.scores.__getitem__) == count
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert found.scores[count] == pytest.approx(silhouette_score(unit, labels), abs=0.2), "along 20 axes, not all"


def test_the_largest_comes_first() -> None:
    vectors, labels = blobs(4)
    keep = np.concatenate([np.flatnonzero(labels == one)[:size] for one, size in enumerate((10, 100, 40, 70))])
    counts = np.bincount(clustered(vectors[keep], count=4))
    assert counts.tolist() == [100, 70, 40, 10]


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_equal_input_gives_equal_clusters(method: str) -> None:
    vectors, _ = blobs(6, spread=0.5)
    settings = ClusterSettings(seed=3, method=method)
    np.testing.assert_array_equal(find_clusters(vectors, settings).index, find_clusters(vectors, settings).index)


def test_lengths_of_vectors_do_not_matter() -> None:
    vectors, labels = blobs(5)
    lengths = np.random.default_rng(0).uniform(0.1, 9, (len(vectors), 1)).astype(np.float32)
    assert adjusted_rand_score(labels, clustered(vectors * lengths, count=5)) > 0.99


def test_dense_regions_are_found_and_odd_patches_left_out() -> None:
    vectors, labels = blobs(4)
    odd = np.concatenate([np.eye(60, dtype=np.float32)[:4], -np.eye(60, dtype=np.float32)[4:8]])
    found = clustered(np.concatenate([vectors, odd]), method="hdbscan")
    assert adjusted_rand_score(labels, found[: len(labels)]) > 0.99
    assert set(found[: len(labels)].tolist()) == {0, 1, 2, 3}
    assert (found[len(labels) :] < 0).sum() >= 6, "fewer than a dense region has"


def test_dense_regions_of_a_sample_take_in_the_rest() -> None:
    vectors, labels = blobs(4, each=300)
    found = find_clusters(vectors, ClusterSettings(method="hdbscan"), dense_rows=400).index
    assert len(found) == 1200
    assert adjusted_rand_score(labels[found >= 0], found[found >= 0]) > 0.99
    assert (found >= 0).mean() > 0.9


@pytest.mark.parametrize("count", [2, 3, 7, 9])
def test_few_vectors_have_few_clusters(count: int) -> None:
    vectors = np.random.default_rng(0).random((count, 5), dtype=np.float32)
    for settings in ({}, {"count": 2}, {"count": count}):
        found = clustered(vectors, **settings)
        assert found.shape == (count,)
        assert set(found.tolist()) == set(range(settings.get("count", len(set(found.tolist())))))


@pytest.mark.parametrize(
    ("vectors", "settings", "said"),
    [
        (np.ones((0, 4)), {}, "there are no patches; open a larger scene, or cut it into smaller patches"),
        (np.ones((1, 4)), {}, "there is one patch; open a larger scene, or cut it into smaller patches"),
        (np.ones((50, 8)), {}, "all 50 patches are alike; choose another scene or encoder"),
        (np.zeros((50, 8)), {"count": 4}, "all 50 patches are alike"),
        (np.eye(6), {"count": 7}, "7 clusters were asked for, and there are 6 patches; ask for at most 6"),
        (np.eye(6), {"method": "hdbscan"}, "HDBSCAN finds no dense region: all 6 patches are odd ones; take kmeans"),
        (np.eye(40), {"method": "hdbscan"}, "HDBSCAN finds no dense region: all 40 patches are odd ones"),
    ],
)
def test_what_cannot_be_clustered_is_said_in_a_sentence(vectors: np.ndarray, settings: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^Finding clusters: {said}"):
        clustered(vectors.astype(np.float32), **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"count": 1}, "1 cluster was asked for; ask for 2 to 100"),
        ({"count": 101}, "101 clusters were asked for; ask for 2 to 100"),
        ({"method": "magic"}, "there is no method “magic”; choose kmeans or hdbscan"),
        ({"method": "hdbscan", "count": 3}, "HDBSCAN finds the number itself; leave the number out"),
        ({"seed": -1}, "the seed is -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        ClusterSettings(**settings)


def test_batches_of_rows_find_the_same_clusters() -> None:
    vectors, labels = blobs(6, each=400)
    found = clustered(vectors, count=6, large=1000)
    assert adjusted_rand_score(labels, found) > 0.99
    np.testing.assert_array_equal(found, clustered(vectors, count=6, large=1000))


def test_copies_of_few_vectors_are_as_many_clusters() -> None:
    few = np.random.default_rng(0).standard_normal((5, 300)).astype(np.float32)
    copies = np.random.default_rng(1).integers(0, 5, 700)
    assert adjusted_rand_score(copies, clustered(few[copies], count=9)) == 1


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_progress_rises_to_its_end(method: str) -> None:
    told: list[tuple[int, int]] = []
    settings = ClusterSettings(method=method)
    find_clusters(blobs(5)[0], settings, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_settings_name_their_files_and_are_read_again() -> None:
    every = [ClusterSettings(), ClusterSettings(count=5), ClusterSettings(seed=1), ClusterSettings(method="hdbscan")]
    assert [one.key for one in every] == ["kmeans-auto-0", "kmeans-5-0", "kmeans-auto-1", "hdbscan-auto-0"]
    assert [ClusterSettings.parse(one.key) for one in every] == every
    assert [ClusterSettings.parse(key) for key in ("", "kmeans-1-0", "hdbscan-4-0", "x")] == [None] * 4
    older = {"n_groups": 6, "seed": 2}
    assert ClusterSettings.from_values(older) == ClusterSettings(count=6, seed=2), "a job of an earlier version"
