"""Random changes of patches inside TensorFlow: brighter, hazier, without some bands, mixed with another one.

How they are turned, mirrored and cut is ``training.keras.batches``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from core.bands import FloatArray
from core.encoders.atmosphere import LOSS
from core.training.hyperparameters import FEW_BANDS, Hyperparameters

LEAST = 1e-4
"""Reflectance of what was measured, at least; 0 says that nothing was."""

Uniform = Callable[..., Any]
"""Draws numbers as ``tf.random.uniform`` does: shape, least, most."""


def brightness_jitter(
    images: Any,  # noqa: ANN401  tensorflow is untyped
    hyperparameters: Hyperparameters,
    uniform: Uniform = tf.random.uniform,
) -> Any:  # noqa: ANN401
    """Put patches (N, H, W, bands), reflectance, into another light; what was not measured stays 0."""
    shape, jitter, offset = tf.shape(images), hyperparameters.brightness_jitter, hyperparameters.offset_jitter
    everything = 1 + uniform((shape[0], 1, 1, 1), -jitter, jitter)
    each = 1 + uniform((shape[0], 1, 1, shape[3]), -jitter / 2, jitter / 2)
    added = uniform((shape[0], 1, 1, shape[3]), -offset, offset)
    changed = tf.maximum(images * everything * each + added, LEAST)
    return tf.where(images > 0, changed, 0.0)


def air_jitter(
    images: Any,  # noqa: ANN401  tensorflow is untyped
    back: FloatArray,
    hyperparameters: Hyperparameters,
    uniform: Uniform = tf.random.uniform,
) -> Any:  # noqa: ANN401
    """See patches (N, H, W, bands), reflectance, through more or less air; what was not measured stays 0.

    Args:
        images: the patches.
        back: what one unit of air sends back, by band (``core.encoders.atmosphere.air_reflectance``).
        hyperparameters: how much.
        uniform: what draws it.
    """
    if not hyperparameters.air_jitter:
        return images
    most = hyperparameters.air_jitter
    added = uniform((tf.shape(images)[0], 1, 1, 1), -most, most) * back
    return tf.where(images > 0, tf.maximum(images * (1 - LOSS * added) + added, LEAST), 0.0)


def band_dropout(
    images: Any,  # noqa: ANN401  tensorflow is untyped
    hyperparameters: Hyperparameters,
    uniform: Uniform = tf.random.uniform,
) -> Any:  # noqa: ANN401
    """Set some bands of patches (N, H, W, bands) to 0, where there are bands to spare."""
    if images.shape[-1] <= FEW_BANDS or not hyperparameters.band_dropout:
        return images
    drawn = uniform((tf.shape(images)[0], 1, 1, images.shape[-1]))
    return tf.where(drawn < hyperparameters.band_dropout, 0.0, images)


def mixup(
    images: Any,  # noqa: ANN401  tensorflow is untyped
    targets: Any,  # noqa: ANN401
    hyperparameters: Hyperparameters,
    uniform: Uniform = tf.random.uniform,
) -> tuple[Any, Any]:
    """Mix some patches (N, H, W, bands), and their targets (N, classes), with another of the batch, less than half.

    Zhang, Cisse, Dauphin and Lopez-Paz, “mixup: Beyond Empirical Risk Minimization” (2018).
    """
    drawn = uniform((tf.shape(targets)[0], 1))
    share = tf.where(drawn < hyperparameters.mixup, uniform(tf.shape(drawn), 0.5, 1.0), 1.0)
    wide = share[:, :, None, None]
    return wide * images + (1 - wide) * images[::-1], share * targets + (1 - share) * targets[::-1]
