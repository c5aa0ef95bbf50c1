from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.neighbors import KNeighborsClassifier

from core.errors import SettingsError
from core.evaluation import retrieval as evaluation
from core.evaluation.duplicates import find_duplicates
from core.evaluation.retrieval import held_out, others_of_class, retrieval, share
from core.scenes.cut import Cut
from core.scenes.patches import PatchGrid
from core.similarity.neighbours import unit_rows


def groups(count: int = 120, spread: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around three directions, and which direction each one belongs to."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    return (np.eye(3, 8)[labels] + spread * random.standard_normal((count, 8))).astype(np.float32), labels


@pytest.mark.parametrize(("right", "count"), [(0, 7), (3, 10), (281, 296), (50, 50)])
def test_the_interval_is_wilsons(right: int, count: int) -> None:
    found = share(np.arange(count) < right)
    theirs = binomtest(right, count).proportion_ci(method="wilson")
    assert found.value == right / count
    assert found.low == pytest.approx(theirs.low, abs=1e-6)
    assert found.high == pytest.approx(theirs.high, abs=1e-6)


def test_a_share_of_nothing_is_not_known() -> None:
    found = share(np.empty(0, bool))
    assert math.isnan(found.value)
    assert (found.low, found.high, found.count) == (0, 1, 0)


def test_a_share_reads_as_people_write_it() -> None:
    assert str(share(np.arange(100) < 78)) == "0.780 (0.689–0.850)"


def test_precision_and_accuracy_are_those_of_an_exhaustive_search() -> None:
    vectors, labels = groups()
    found = retrieval(vectors, labels, ["a", "b", "c"])
    cosine = unit_rows(vectors) @ unit_rows(vectors).T
    np.fill_diagonal(cosine, -np.inf)
    order = np.argsort(-cosine, axis=1)
    for depth in (1, 5, 10):
        expected = (labels[order[:, :depth]] == labels[:, None]).mean()
        assert found.precision[depth].value == pytest.approx(expected)
    named = [np.bincount(labels[row[:5]], minlength=3) for row in order]
    clear = np.array([np.sort(votes)[-1] > np.sort(votes)[-2] for votes in named])
    right = np.array([votes.argmax() for votes in named]) == labels
    assert np.trace(found.confusion) >= right[clear].sum()
    assert found.accuracy.value == np.trace(found.confusion) / 120
    assert found.confusion.sum(axis=1).tolist() == np.bincount(labels).tolist()
    for number, row in enumerate(found.classes):
        assert row.count == (labels == number).sum()
        assert row.precision.value == pytest.approx((labels[order[labels == number, :10]] == number).mean())
        assert row.recall.value == found.confusion[number, number] / row.count


def test_random_features_do_as_well_as_chance() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 800)
    found = retrieval(random.standard_normal((800, 16)).astype(np.float32), labels, list("abcd"))
    assert found.chance == pytest.approx(0.25, abs=0.01)
    assert found.precision[10].value == pytest.approx(found.chance, abs=0.03)


def test_patches_that_touch_the_query_can_be_left_out() -> None:
    """On a line of 30 patches each looks exactly like its two neighbours and like nothing else."""
    labels = np.arange(30) // 2 % 2
    vectors = np.zeros((30, 30), np.float32)
    for row in range(30):
        vectors[row, [row, (row + 1) % 30]] = 1
    places = np.stack([np.zeros(30, np.int64), np.arange(30)], axis=1)
    near = evaluation.nearest_rows(unit_rows(vectors), np.arange(30), 2, None)
    assert all(min((row - other) % 30, (other - row) % 30) == 1 for row, pair in enumerate(near) for other in pair)
    apart = evaluation.nearest_rows(unit_rows(vectors), np.arange(30), 2, places)
    assert all(abs(row - other) > 1 for row, pair in enumerate(apart) for other in pair)
    farther = evaluation.nearest_rows(unit_rows(vectors), np.arange(30), 2, places, 3)
    assert all(abs(row - other) > 3 for row, pair in enumerate(farther) for other in pair)
    both = [retrieval(vectors, labels, ["a", "b"], places=one).precision[1].value for one in (None, places)]
    assert both[0] != both[1]


def test_fewer_patches_than_neighbours() -> None:
    """Each patch has one other of its class, so the nearest neighbour alone is looked at."""
    rows = np.array([[1, 0], [1, 0.1], [0, 1], [0.2, 1]], np.float32)
    found = retrieval(rows, np.array([0, 0, 1, 1]), ["a", "b"])
    assert {share.value for share in found.precision.values()} == {1.0}
    assert found.accuracy.value == 1


def test_a_small_class_that_is_told_apart_perfectly_scores_one() -> None:
    """Of a class of four, three others can be found: among ten neighbours that would be 0.3 at best."""
    labels = np.array([0] * 40 + [1] * 4)
    vectors = np.eye(2, 6, dtype=np.float32)[labels] + 0.01 * np.random.default_rng(0).standard_normal((44, 6))
    found = retrieval(vectors.astype(np.float32), labels, ["large", "small"])
    assert [row.precision.value for row in found.classes] == [1, 1]
    assert [row.recall.value for row in found.classes] == [1, 1]
    blind = retrieval(np.random.default_rng(1).standard_normal((44, 6)).astype(np.float32), labels, ["large", "small"])
    assert blind.classes[1].precision.value < 0.5


