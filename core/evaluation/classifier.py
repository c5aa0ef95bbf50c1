"""A linear classifier on features: it names the classes an encoder was taught, on every scene, with a confidence.

It lies in a file beside a model. How good features are is measured elsewhere (``retrieval``).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.config import Config
from core.encoders.files import CLASSES, CLASSIFIER, NETWORK, SHARES
from core.encoders.registry import encoder_names
from core.errors import EncoderError
from core.evaluation.logistic import Spread, logistic_weights, softmax
from core.evaluation.retrieval import nearest_classes
from core.features.recipe import Recipe, companion_of
from core.files import disk_errors, replacing
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

SHARPNESS = 16.0
"""What cosines to class directions are multiplied by before the softmax."""

SURE_FROM = 0.5
"""Confidence from which the class is more likely right than wrong; below it a patch counts as unsure."""

HEARD_FROM = 0.4
"""Share of a network in the features of a patch from which its classes count: half of the most it can have."""

_TEMPERATURES = np.geomspace(0.05, 20.0, 121)
"""Temperatures that are tried."""

_NETWORK_FEATURES = 128
"""The first so many features of a model of ours are its network's embedding, to which its class directions belong."""

_NETWORK_FIELDS = frozenset(
    {"mean", "std", "ceiling", "widths", "bands", "side", "spectrum_share", "classes", "weights"}
)
"""What ``network.json`` says of such a model; one that says more may have features of another make."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """Classes that patches were given by a classifier.

    Attributes:
        classes: names.
        index: int16 of shape (N,), the likeliest class of each patch.
        confidence: float32 of shape (N,), its probability, 0 to 1.
        calibrated: True = probabilities were set by patches that were held out.
        key: of the classifier.
        heard: True = the network that was taught these classes knows the land, bool of shape (N,); None = not told.
        sure_from: confidence from which a class counts, 0 to 1.
        strange: True = classes count on land too that the encoder does not know.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int16]
    confidence: FloatArray
    calibrated: bool
    key: str
    heard: NDArray[np.bool_] | None = None
    sure_from: float = SURE_FROM
    strange: bool = False

    @property
    def sure(self) -> NDArray[np.bool_]:
        """Which patches have a class that is likely enough to count, bool of shape (N,)."""
        sure: NDArray[np.bool_] = self.confidence >= self.sure_from
        return sure if self.heard is None else sure & self.heard


