from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from core.errors import JobCancelledError, SettingsError
from core.projection import descent as projection_descent
from core.projection.descent import optimise_layout
from core.projection.fuzzy_graph import curve, fuzzy_graph, smooth_distances
from core.projection.layout import fast_layout, pca_layout, warm_up
from core.projection.settings import ProjectionSettings
from core.projection.umap_learn import quiet_umap
from core.similarity.knn_graph import knn_graph
from core.similarity.neighbours import unit_rows
from tests.core.projection.features import clustered, eurosat

METRICS = ("cosine", "euclidean", "correlation")


@pytest.fixture(scope="module")
def umap() -> Iterator[object]:
    """The reference implementation."""
    with quiet_umap() as found:
        yield found


def test_the_graph_of_ties_is_that_of_umap_learn(umap: object) -> None:
    vectors, _ = clustered()
    vectors[5:9] = vectors[4]
    indices, distances = knn_graph(vectors, 15)
    before = indices.copy()
    ours = fuzzy_graph(indices, distances)
    np.testing.assert_array_equal(indices, before)
    theirs, sigma, rho = umap.umap_.fuzzy_simplicial_set(
        vectors, 15, np.random.RandomState(0), "cosine", knn_indices=indices, knn_dists=distances
    )
    mine = smooth_distances(distances)
    np.testing.assert_allclose(mine[0], sigma, rtol=1e-4)
    np.testing.assert_allclose(mine[1], rho, rtol=1e-6)
    assert abs(ours - theirs.tocsr()).max() < 1e-5
    assert abs(ours - ours.T).max() == 0


@pytest.mark.parametrize("min_dist", [0.0, 0.1, 0.5, 0.99])
def test_the_curve_is_that_of_umap_learn(umap: object, min_dist: float) -> None:
    np.testing.assert_allclose(curve(min_dist), umap.umap_.find_ab_params(1.0, min_dist), rtol=1e-6)


def test_the_layout_by_distance_is_as_trustworthy_as_umap_learns(umap: object) -> None:
    vectors, _ = clustered(450)
    ours = fast_layout(vectors, ProjectionSettings(metric="euclidean"))
    theirs = umap.UMAP(metric="euclidean", random_state=1, n_jobs=1, init="pca").fit_transform(vectors)
    score = [trustworthiness(vectors, layout, n_neighbors=15) for layout in (ours, theirs)]
    assert score[0] > score[1] - 0.02
    assert score[0] > 0.9


def test_the_layout_of_real_features_is_as_trustworthy_as_umap_learns(umap: object) -> None:
    vectors, _ = eurosat()
    theirs = umap.UMAP(metric="cosine", random_state=1, n_jobs=1).fit_transform(vectors)
    score = [
        trustworthiness(vectors, layout, n_neighbors=15, metric="cosine") for layout in (fast_layout(vectors), theirs)
    ]
    assert score[0] > score[1] - 0.02
    assert score[0] > 0.9


def test_groups_stay_together_and_far_points_apart() -> None:
    vectors, labels = clustered()
    layout = fast_layout(vectors)
    centres = np.stack([layout[labels == group].mean(axis=0) for group in range(8)])
    owner = np.square(layout[:, None] - centres).sum(axis=2).argmin(axis=1)
    assert (owner == labels).mean() > 0.98
    assert np.abs(layout).max() < 40
    np.testing.assert_allclose(layout.mean(axis=0), 0, atol=1e-4)


def test_the_same_seed_gives_the_same_layout_whatever_the_threads() -> None:
    vectors, _ = clustered(510)
    first = fast_layout(vectors)
    with mock.patch.object(projection_descent.os, "cpu_count", return_value=5):
        np.testing.assert_array_equal(fast_layout(vectors), first)
    assert not np.array_equal(fast_layout(vectors, ProjectionSettings(seed=7)), first)


def test_the_input_is_left_alone() -> None:
    vectors, _ = clustered(200)
    before = vectors.copy()
    vectors.flags.writeable = False
    fast_layout(vectors)
    pca_layout(vectors)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16])
