"""A linear classifier on features: it names the classes an encoder was taught, on every scene, with a confidence.

It lies in a file beside a model. How good features are is measured elsewhere (``retrieval``).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.bands import GROUND_BANDS, FloatArray
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.files import CARD, CLASSES, CLASSIFIER, NETWORK, SHARES
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

HEARD_SCENE = 0.5
"""Share of the patches asked about that the network has to know so, for any of its classes to count.

It is 0.86 on a mosaic of patches of the kind that the default encoder learned from, 0.67 on the synthetic landscape and
0.21 to 0.30 on three scenes of land that it never saw, of which it names wrongly also what it seems to know.
"""

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
        heard: of ``FeatureClassifier.heard``.
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
        bands: bands that a scene must have, so that its features are of the kind that this was fitted to.
        lacking: bands that it must not have, for where they are missing the encoder sees stand-ins, not them.
        narrow: the same classes by fewer columns, for scenes of other bands; None = there is no such.
        foreign: True = it was asked for a scene of other bands, so that nothing it names counts.
    """

    classes: tuple[str, ...]
    columns: IntArray
    weights: FloatArray
    bias: FloatArray
    temperature: float = 1.0
    calibrated: bool = False
    network: int = 0
    bands: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    narrow: FeatureClassifier | None = None
    foreign: bool = False

    def on(self, present: Collection[str]) -> FeatureClassifier:
        """Return what names scenes of some bands: this, else its narrow form, else this with nothing that counts.

        Features of a patch whose bands are partly stand-ins are others than those of the same land in all bands: a
        classifier of all columns that was fitted to patches of three bands names 4 of 10 patches of 13 bands rightly,
        one of the columns that only see the three, 97 of 100.

        Args:
            present: names of the scene's bands.
        """
        for one in (self, self.narrow):
            if one is not None and set(one.bands) <= set(present) and not set(one.lacking) & set(present):
                return one
        return replace(self, foreign=True)

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
        return Named(
            classes=self.classes, index=index.astype(np.int16), confidence=confidence, calibrated=self.calibrated,
            key=self.key, heard=self.heard(vectors),
        )  # fmt: skip

    def heard(self, vectors: FloatArray) -> NDArray[np.bool_] | None:
        """Return where its classes count, bool of shape (N,), by how much the network that learned them knows the land.

        Args:
            vectors: features of shape (N, D) of all patches of a scene, of any length.

        Returns:
            The mask; None where that is not told.
        """
        if self.foreign:
            return np.zeros(len(vectors), np.bool_)
        if not self.network:
            return None
        share = np.square(unit_rows(vectors)[:, : self.network]).sum(axis=1)
        found = np.asarray(share >= HEARD_FROM, np.bool_)
        return found if found.sum() >= HEARD_SCENE * len(found) else np.zeros_like(found)

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
        narrow = None if self.narrow is None else self.narrow.calibrate(vectors, labels)
        return replace(self, temperature=best_temperature(logits, labels), calibrated=True, narrow=narrow)

    def save(self, path: Path) -> None:
        """Write it to a file that ``load`` reads.

        Raises:
            StoreError: when the disk refuses it.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **_parts(self), **({} if self.narrow is None else _parts(self.narrow, "narrow_")))
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
                found = _from_parts(data)
                narrow = _from_parts(data, "narrow_") if "narrow_about" in data else None
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
            raise _damaged(path) from error
        return replace(_checked(found, path), narrow=None if narrow is None else _checked(narrow, path))


def _parts(one: FeatureClassifier, prefix: str = "") -> dict[str, Any]:
    """Return what a file keeps of a classifier, by names that begin alike."""
    about = {
        "classes": list(one.classes), "temperature": one.temperature, "calibrated": one.calibrated,
        "bands": list(one.bands), "lacking": list(one.lacking),
    }  # fmt: skip
    arrays = {"columns": one.columns, "weights": one.weights, "bias": one.bias, "about": np.bytes_(json.dumps(about))}
    return {f"{prefix}{name}": part for name, part in arrays.items()}


def _from_parts(data: Mapping[str, Any], prefix: str = "") -> FeatureClassifier:
    about = json.loads(data[f"{prefix}about"].item())
    bands, lacking = (tuple(str(name) for name in about.get(name, ())) for name in ("bands", "lacking"))
    return FeatureClassifier(
        classes=tuple(str(name) for name in about["classes"]), columns=data[f"{prefix}columns"].astype(np.int64),
        weights=data[f"{prefix}weights"].astype(np.float32), bias=data[f"{prefix}bias"].astype(np.float32),
        temperature=float(about["temperature"]), calibrated=bool(about["calibrated"]), bands=bands, lacking=lacking,
    )  # fmt: skip


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
    columns: IntArray | None = None,
    strength: float = 1.0,
    spread: Spread | None = None,
    start: FeatureClassifier | None = None,
) -> FeatureClassifier:
    """Return a logistic regression on standardised unit features, the same that ``retrieval.held_out`` measures.

    Args:
        vectors: whole feature vectors, finite float32 of shape (N, D).
        labels: int64 of shape (N,), indices into ``classes``; every class occurs.
        classes: names, at least two.
        columns: int64 of shape (C,), those that count; None = all.
        strength: how much the patches count against the wish for small weights, the ``C`` of scikit-learn.
        spread: what the columns that count are standardised by; None = by these patches.
        start: a classifier of the same classes and features to begin from, which takes less time.
    """
    columns = np.arange(vectors.shape[1]) if columns is None else columns
    unit = unit_rows(vectors[:, columns])
    spread = spread or Spread(mean=unit.mean(axis=0), std=unit.std(axis=0) + 1e-6)
    begin = None if start is None else spread.weights_of(start.weights, start.bias)
    weights, bias = logistic_weights((unit - spread.mean) / spread.std, labels, len(classes), strength, start=begin)
    scaled = weights / spread.std[:, None]
    return FeatureClassifier(
        classes=tuple(classes), columns=columns, weights=scaled.astype(np.float32),
        bias=(bias - spread.mean @ scaled).astype(np.float32),
    )  # fmt: skip


def fit_for_scenes(
    vectors: FloatArray, labels: IntArray, classes: Sequence[str], *, bands: Collection[str], spec: EncoderSpec,
    directory: Path | None,
) -> FeatureClassifier:  # fmt: skip
    """Return a classifier for scenes whose bands may be others than those of the patches it is fitted to.

    Where an encoder of ours has a network that was taught the classes, its features alone count, for they see what the
    network learned from. Of other classes all features count, on scenes of the same bands; on others those of the
    network.

    Args:
        vectors: as of ``fit_classifier``.
        labels: likewise.
        classes: likewise.
        bands: of the patches.
        spec: of the encoder.
        directory: of its model; None = it has none.
    """
    count, network = (0, ()) if directory is None else _network_features(directory)
    narrow = None
    if directory is not None and count:
        some = fit_classifier(vectors, labels, classes, columns=np.arange(count))
        narrow = _for_bands(some, [name for name in GROUND_BANDS if name in network], bands)
        complete = set(GROUND_BANDS) <= set(bands)
        if not complete or _taught_features(directory, classes):
            return narrow
    seen = [name for name in GROUND_BANDS if name in spec.bands]
    return replace(_for_bands(fit_classifier(vectors, labels, classes), seen, bands), narrow=narrow)


def _for_bands(one: FeatureClassifier, seen: Sequence[str], learned: Collection[str]) -> FeatureClassifier:
    """Return a classifier that knows on which scenes it holds: of bands that it sees, those that its patches had."""
    had = tuple(name for name in seen if name in learned)
    return replace(one, bands=had, lacking=tuple(name for name in seen if name not in learned))


def classifier_in(directory: Path) -> FeatureClassifier | None:
    """Return the classifier beside a model; of models that were taught before this one was kept, their network's own.

    Raises:
        EncoderError: when a file of it is damaged.
    """
    if (directory / CLASSES).is_file():
        found = _of_before(FeatureClassifier.load(directory / CLASSES), directory)
        return replace(found, network=_taught_features(directory, found.classes))
    if (directory / CLASSIFIER).is_file() and (directory / NETWORK).is_file():
        return _network_classifier(directory)
    return None


def _of_before(found: FeatureClassifier, directory: Path) -> FeatureClassifier:
    """Return a classifier that was kept before its bands were, with those of the patches in its model's card."""
    count, _ = _network_features(directory)
    if found.bands or found.lacking or not count or len(found.columns) <= count:
        return found
    try:
        learned = json.loads((directory / CARD).read_text(encoding="utf-8"))["bands"]
    except (OSError, ValueError, KeyError, TypeError):
        return found
    return _for_bands(found, GROUND_BANDS, [str(name) for name in learned])