@dataclass(frozen=True, kw_only=True)
class FeatureClassifier:
    """A linear classifier on unit features, multinomial logistic regression or class directions.

    Attributes:
        classes: names, at least two.
        columns: int64 of shape (C,), columns of a whole feature vector that count; they are scaled to length 1.
        weights: float32 of shape (C, classes).
        bias: float32 of shape (classes,).
        temperature: what logits are divided by before the softmax.
        calibrated: True = the temperature was set by held-out patches (Guo, Pleiss, Sun and Weinberger, “On
            Calibration of Modern Neural Networks”, 2017); False = it is 1.
        network: the first so many features are of a network that was taught these classes, the longer the better it
            knows the land; 0 = that is not told.
    """

    classes: tuple[str, ...]
    columns: IntArray
    weights: FloatArray
    bias: FloatArray
    temperature: float = 1.0
    calibrated: bool = False
    network: int = 0

    @property
    def key(self) -> str:
        """What tells it from any other, 12 hexadecimal digits."""
        state = hashlib.blake2b(json.dumps([self.classes, self.temperature]).encode(), digest_size=6)
        for part in (self.columns, self.weights, self.bias):
            state.update(np.ascontiguousarray(part).data)
        return state.hexdigest()

    def logits(self, vectors: FloatArray) -> FloatArray:
        """Return logits of shape (N, classes) of whole feature vectors (N, D), of any length, such as 1.

        Raises:
            EncoderError: when the vectors have too few columns.
        """
        if vectors.ndim != 2 or (len(self.columns) and vectors.shape[1] <= int(self.columns.max())):
            found = f"the features have shape {vectors.shape} and column {int(self.columns.max())} is asked for"
            raise EncoderError("Naming classes", found, "get the model again")
        raw = unit_rows(vectors[:, self.columns]) @ self.weights + self.bias
        return np.asarray(raw / self.temperature, np.float32)

    def name(self, vectors: FloatArray) -> Named:
        """Return the likeliest class of each patch and its probability; arguments and errors as of ``logits``."""
        chances = softmax(self.logits(vectors))
        index = chances.argmax(axis=1)
        confidence = chances[np.arange(len(index)), index].astype(np.float32)
        heard = None
        if self.network:
            share = np.square(unit_rows(vectors)[:, : self.network]).sum(axis=1)
            heard = np.asarray(share >= HEARD_FROM, np.bool_)
        return Named(
            classes=self.classes, index=index.astype(np.int16), confidence=confidence, calibrated=self.calibrated,
            key=self.key, heard=heard,
        )  # fmt: skip

    def calibrate(self, vectors: FloatArray, labels: IntArray) -> FeatureClassifier:
        """Return it with the temperature that suits held-out patches best; as it is where there are none.

        Their labels are smoothed by the rule of Platt (“Probabilistic Outputs for Support Vector Machines”, 1999), so
        that a few patches which are all named rightly do not make it certain.

        Args:
            vectors: whole feature vectors, shape (N, D), of patches it was not fitted to.
            labels: int64 of shape (N,), indices into ``classes``.
        """
        if not len(labels):
            return self
        logits = replace(self, temperature=1.0).logits(vectors)
        return replace(self, temperature=best_temperature(logits, labels), calibrated=True)

    def save(self, path: Path) -> None:
        """Write it to a file that ``load`` reads.

        Raises:
            StoreError: when the disk refuses it.
        """
        buffer = io.BytesIO()
        about = {"classes": list(self.classes), "temperature": self.temperature, "calibrated": self.calibrated}
        np.savez(buffer, columns=self.columns, weights=self.weights, bias=self.bias, about=np.bytes_(json.dumps(about)))
        advice = "make room on the disk and repeat it"
        with disk_errors("Writing a classifier", full=advice, other=advice), replacing(path) as part:
            part.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> FeatureClassifier:
        """Read what ``save`` wrote.

        Raises:
            EncoderError: when the file is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                about = json.loads(data["about"].item())
                found = cls(
                    classes=tuple(str(name) for name in about["classes"]), columns=data["columns"].astype(np.int64),
                    weights=data["weights"].astype(np.float32), bias=data["bias"].astype(np.float32),
                    temperature=float(about["temperature"]), calibrated=bool(about["calibrated"]),
                )  # fmt: skip
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
            raise _damaged(path) from error
        return _checked(found, path)


def best_temperature(logits: NDArray[np.floating[Any]], labels: IntArray) -> float:
    """Return what logits of held-out patches are to be divided by, so that they are as often right as sure.

    Labels are smoothed as in ``FeatureClassifier.calibrate``.

    Args:
        logits: of shape (N, classes), N at least 1.
        labels: int64 of shape (N,), indices of classes.
    """
    doubt, known = 1 / (len(labels) + 2), logits.astype(np.float64)
    targets = np.full(known.shape, doubt / (known.shape[1] - 1))
    targets[np.arange(len(labels)), labels] = 1 - doubt
    losses = [-(targets * np.log(softmax(known / t) + 1e-30)).sum() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def fit_classifier(
    vectors: FloatArray,
    labels: IntArray,
    classes: Sequence[str],
    *,
    strength: float = 1.0,
    spread: Spread | None = None,
    start: FeatureClassifier | None = None,
) -> FeatureClassifier:
    """Return a logistic regression on standardised unit features, the same that ``retrieval.held_out`` measures.

    Args:
        vectors: whole feature vectors, finite float32 of shape (N, D).
        labels: int64 of shape (N,), indices into ``classes``; every class occurs.
        classes: names, at least two.
        strength: how much the patches count against the wish for small weights, the ``C`` of scikit-learn.
        spread: what features are standardised by; None = by these patches.
        start: a classifier of the same classes and features to begin from, which takes less time.
    """
    unit = unit_rows(vectors)
    spread = spread or Spread(mean=unit.mean(axis=0), std=unit.std(axis=0) + 1e-6)
    begin = None if start is None else spread.weights_of(start.weights, start.bias)
    weights, bias = logistic_weights((unit - spread.mean) / spread.std, labels, len(classes), strength, start=begin)
    scaled = weights / spread.std[:, None]
    return FeatureClassifier(
        classes=tuple(classes), columns=np.arange(vectors.shape[1]), weights=scaled.astype(np.float32),
        bias=(bias - spread.mean @ scaled).astype(np.float32),
    )  # fmt: skip


def classifier_in(directory: Path) -> FeatureClassifier | None:
    """Return the classifier beside a model; of models that were taught before this one was kept, their network's own.

    Raises:
        EncoderError: when a file of it is damaged.
    """
    if (directory / CLASSES).is_file():
        found = FeatureClassifier.load(directory / CLASSES)
        return replace(found, network=_taught_features(directory, found.classes))
    if (directory / CLASSIFIER).is_file() and (directory / NETWORK).is_file():
        return _network_classifier(directory)
    return None


def _taught_features(directory: Path, classes: Sequence[str]) -> int:
    """Return how many features a network gives that was taught these classes; 0 where it was not, or does not tell."""
    try:
        with np.load(directory / SHARES) as held:
            count = len(held["centre"])
        taught = json.loads((directory / NETWORK).read_text(encoding="utf-8"))["classes"]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile):
        return 0
    return count if list(classes) == taught else 0


def classifier_of(recipe: Recipe, config: Config, key: str = "") -> FeatureClassifier | None:
    """Return the classifier of the encoder of a recipe.

    None when it has none, or the model is another than the one that made the features.

    Args:
        recipe: of features.
        config: where models lie.
        key: of the classifier that is wanted, be it that of another encoder with the same features; empty = of the
            encoder that the recipe names.

    Raises:
        EncoderError: when a file of it is damaged.
    """
    own = _classifier_named(recipe, config)
    if not key or (own is not None and own.key == key):
        return own
    others = (_classifier_named(replace(recipe, encoder=name), config) for name in encoder_names(config))
    return next((one for one in others if one is not None and one.key == key), None)


def _classifier_named(recipe: Recipe, config: Config) -> FeatureClassifier | None:
    files = (companion_of(recipe, name, config) for name in (CLASSES, CLASSIFIER))
    path = next((path for path in files if path is not None), None)
    return None if path is None else classifier_in(path.parent)


def nearest_accuracy(known: FloatArray, labels: IntArray, asked: FloatArray, truth: IntArray) -> float:
    """Return the share of patches that the nearest known ones name rightly, all classes counting alike.

    Args:
        known: features of patches whose class is known, shape (N, D).
        labels: int64 of shape (N,).
        asked: features of others, shape (M, D), M at least 1.
        truth: int64 of shape (M,).
    """
    return balanced_share(nearest_classes(known, labels, asked) == truth, truth)


def balanced_share(right: NDArray[np.bool_], truth: IntArray) -> float:
    """Return the share of cases that are right, shape (N,), averaged over the classes of ``truth``."""
    return float(np.mean([right[truth == name].mean() for name in np.unique(truth)]))


def _network_classifier(directory: Path) -> FeatureClassifier | None:
    """Return the class directions of a network as a classifier; None where its features are not its embedding's."""
    path = directory / CLASSIFIER
    try:
        fields: dict[str, Any] = json.loads((directory / NETWORK).read_text(encoding="utf-8"))
        with path.open("rb") as file:
            directions = np.load(file, allow_pickle=False)
        classes = tuple(str(name) for name in fields["classes"])
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise _damaged(path) from error
    joined = fields.keys() <= _NETWORK_FIELDS
    if not joined or directions.ndim != 2 or directions.shape[0] != _NETWORK_FEATURES or len(classes) < 2:
        return None
    unit = directions / np.maximum(np.linalg.norm(directions, axis=0, keepdims=True), 1e-12)
    found = FeatureClassifier(
        classes=classes, columns=np.arange(_NETWORK_FEATURES), weights=(SHARPNESS * unit).astype(np.float32),
        bias=np.zeros(len(classes), np.float32),
    )  # fmt: skip
    return _checked(found, path)


def _checked(found: FeatureClassifier, path: Path) -> FeatureClassifier:
    """Return a classifier whose parts fit together."""
    count = len(found.classes)
    whole = found.weights.shape == (len(found.columns), count) and found.bias.shape == (count,)
    finite = whole and np.isfinite(found.weights).all() and np.isfinite(found.bias).all()
    if not finite or count < 2 or not found.temperature > 0 or (len(found.columns) and found.columns.min() < 0):
        raise _damaged(path)
    return found


def _damaged(path: Path) -> EncoderError:
    return EncoderError("Naming classes", f"{path.name} cannot be read or is damaged", "get the model again")
