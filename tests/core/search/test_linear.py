"""The linear classifier: the same weights as scikit-learn's, whatever the shape."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.search.linear import MOST_FITTED, fit_linear


def kinds(good: int, bad: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(0.2, 1, (good, width)), rng.normal(-0.2, 1, (bad, width))
    return one.astype(np.float32), other.astype(np.float32)


@pytest.mark.parametrize(("good", "bad", "width"), [(10, 200, 32), (12, 7, 64), (300, 90, 16), (1, 3, 8)])
@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0])
def test_weights_are_those_of_scikit_learn(good: int, bad: int, width: int, strength: float) -> None:
    one, other = kinds(good, bad, width)
    rows, labels = np.concatenate([one, other]).astype(np.float64), np.repeat([1, 0], [good, bad])
    oracle = LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=5000).fit(rows, labels)
    found = fit_linear(one, other, strength=strength)
    np.testing.assert_allclose(found.weights, oracle.coef_[0], atol=2e-4 * np.abs(oracle.coef_).max())
    np.testing.assert_allclose(found.bias, oracle.intercept_[0], atol=1e-3)
    asked = rows.astype(np.float32)
    np.testing.assert_allclose(found.probability(asked), oracle.predict_proba(rows)[:, 1], atol=1e-3)


def test_examples_count_as_often_as_is_said() -> None:
    one, other = kinds(12, 30, 8)
    heavy = np.where(np.arange(12) < 4, 2.0, 0.5), np.where(np.arange(30) < 10, 3.0, 1.0)
    rows, labels = np.concatenate([one, other]).astype(np.float64), np.repeat([1, 0], [12, 30])
    weights = np.concatenate([42 / (2 * some.sum()) * some for some in heavy])
    oracle = LogisticRegression(tol=1e-10, max_iter=5000).fit(rows, labels, sample_weight=weights)
    found = fit_linear(one, other, strength=1.0, weights=heavy)
    np.testing.assert_allclose(found.weights, oracle.coef_[0], atol=2e-4 * np.abs(oracle.coef_).max())
    twice = fit_linear(one, other, strength=1.0, weights=(2 * heavy[0], heavy[1]))
    np.testing.assert_allclose(twice.weights, found.weights, atol=1e-5, err_msg="it counts among its kind")


def test_equal_kinds_give_an_even_chance() -> None:
    rows = np.ones((5, 4), np.float32)
    found = fit_linear(rows, rows, strength=1.0)
    np.testing.assert_allclose(found.probability(rows), 0.5, atol=1e-6)


def test_far_features_do_not_overflow() -> None:
    one, other = kinds(20, 20, 4)
    found = fit_linear(one, other, strength=10.0).probability(np.full((2, 4), 1e30, np.float32) * [[1], [-1]])
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_more_examples_than_it_takes_give_nearly_the_same() -> None:
    one, other = kinds(3 * MOST_FITTED, 3 * MOST_FITTED, 8)
    asked = np.concatenate([one, other])
    oracle = LogisticRegression(class_weight="balanced").fit(asked, np.repeat([1, 0], 3 * MOST_FITTED))
    found = fit_linear(one, other, strength=1.0).probability(asked)
    assert np.abs(found - oracle.predict_proba(asked)[:, 1]).mean() < 0.05
