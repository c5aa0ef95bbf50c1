"""A linear classifier of two kinds of patches, fitted in milliseconds with NumPy and SciPy.

The web process fits it after every example, where scikit-learn must not be loaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.one_thread import numpy_one_thread
from core.similarity.pca import regular_sample

ExampleWeights = NDArray[np.float64]
_Numbers = NDArray[np.float64]

MOST_FITTED = 500
"""Examples of one kind that it is fitted to, spread evenly over more: further ones change little, and take time."""

_MOST_STEPS, _TOLERANCE = 200, 1e-6


@dataclass(frozen=True, kw_only=True)
class LinearClassifier:
    """A logistic regression that tells good patches from bad ones.

    Attributes:
        weights: float32 of shape (D,).
        bias: float; above 0, ``features @ weights + bias`` speaks for good.
    """

    weights: FloatArray
    bias: float

    def logits(self, features: FloatArray) -> FloatArray:
        """Return the logarithm of the odds of being good, float32 of shape (N,)."""
        found: FloatArray = features @ self.weights
        found += np.float32(self.bias)
        return found

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the probability of being good, float32 of shape (N,), 0 to 1, as if both kinds were equally common."""
        halves = np.tanh(self.logits(features) / np.float32(2))
        return np.asarray((halves + np.float32(1)) / np.float32(2), np.float32)


def fit_linear(
    good: FloatArray, bad: FloatArray, *, strength: float, weights: tuple[ExampleWeights, ExampleWeights] | None = None
) -> LinearClassifier:
    """Return the logistic regression that minimises |w|² / 2 + strength · Σ loss; both kinds weigh alike.

    The loss of a row is log(1 + exp(−margin)), weighted by (rows of both) / (2 · rows of its kind), as scikit-learn's
    ``class_weight="balanced"``. What is minimised is convex: the result does not depend on where the search begins.

    Args:
        good: finite float32 of shape (P, D), P ≥ 1; of more than ``MOST_FITTED`` so many are taken.
        bad: finite float32 of shape (Q, D), Q ≥ 1, likewise.
        weights: how often each of the good, and of the bad ones counts among its kind, shapes (P,) and (Q,), above 0;
            None = once.
        strength: of the examples against the wish for small weights; scikit-learn's ``C``.
    """
    kinds = [np.asarray(rows[regular_sample(len(rows), MOST_FITTED)], np.float64) for rows in (good, bad)]
    rows, counts = np.concatenate(kinds), [len(kind) for kind in kinds]
    given = [np.ones(len(all_of)) for all_of in (good, bad)] if weights is None else weights
    heavy = [some[regular_sample(len(some), MOST_FITTED)] for some in given]
    # The bias may be anything, so that where the origin lies makes no difference to what is best, but to the rounding.
    centre = rows.mean(axis=0)
    signs = np.repeat([1.0, -1.0], counts)
    costs = strength * np.repeat([len(rows) / (2 * count) for count in counts], counts)
    costs *= np.concatenate([some / some.mean() for some in heavy])
    with numpy_one_thread():  # Products are so small that threads wait for each other longer than they work.
        found, bias = _minimise(rows - centre, signs, costs)
    return LinearClassifier(weights=found.astype(np.float32), bias=float(bias - found @ centre))


def _minimise(rows: _Numbers, signs: _Numbers, costs: _Numbers) -> tuple[_Numbers, float]:
    """Return weights of shape (D,) and the bias."""
    from scipy.optimize import minimize

    def loss(point: _Numbers) -> tuple[float, _Numbers]:
        margins = signs * (rows @ point[:-1] + point[-1])
        pull = -costs * signs * _sigmoid(-margins)
        value = float(costs @ np.logaddexp(0, -margins) + point[:-1] @ point[:-1] / 2)
        return value, np.append(rows.T @ pull + point[:-1], pull.sum())

    start = np.zeros(rows.shape[1] + 1)
    options = {"maxiter": _MOST_STEPS, "gtol": _TOLERANCE * float(costs.max()), "ftol": 1e-12}
    point: _Numbers = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return point[:-1], float(point[-1])


def _sigmoid(values: _Numbers) -> _Numbers:
    return np.asarray((1 + np.tanh(values / 2)) / 2)
