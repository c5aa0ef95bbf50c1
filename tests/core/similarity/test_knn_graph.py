from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from core.errors import JobCancelledError, SettingsError
from core.similarity import knn_graph as module
from core.similarity.knn_graph import knn_graph
from core.similarity.pca import along_axes, principal_axes
from tests.core.similarity.test_neighbours import random_rows


def low_rank(count: int = 3000, width: int = 400, rank: int = 20) -> np.ndarray:
    """Vectors as encoders make them: few directions, a little noise in all."""
    random = np.random.default_rng(1)
    spread = np.linspace(1, 0.2, rank, dtype=np.float32)
    rows = random.standard_normal((count, rank), dtype=np.float32) * spread @ random_rows(rank, width, 2)
    return np.maximum(rows + 0.02 * random_rows(count, width, 3), 0)


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
    searched = []
    original = module._Space.reduced
    monkeypatch.setattr(module._Space, "reduced", lambda self, width: searched.append(width) or original(self, width))
    indices, distances = knn_graph(rows, 15, metric, exact_work=0)
    assert searched, "the short way was not taken"
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(exact, indices, strict=True)])
    assert recall >= 0.95
    truth = pairwise_distances(rows, metric=metric)
    np.testing.assert_allclose(distances, np.take_along_axis(truth, indices.astype(np.int64), axis=1), atol=2e-3)


def test_the_graph_is_the_same_every_time() -> None:
    rows = low_rank(1500, 300)
    first, second = (knn_graph(rows, 10, exact_work=0) for _ in range(2))
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

    before = set(threading.enumerate())
    with pytest.raises(JobCancelledError):
        knn_graph(random_rows(2000, 8), 5, progress=stop)
    assert len(calls) == 1
    assert not {thread for thread in threading.enumerate() if thread.is_alive()} - before


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 300), st.data())
def test_the_grouped_selection_finds_the_largest(rows: int, columns: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, columns))
    scores = np.random.default_rng(columns * 7 + k).integers(0, 50, (rows, columns)).astype(np.float32)
    found = module.top_columns(scores, k)
    assert all(len(set(row)) == k for row in found.tolist())
    picked = np.sort(np.take_along_axis(scores, found, axis=1), axis=1)
    np.testing.assert_array_equal(picked, np.sort(scores, axis=1)[:, columns - k :])


def test_principal_axes_are_those_of_a_full_decomposition() -> None:
    rows = low_rank(1200, 200, 5)
    mean, axes = principal_axes(rows, 3)
    truth = np.linalg.svd((rows - rows.mean(axis=0)).astype(np.float64), full_matrices=False)[2][:3]
    np.testing.assert_allclose(np.abs(np.einsum("ij,ji->i", truth, axes)), 1, atol=1e-3)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(along_axes(rows, mean, axes), (rows - mean) @ axes, atol=1e-3)
    assert (axes[np.abs(axes).argmax(axis=0), range(3)] > 0).all()


@pytest.mark.parametrize(("count", "width", "wanted", "kept"), [(1, 5, 2, 1), (2, 1, 3, 1), (9, 4, 9, 4)])
def test_there_are_no_more_axes_than_rows_and_columns(count: int, width: int, wanted: int, kept: int) -> None:
    mean, axes = principal_axes(random_rows(count, width), wanted)
    assert mean.shape == (width,)
    assert axes.shape == (width, kept)
    assert np.isfinite(axes).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "correlation"])
def test_numbers_that_are_none_are_refused(metric: str) -> None:
    rows = random_rows(10, 4)
    rows[7, 2] = np.nan
    with pytest.raises(SettingsError, match="some features are not finite numbers"):
        knn_graph(rows, 3, metric)
