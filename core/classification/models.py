"""What gives logits of classes from features: a line, the nearest labelled patches, or a forest. Plain arrays to keep.

Only growing a forest loads scikit-learn, which is for workers and the command line; all else runs anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import EncoderError, SettingsError
from core.evaluation.classifier import FeatureClassifier, fit_classifier
from core.evaluation.logistic import Spread
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

HeadKind = Literal["logistic", "knn", "forest"]
"""Kinds of heads: multinomial logistic regression, nearest neighbours, random forest."""

HEAD_KINDS: Mapping[HeadKind, str] = {
    "logistic": "logistic regression",
    "knn": "nearest neighbours",
    "forest": "random forest",
}
"""What people call them."""

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""How much labels count against the wish for small weights, of which cross-validation chooses."""

VOTERS_TRIED = (1, 3, 5, 9, 15)
"""Numbers of neighbours of which cross-validation chooses."""

TREES, LEAST_LEAF = 200, 1
_ROWS = 2048


class ClassModel(Protocol):
    """What names classes; ``logits`` of several differ in scale, which a head's temperature evens out."""

    kind: ClassVar[HeadKind]

    @property
    def width(self) -> int:
        """Numbers of a feature vector that it needs."""

    def logits(self, vectors: FloatArray) -> FloatArray:
        """Return logits of shape (N, classes) of feature vectors (N, D) of any length.

        Raises:
            EncoderError: when the vectors have another number of columns.
        """

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a file has to keep of it, by name; ``model_from`` makes it again of these."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearModel:
    """A linear classifier, fitted here or taught with an encoder.

    Attributes:
        classifier: whose own temperature counts too.
    """

    kind: ClassVar[HeadKind] = "logistic"
    classifier: FeatureClassifier

    @property
    def width(self) -> int:
        """Numbers of a feature vector that it needs, at least."""
        return int(self.classifier.columns.max(initial=-1)) + 1

    def logits(self, vectors: FloatArray) -> FloatArray:
        """Return logits; as of ``ClassModel``."""
        return self.classifier.logits(vectors)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return its columns, weights and bias, the temperature in them."""
        known = self.classifier
        scale = np.float32(1 / known.temperature)
        parts = {"columns": known.columns, "weights": known.weights * scale, "bias": known.bias * scale}
        return {**parts, "network": np.array(known.network)}


@dataclass(frozen=True, kw_only=True, eq=False)
class NeighbourModel:
    """The classes of the most similar labelled patches, which vote (Cover and Hart 1967).

    Attributes:
        unit: features of the labelled patches, float32 of shape (M, D), of length 1.
        labels: int64 of shape (M,), indices of classes.
        count: of classes.
        k: how many vote.
    """

    kind: ClassVar[HeadKind] = "knn"
    unit: FloatArray
    labels: IntArray
    count: int
    k: int

    @property
    def width(self) -> int:
        """Numbers of a feature vector that it needs."""
        return int(self.unit.shape[1])

    def logits(self, vectors: FloatArray) -> FloatArray:
        """Return logarithms of shares of votes, one vote spread over all classes; as of ``ClassModel``."""
        asked, k = unit_rows(_checked(vectors, self.width)), min(self.k, len(self.unit))
        votes = np.zeros((len(asked), self.count))
        for start in range(0, len(asked), _ROWS):
            part = slice(start, start + _ROWS)
            near = np.argpartition(-(asked[part] @ self.unit.T), k - 1, axis=1)[:, :k]
            rows = np.repeat(np.arange(len(near)), k)
            np.add.at(votes[part], (rows, self.labels[near].ravel()), 1)
        return np.log((votes + 1 / self.count) / (k + 1)).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the labelled patches and how many vote."""
        sizes = np.array([self.count, self.k])
        return {"unit": self.unit, "labels": self.labels, "sizes": sizes}


