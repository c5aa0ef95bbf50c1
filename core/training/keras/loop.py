"""Fitting a network to labelled patches: augmentation, loss, schedule; the patches come from outside.

Patches are turned and mirrored, cut at a random place (``training.keras.batches``), made brighter or darker band by
band, now and then mixed with another one (Zhang et al., “mixup”, 2018), and robbed of a band. The step size follows a
cosine after a short rise (Loshchilov and Hutter, 2017). What an epoch draws follows from the seed and its number, so
that a training which is stopped and goes on draws what it would have drawn.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.progress import Progress
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.hyperparameters import FEW_BANDS, Array, Epoch, FitSettings, Samples
from core.training.keras.batches import batch_size, batches, judges, step_count
from core.training.keras.trainable_graph import Body

__all__ = ["FitSettings", "Samples", "batch_size", "batches", "fit", "predict", "rate", "ready", "shaded"]

Uniform = Callable[..., Any]
"""Draws numbers as ``tf.random.uniform`` does: shape, least, most."""

WORTH_COMPILING = 8_000
"""Patches an epoch from which compiling the step saves more than it takes."""


def ready(network: Any, train: Samples, settings: FitSettings) -> Any:  # noqa: ANN401  tensorflow is untyped
    """Make a network ready for ``fit``; gives the optimiser, which has not taken a step yet.

    Where batches are small, batch normalisation in the body uses the statistics it has from here on.
    """
    if batch_size(train, settings) < settings.steady_below:
        _steady(network)
    return adamw(network.trainable_variables, settings)


def adamw(weights: Sequence[Any], settings: FitSettings) -> Any:  # noqa: ANN401
    """The optimiser of some weights; its ``variables``, moments and count of steps, are all that it remembers."""
    optimizer = tf.keras.optimizers.AdamW(settings.rate, weight_decay=settings.decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(weights)
    return optimizer


def fit(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    optimizer: Any,  # noqa: ANN401
    train: Samples,
    validation: Samples,
    settings: FitSettings,
    *,
    first: int = 1,
    compiles: bool = True,
    report: Callable[[Epoch], None],
    progress: Progress,
) -> None:
    """Fit a network in place.

    Args:
        network: of ``core.training.keras.network.build``, or one with the same outputs.
        optimizer: of ``ready``; of a network that has gone through epochs before, with its variables as they were then.
        train: what it learns from; classes are drawn alike often, however many patches they have.
        validation: what it is judged by after each epoch; may be empty.
        settings: how.
        first: epoch to begin with, of a network that has gone through those before.
        compiles: False = the network has operations that cannot be compiled.
        report: told after each epoch; network and optimiser are then as that epoch left them.
        progress: told at each step how many of all there are is done; what it raises to stop the work passes through,
            and the network keeps what it has learned.
    """
    steps = step_count(train, settings)
    generator = tf.random.Generator.from_seed(settings.seed)
    step = _step(network, optimizer, settings, generator.uniform, compiled=compiles and len(train) >= WORTH_COMPILING)
    judged_by = judges(validation)
    began = time.monotonic()
    for number in range(first, settings.epochs + 1):
        losses, random = [], np.random.default_rng([settings.seed, number])
        generator.reset_from_seed([settings.seed, number])
        for place, (pixels, labels) in enumerate(batches(train, settings, random, _crop(settings, number))):
            progress((number - 1) * steps + place, settings.epochs * steps)
            optimizer.learning_rate.assign(rate(settings, (number - 1 + place / steps) / settings.epochs))
            losses.append(step(tf.constant(pixels), tf.constant(labels)))
        accuracy = balanced_accuracy(predict(network, judged_by.pixels)[1], judged_by.labels)
        loss = float(np.mean([float(loss) for loss in losses]))
        report(Epoch(number=number, loss=loss, accuracy=accuracy, seconds=time.monotonic() - began))
    progress(settings.epochs * steps, settings.epochs * steps)


def _crop(settings: FitSettings, number: int) -> float:
    """The share of a patch's side that an epoch sees."""
    progress = (number - 1) / settings.epochs
    return settings.crops[sum(progress >= end for end in settings.until)]