@pytest.mark.parametrize("metric", METRICS)
def test_few_vectors(count: int, metric: str) -> None:
    layout = fast_layout(clustered(16)[0][:count], ProjectionSettings(metric=metric))
    assert layout.shape == (count, 2)
    assert layout.dtype == np.float32
    assert np.isfinite(layout).all()
    assert len(np.unique(layout, axis=0)) == count


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["ones", "zeros", "repeated", "one column"])
def test_equal_and_degenerate_vectors(kind: str, metric: str) -> None:
    vectors = {
        "ones": np.ones((60, 5)),
        "zeros": np.zeros((60, 5)),
        "repeated": np.repeat(clustered(3)[0], 20, axis=0),
        "one column": np.arange(60.0)[:, None],
    }[kind].astype(np.float32)
    layout = fast_layout(vectors, ProjectionSettings(metric=metric))
    assert layout.shape == (60, 2)
    assert np.isfinite(layout).all()
    assert np.abs(layout).max() < 100
    assert np.isfinite(pca_layout(vectors)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    vectors, _ = clustered(50)
    vectors[3, 3] = bad
    for layout in (pca_layout, fast_layout):
        with pytest.raises(SettingsError, match="not finite numbers"):
            layout(vectors)


def test_progress_rises_to_its_total() -> None:
    seen: list[tuple[int, int]] = []
    fast_layout(clustered(300)[0], progress=lambda done, total: seen.append((done, total)))
    done = [pair[0] for pair in seen]
    assert done == sorted(done)
    assert seen[-1] == (1000, 1000)
    assert len({pair[1] for pair in seen}) == 1


def test_what_progress_raises_ends_the_work() -> None:
    def stop(done: int, total: int) -> None:
        if done > total // 2 + 3:
            raise JobCancelledError("Arranging", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError):
        fast_layout(clustered(300)[0], progress=stop)


def test_components_are_those_of_scikit_learn_up_to_sign() -> None:
    vectors, _ = clustered(800)
    ours, theirs = pca_layout(vectors), PCA(2).fit_transform(unit_rows(vectors))
    for axis in range(2):
        assert abs(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]) > 0.999
    assert np.abs(ours).max() == pytest.approx(10)
    np.testing.assert_array_equal(ours, pca_layout(vectors.copy()))


@pytest.mark.parametrize(("count", "width"), [(0, 4), (1, 4), (2, 4), (5, 1)])
def test_components_of_little(count: int, width: int) -> None:
    layout = pca_layout(np.random.default_rng(0).random((count, width), dtype=np.float32))
    assert layout.shape == (count, 2)
    assert np.isfinite(layout).all()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n_neighbors", 1),
        ("n_neighbors", 201),
        ("n_neighbors", 15.5),
        ("n_neighbors", True),
        ("min_dist", -0.01),
        ("min_dist", 1.0),
        ("min_dist", float("nan")),
        ("seed", -1),
        ("seed", 2**32),
        ("metric", "hamming"),
        ("metric", ""),
    ],
)
def test_settings_out_of_range_are_refused_in_one_sentence(setting: str, value: object) -> None:
    with pytest.raises(SettingsError, match=r"^Setting up the projection: .+; choose .+\.$"):
        ProjectionSettings(**{setting: value})


def test_keys_differ_where_settings_do() -> None:
    all_settings = [
        ProjectionSettings(),
        ProjectionSettings(n_neighbors=30),
        ProjectionSettings(min_dist=0.0),
        ProjectionSettings(metric="euclidean"),
        ProjectionSettings(seed=1),
    ]
    assert len({one.key for one in all_settings}) == 5
    assert ProjectionSettings().key == "umap-15-0.1-cosine-42"
    assert ProjectionSettings(min_dist=0).key == ProjectionSettings(min_dist=0.0).key


def test_compiled_and_interpreted_descent_agree() -> None:
    indices, distances = knn_graph(clustered(40)[0], 5)
    start = np.random.default_rng(0).random((40, 2), dtype=np.float32) * 10
    options = {"epochs": 3, "seed": 9}
    fast = optimise_layout(start, fuzzy_graph(indices, distances), *curve(0.1), **options)
    with interpreted():
        slow = optimise_layout(start, fuzzy_graph(indices, distances), *curve(0.1), **options)
    np.testing.assert_allclose(fast, slow, atol=1e-3)


@contextmanager
def interpreted() -> Iterator[None]:
    def slow(*parts: object) -> None:
        with np.errstate(over="ignore"):
            projection_descent._epoch(*parts)

    with mock.patch.object(projection_descent, "compiled", return_value=slow):
        yield


def test_a_first_layout_needs_neither_umap_learn_nor_scikit_learn() -> None:
    code = (
        "import sys, core.projection.layout as p; assert 'numba' not in sys.modules; p.warm_up(); "
        "assert not {'umap', 'sklearn', 'tensorflow', 'pynndescent', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_warming_up_compiles_what_the_real_call_uses() -> None:
    warm_up()
    before = len(projection_descent.compiled().signatures)
    fast_layout(clustered(100)[0])
    assert len(projection_descent.compiled().signatures) == before == 1
