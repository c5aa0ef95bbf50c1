"""Fitting a network to labelled patches: batches, augmentation, loss, schedule; the patches come from outside.

Patches are turned and mirrored, cut at a random place, made brighter or darker band by band, and now and then mixed in
pairs (Zhang et al., “mixup”, 2018). The step size follows a cosine after a short rise (Loshchilov and Hutter, 2017).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.errors import JobCancelledError, SettingsError
from core.scene import REFLECTANCE_SCALE

LEAST_STEPS = 8

WORTH_COMPILING = 8_000
"""Patches an epoch from which compiling the step saves more than it takes."""

MOST_JUDGED = 2_000
"""Held-out patches that an epoch is judged by, at most."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    Attributes:
        epochs: passes over the patches.
        batch_size: patches a step, at most.
        rate: highest step size of AdamW.
        decay: weight decay of AdamW.
        crops: pixels a side that are cut out of a patch at random, as shares of the side, one after the other.
        until: share of the epochs at which each of them but the last ends.
        smoothing: share of each label that is spread over all classes.
        mixing: share of the patches that are mixed with another one.
        gain: bands are multiplied by up to this much more or less, all by one number and each by one of its own.
        offset: reflectance added to or taken from each band, at most.
        seed: of everything that is drawn.
    """

    epochs: int = 40
    batch_size: int = 128
    rate: float = 2e-3
    decay: float = 0.05
    crops: tuple[float, ...] = (0.625, 0.75, 1.0)
    until: tuple[float, ...] = (0.65, 0.9)
    smoothing: float = 0.1
    mixing: float = 0.15
    gain: float = 0.08
    offset: float = 0.003
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= 10_000:
            raise SettingsError("Training", f"{self.epochs} epochs were asked for", "ask for 1 to 10,000")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Labelled patches.

    Attributes:
        pixels: uint16 reflectance × 10 000 of shape (N, H, W, bands), 0 where not measured.
        labels: int64 of shape (N,).
    """

    pixels: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How fitting stands after an epoch.

    Attributes:
        number: from 1.
        loss: mean over the steps.
        accuracy: share of validation patches named rightly, all classes counting alike; NaN without any.
        seconds: since fitting began.
    """

    number: int
    loss: float
    accuracy: float
    seconds: float


def fit(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    train: Samples,
    validation: Samples,
    settings: FitSettings,
    *,
    first: int = 1,
    report: Callable[[Epoch], None],
    cancelled: Callable[[], bool],
) -> None:
    """Fit a network in place.

    Args:
        network: of ``core.encoders.network.build``, or one with the same outputs.
        train: what it learns from; classes are drawn alike often, however many patches they have.
        validation: what it is judged by after each epoch; may be empty.
        settings: how.
        first: epoch to begin with, of a network that has gone through those before.
        report: told after each epoch; the network has that epoch's weights then.
        cancelled: asked at each step.

    Raises:
        JobCancelledError: when ``cancelled`` says so; the network keeps what it has learned.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    steps = _steps(train, settings)
    optimizer = tf.keras.optimizers.AdamW(settings.rate, weight_decay=settings.decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    step = _step(network, optimizer, settings, compiled=len(train) >= WORTH_COMPILING)
    judges = _judges(validation)
    random = np.random.default_rng([settings.seed, first])
    began = time.monotonic()
    for number in range(first, settings.epochs + 1):
        losses = []
        for place, (pixels, labels) in enumerate(batches(train, settings, random, _crop(settings, number))):
            if cancelled():
                raise JobCancelledError("Training", "it was cancelled", "the last whole epoch is kept")
            optimizer.learning_rate.assign(_rate(settings, (number - 1 + place / steps) / settings.epochs))
            losses.append(step(tf.constant(pixels), tf.constant(labels)))
        accuracy = balanced_accuracy(predict(network, judges.pixels)[1], judges.labels)
        loss = float(np.mean([float(loss) for loss in losses]))
        report(Epoch(number=number, loss=loss, accuracy=accuracy, seconds=time.monotonic() - began))


def batch_size(train: Samples, settings: FitSettings) -> int:
    """Patches a step: fewer where there are few, so that an epoch has about ``LEAST_STEPS`` steps at least."""
    return max(4, min(settings.batch_size, len(train) // LEAST_STEPS))


def _steps(train: Samples, settings: FitSettings) -> int:
    """Batches an epoch."""
    return max(1, len(train) // batch_size(train, settings))


def _crop(settings: FitSettings, number: int) -> float:
    """The share of a patch's side that an epoch sees."""
    progress = (number - 1) / settings.epochs
    return settings.crops[sum(progress >= end for end in settings.until)]


def _rate(settings: FitSettings, progress: float) -> float:
    """Step size at a share of the way: up over the first twentieth, then down along a cosine."""
    rise = 0.05
    if progress < rise:
        return settings.rate * (0.05 + 0.95 * progress / rise)
    return settings.rate * max(1e-3, 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise))))


def _judges(validation: Samples) -> Samples:
    """Patches that epochs are judged by: all of them, or evenly spaced ones of each class."""
    order = np.argsort(validation.labels, kind="stable")
    chosen = order[:: max(1, -(-len(order) // MOST_JUDGED))]
    return Samples(pixels=validation.pixels[chosen], labels=validation.labels[chosen])


def _step(network: Any, optimizer: Any, settings: FitSettings, *, compiled: bool) -> Any:  # noqa: ANN401
    weights = network.trainable_variables

    @tf.function(reduce_retracing=not compiled, jit_compile=compiled)  # type: ignore[untyped-decorator]
    def step(pixels: Any, labels: Any) -> Any:  # noqa: ANN401
        classes = network.output["logits"].shape[-1]
        wanted = tf.one_hot(labels, classes) * (1 - settings.smoothing) + settings.smoothing / classes
        images = _shaded(tf.cast(pixels, tf.float32) / REFLECTANCE_SCALE, settings)
        drawn = tf.random.uniform((tf.shape(labels)[0], 1))
        share = tf.where(drawn < settings.mixing, tf.random.uniform(tf.shape(drawn), 0.5, 1.0), 1.0)
        wide = share[:, :, None, None]
        images = wide * images + (1 - wide) * images[::-1]
        wanted = share * wanted + (1 - share) * wanted[::-1]
        with tf.GradientTape() as tape:
            logits = network(images, training=True)["logits"]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    return step


def _shaded(images: Any, settings: FitSettings) -> Any:  # noqa: ANN401  tensorflow is untyped
    """Patches in another light; what was not measured stays 0."""
    shape = tf.shape(images)
    everything = 1 + tf.random.uniform((shape[0], 1, 1, 1), -settings.gain, settings.gain)
    each = 1 + tf.random.uniform((shape[0], 1, 1, shape[3]), -settings.gain / 2, settings.gain / 2)
    offset = tf.random.uniform((shape[0], 1, 1, shape[3]), -settings.offset, settings.offset)
    shaded = tf.maximum(images * everything * each + offset, 1e-4)
    return tf.where(images > 0, shaded, 0.0)


def batches(
    train: Samples, settings: FitSettings, random: np.random.Generator, share: float
) -> Iterator[tuple[Array, Array]]:
    """Pixels and labels of an epoch's batches, turned, mirrored and cut at random.

    Args:
        train: what to draw from.
        settings: their size.
        random: what to draw with.
        share: of the side that is cut out.
    """
    size = batch_size(train, settings)
    order = _balanced_order(train.labels, _steps(train, settings) * size, random)
    side = train.pixels.shape[1]
    cut = min(side, max(8, round(side * share / 8) * 8))
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        out = np.empty((len(chosen), cut, cut, train.pixels.shape[3]), train.pixels.dtype)
        tops, lefts = random.integers(0, side - cut + 1, (2, len(chosen)))
        turns = random.integers(0, 8, len(chosen))
        for place, (index, top, left, turn) in enumerate(zip(chosen, tops, lefts, turns, strict=True)):
            piece = train.pixels[index, top : top + cut, left : left + cut]
            piece = np.rot90(piece, turn % 4)
            out[place] = piece[::-1] if turn >= 4 else piece
        yield out, train.labels[chosen]


def _balanced_order(labels: Array, count: int, random: np.random.Generator) -> Array:
    """Indices to draw, in random order: each class alike often in the long run, each patch of a class too."""
    classes = np.unique(labels)
    shares = np.full(len(classes), count // len(classes))
    shares[random.permutation(len(classes))[: count - shares.sum()]] += 1
    parts = []
    for name, share in zip(classes, shares, strict=True):
        members = np.flatnonzero(labels == name)
        rounds = [random.permutation(members) for _ in range(-(-share // len(members)))]
        parts.append(np.concatenate(rounds)[:share])
    order: Array = random.permutation(np.concatenate(parts))
    return order


def predict(network: Any, pixels: Array, batch: int = 256) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Embeddings and logits of patches, uint16 reflectance × 10 000."""
    outputs = network.output
    found: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    run = tf.function(lambda images: network(images, training=False), reduce_retracing=True)
    for first in range(0, len(pixels), batch):
        given = run(tf.constant(pixels[first : first + batch].astype(np.float32) / np.float32(REFLECTANCE_SCALE)))
        found[0].append(given["embedding"].numpy())
        found[1].append(given["logits"].numpy())
    empty = [np.empty((0, outputs[name].shape[-1]), np.float32) for name in ("embedding", "logits")]
    return np.concatenate(found[0] or empty[:1]), np.concatenate(found[1] or empty[1:])


def balanced_accuracy(logits: FloatArray, labels: Array) -> float:
    """Share of patches named rightly, averaged over the classes; NaN without patches."""
    right = logits.argmax(axis=1) == labels if len(labels) else np.empty(0, bool)
    return float(np.mean([right[labels == name].mean() for name in np.unique(labels)])) if len(labels) else math.nan
