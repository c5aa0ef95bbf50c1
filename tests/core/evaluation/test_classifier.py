"""A classifier on features: scikit-learn's own answers, calibrated probabilities, and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.bands import FloatArray
from core.encoders.files import CLASSES
from core.errors import EncoderError
from core.evaluation.classifier import FeatureClassifier, fit_classifier
from core.evaluation.retrieval import held_out
from core.evaluation.taught_classes import classifier_in
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

NAMES = ("Forest", "Quarry", "River")


def clouds(per_class: int, classes: int = 3, spread: float = 0.7, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Features of classes that overlap, of any length, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), per_class)
    middle = np.eye(classes, 8)[labels]
    found = (middle + spread * random.standard_normal((len(labels), 8))) * random.uniform(1, 9, (len(labels), 1))
    return found.astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_it_names_what_logistic_regression_names_as_surely(classes: int) -> None:
    vectors, labels = clouds(60, classes)
    asked, _ = clouds(40, classes, seed=1)
    unit = unit_rows(vectors)
    mean, std = unit.mean(axis=0), unit.std(axis=0) + 1e-6
    oracle = LogisticRegression(C=1.0, max_iter=3000, tol=1e-9).fit((unit - mean) / std, labels)
    chances = oracle.predict_proba((unit_rows(asked) - mean) / std)
    named = fit_classifier(vectors, labels, NAMES[:classes]).name(asked)
    assert named.classes == NAMES[:classes]
    assert (named.index == chances.argmax(axis=1)).all()
    assert named.confidence == pytest.approx(chances.max(axis=1), abs=2e-4)
    assert (named.sure == (chances.max(axis=1) >= 0.5)).all()


def test_it_is_the_one_that_is_measured_on_held_out_patches() -> None:
    vectors, labels = clouds(60)
    held = np.random.default_rng(3).random(len(labels)) < 0.3
    right = fit_classifier(vectors[~held], labels[~held], NAMES).name(vectors[held]).index == labels[held]
    assert right.mean() == held_out(vectors, labels, held).linear.value


def test_calibration_brings_confidence_to_how_often_it_is_right() -> None:
    vectors, labels = clouds(12, spread=1.2)
    apart, truth = clouds(400, spread=1.2, seed=1)
    asked, wanted = clouds(400, spread=1.2, seed=2)
    raw = replace(fit_classifier(vectors, labels, NAMES), weights=fit_classifier(vectors, labels, NAMES).weights * 6)
    found = raw.calibrate(apart, truth)
    assert (found.calibrated, raw.calibrated) == (True, False)
    gaps = [abs(one.name(asked).confidence.mean() - (one.name(asked).index == wanted).mean()) for one in (raw, found)]
    assert gaps[1] < 0.04 < 0.15 < gaps[0]
    assert (found.name(asked).index == raw.name(asked).index).all(), "calibration changes no class"


def test_a_few_patches_that_are_all_named_rightly_make_nothing_certain() -> None:
    vectors, labels = clouds(30, spread=0.01)
    few = np.array([0, 30, 60])
    found = fit_classifier(vectors, labels, NAMES).calibrate(vectors[few], labels[few])
    assert 0.5 < found.name(vectors).confidence.mean() < 0.9
    none = fit_classifier(vectors, labels, NAMES).calibrate(vectors[:0], labels[:0])
    assert not none.calibrated


def test_a_file_of_it_is_read_back_and_damage_is_said(tmp_path: Path) -> None:
    vectors, labels = clouds(20)
    found = fit_classifier(vectors, labels, NAMES).calibrate(vectors, labels)
    found.save(tmp_path / CLASSES)
    again = classifier_in(tmp_path)
    assert again is not None
    assert (again.classes, again.temperature, again.calibrated) == (NAMES, found.temperature, True)
    np.testing.assert_array_equal(again.logits(vectors), found.logits(vectors))
    with pytest.raises(EncoderError, match=r"the features have shape \(60, 5\) and column 7 is asked for"):
        again.name(vectors[:, :5])
    whole = (tmp_path / CLASSES).read_bytes()
    for at in (0, 30, len(whole) - 40):
        (tmp_path / CLASSES).write_bytes(whole[:at])
        with pytest.raises(EncoderError, match=r"classes\.npz cannot be read or is damaged; get the model again"):
            FeatureClassifier.load(tmp_path / CLASSES)
    replace(found, bias=found.bias[:2]).save(tmp_path / CLASSES)
    with pytest.raises(EncoderError, match="damaged"):
        FeatureClassifier.load(tmp_path / CLASSES)
