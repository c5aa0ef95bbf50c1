from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from core import neighbours as module
from core.errors import JobCancelledError, SettingsError
from core.neighbours import knn_graph, nearest, similarities, unit_rows
from core.projection_axes import principal_axes, project


def random_rows(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)


def low_rank(count: int = 3000, width: int = 400, rank: int = 20) -> np.ndarray:
    """Vectors as encoders make them: few directions, a little noise in all."""
    random = np.random.default_rng(1)
    spread = np.linspace(1, 0.2, rank, dtype=np.float32)
    rows = random.standard_normal((count, rank), dtype=np.float32) * spread @ random_rows(rank, width, 2)
    return np.maximum(rows + 0.02 * random_rows(count, width, 3), 0)


def test_unit_rows_have_length_one_and_zero_rows_stay_zero() -> None:
    rows = random_rows(50, 7)
    rows[3] = 0
    unit = unit_rows(rows)
    lengths = np.linalg.norm(unit.astype(np.float64), axis=1)
    assert lengths[3] == 0
    np.testing.assert_allclose(np.delete(lengths, 3), 1, atol=1e-6)
    assert not np.shares_memory(rows, unit)


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e18, 3e37])
def test_unit_rows_of_huge_and_tiny_numbers_neither_overflow_nor_vanish(scale: float) -> None:
    rows = random_rows(20, 5)
    np.testing.assert_allclose(unit_rows(rows * np.float32(scale)), unit_rows(rows), atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_in_one_sentence(bad: float) -> None:
    rows = random_rows(10, 4)
    rows[7, 2] = bad
    for call in (lambda: unit_rows(rows), lambda: knn_graph(rows, 3), lambda: knn_graph(rows, 3, "euclidean")):
        with pytest.raises(SettingsError, match=r"^Comparing patches: some features are not finite numbers; .+\.$"):
            call()


def test_similarities_are_cosines() -> None:
    rows = random_rows(200, 30)
    expected = 1 - pairwise_distances(rows[17:18], rows, metric="cosine")[0]
    np.testing.assert_allclose(similarities(unit_rows(rows), 17), expected, atol=1e-6)


def test_a_zero_vector_is_similar_to_nothing() -> None:
    rows = random_rows(6, 4)
    rows[2] = 0
    unit = unit_rows(rows)
    assert (similarities(unit, 2) == 0).all()
    assert similarities(unit, 0)[2] == 0
    assert nearest(unit, np.arange(6), 2, 3).ids.tolist() == [0, 1, 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 80), st.integers(0, 10_000))
def test_nearest_is_the_sorted_list_of_all_others(count: int, width: int, k: int, seed: int) -> None:
    rows = random_rows(count, width, seed)
    ids = np.random.default_rng(seed).permutation(count).astype(np.int64) * 3 + 5
    position = seed % count
    found = nearest(unit_rows(rows), ids, position, k)
    cosine = 1 - pairwise_distances(rows.astype(np.float64), metric="cosine")[position]
    assert len(found) == min(k, count - 1)
    assert ids[position] not in found.ids
    best = np.sort(np.delete(cosine, position))[::-1][:k]
    np.testing.assert_allclose(found.similarity, best, atol=2e-6)
    by_id = dict(zip(ids.tolist(), cosine.tolist(), strict=True))
    np.testing.assert_allclose([by_id[i] for i in found.ids.tolist()], found.similarity, atol=2e-6)


def test_equal_vectors_tie_and_come_in_the_order_of_their_ids() -> None:
    base = random_rows(3, 1999)
    rows = np.concatenate([base[:1], np.repeat(base[1:2], 40, axis=0), np.repeat(base[2:], 40, axis=0)])
    ids = np.random.default_rng(5).permutation(len(rows)).astype(np.int64)
    unit = unit_rows(rows)
    found = nearest(unit, ids, 0, 80)
    for start in (0, 40):
        group = found.ids[start : start + 40].tolist()
        assert group == sorted(group)
        assert len(set(found.similarity[start : start + 40].tolist())) == 1
    assert nearest(unit, ids, 0, 20).ids.tolist() == found.ids[:20].tolist()


def test_nearest_leaves_out_the_excluded_and_gives_what_is_left() -> None:
    unit, ids = unit_rows(random_rows(10, 4)), np.arange(10) * 10
    found = nearest(unit, ids, 4, 100, exclude=np.array([0, 10, 20, 999]))
    assert set(found.ids.tolist()) == {30, 50, 60, 70, 80, 90}
    nothing = nearest(unit, ids, 4, 3, exclude=ids)
    assert len(nothing) == 0
    assert nothing.ids.dtype == np.int64


def test_asking_for_no_neighbours_is_refused() -> None:
    with pytest.raises(SettingsError, match="0 neighbours were asked for"):
        nearest(unit_rows(random_rows(3, 2)), np.arange(3), 0, 0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "correlation"])
