"""What a network makes of patches, and how many of them it names rightly."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.hyperparameters import Array
from core.training.keras.loop import Judged


def predict(network: Any, pixels: Array, batch: int = 64) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Return embeddings (N, D) and logits (N, classes) of patches, uint16 reflectance × 10 000."""
    outputs, run = network.output, _runner(network)
    found: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for first in range(0, len(pixels), batch):
        given = run(tf.constant(pixels[first : first + batch].astype(np.float32) / np.float32(REFLECTANCE_SCALE)))
        found[0].append(given["embedding"].numpy())
        found[1].append(given["logits"].numpy())
    empty = [np.empty((0, outputs[name].shape[-1]), np.float32) for name in ("embedding", "logits")]
    return np.concatenate(found[0] or empty[:1]), np.concatenate(found[1] or empty[1:])


@lru_cache(maxsize=1)
def _runner(network: Any) -> Any:  # noqa: ANN401
    """Return the network as a function, made once: making it takes longer than a few hundred patches."""
    return tf.function(lambda images: network(images, training=False), reduce_retracing=True, autograph=False)


def judged(logits: FloatArray, labels: Array) -> Judged:
    """Return how well patches are named by logits of shape (N, classes), given their labels of shape (N,)."""
    if not len(labels):
        return Judged()
    above = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    doubt = np.log(np.exp(above).sum(axis=1)) - above[np.arange(len(labels)), labels]
    return Judged(accuracy=balanced_accuracy(logits, labels), loss=float(doubt.mean()))


def balanced_accuracy(logits: FloatArray, labels: Array) -> float:
    """Return the share of patches named rightly, averaged over the classes; NaN without patches."""
    right = logits.argmax(axis=1) == labels if len(labels) else np.empty(0, bool)
    return float(np.mean([right[labels == name].mean() for name in np.unique(labels)])) if len(labels) else math.nan