def _network_features(directory: Path) -> tuple[int, tuple[str, ...]]:
    """Return how many features of a model of ours are its network's, and the bands it sees; 0 where it has none."""
    try:
        fields = json.loads((directory / NETWORK).read_text(encoding="utf-8"))
        bands = tuple(str(name) for name in fields["bands"])
        if not (directory / SHARES).is_file():
            return (_NETWORK_FEATURES, bands) if fields.keys() <= _NETWORK_FIELDS else (0, ())
        with np.load(directory / SHARES) as held:
            return len(held["centre"]), bands
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile):
        return 0, ()


def _taught_features(directory: Path, classes: Sequence[str]) -> int:
    """Return how many features a network gives that was taught these classes; 0 where it was not, or does not tell."""
    try:
        with np.load(directory / SHARES) as held:
            count = len(held["centre"])
        taught = json.loads((directory / NETWORK).read_text(encoding="utf-8"))["classes"]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile):
        return 0
    return count if list(classes) == taught else 0


def classifier_of(recipe: Recipe, config: Config, bands: Collection[str], key: str = "") -> FeatureClassifier | None:
    """Return the classifier of the encoder of a recipe, for a scene of some bands.

    None when it has none, or the model is another than the one that made the features.

    Args:
        recipe: of features.
        config: where models lie.
        bands: of the scene.
        key: of the classifier that is wanted, be it that of another encoder with the same features; empty = of the
            encoder that the recipe names.

    Raises:
        EncoderError: when a file of it is damaged.
    """
    own = _classifier_named(recipe, config, bands)
    if not key or (own is not None and own.key == key):
        return own
    others = (_classifier_named(replace(recipe, encoder=name), config, bands) for name in encoder_names(config))
    return next((one for one in others if one is not None and one.key == key), None)


def _classifier_named(recipe: Recipe, config: Config, bands: Collection[str]) -> FeatureClassifier | None:
    files = (companion_of(recipe, name, config) for name in (CLASSES, CLASSIFIER))
    path = next((path for path in files if path is not None), None)
    found = None if path is None else classifier_in(path.parent)
    return None if found is None else found.on(bands)


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
