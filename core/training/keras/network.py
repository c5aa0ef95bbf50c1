"""The network that is trained from scratch: a small pre-activation residual network for patches of 64 × 64 pixels.

He, Zhang, Ren and Sun, “Identity Mappings in Deep Residual Networks” (2016), scaled down; the classifier compares by
cosine (Wang et al., “NormFace”, 2017), because that is how neighbours are compared later. How it is fitted is
``core.training.keras.end_to_end``; how it becomes an encoder, ``core.training.keras.export``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from core.evaluation.taught_classes import SHARPNESS
from core.training.hyperparameters import BATCH_NORM_MOMENTUM, EMBEDDING_DIMENSION

STEM = 32
"""Channels at a half of the patch's side; those of the stages, at a quarter, an eighth and a sixteenth, are given."""

layers: Any = tf.keras.layers


@tf.keras.utils.register_keras_serializable("landlike")
class Standardise(tf.keras.layers.Layer):  # type: ignore[misc]
    """Reflectance of shape (N, H, W, bands), clipped at each band's ceiling, less its mean, over its deviation.

    A band that is 0 all over a patch was not measured; it stays 0, which is its mean.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], ceiling: Sequence[float], **rest: object) -> None:
        super().__init__(**rest)
        self.mean, self.std, self.ceiling = list(mean), list(std), list(ceiling)

    def call(self, images: Any) -> Any:  # noqa: ANN401  tensorflow is untyped
        """Return standardised reflectance of the same shape."""
        present = tf.cast(tf.reduce_max(images, axis=(1, 2), keepdims=True) > 0, images.dtype)
        return (tf.minimum(images, self.ceiling) - self.mean) / self.std * present

    def get_config(self) -> dict[str, Any]:
        """Return what it is made of, for saving."""
        return {**super().get_config(), "mean": self.mean, "std": self.std, "ceiling": self.ceiling}


@tf.keras.utils.register_keras_serializable("landlike")
class CosineClassifier(tf.keras.layers.Layer):  # type: ignore[misc]
    """Logits of shape (N, classes): the cosine of embeddings and class directions, times ``SHARPNESS``."""

    def __init__(self, classes: int, **rest: object) -> None:
        super().__init__(**rest)
        self.classes = classes

    def build(self, shape: Sequence[int | None]) -> None:
        """Make the directions for embeddings of a shape."""
        self.directions = self.add_weight(
            name="directions", shape=(shape[-1], self.classes), initializer=tf.keras.initializers.RandomNormal(seed=0)
        )

    def call(self, embeddings: Any) -> Any:  # noqa: ANN401  tensorflow is untyped
        """Return logits of embeddings of shape (N, D)."""
        unit = tf.math.l2_normalize(embeddings, axis=-1)
        return SHARPNESS * unit @ tf.math.l2_normalize(self.directions, axis=0)

    def get_config(self) -> dict[str, Any]:
        """Return what it is made of, for saving."""
        return {**super().get_config(), "classes": self.classes}


def build(
    mean: Sequence[float],
    std: Sequence[float],
    ceiling: Sequence[float],
    classes: int,
    *,
    widths: Sequence[int],
    blocks: int,
) -> Any:  # noqa: ANN401  tensorflow is untyped
    """Return a network with two outputs: embeddings (N, EMBEDDING_DIMENSION) and logits (N, classes).

    Args:
        mean: of each band, reflectance.
        std: of each band, reflectance.
        ceiling: of each band; brighter pixels count as this bright.
        classes: how many there are.
        widths: channels of the stages.
        blocks: residual blocks of each stage.
    """
    images = tf.keras.Input((None, None, len(mean)), name="images")
    x = Standardise(mean, std, ceiling, name="standardise")(images)
    x = _convolution(x, STEM, 5, 2, "stem")
    for stage, width in enumerate(widths):
        for block in range(blocks):
            x = _block(x, width, 1 if block else 2, f"stage{stage}_block{block}")
    x = _activated(x, "last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(EMBEDDING_DIMENSION, use_bias=False, name="to_embedding")(x)
    embedding = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, scale=False, center=False, name="embedding")(x)
    logits = CosineClassifier(classes, name="logits")(embedding)
    return tf.keras.Model(images, {"embedding": embedding, "logits": logits})


def _activated(x: Any, name: str) -> Any:  # noqa: ANN401  tensorflow is untyped
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _convolution(x: Any, width: int, side: int, stride: int, name: str) -> Any:  # noqa: ANN401  tensorflow is untyped
    return layers.Conv2D(
        width, side, stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _block(x: Any, width: int, stride: int, name: str) -> Any:  # noqa: ANN401  tensorflow is untyped
    active = _activated(x, f"{name}_a")
    around = x
    if stride > 1 or x.shape[-1] != width:
        pool = layers.AveragePooling2D(stride, padding="same", name=f"{name}_shrink")
        around = pool(active) if stride > 1 else active
        around = _convolution(around, width, 1, 1, f"{name}_around")
    inner = _convolution(active, width, 3, stride, f"{name}_first")
    inner = _convolution(_activated(inner, f"{name}_b"), width, 3, 1, f"{name}_second")
    return layers.Add(name=f"{name}_sum")([around, inner])
