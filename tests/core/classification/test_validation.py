"""Cross-validation by blocks of land, calibration by scikit-learn's curve, doubtful labels, suggestions, numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score

from core.bands import FloatArray
from core.classification.calibration import calibration_error, reliability
from core.classification.doubtful import doubtful_labels, mixed_classes, mixed_labels
from core.classification.heads import teach
from core.classification.labelled import labelled_patches
from core.classification.numbers.regression import teach_values
from core.classification.suggestions import fresh_head, label_next, learning_curve, places_apart, random_next
from core.classification.validation import Validation, compare, validate
from core.errors import ClassificationError
from core.evaluation.splits import block_folds, grid_blocks, land_blocks
from core.similarity.neighbours import unit_rows
from tests.core.classification.test_heads import labelled, land


def test_the_diagram_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(0.3, 1, 900).astype(np.float32)
    right = random.random(900) < confidence**2
    shares, means = calibration_curve(right, confidence, n_bins=10)
    found = [one for one in reliability(confidence, right) if one.count]
    assert [one.right.value for one in found] == pytest.approx(shares)
    assert [one.confidence for one in found] == pytest.approx(means, abs=1e-6)
    counts = np.array([one.count for one in found])
    assert calibration_error(confidence, right) == pytest.approx((counts * abs(shares - means)).sum() / 900, abs=1e-6)
    assert np.isnan(calibration_error(confidence[:0], right[:0]))


def test_measures_are_those_of_scikit_learn() -> None:
    vectors, labels = land(40, spread=0.8)
    found = validate("logistic", labelled(vectors, labels))
    truth, named = found.labels[found.tested], found.named
    assert found.accuracy.value == accuracy_score(truth, named)
    assert (found.confusion == confusion_matrix(truth, named)).all()
    assert [one.f1.value for one in found.scores] == pytest.approx(f1_score(truth, named, average=None))
    assert [one.precision.value for one in found.scores] == pytest.approx(precision_score(truth, named, average=None))
    assert [one.recall.value for one in found.scores] == pytest.approx(recall_score(truth, named, average=None))
    assert all(one.f1.low <= one.f1.value <= one.f1.high for one in found.scores)


def test_classes_that_are_taken_for_one_another_are_named_with_the_labels_that_were() -> None:
    names, truth = ("crops", "meadow", "water"), np.repeat([0, 1, 2], 8)
    named = np.array([0, 0, 0, 0, 1, 1, 1, 1] + [1] * 6 + [0, 2] + [2] * 8)
    chances = np.full((24, 3), 0.1)
    chances[np.arange(24), named] = 0.8
    chances[4, :2] = 0.0, 0.9  # The surest of the other.
    chances[23] = np.nan
    found = Validation(
        kind="logistic", setting=1.0, temperature=1.0, classes=names, labels=truth, chances=chances, raw=chances,
        blocks=np.arange(24), spatial=True,
    )  # fmt: skip
    (pair,) = mixed_classes(found)
    table = confusion_matrix(truth[:23], named[:23])
    assert (pair.one, pair.other, pair.tested) == ("crops", "meadow", 16), "one label of water in 15 is chance"
    assert pair.wrong == table[0, 1] + table[1, 0] == 5
    labels = mixed_labels(found, np.arange(100, 124), pair)
    assert [one.patch_id for one in labels] == [104, 105, 106, 107, 114]
    assert [(one.given, one.likelier) for one in labels[3:]] == [("crops", "meadow"), ("meadow", "crops")]
    assert (labels[0].given_probability, labels[0].likelier_probability) == (0.0, 0.9)


def test_no_block_of_land_is_on_both_sides() -> None:
    places = np.stack(np.divmod(np.arange(400), 20), axis=1)
    blocks = grid_blocks(places)
    assert len(np.unique(blocks)) == 25
    labels = np.random.default_rng(0).integers(0, 3, 400)
    fold = block_folds(blocks, labels, 5)
    assert all(len(np.unique(fold[blocks == block])) == 1 for block in np.unique(blocks))
    shares = np.array([[np.mean(labels[fold == number] == name) for name in range(3)] for number in range(5)])
    assert len(np.unique(fold)) == 5
    assert np.ptp(shares, axis=0).max() < 0.2, "each fold has about as many of each class"


def test_unknown_places_are_no_block() -> None:
    lonlat = np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, np.nan]])
    assert land_blocks(lonlat).tolist() == [0, 1, -1]


def test_land_that_is_alike_nearby_promises_too_much_unless_blocks_are_held_out() -> None:
    """Features say where a patch lies and nothing of its class, so that neighbours alone tell it."""
    random = np.random.default_rng(1)
    places = np.stack(np.divmod(np.arange(400), 20), axis=1)
    region = random.integers(0, 2, (10, 10))[places[:, 0] // 2, places[:, 1] // 2]
    waves = np.stack([np.cos(places[:, axis] * speed) for axis in (0, 1) for speed in (0.2, 0.4, 0.7)], axis=1)
    names = {number: ("Fen", "Bog")[kind] for number, kind in enumerate(region.tolist())}
    vectors = waves.astype(np.float32)
    spatial = validate("knn", labelled_patches(vectors, np.arange(400), names, places=places))
    alone = validate("knn", labelled_patches(vectors, np.arange(400), names))
    assert (spatial.spatial, alone.spatial) == (True, False)
    assert alone.accuracy.value > spatial.accuracy.value + 0.1


def test_kinds_of_heads_are_compared_on_the_same_folds_best_first() -> None:
    vectors, labels = land(20)
    found = compare(labelled(vectors, labels), ("knn", "logistic"))
    assert found[0].log_loss <= found[1].log_loss
    assert {one.kind for one in found} == {"knn", "logistic"}


def made_up(chances: list[list[float]], labels: list[int]) -> Validation:
    table = np.array(chances)
    return Validation(
        kind="knn", setting=1, temperature=1, classes=("Fen", "Bog"), labels=np.array(labels), chances=table, raw=table,
        blocks=np.arange(len(labels)), spatial=True,
    )  # fmt: skip


def test_labels_are_doubted_by_the_rule_of_confident_learning() -> None:
    """Means of the label's own probability are 0.6 for Fen and 0.7 for Bog; only one patch is surer of the other."""
    nan = [np.nan, np.nan]
    found = made_up([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.3, 0.7], [0.3, 0.7], nan], [0, 0, 0, 1, 1, 1])
    [doubt] = doubtful_labels(found, np.array([10, 11, 12, 13, 14, 15]))
    assert (doubt.patch_id, doubt.given, doubt.likelier) == (11, "Fen", "Bog")
    assert (doubt.given_probability, doubt.likelier_probability) == (0.2, 0.8)