@dataclass(frozen=True, kw_only=True, eq=False)
class ForestModel:
    """A random forest (Breiman 2001) as plain arrays, all trees one after the other.

    Attributes:
        roots: int64 of shape (trees,), the node each tree begins at.
        left: int64 of shape (nodes,), the next node where a feature is at most the threshold; −1 = a leaf.
        right: likewise where it is more.
        feature: int64 of shape (nodes,), which feature is asked.
        threshold: float64 of shape (nodes,).
        share: float32 of shape (nodes, classes), shares of classes at the node.
        features: numbers of a feature vector.
    """

    kind: ClassVar[HeadKind] = "forest"
    roots: IntArray
    left: IntArray
    right: IntArray
    feature: IntArray
    threshold: NDArray[np.float64]
    share: FloatArray
    features: int

    @property
    def width(self) -> int:
        """Numbers of a feature vector that it needs."""
        return self.features

    def logits(self, vectors: FloatArray) -> FloatArray:
        """Return logarithms of the mean shares of all trees; as of ``ClassModel``."""
        unit = unit_rows(_checked(vectors, self.width))
        shares = self.shares(unit)
        return np.log(shares + 1 / (10 * len(self.roots))).astype(np.float32)

    def shares(self, unit: FloatArray) -> NDArray[np.float64]:
        """Return the mean shares of classes over all trees, shape (N, classes), of unit features (N, D)."""
        total = np.zeros((len(unit), self.share.shape[1]))
        rows = np.arange(len(unit))
        for root in self.roots.tolist():
            node = np.full(len(unit), root, np.int64)
            while (open_ := self.left[node] >= 0).any():
                here = node[open_]
                low = unit[rows[open_], self.feature[here]] <= self.threshold[here]
                node[open_] = np.where(low, self.left[here], self.right[here])
            total += self.share[node]
        return total / len(self.roots)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the trees."""
        names = ("roots", "left", "right", "feature", "threshold", "share")
        return {name: getattr(self, name) for name in names} | {"features": np.array(self.features)}


def fit_model(
    kind: HeadKind,
    vectors: FloatArray,
    labels: IntArray,
    count: int,
    *,
    setting: float,
    spread: Spread,
    start: ClassModel | None = None,
    seed: int = 0,
) -> ClassModel:
    """Return a model fitted to labelled patches.

    Args:
        kind: of the model.
        vectors: feature vectors, finite float32 of shape (N, D).
        labels: int64 of shape (N,), 0 to ``count`` − 1; every class occurs.
        count: of classes, at least 2.
        setting: the strength of a logistic regression, the number of neighbours, or the number of trees.
        spread: what a logistic regression standardises features by.
        start: a model of the same classes to begin from; only a logistic regression does.
        seed: of a forest.
    """
    if kind == "logistic":
        before = start.classifier if isinstance(start, LinearModel) else None
        names = [str(number) for number in range(count)]
        found = fit_classifier(vectors, labels, names, strength=setting, spread=spread, start=before)
        return LinearModel(classifier=found)
    if kind == "knn":
        return NeighbourModel(unit=unit_rows(vectors), labels=labels, count=count, k=int(setting))
    return _grown(unit_rows(vectors), labels, count, int(setting), seed)


def settings_of(kind: HeadKind) -> tuple[float, ...]:
    """Return the settings of a kind of model of which cross-validation chooses."""
    return {"logistic": STRENGTHS, "knn": VOTERS_TRIED, "forest": (TREES,)}[kind]


def _grown(unit: FloatArray, labels: IntArray, count: int, trees: int, seed: int) -> ForestModel:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(trees, random_state=seed, n_jobs=1, min_samples_leaf=LEAST_LEAF).fit(unit, labels)
    parts = [one.tree_ for one in forest.estimators_]
    starts = np.concatenate([[0], np.cumsum([one.node_count for one in parts])])
    left, right = (
        np.concatenate([np.where(one >= 0, one + at, -1) for one, at in zip(some, starts[:-1], strict=True)])
        for some in ([tree.children_left for tree in parts], [tree.children_right for tree in parts])
    )
    shares = np.concatenate([one.value[:, 0, :] for one in parts])
    return ForestModel(
        roots=starts[:-1].astype(np.int64), left=left.astype(np.int64),
        right=right.astype(np.int64),
        feature=np.maximum(np.concatenate([one.feature for one in parts]), 0).astype(np.int64),
        threshold=np.concatenate([one.threshold for one in parts]),
        share=(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32), features=unit.shape[1],
    )  # fmt: skip


def model_from(kind: str, arrays: Mapping[str, NDArray[Any]], count: int) -> ClassModel:
    """Return the model that ``ClassModel.arrays`` gave these for.

    Raises:
        ValueError, KeyError: when they are of no such model, or do not fit each other.
    """
    makers: Mapping[str, Callable[[Mapping[str, NDArray[Any]], int], ClassModel]] = {
        "logistic": _linear_from, "knn": _neighbours_from, "forest": _forest_from,
    }  # fmt: skip
    model = makers[kind](arrays, count)
    if not all(np.isfinite(part).all() for part in model.arrays().values()):
        raise ValueError("a number that is not finite")
    return model


def _linear_from(arrays: Mapping[str, NDArray[Any]], count: int) -> LinearModel:
    columns, weights, bias = arrays["columns"].astype(np.int64), arrays["weights"], arrays["bias"]
    if weights.shape != (len(columns), count) or bias.shape != (count,) or columns.min(initial=0) < 0:
        raise ValueError("weights")
    found = FeatureClassifier(
        classes=tuple(map(str, range(count))), columns=columns, weights=weights.astype(np.float32),
        bias=bias.astype(np.float32), network=int(arrays["network"]),
    )  # fmt: skip
    return LinearModel(classifier=found)


def _neighbours_from(arrays: Mapping[str, NDArray[Any]], count: int) -> NeighbourModel:
    unit, labels, sizes = arrays["unit"].astype(np.float32), arrays["labels"].astype(np.int64), arrays["sizes"]
    k = int(sizes[1])
    if unit.ndim != 2 or labels.shape != (len(unit),) or not len(unit) or k < 1 or int(sizes[0]) != count:
        raise ValueError("neighbours")
    if labels.min() < 0 or labels.max() >= count:
        raise ValueError("labels")
    return NeighbourModel(unit=unit, labels=labels, count=count, k=k)


def _forest_from(arrays: Mapping[str, NDArray[Any]], count: int) -> ForestModel:
    whole = {name: arrays[name].astype(np.int64) for name in ("roots", "left", "right", "feature")}
    share, nodes, features = arrays["share"].astype(np.float32), len(arrays["left"]), int(arrays["features"])
    shapes = all(len(whole[name]) == nodes for name in ("left", "right", "feature")) and share.shape == (nodes, count)
    threshold = arrays["threshold"].astype(np.float64)
    if not shapes or threshold.shape != (nodes,) or not len(whole["roots"]):
        raise ValueError("trees")
    inner = whole["left"] >= 0
    # Children lie behind their parents, so that no walk goes round in a circle.
    onward = np.minimum(whole["left"], whole["right"])[inner] > np.flatnonzero(inner)
    inside = max(whole["left"].max(), whole["right"].max(), whole["roots"].max()) < nodes and whole["roots"].min() >= 0
    asked = whole["feature"].min(initial=0) >= 0 and whole["feature"].max(initial=0) < features
    if not (onward.all() and inside and asked):
        raise ValueError("nodes")
    return ForestModel(**whole, threshold=threshold, share=share, features=features)


def _checked(vectors: FloatArray, width: int) -> FloatArray:
    if vectors.ndim != 2 or vectors.shape[1] != width:
        found = f"the features have shape {vectors.shape}, and the head was taught on {width} numbers a patch"
        raise EncoderError("Naming classes", found, "use features of the encoder it was taught on")
    return vectors


def check_kind(kind: str) -> HeadKind:
    """Return a kind of head by its name.

    Raises:
        SettingsError: for an unknown one; it lists those there are.
    """
    for known in HEAD_KINDS:
        if kind == known:
            return known
    raise SettingsError("Choosing a head", f"there is no “{kind}”", f"choose {', '.join(HEAD_KINDS)}")
