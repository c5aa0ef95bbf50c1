"""Layouts by umap-learn: reproducible, watched and stopped, and never a traceback where there is little to arrange."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from core.errors import JobCancelledError, SettingsError
from core.projection.layout import pca_layout
from core.projection.methods import arrange
from core.projection.settings import METHODS, ProjectionSettings
from core.projection.umap_learn import quiet_umap, umap_learn_layout
from tests.core.projection.features import clustered, eurosat

UMAP = ProjectionSettings(method="umap")
DENSE = ProjectionSettings(method="densmap")
LABELLED = ProjectionSettings(method="supervised", labels="truth")
METRICS = [*((one, "cosine") for one in (UMAP, DENSE, LABELLED)), (UMAP, "euclidean"), (UMAP, "correlation")]
"""Which distance counts is for the neighbours alone, which all methods share."""
BY_METRIC = pytest.mark.parametrize(("settings", "metric"), METRICS, ids=lambda one: getattr(one, "method", one))
ALL = pytest.mark.parametrize("settings", [UMAP, DENSE, LABELLED], ids=lambda one: one.method)


def two_classes(count: int) -> np.ndarray:
    return np.arange(count) % 2


def lay_out(vectors: np.ndarray, settings: ProjectionSettings, **more: object) -> np.ndarray:
    """Any method; supervised by two classes."""
    return arrange(vectors, settings, labels=two_classes(len(vectors)), **more)


@dataclass(frozen=True)
class Laid:
    """A layout of 200 vectors that nobody may write to.

    Attributes:
        vectors: as they were before it.
        given: what it was made of.
        layout: shape (200, 2).
        told: what progress heard.
    """

    vectors: np.ndarray
    given: np.ndarray
    layout: np.ndarray
    told: list[tuple[int, int]]


@cache
def laid(settings: ProjectionSettings) -> Laid:
    """One layout of each method for all that is asked of any."""
    vectors, _ = clustered(200)
    given, told = vectors.copy(), list[tuple[int, int]]()
    given.flags.writeable = False
    layout = lay_out(given, settings, progress=lambda done, total: told.append((done, total)))
    return Laid(vectors, given, layout, told)


@cache
def laid_of_eurosat(settings: ProjectionSettings) -> np.ndarray:
    vectors, labels = eurosat()
    return arrange(vectors, settings, labels=labels)


@ALL
def test_a_layout_is_that_of_umap_learn_given_our_neighbours_and_start_and_seed(settings: ProjectionSettings) -> None:
    """So it is the same each time."""
    from core.projection.layout import start_layout
    from core.similarity.knn_graph import knn_graph
    from core.similarity.neighbours import unit_rows

    vectors = laid(settings).vectors
    with quiet_umap() as umap:
        model = umap.UMAP(
            metric="cosine",
            init=start_layout(unit_rows(vectors), 42),
            precomputed_knn=knn_graph(vectors, 15),
            random_state=42,
            n_jobs=1,
            densmap=settings.method == "densmap",
        )
        expected = model.fit_transform(vectors, two_classes(200) if settings.method == "supervised" else None)
    np.testing.assert_array_equal(laid(settings).layout, expected - expected.mean(axis=0))


def test_another_seed_gives_another_layout() -> None:
    assert not np.array_equal(lay_out(laid(UMAP).vectors, replace(UMAP, seed=7)), laid(UMAP).layout)


@ALL
def test_real_features_are_laid_out_as_trustworthily_as_by_the_fast_method(settings: ProjectionSettings) -> None:
    vectors, _ = eurosat()
    layouts = [laid_of_eurosat(one) for one in (settings, ProjectionSettings())]
    own, fast = (trustworthiness(vectors, layout, n_neighbors=15, metric="cosine") for layout in layouts)
    # densMAP and labels give up some of it for what they are for.
    assert own > fast - {"umap": 0.02, "densmap": 0.03, "supervised": 0.1}[settings.method]
    assert own > 0.85


def test_labels_draw_real_classes_apart() -> None:
    _, labels = eurosat()
    apart = [silhouette_score(laid_of_eurosat(one), labels) for one in (UMAP, LABELLED)]
    assert apart[1] > apart[0] + 0.2


def test_patches_without_a_label_join_the_class_they_are_like() -> None:
    vectors, labels = clustered(300, groups=4)
    given = np.where(np.random.default_rng(0).random(300) < 0.5, labels, -1)
    layout = umap_learn_layout(vectors, LABELLED, given)
    centres = np.stack([layout[given == group].mean(axis=0) for group in range(4)])
    owner = np.square(layout[:, None] - centres).sum(axis=2).argmin(axis=1)
    assert (owner == labels)[given < 0].mean() > 0.95


@BY_METRIC
@pytest.mark.parametrize("count", [3, 4, 16])
def test_few_vectors(count: int, metric: str, settings: ProjectionSettings) -> None:
    layout = lay_out(clustered(16)[0][:count], replace(settings, metric=metric))
    assert layout.shape == (count, 2)
    assert layout.dtype == np.float32
    assert np.isfinite(layout).all()


@pytest.mark.parametrize("settings", [UMAP, DENSE], ids=lambda one: one.method)
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_vectors_are_laid_out_by_principal_components(count: int, settings: ProjectionSettings) -> None:
    vectors = clustered(16)[0][:count]
    np.testing.assert_array_equal(arrange(vectors, settings), pca_layout(vectors))


DEGENERATE = [
    *((kind, UMAP, "cosine") for kind in ("ones", "zeros", "repeated", "one column", "opposite")),
    *((kind, DENSE, "cosine") for kind in ("ones", "repeated")),
    ("repeated", LABELLED, "cosine"),
    *((kind, UMAP, "correlation") for kind in ("zeros", "one column")),
    ("zeros", UMAP, "euclidean"),
]
"""Labels and distances come in elsewhere than densities; of them, where they have nothing to go by."""


@pytest.mark.parametrize(("kind", "settings", "metric"), DEGENERATE, ids=lambda one: getattr(one, "method", one))
def test_equal_and_degenerate_vectors(kind: str, metric: str, settings: ProjectionSettings) -> None:
    vectors = {
        "ones": np.ones((60, 5)),
        "zeros": np.zeros((60, 5)),
        "repeated": np.repeat(clustered(3)[0], 20, axis=0),
        "one column": np.arange(60.0)[:, None],
        "opposite": np.concatenate([np.ones((1, 4)), -np.ones((59, 4))]),
    }[kind].astype(np.float32)
    layout = lay_out(vectors, replace(settings, metric=metric))
    assert layout.shape == (60, 2)
    assert np.isfinite(layout).all()


@ALL
def test_progress_rises_to_its_total_in_small_steps(settings: ProjectionSettings) -> None:
    seen = laid(settings).told
    done = [pair[0] for pair in seen]
    assert done == sorted(done)
    assert seen[-1] == (1000, 1000)
    assert {pair[1] for pair in seen} == {1000}
    moving = np.diff([0, *(one for one in done if one > 300)][1:])
    assert moving.max() <= 3, "each epoch tells"


@ALL
@pytest.mark.parametrize("share", [0.1, 0.27, 0.3, 0.6, 0.999])
def test_what_progress_raises_ends_the_work(settings: ProjectionSettings, share: float) -> None:
    asked = []

    def stop(done: int, total: int) -> None:
        if done >= share * total:
            asked.append(done)
            raise JobCancelledError("Arranging", "it was stopped", "start it again")

    import numba

    threads = numba.get_num_threads()
    with pytest.raises(JobCancelledError):
        lay_out(laid(settings).given, settings, progress=stop)
    assert len(asked) == 1, "nothing goes on after it"
    assert numba.get_num_threads() == threads


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (None, "no patch has a label"),
        ([-1] * 50, "no patch has a label"),
        ([-1] + [3] * 49, "all labelled .* of one class"),
    ],
)
def test_a_supervised_layout_is_refused_without_two_classes(labels: list[int] | None, found: str) -> None:
    with pytest.raises(SettingsError, match=rf"^Arranging patches by their labels: {found}; label patches .+\.$"):
        arrange(clustered(50)[0], LABELLED, labels=None if labels is None else np.array(labels))


@pytest.mark.parametrize("settings", [UMAP, DENSE], ids=lambda one: one.method)
def test_numbers_that_are_none_are_refused(settings: ProjectionSettings) -> None:
    vectors, _ = clustered(50)
    vectors[3, 3] = np.nan
    with pytest.raises(SettingsError, match="not finite numbers"):
        arrange(vectors, settings)


@ALL
def test_the_input_is_left_alone(settings: ProjectionSettings) -> None:
    np.testing.assert_array_equal(laid(settings).given, laid(settings).vectors)


def test_tensorflow_can_be_imported_after_umap_learn() -> None:
    before = sys.modules.get("tensorflow")
    with quiet_umap():
        assert sys.modules.get("tensorflow") is before
    assert "tensorflow" not in sys.modules or sys.modules["tensorflow"] is not None


def test_warnings_are_silent_inside_only() -> None:
    with quiet_umap():
        warnings.warn("of umap-learn", UserWarning, stacklevel=1)
    with pytest.raises(UserWarning):
        warnings.warn("of ours", UserWarning, stacklevel=1)


def test_each_method_has_its_keys_and_the_fast_one_those_it_always_had() -> None:
    settings = [ProjectionSettings(), UMAP, DENSE, LABELLED, replace(LABELLED, labels="0a1b2c3d4e5f6071")]
    assert {one.method for one in settings} == set(METHODS)
    assert len({one.key for one in settings}) == 5
    assert settings[0].key == "umap-15-0.1-cosine-42"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "tsne"},
        {"method": ""},
        {"method": "supervised"},
        {"method": "supervised", "labels": "../x"},
        {"method": "umap", "labels": "truth"},
    ],
)
def test_methods_and_labels_that_cannot_be_meant_are_refused_in_one_sentence(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^Setting up the projection: .+; .+\.$"):
        ProjectionSettings(**wrong)
