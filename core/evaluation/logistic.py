"""Multinomial logistic regression by L-BFGS: quick enough to be fitted again after each label, without scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.one_thread import numpy_one_thread
from core.scenes.patches import IntArray

ITERATIONS, TOLERANCE = 300, 1e-5
"""Steps at most, and the largest part of the gradient of the mean loss at which it ends: probabilities then hold to a
few ten-thousandths."""

Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Weights of shape (D, classes) and bias of shape (classes,)."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What unit features are standardised by.

    Attributes:
        mean: float32 of shape (D,).
        std: float32 of shape (D,), above 0.
    """

    mean: FloatArray
    std: FloatArray

    def weights_of(self, weights: FloatArray, bias: FloatArray) -> Weights:
        """Return the weights on standardised features that do what these do on unit features."""
        raw = np.asarray(weights, np.float64)
        return raw * self.std[:, None], np.asarray(bias, np.float64) + self.mean @ raw


def spread_of(unit: FloatArray) -> Spread:
    """Return the middle of unit features of many patches, labelled or not, shape (N, D), and one scale for all columns.

    With few labels a scale a column makes as much of columns that hardly vary as of those that tell land apart: of ten
    labels a class on a mosaic of 280 patches of EuroSAT it names 93 % of the rest, one scale for all 98 %.
    """
    scale = float(np.sqrt(np.mean(np.square(unit.std(axis=0))))) + 1e-6
    return Spread(mean=unit.mean(axis=0), std=np.full(unit.shape[1], scale, np.float32))


def logistic_weights(
    points: FloatArray, labels: IntArray, count: int, strength: float, *, start: Weights | None = None
) -> Weights:
    """Return the weights that minimise ``strength · Σ −log p(label) + ½‖W‖²``, the bias free, as scikit-learn does.

    Of two classes, weights count twice, which makes their difference the one line of weights that scikit-learn fits.

    Args:
        points: standardised features of shape (N, D).
        labels: int64 of shape (N,), 0 to ``count`` − 1.
        count: of classes, at least 2.
        strength: above 0.
        start: weights to begin from; None = zeros.
    """
    from scipy.optimize import minimize

    with numpy_one_thread():
        basis, inner = _span(np.asarray(points, np.float64))
    size, width = inner.shape
    targets = np.eye(count)[labels]
    scale = (2.0 if count == 2 else 1.0) / (strength * size)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(width + 1, count)
        logits = inner @ table[:-1] + table[-1]
        logits -= logits.max(axis=1, keepdims=True)
        sums = np.exp(logits).sum(axis=1, keepdims=True)
        value = float((np.log(sums)[:, 0] - (logits * targets).sum(axis=1)).mean())
        off = (np.exp(logits) / sums - targets) / size
        gradient = np.concatenate([inner.T @ off + scale * table[:-1], off.sum(axis=0)[None]])
        return value + 0.5 * scale * float(np.square(table[:-1]).sum()), gradient.ravel()

    first = np.zeros((width + 1, count))
    if start is not None:
        first[:-1], first[-1] = basis.T @ start[0] if basis is not None else start[0], start[1]
    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE, "ftol": 64 * np.finfo(float).eps}
    with numpy_one_thread():
        found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(width + 1, count)
    weights = found[:-1] if basis is None else basis @ found[:-1]
    return weights, found[-1] - found[-1].mean()


def _span(points: NDArray[np.float64]) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Return an orthonormal basis of the points and their coordinates in it; no basis where there are enough points.

    The best weights lie in the span of the points (Kimeldorf and Wahba 1971), so few points need few numbers.
    """
    if len(points) >= points.shape[1]:
        return None, points
    basis, coordinates = np.linalg.qr(points.T)
    return basis, np.ascontiguousarray(coordinates.T)


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return probabilities of shape (N, classes) of logits of the same shape; each row sums to 1."""
    above = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.floating[Any]] = above / above.sum(axis=1, keepdims=True)
    return shares
