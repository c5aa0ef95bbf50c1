from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import skew

from core.evaluation.hubness import LOPSIDED, hubness
from core.similarity.knn_graph import knn_graph


def test_counts_can_be_checked_by_hand() -> None:
    """Everybody names patch 0, which names 1: so 0 occurs three times, 1 once, and 2 and 3 never."""
    found = hubness(np.array([[1], [0], [0], [0]]))
    assert found.counts.tolist() == [3, 1, 0, 0]
    assert found.in_no_list == 0.5
    assert found.top.tolist() == [0, 1, 2, 3]
    assert found.k == 1
    # Deviations 2, 0, −1, −1: mean of cubes 6/4, of squares 6/4.
    assert found.skewness == pytest.approx(1.5 / 1.5**1.5)


def test_a_ring_has_no_hubs() -> None:
    ring = np.array([[(row - 1) % 9, (row + 1) % 9] for row in range(9)])
    found = hubness(ring)
    assert found.counts.tolist() == [2] * 9
    assert (found.skewness, found.in_no_list) == (0, 0)


def test_skewness_is_scipys_and_many_dimensions_make_hubs() -> None:
    random = np.random.default_rng(0)
    lopsided = {}
    for width in (3, 300):
        near = knn_graph(random.standard_normal((800, width)).astype(np.float32), 11, "euclidean")[0][:, 1:]
        found = hubness(near)
        assert found.skewness == pytest.approx(skew(found.counts))
        assert found.counts.mean() == 10
        assert found.counts[found.top[0]] == found.counts.max()
        lopsided[width] = found.skewness
    assert lopsided[3] < LOPSIDED < lopsided[300]


def test_nothing_has_no_hubs() -> None:
    found = hubness(np.empty((0, 10), np.int32))
    assert (found.skewness, found.in_no_list, len(found.top)) == (0, 0, 0)