def test_the_graph_of_few_rows_is_exact(metric: str) -> None:
    rows = random_rows(400, 20) + 3
    indices, distances = knn_graph(rows, 15, metric)
    truth = pairwise_distances(rows.astype(np.float64), metric=metric)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32
    assert (indices[:, 0] == np.arange(400)).all()
    assert (distances[:, 0] == 0).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    np.testing.assert_allclose(distances, np.sort(truth, axis=1)[:, :15], atol=2e-3 if metric == "euclidean" else 2e-6)
    np.testing.assert_array_equal(np.sort(indices, axis=1), np.sort(np.argsort(truth, axis=1)[:, :15], axis=1))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_graph_of_many_long_rows_finds_nearly_all(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = low_rank()
    exact, _ = knn_graph(rows, 15, metric)
    monkeypatch.setattr(module, "EXACT_WORK", 0)
    searched = []
    original = module._Space.reduced
    monkeypatch.setattr(module._Space, "reduced", lambda self, width: searched.append(width) or original(self, width))
    indices, distances = knn_graph(rows, 15, metric)
    assert searched, "the short way was not taken"
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(exact, indices, strict=True)])
    assert recall >= 0.95
    truth = pairwise_distances(rows, metric=metric)
    np.testing.assert_allclose(distances, np.take_along_axis(truth, indices.astype(np.int64), axis=1), atol=2e-3)


def test_the_graph_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_WORK", 0)
    rows = low_rank(1500, 300)
    first, second = knn_graph(rows, 10), knn_graph(rows, 10)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("rows", [np.ones((30, 4)), np.zeros((30, 4)), np.repeat(random_rows(3, 4), 10, axis=0)])
@pytest.mark.parametrize("metric", ["cosine", "euclidean", "correlation"])
def test_equal_rows_still_get_k_different_neighbours(rows: np.ndarray, metric: str) -> None:
    indices, distances = knn_graph(rows.astype(np.float32), 8, metric)
    assert all(len(set(row)) == 8 for row in indices.tolist())
    assert (indices[:, 0] == np.arange(30)).all()
    assert np.isfinite(distances).all()
    assert (distances >= 0).all()


@pytest.mark.parametrize("k", [1, 2, 5])
def test_k_up_to_all_rows(k: int) -> None:
    indices, distances = knn_graph(random_rows(5, 3), k)
    assert indices.shape == distances.shape == (5, k)
    assert all(len(set(row)) == k for row in indices.tolist())


@pytest.mark.parametrize("k", [0, 6, -1])
def test_k_beyond_the_rows_is_refused(k: int) -> None:
    with pytest.raises(SettingsError, match="ask for 1 to all of them"):
        knn_graph(random_rows(5, 3), k)


def test_an_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="choose one of cosine, euclidean, correlation"):
        knn_graph(random_rows(5, 3), 2, "hamming")


def test_what_progress_raises_ends_the_work() -> None:
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        raise JobCancelledError("Arranging", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError):
        knn_graph(random_rows(2000, 8), 5, progress=stop)
    assert len(calls) == 1
    assert threading.active_count() < 20


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 300), st.data())
def test_the_grouped_selection_finds_the_largest(rows: int, columns: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, columns))
    scores = np.random.default_rng(columns * 7 + k).integers(0, 50, (rows, columns)).astype(np.float32)
    found = module._top(scores, k)
    assert all(len(set(row)) == k for row in found.tolist())
    picked = np.sort(np.take_along_axis(scores, found, axis=1), axis=1)
    np.testing.assert_array_equal(picked, np.sort(scores, axis=1)[:, columns - k :])


def test_principal_axes_are_those_of_a_full_decomposition() -> None:
    rows = low_rank(1200, 200, 5)
    mean, axes = principal_axes(rows, 3)
    truth = np.linalg.svd((rows - rows.mean(axis=0)).astype(np.float64), full_matrices=False)[2][:3]
    np.testing.assert_allclose(np.abs(np.einsum("ij,ji->i", truth, axes)), 1, atol=1e-3)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(project(rows, mean, axes), (rows - mean) @ axes, atol=1e-3)
    assert (axes[np.abs(axes).argmax(axis=0), range(3)] > 0).all()


@pytest.mark.parametrize(("count", "width", "wanted", "kept"), [(1, 5, 2, 1), (2, 1, 3, 1), (9, 4, 9, 4)])
def test_there_are_no_more_axes_than_rows_and_columns(count: int, width: int, wanted: int, kept: int) -> None:
    mean, axes = principal_axes(random_rows(count, width), wanted)
    assert mean.shape == (width,)
    assert axes.shape == (width, kept)
    assert np.isfinite(axes).all()
