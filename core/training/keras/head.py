"""Training the head of a network alone: what follows its layer ``pool``. The frozen body sees each patch a few times.

Of our own network that is the linear layer, its standardisation and the classifier; of a module, what was put on it.
What the body makes of the patches is computed once, as they are and turned, cut, shaded and robbed of bands; so an
epoch costs a matrix product.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.progress import Progress
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.hyperparameters import Array, Epoch, FitSettings, Samples
from core.training.keras.batches import drawn, judges, step_count, turned
from core.training.keras.loop import adamw, balanced_accuracy, rate, robbed, shaded

VIEWS = 4
"""Versions of each patch that are learned from, at most; the first is the patch as it is."""

MOST_ROWS = 40_000
"""With more patches than this over ``VIEWS``, there are fewer versions of each."""

_AT_ONCE = 64


def ready_head(network: Any, settings: FitSettings) -> Any:  # noqa: ANN401  tensorflow is untyped
    """The optimiser for ``fit_head``, which has not taken a step yet."""
    return adamw(_halves(network)[1].trainable_variables, settings)


def fit_head(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    optimizer: Any,  # noqa: ANN401
    train: Samples,
    validation: Samples,
    settings: FitSettings,
    *,
    first: int = 1,
    report: Callable[[Epoch], None],
    progress: Progress,
) -> None:
    """Fit what follows the layer ``pool`` in place; arguments and errors as of ``fitting.fit``.

    Neither the weights of the body nor its statistics of batch normalisation change; those of the embedding do, since
    without them all embeddings would drift to one side, and their cosines to 1.
    """
    began = time.monotonic()
    body, head = _halves(network)
    rows = _views(body, train, settings, progress)
    judged_by = judges(validation)
    judged = _through(body, judged_by.pixels)
    step = _step(head, optimizer, settings)
    steps = step_count(rows, settings)
    for number in range(first, settings.epochs + 1):
        losses, random = [], np.random.default_rng([settings.seed, number])
        for place, chosen in enumerate(drawn(rows, settings, random)):
            progress((settings.epochs + number - 1) * steps + place, 2 * settings.epochs * steps)
            optimizer.learning_rate.assign(rate(settings, (number - 1 + place / steps) / settings.epochs))
            losses.append(step(tf.constant(rows.pixels[chosen]), tf.constant(rows.labels[chosen])))
        accuracy = balanced_accuracy(head(judged, training=False)["logits"].numpy(), judged_by.labels)
        loss = float(np.mean([float(loss) for loss in losses]))
        report(Epoch(number=number, loss=loss, accuracy=accuracy, seconds=time.monotonic() - began))
    progress(2 * settings.epochs * steps, 2 * settings.epochs * steps)


def _halves(network: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """A network up to its layer ``pool``, and the same layers that follow it."""
    pooled = network.get_layer("pool").output
    given = tf.keras.Input(pooled.shape[1:])
    embedding = network.get_layer("embedding")(network.get_layer("to_embedding")(given))
    head = {"embedding": embedding, "logits": network.get_layer("logits")(embedding)}
    return tf.keras.Model(network.input, pooled), tf.keras.Model(given, head)


def _views(body: Any, train: Samples, settings: FitSettings, progress: Progress) -> Samples:  # noqa: ANN401
    """What the body makes of every version of every patch, in the place of pixels."""
    count = max(1, min(VIEWS, MOST_ROWS // max(1, len(train))))
    random, generator = np.random.default_rng([settings.seed, count]), tf.random.Generator.from_seed(settings.seed)

    def change(images: Any) -> Any:  # noqa: ANN401
        return robbed(shaded(images, settings, generator.uniform), settings, generator.uniform)

    told = [partial(_tell, progress, number * len(train), 2 * count * len(train)) for number in range(count)]
    found = [_through(body, train.pixels, told[0])]
    for tell in told[1:]:
        versions = turned(train.pixels, np.arange(len(train)), random, settings.crops[0])
        found.append(_through(body, versions, tell, change))
    return Samples(pixels=np.concatenate(found), labels=np.tile(train.labels, count))


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _through(
    body: Any,  # noqa: ANN401
    pixels: Array,
    tell: Callable[[int], None] = lambda _done: None,
    change: Callable[[Any], Any] = lambda images: images,
) -> FloatArray:
    """What the body makes of patches, float32 of shape (N, D), after some change of them."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(images: Any) -> Any:  # noqa: ANN401
        return body(change(images), training=False)

    found = [np.empty((0, body.output.shape[-1]), np.float32)]
    for first in range(0, len(pixels), _AT_ONCE):
        tell(first)
        part = pixels[first : first + _AT_ONCE].astype(np.float32) / np.float32(REFLECTANCE_SCALE)
        found.append(run(tf.constant(part)).numpy())
    return np.concatenate(found)


def _step(head: Any, optimizer: Any, settings: FitSettings) -> Any:  # noqa: ANN401
    weights = head.trainable_variables

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(rows: Any, labels: Any) -> Any:  # noqa: ANN401
        classes = head.output["logits"].shape[-1]
        wanted = tf.one_hot(labels, classes) * (1 - settings.smoothing) + settings.smoothing / classes
        with tf.GradientTape() as tape:
            logits = head(rows, training=True)["logits"]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    return step