def rate(settings: FitSettings, progress: float) -> float:
    """Step size at a share of the way: up over the first twentieth, then down along a cosine."""
    rise = 0.05
    if progress < rise:
        return settings.rate * (0.05 + 0.95 * progress / rise)
    return settings.rate * max(1e-3, 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise))))


def _steady(network: Any) -> None:  # noqa: ANN401  tensorflow is untyped
    """Let batch normalisation in the body use the statistics it has; that of the embedding goes on centring it."""
    for layer in network.layers:
        if isinstance(layer, Body):
            layer.steady = True
        elif isinstance(layer, tf.keras.layers.BatchNormalization) and layer.name != "embedding":
            layer.trainable = False


def _step(network: Any, optimizer: Any, settings: FitSettings, uniform: Uniform, *, compiled: bool) -> Any:  # noqa: ANN401
    weights = network.trainable_variables
    # Compiled code needs every size; else one trace serves all sizes of crops, and takes longer than some trainings.
    signature = [
        tf.TensorSpec((None, None, None, network.input.shape[-1]), tf.uint16),
        tf.TensorSpec((None,), tf.int64),
    ]

    @tf.function(input_signature=None if compiled else signature, jit_compile=compiled)  # type: ignore[untyped-decorator]
    def step(pixels: Any, labels: Any) -> Any:  # noqa: ANN401
        classes = network.output["logits"].shape[-1]
        wanted = tf.one_hot(labels, classes) * (1 - settings.smoothing) + settings.smoothing / classes
        images = shaded(tf.cast(pixels, tf.float32) / REFLECTANCE_SCALE, settings, uniform)
        drawn = uniform((tf.shape(labels)[0], 1))
        share = tf.where(drawn < settings.mixing, uniform(tf.shape(drawn), 0.5, 1.0), 1.0)
        wide = share[:, :, None, None]
        images = wide * images + (1 - wide) * images[::-1]
        wanted = share * wanted + (1 - share) * wanted[::-1]
        images = robbed(images, settings, uniform)
        with tf.GradientTape() as tape:
            logits = network(images, training=True)["logits"]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    return step


def shaded(images: Any, settings: FitSettings, uniform: Uniform = tf.random.uniform) -> Any:  # noqa: ANN401
    """Patches in another light; what was not measured stays 0."""
    shape = tf.shape(images)
    everything = 1 + uniform((shape[0], 1, 1, 1), -settings.gain, settings.gain)
    each = 1 + uniform((shape[0], 1, 1, shape[3]), -settings.gain / 2, settings.gain / 2)
    offset = uniform((shape[0], 1, 1, shape[3]), -settings.offset, settings.offset)
    shaded = tf.maximum(images * everything * each + offset, 1e-4)
    return tf.where(images > 0, shaded, 0.0)


def robbed(images: Any, settings: FitSettings, uniform: Uniform = tf.random.uniform) -> Any:  # noqa: ANN401
    """Patches some of whose bands are 0, where there are bands to spare."""
    if images.shape[-1] <= FEW_BANDS or not settings.band_dropout:
        return images
    drawn = uniform((tf.shape(images)[0], 1, 1, images.shape[-1]))
    return tf.where(drawn < settings.band_dropout, 0.0, images)


def predict(network: Any, pixels: Array, batch: int = 64) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Embeddings and logits of patches, uint16 reflectance × 10 000."""
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
    """The network as a function, made once: making it takes longer than a few hundred patches."""
    return tf.function(lambda images: network(images, training=False), reduce_retracing=True)


def balanced_accuracy(logits: FloatArray, labels: Array) -> float:
    """Share of patches named rightly, averaged over the classes; NaN without patches."""
    right = logits.argmax(axis=1) == labels if len(labels) else np.empty(0, bool)
    return float(np.mean([right[labels == name].mean() for name in np.unique(labels)])) if len(labels) else math.nan