def test_wrong_labels_are_found() -> None:
    vectors, labels = land(50, spread=0.25)
    wrong = [3, 70, 120]
    swapped = labels.copy()
    swapped[wrong] = (labels[wrong] + 1) % 3
    known = labelled(vectors, swapped)
    found = doubtful_labels(validate("logistic", known), known.patch_ids)
    assert {one.patch_id for one in found[:3]} == set(wrong)


def test_what_to_label_next_is_unsure_unlike_and_apart() -> None:
    vectors, labels = land(200, seed=3)
    places = np.stack(np.divmod(np.arange(600), 25), axis=1).astype(np.float64)
    known = labelled(vectors, labels).some(np.arange(30))
    head = teach(known).head
    rows = label_next(vectors, np.arange(30), 10, head=head, places=places)
    assert len(set(rows.tolist())) == 10
    assert rows.min() >= 30
    margins = -np.diff(np.sort(head.chances(vectors), axis=1)[:, ::-1][:, :2], axis=1)[:, 0]
    assert margins[rows].mean() < margins[30:].mean() - 0.1, "surer patches wait"
    apart = np.linalg.norm(places[rows][:, None] - places[rows][None], axis=2)
    assert apart[np.triu_indices(10, 1)].min() >= 3
    unit = unit_rows(vectors)
    alike = (unit[rows] @ unit[rows].T)[np.triu_indices(10, 1)].max()
    doubtful_only = 30 + np.argsort(margins[30:])[:10]
    assert alike < (unit[doubtful_only] @ unit[doubtful_only].T)[np.triu_indices(10, 1)].max()


def test_without_a_label_suggestions_begin_in_the_middle_and_go_far() -> None:
    points: FloatArray = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.5, 0.4]], np.float32)
    assert label_next(points, np.array([], np.int64), 4).tolist()[0] == 4
    assert set(label_next(points, np.array([], np.int64), 4).tolist()) == {4, 0, 2, 3}
    assert label_next(points, np.arange(5), 3).tolist() == []
    usable = np.array([True, False, True, True, True])
    assert 1 not in label_next(points, np.array([0]), 9, usable=usable).tolist()


def test_suggestions_teach_more_than_labels_in_random_order() -> None:
    vectors, labels = land(150, spread=0.4, seed=7)
    vectors = np.concatenate([vectors[labels < 2], vectors[labels == 2][:6]])
    labels = np.concatenate([labels[labels < 2], labels[labels == 2][:6]])

    first = np.array([0])
    guided = label_next(vectors, first, 12)
    drawn = [random_next(len(vectors), first, 12, seed) for seed in range(20)]
    assert len(np.unique(labels[guided])) == 3, "the rare class is among the first"
    assert np.mean([len(np.unique(labels[rows])) for rows in drawn]) < 2.5
    assert all(0 not in rows and len(set(rows.tolist())) == 12 for rows in drawn)


