"""Neighbours found within near cells, against all pairs."""

from __future__ import annotations

import os
from unittest import mock

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from core.projection.layout import MANY_ROWS, fast_layout
from core.similarity.cells import part
from core.similarity.knn_graph import knn_graph


def rows(count: int, width: int = 24) -> np.ndarray:
    random = np.random.default_rng(0)
    middles = random.standard_normal((12, width)) * 2
    return (middles[np.arange(count) % 12] + random.standard_normal((count, width))).astype(np.float32)


@pytest.mark.parametrize(("count", "size"), [(1, 8), (8, 8), (9, 8), (1000, 50)])
def test_cells_hold_each_row_once_and_are_equally_large(count: int, size: int) -> None:
    cells = part(rows(count), size)
    np.testing.assert_array_equal(np.sort(cells.order), np.arange(count))
    sizes = np.diff(cells.starts)
    assert sizes.max() <= size
    assert np.ptp(sizes) <= 1
    np.testing.assert_array_equal(cells.nearness[:, 0], np.arange(len(cells)))


def test_rows_of_a_cell_are_nearer_to_each_other_than_rows_at_large() -> None:
    found = rows(4000)
    cells = part(found, 100)
    within = np.mean([found[cells.order[cells.slice(cell)]].var(axis=0).sum() for cell in range(len(cells))])
    assert within < 0.5 * found.var(axis=0).sum()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nearly_all_true_neighbours_are_found(metric: str) -> None:
    from core.similarity.knn_graph import metric_rows

    vectors = rows(9000)
    indices, distances = knn_graph(vectors, 15, metric)
    np.testing.assert_array_equal(indices[:, 0], np.arange(9000))
    assert np.all(np.diff(distances, axis=1) >= 0)
    sample = np.arange(0, 9000, 50)
    space = metric_rows(vectors, metric)
    squares = np.square(space[sample, None] - space[None]).sum(axis=2)
    squares[np.arange(len(sample)), sample] = -1
    exact = np.argsort(squares, axis=1)[:, :15]
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(exact, indices[sample], strict=True)])
    assert recall > 0.95
    near = np.square(space[sample] - space[indices[sample, 7]]).sum(axis=1)
    np.testing.assert_allclose(distances[sample, 7], np.sqrt(near) if metric == "euclidean" else near / 2, atol=1e-3)


def test_equal_rows_are_neighbours_of_each_other() -> None:
    indices, distances = knn_graph(np.ones((8500, 4), np.float32), 5)
    assert np.all(distances < 1e-6)
    assert np.all(np.sort(indices, axis=1)[:, 1:] > np.sort(indices, axis=1)[:, :-1])


def test_a_fast_layout_is_the_same_for_any_number_of_threads() -> None:
    # So many rows that 200 epochs do.
    vectors = np.random.default_rng(0).random((MANY_ROWS + 1, 100), dtype=np.float32)
    made = []
    for threads in (1, 2):
        with mock.patch.object(os, "cpu_count", return_value=threads), threadpool_limits(threads, user_api="blas"):
            assert {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"} == {threads}
            made.append(fast_layout(vectors))
    np.testing.assert_array_equal(*made)