def test_a_patch_alone_in_its_class_is_not_asked_but_can_be_found() -> None:
    rows = np.array([[1, 0], [1, 0.2], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    found = retrieval(rows, np.array([0, 0, 1, 2, 2]), ["a", "River", "c"])
    assert (found.count, found.queries, found.unasked, found.singletons) == (5, 4, 1, ("River",))
    assert found.precision[1].value == 0.5, "the patch of River is the nearest of both patches of a"
    assert (found.classes[1].count, found.classes[1].precision.count, found.classes[1].recall.count) == (1, 0, 0)
    assert found.confusion[1].sum() == 0
    assert found.chance == pytest.approx(4 / (4 * 4))
    with pytest.raises(SettingsError, match="no patch has another of its class to find"):
        retrieval(np.eye(3, dtype=np.float32), np.arange(3), ["a", "b", "c"])


def test_patches_that_touch_do_not_count_among_those_to_be_found() -> None:
    places = np.array([[0, 0], [0, 1], [1, 0]])
    with pytest.raises(SettingsError, match="no patch has another"):
        retrieval(np.eye(3, dtype=np.float32), np.array([0, 0, 1]), ["a", "b"], places=places)
    random = np.random.default_rng(0)
    for reach in (1, 2):
        spread = random.integers(-9, 9, (60, 2)) * np.array([1, 10**12]) // np.array([1, 10**11])
        labels = random.integers(0, 3, 60)
        apart = np.abs(spread[:, None] - spread[None]).max(axis=2) > reach
        expected = ((labels[:, None] == labels[None]) & apart).sum(axis=1)
        np.testing.assert_array_equal(others_of_class(labels, spread, reach), expected)


def test_patches_that_were_moved_inwards_touch_more_of_the_others() -> None:
    grid = PatchGrid(height=130, width=90, cut=Cut.of(32, 24, edge="cover"))
    every = np.arange(grid.count)
    labels = np.random.default_rng(1).integers(0, 2, grid.count)
    touching = np.array([np.isin(every, grid.touching(patch_id)) for patch_id in every])
    expected = ((labels[:, None] == labels[None]) & ~touching).sum(axis=1)
    found = others_of_class(labels, grid.first_pixels(every), grid.size)
    np.testing.assert_array_equal(found, expected)
    near = retrieval(
        np.eye(grid.count, dtype=np.float32), labels, ["a", "b"], places=grid.first_pixels(every), reach=grid.size
    )
    assert near.unasked == int((expected == 0).sum())


def test_many_patches_are_asked_by_a_sample() -> None:
    vectors, labels = groups(600)
    everything = retrieval(vectors, labels, ["a", "b", "c"])
    sample, again = (retrieval(vectors, labels, ["a", "b", "c"], max_queries=300) for _ in range(2))
    assert (everything.queries, sample.queries, sample.count) == (600, 300, 600)
    assert sample.precision[10].low <= everything.precision[10].value <= sample.precision[10].high
    assert sample.precision == again.precision, "the sample is the same each time"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([0, 0, 0, 0], "all labelled patches are of one class"),
        ([0, 1], "only 2 patches have labels"),
        ([], "no patch has a label"),
    ],
)
def test_too_few_labels_cannot_be_measured(labels: list[int], found: str) -> None:
    with pytest.raises(SettingsError, match=f"{found}; label at least three patches, of two classes or more"):
        retrieval(np.eye(len(labels), 4, dtype=np.float32), np.array(labels, dtype=np.int64), ["a", "b"])


def test_held_out_patches_are_named_as_scikit_learn_names_them() -> None:
    vectors, labels = groups(400, 0.6)
    held = np.arange(400) % 5 == 0
    found = held_out(vectors, labels, held)
    unit = unit_rows(vectors)
    theirs = KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(unit[~held], labels[~held])
    clear = np.sort(theirs.predict_proba(unit[held]), axis=1)
    unlike = (clear[:, -1] == clear[:, -2]).mean()
    assert found.nearest.count == held.sum()
    assert found.nearest.value == pytest.approx(theirs.score(unit[held], labels[held]), abs=unlike + 1e-9)
    assert 0.6 < found.linear.value <= 1
    assert found.linear.low < found.linear.value < found.linear.high


def test_copies_count_once_and_not_at_all_where_their_classes_differ() -> None:
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 1e-7], [3, 3], [3, 3], [3, 3]], np.float32)
    found = find_duplicates(rows, np.array([0, 1, 0, 2, 0, 1, 1, -1]))
    assert found.kept.tolist() == [True, False, False, False, True, True, False, False]
    assert (found.duplicates, found.conflicting) == (2, 2)
