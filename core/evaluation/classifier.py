"""A linear classifier on features: it names the classes an encoder was taught, on every scene, with a confidence.

It lies in a file beside a model; which one belongs to a model or a recipe is told by ``taught_classes``. How good
features are is measured elsewhere (``retrieval``).
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

from core.bands import FloatArray
from core.errors import EncoderError
from core.evaluation.logistic import Spread, logistic_weights, softmax
from core.files import disk_errors, replacing
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

SURE_FROM = 0.5
"""Confidence from which the class is more likely right than wrong; below it a patch counts as unsure."""

HEARD_FROM = 0.4
"""Share of a network in the features of a patch from which its classes count: nearly half of the most it can have."""

HEARD_SCENE = 0.3
"""Share of the patches asked about that the network has to know so, for any of its classes to count.

It is 0.90 on a mosaic of patches of the kind that the default encoder learned from, 0.52 and 0.43 of such patches in
three and four bands, 0.72 on the synthetic landscape, and 0.07, 0.08 and 0.13 on three scenes of land that it never saw
(``tests.bench.named_classes``), of which it names wrongly also what it seems to know.
"""

HEARD_SCENE_BEFORE = 0.5
"""The same of models whose network's share goes with the length of its embedding alone, which tells less."""

_TEMPERATURES = np.geomspace(0.05, 20.0, 121)
"""Temperatures that are tried."""


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
        foreign: True = the scene has other bands than the classifier was fitted to, so that no class counts.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int16]
    confidence: FloatArray
    calibrated: bool
    key: str
    heard: NDArray[np.bool_] | None = None
    sure_from: float = SURE_FROM
    strange: bool = False
    foreign: bool = False

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
        heard_scene: share of the patches asked about that it has to know, for any of its classes to count.
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
    heard_scene: float = HEARD_SCENE
    bands: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    narrow: FeatureClassifier | None = None
    foreign: bool = False

    def on(self, present: Collection[str]) -> FeatureClassifier:
        """Return what names scenes of some bands: this, else its narrow form, else this with nothing that counts.

        Features of a patch whose bands are partly stand-ins are others than those of the same land in all bands: a
        classifier of all columns that was fitted to patches of three bands names 4 of 10 patches of 13 bands rightly,
        one of the columns that only see the three, 98 of 100 (``tests.bench.named_classes``).

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
            key=self.key, heard=self.heard(vectors), foreign=self.foreign,
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
        return found if found.sum() >= self.heard_scene * len(found) else np.zeros_like(found)

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
            raise damaged_classifier(path) from error
        return replace(
            checked_classifier(found, path), narrow=None if narrow is None else checked_classifier(narrow, path)
        )


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


def checked_classifier(found: FeatureClassifier, path: Path) -> FeatureClassifier:
    """Return a classifier whose parts fit together.

    Args:
        found: in a file.
        path: of the file.

    Raises:
        EncoderError: when they do not.
    """
    count = len(found.classes)
    whole = found.weights.shape == (len(found.columns), count) and found.bias.shape == (count,)
    finite = whole and np.isfinite(found.weights).all() and np.isfinite(found.bias).all()
    if not finite or count < 2 or not found.temperature > 0 or (len(found.columns) and found.columns.min() < 0):
        raise damaged_classifier(path)
    return found


def damaged_classifier(path: Path) -> EncoderError:
    """Return what is said of a file that cannot be read."""
    return EncoderError("Naming classes", f"{path.name} cannot be read or is damaged", "get the model again")
