"""Which classifier belongs to a model or a recipe: that of the classes it was taught, on the bands that a scene has.

A model of ours has a network, whose features know other bands than those beside it. What a classifier is, and how it is
fitted and kept, stands in ``classifier``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import GROUND_BANDS, FloatArray
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.files import CARD, CLASSES, CLASSIFIER, NETWORK
from core.encoders.parts import EMBEDDING_FEATURES, NETWORK_FIELDS, network_features
from core.encoders.registry import encoder_names
from core.evaluation.classifier import (
    HEARD_SCENE,
    HEARD_SCENE_BEFORE,
    FeatureClassifier,
    checked_classifier,
    damaged_classifier,
    fit_classifier,
)
from core.features.recipe import Recipe, companion_of
from core.scenes.patches import IntArray

SHARPNESS = 16.0
"""What cosines to class directions are multiplied by before the softmax."""


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
    network, narrow = network_features(directory), None
    if network.count:
        some = fit_classifier(vectors, labels, classes, columns=np.arange(network.count))
        narrow = _for_bands(some, [name for name in GROUND_BANDS if name in network.bands], bands)
        complete = set(GROUND_BANDS) <= set(bands)
        if not complete or network.taught == tuple(classes):
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
        network = network_features(directory)
        heard_scene = HEARD_SCENE if network.weighed else HEARD_SCENE_BEFORE
        count = network.count if network.taught == found.classes else 0
        return replace(found, network=count, heard_scene=heard_scene)
    if (directory / CLASSIFIER).is_file() and (directory / NETWORK).is_file():
        return _network_classifier(directory)
    return None


def _of_before(found: FeatureClassifier, directory: Path) -> FeatureClassifier:
    """Return a classifier that was kept before its bands were, with those of the patches in its model's card."""
    count = network_features(directory).count
    if found.bands or found.lacking or not count or len(found.columns) <= count:
        return found
    try:
        learned = json.loads((directory / CARD).read_text(encoding="utf-8"))["bands"]
    except (OSError, ValueError, KeyError, TypeError):
        return found
    return _for_bands(found, GROUND_BANDS, [str(name) for name in learned])


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


def _network_classifier(directory: Path) -> FeatureClassifier | None:
    """Return the class directions of a network as a classifier; None where its features are not its embedding's."""
    path = directory / CLASSIFIER
    try:
        fields: dict[str, Any] = json.loads((directory / NETWORK).read_text(encoding="utf-8"))
        with path.open("rb") as file:
            directions = np.load(file, allow_pickle=False)
        classes = tuple(str(name) for name in fields["classes"])
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise damaged_classifier(path) from error
    joined = fields.keys() <= NETWORK_FIELDS
    if not joined or directions.ndim != 2 or directions.shape[0] != EMBEDDING_FEATURES or len(classes) < 2:
        return None
    unit = directions / np.maximum(np.linalg.norm(directions, axis=0, keepdims=True), 1e-12)
    found = FeatureClassifier(
        classes=classes, columns=np.arange(EMBEDDING_FEATURES), weights=(SHARPNESS * unit).astype(np.float32),
        bias=np.zeros(len(classes), np.float32),
    )  # fmt: skip
    return checked_classifier(found, path)
