from __future__ import annotations

import numpy as np
import pytest
from sklearn import manifold

from core.errors import JobCancelledError, SettingsError
from core.evaluation.trustworthiness import MISPLACED, trustworthiness


def cloud(count: int = 300, width: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points, and their first two coordinates shaken."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, width)).astype(np.float32)
    return vectors, vectors[:, :2] + 0.3 * random.standard_normal((count, 2)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 5, 10])
def test_both_measures_are_scikit_learns(metric: str, k: int) -> None:
    vectors, layout = cloud()
    found = trustworthiness(vectors, layout, metric, k=k)
    assert found.trust.mean() == pytest.approx(
        manifold.trustworthiness(vectors, layout, n_neighbors=k, metric=metric), abs=1e-6
    )
    if metric == "euclidean":
        assert found.continuity.mean() == pytest.approx(
            manifold.trustworthiness(layout, vectors, n_neighbors=k), abs=1e-6
        )


def test_one_point_drawn_far_away_is_the_distorted_one() -> None:
    """Eight points on a line; in the plane the second one lies at the far end: its true neighbours are 0 and 2."""
    line = np.arange(8, dtype=np.float32)
    layout = np.stack([line, np.zeros(8, np.float32)], axis=1)
    layout[1, 0] = 9
    found = trustworthiness(line[:, None], layout, "euclidean", k=1)
    # Nearest in the plane to 1 is 7, by rank the last of 7 on the line: 1 − 2 / (1 · 12) · (7 − 1) = 0.
    assert found.trust[1] == pytest.approx(0)
    assert found.distortion[1] == 1
    assert found.distortion[4:7].tolist() == [0, 0, 0]
    assert found.kept[1] == 0
    assert found.kept[5] == 1


def test_a_true_layout_has_no_distortion_and_one_at_random_is_half_wrong() -> None:
    _, layout = cloud(400)
    true = trustworthiness(layout, layout * 3, "euclidean")
    assert (true.trust.min(), true.continuity.min(), true.kept.min()) == (1, 1, 1)
    chance = trustworthiness(layout, np.random.default_rng(9).random((400, 2)), "euclidean")
    assert chance.trust.mean() == pytest.approx(0.5, abs=0.03)
    assert chance.distortion.mean() > 2 * MISPLACED


def test_dense_clumps_far_from_the_middle_keep_their_order() -> None:
    line = np.arange(50, dtype=np.float32)
    layout = np.stack([line * 1e-3 + 10, np.zeros(50)], axis=1)
    assert trustworthiness(line[:, None], layout, "euclidean").kept.min() > 0.8


def test_some_points_can_be_asked_and_blocks_do_not_matter() -> None:
    vectors, layout = cloud()
    whole = trustworthiness(vectors, layout)
    rows = np.array([3, 250, 17, 99, 100, 101, 102, 103])
    told: list[tuple[int, int]] = []
    some = trustworthiness(
        vectors, layout, rows=rows, block_scores=300 * 7, progress=lambda done, total: told.append((done, total))
    )
    np.testing.assert_allclose(some.trust, whole.trust[rows], atol=1e-6)
    np.testing.assert_allclose(some.continuity, whole.continuity[rows], atol=1e-6)
    assert told == [(1, 2), (2, 2)]


def test_it_can_be_stopped() -> None:
    def stop(_done: int, _total: int) -> None:
        raise JobCancelledError("Measuring", "it was cancelled", "start it again")

    with pytest.raises(JobCancelledError):
        trustworthiness(*cloud(), progress=stop)


def test_few_points_compare_fewer_neighbours() -> None:
    vectors, layout = cloud(8)
    assert trustworthiness(vectors, layout).k == 3
    with pytest.raises(SettingsError, match="arrange four patches or more"):
        trustworthiness(*cloud(3))


def test_patches_without_any_feature_do_not_spoil_the_others() -> None:
    vectors, layout = cloud()
    whole = trustworthiness(vectors, layout).trust.mean()
    vectors[0] = 0
    assert trustworthiness(vectors, layout).trust.mean() == pytest.approx(whole, abs=0.02)
