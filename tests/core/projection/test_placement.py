"""New vectors in a layout that is there: near their own, near their twins, where their kind is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from core.errors import JobCancelledError, SettingsError
from core.projection.methods import arrange
from core.projection.placement import place
from core.projection.settings import METHODS, ProjectionSettings
from core.projection.umap_learn import quiet_umap
from tests.core.projection.features import clustered, eurosat


def made_by(method: str, **more: object) -> ProjectionSettings:
    return ProjectionSettings(method=method, labels="truth" if METHODS[method].labelled else "", **more)


def radius(layout: np.ndarray) -> float:
    """How far a point's 15th neighbour in the plane is, at the median."""
    return float(np.median(cKDTree(layout).query(layout, 16)[0][:, -1]))


@pytest.mark.parametrize("method", ["fast", "umap"])
def test_points_of_the_layout_land_near_their_own_place(method: str) -> None:
    vectors, labels = clustered(300)
    settings = made_by(method)
    layout = arrange(vectors, settings, labels=labels)
    off = np.linalg.norm(place(vectors, vectors, layout, settings) - layout, axis=1)
    assert np.median(off) < radius(layout)
    assert np.quantile(off, 0.95) < 4 * radius(layout)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_twins_land_near_their_twins_and_others_where_their_kind_is(metric: str) -> None:
    vectors, labels = clustered(500)
    old = np.arange(500) < 400
    settings = ProjectionSettings(metric=metric)
    layout = arrange(vectors[old], settings)
    twins = np.array([3, 3, 77, 300])
    found = place(np.concatenate([vectors[~old], vectors[twins]]), vectors[old], layout, settings)
    assert found.shape == (104, 2)
    assert found.dtype == np.float32
    assert np.linalg.norm(found[100:] - layout[twins], axis=1).max() < 3 * radius(layout)
    near = labels[:400][cKDTree(layout).query(found[:100], 5)[1]]
    assert (near == labels[~old, None]).mean() > 0.95


def test_real_patches_land_among_their_class_as_often_as_among_their_neighbours() -> None:
    vectors, labels = eurosat()
    new = np.arange(len(vectors)) % 4 == 0
    settings = ProjectionSettings(metric="euclidean")
    layout = arrange(vectors[~new], settings)
    found = place(vectors[new], vectors[~new], layout, settings)
    whole = arrange(vectors, settings)

    def agreement(tree: np.ndarray, points: np.ndarray) -> float:
        return float((labels[~new][cKDTree(tree).query(points, 5)[1]] == labels[new, None]).mean())

    assert agreement(layout, found) > agreement(whole[~new], whole[new]) - 0.1


def test_places_are_those_of_a_model_of_umap_learn_that_was_fitted() -> None:
    vectors, _ = clustered(500)
    with quiet_umap() as umap:
        model = umap.UMAP(metric="euclidean", init="pca", random_state=42, transform_seed=42, n_jobs=1)
        layout = model.fit_transform(vectors[:400])
        expected = model.transform(vectors[400:])
    settings = ProjectionSettings(metric="euclidean", method="umap")
    # Distances are rounded otherwise, and a descent by chance makes more of it; most places agree all the same.
    off = np.linalg.norm(place(vectors[400:], vectors[:400], layout, settings) - expected, axis=1)
    assert np.median(off) < radius(layout) / 2


def test_equal_seeds_give_equal_places_and_the_layout_is_left_alone() -> None:
    vectors, _ = clustered(300)
    layout = arrange(vectors[:250], ProjectionSettings())
    before = layout.copy()
    layout.flags.writeable = False
    first = place(vectors[250:], vectors[:250], layout, ProjectionSettings())
    np.testing.assert_array_equal(place(vectors[250:], vectors[:250], layout, ProjectionSettings()), first)
    assert not np.array_equal(place(vectors[250:], vectors[:250], layout, ProjectionSettings(seed=7)), first)
    np.testing.assert_array_equal(layout, before)


@pytest.mark.parametrize("count", [1, 2, 3, 17])
@pytest.mark.parametrize("new", [0, 3])
def test_few_vectors(count: int, new: int) -> None:
    vectors, _ = clustered(20)
    layout = arrange(vectors[:count], ProjectionSettings())
    found = place(vectors[20 - new :], vectors[:count], layout, ProjectionSettings())
    assert found.shape == (new, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "correlation"])
def test_equal_vectors_have_places(metric: str) -> None:
    settings = ProjectionSettings(metric=metric)
    for vectors in (np.ones((40, 5), np.float32), np.zeros((40, 5), np.float32)):
        layout = arrange(vectors, settings)
        assert np.isfinite(place(vectors[:7], vectors, layout, settings)).all()


def test_what_does_not_fit_is_refused_in_one_sentence() -> None:
    vectors, layout = np.ones((5, 3), np.float32), np.zeros((5, 2), np.float32)
    wrong = [
        (vectors, vectors[:0], layout[:0]),
        (vectors, vectors, layout[:4]),
        (vectors[:, :2], vectors, layout),
        (np.full((1, 3), np.nan, np.float32), vectors, layout),
    ]
    for new, features, places in wrong:
        with pytest.raises(SettingsError, match=r"^[^:]+: .+; .+\.$"):
            place(new, features, places, ProjectionSettings())


def test_progress_rises_to_its_total_and_what_it_raises_ends_the_work() -> None:
    vectors, _ = clustered(300)
    layout, seen = arrange(vectors, ProjectionSettings()), []
    place(vectors[:50], vectors, layout, ProjectionSettings(), progress=lambda *told: seen.append(told))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (1000, 1000)

    def stop(done: int, _total: int) -> None:
        if done > 700:
            raise JobCancelledError("Placing", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError):
        place(vectors[:50], vectors, layout, ProjectionSettings(), progress=stop)