def test_the_learning_curve_rises_and_ends_with_all_labels() -> None:
    vectors, labels = land(60, spread=0.5)
    curve = learning_curve(labelled(vectors, labels), seed=0)
    assert [point.labels for point in curve][:4] == [10, 20, 40, 80]
    assert curve[-1].accuracy.value > curve[0].accuracy.value
    assert all(point.accuracy.count == 180 for point in curve)


def test_numbers_are_those_of_ridge_regression_and_lie_in_their_intervals() -> None:
    random = np.random.default_rng(2)
    vectors = random.standard_normal((600, 10)).astype(np.float32)
    unit = unit_rows(vectors)
    wanted = 3 + unit @ random.standard_normal(10) + 0.2 * random.standard_normal(600)
    ids = np.arange(600)
    model = teach_values(vectors, ids, dict(enumerate(wanted[:300].tolist())))
    scale = unit.std(axis=0)
    scale = np.sqrt((scale**2).mean()) + 1e-6
    points = (unit - unit.mean(axis=0)) / scale
    oracle = Ridge(alpha=model.penalty).fit(points[:300], wanted[:300])
    assert model.predict(vectors) == pytest.approx(oracle.predict(points), abs=1e-4)
    low, high = model.interval(vectors[300:]).T
    inside = ((wanted[300:] >= low) & (wanted[300:] <= high)).mean()
    assert 0.85 < inside < 0.95
    assert abs(model.covered.value - 0.9) < 0.02
    assert 0.15 < model.error < 0.25
    assert model.r_squared == pytest.approx(1 - (model.error / wanted[:300].std()) ** 2, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "0 patches of the scene have a number; give at least 10"),
        (dict.fromkeys(range(20), 4.0), "all numbers are 4"),
        (dict.fromkeys(range(20), np.nan), "a number is not finite"),
    ],
)
def test_numbers_that_teach_nothing_are_refused(values: dict[int, float], sentence: str) -> None:
    vectors, _ = land(20)
    with pytest.raises(ClassificationError, match=sentence):
        teach_values(vectors, np.arange(60), values)


def test_a_head_for_suggestions_is_there_at_once_and_ranks_as_a_taught_one() -> None:
    vectors, labels = land(60, spread=0.4)
    known = labelled(vectors, labels).some(np.arange(0, 180, 6))
    names = [known.classes[number] for number in known.labels.tolist()]
    head = fresh_head(known.vectors, names, known.spread)
    assert head is not None
    assert head.names == known.classes
    assert (head.chances(vectors).argmax(axis=1) == teach(known).head.chances(vectors).argmax(axis=1)).mean() > 0.95
    assert fresh_head(known.vectors[:3], ["Fen"] * 3, known.spread) is None


def test_a_curve_of_some_labels_is_tested_on_all() -> None:
    vectors, labels = land(60, spread=0.4)
    known = labelled(vectors, labels)
    rows = np.random.default_rng(0).permutation(180)[:60]
    curve = learning_curve(known, rows=rows)
    assert [point.labels for point in curve][:3] == [10, 20, 40]
    assert curve[-1].labels < 60
    assert all(point.accuracy.count == 180 for point in curve)
    whole = learning_curve(known, (150,))
    assert whole[0].accuracy.value >= curve[0].accuracy.value


def test_suggestions_keep_apart_from_labels_whose_place_is_known() -> None:
    vectors = np.eye(6, dtype=np.float32)
    places = np.array([[0.0, 0.0], [0, 1], [0, 2], [0, 9], [np.nan, np.nan], [0, 30]])
    first = label_next(vectors, np.array([0, 4]), 2, places=places)
    assert set(first.tolist()) == {3, 5}, "nearer ones wait, unknown places hinder nothing"


def test_places_on_earth_lie_as_many_patches_apart_as_on_the_ground() -> None:
    step = 0.01  # degrees of latitude from patch to patch; across the antimeridian in longitude
    down, across = np.divmod(np.arange(100), 10)
    lonlat = np.stack([(179.95 + across * step / np.cos(np.radians(60)) + 180) % 360 - 180, 60 - down * step], axis=1)
    lonlat[7] = np.nan
    lonlat = np.concatenate([lonlat, lonlat[:3]])  # The same places on another day are no nearer neighbours.
    places = places_apart(lonlat)
    assert places is not None
    assert np.isnan(places[7]).all()
    known = np.delete(np.arange(100), 7)
    wanted = np.hypot(down[known] - down[0], across[known] - across[0])
    assert np.linalg.norm(places[known] - places[0], axis=1) == pytest.approx(wanted, rel=0.01)
    assert places_apart(lonlat[:1]) is None
    assert places_apart(np.full((3, 2), np.nan)) is None
