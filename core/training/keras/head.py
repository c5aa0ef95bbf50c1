"""Training the head of a network alone: what follows its layer ``pool``. The frozen body sees each patch a few times.

Of our own network that is the linear layer, its standardisation and the classifier; of a module, what was put on it.
What the body makes of the patches is computed once, as they are, and turned, cut, in another light and without some
bands; so an epoch costs a matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.progress import Progress
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.hyperparameters import Array, Examples, Hyperparameters
from core.training.keras.augment import band_dropout, brightness_jitter
from core.training.keras.batches import draw_indices, evenly, step_count, turned
from core.training.keras.inference import judged
from core.training.keras.loop import Judged
from core.training.keras.optimise import adamw, descend, smoothed

VIEWS = 4
"""Versions of each patch that are learned from, at most; the first is the patch as it is."""

MOST_ROWS = 40_000
"""With more patches than this over ``VIEWS``, there are fewer versions of each."""

_AT_ONCE = 64


class HeadOnly:
    """A learner (``training.keras.loop``) of what follows the layer ``pool``.

    Neither the weights of the body nor its statistics of batch normalisation change; those of the embedding do, since
    without them all embeddings would drift to one side, and their cosines to 1.
    """

    def __init__(
        self,
        network: Any,  # noqa: ANN401  tensorflow is untyped
        train: Examples,
        held_out: Examples,
        hyperparameters: Hyperparameters,
    ) -> None:
        """Make the head of a network ready; arguments as of ``EndToEnd``."""
        self._body, self._head = _halves(network)
        weights = self._head.trainable_variables
        self.optimizer = adamw(weights, hyperparameters)
        self.weights = list(network.weights)
        self.variables = [*self.weights, *self.optimizer.variables]
        self._views = max(1, min(VIEWS, MOST_ROWS // max(1, len(train))))
        self.steps = step_count(self._views * len(train), hyperparameters)
        self.preparation = hyperparameters.epochs * self.steps
        self._train, self._judges, self._hyperparameters = train, evenly(held_out), hyperparameters
        self._step = _step(self._head, self.optimizer, hyperparameters)

    def prepare(self, progress: Progress) -> None:
        """Compute what the body makes of every version of every patch."""
        plain = _runner(self._body)
        self._rows = _seen(self._body, plain, self._train, self._views, self._hyperparameters, progress=progress)
        width = self._body.output.shape[-1]
        self._judged = _through(plain, self._judges.pixels) if len(self._judges) else np.empty((0, width), np.float32)

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """Draw the batches of an epoch, what the body made of patches and labels."""
        random = np.random.default_rng([self._hyperparameters.seed, epoch])
        for chosen in draw_indices(self._rows, self._hyperparameters, random):
            yield self._rows.pixels[chosen], self._rows.labels[chosen]

    def step(self, inputs: Array, labels: Array) -> Any:  # noqa: ANN401
        """Change the weights by a batch; gives its loss."""
        return self._step(tf.constant(inputs), tf.constant(labels))

    def judge(self) -> Judged:
        """Return how well held-out patches are named as it is now."""
        return judged(self._head(self._judged, training=False)["logits"].numpy(), self._judges.labels)


def _halves(network: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return a network up to its layer ``pool``, and the same layers that follow it."""
    pooled = network.get_layer("pool").output
    given = tf.keras.Input(pooled.shape[1:])
    embedding = network.get_layer("embedding")(network.get_layer("to_embedding")(given))
    head = {"embedding": embedding, "logits": network.get_layer("logits")(embedding)}
    return tf.keras.Model(network.input, pooled), tf.keras.Model(given, head)


def _seen(
    body: Any,  # noqa: ANN401
    plain: Any,  # noqa: ANN401
    train: Examples,
    count: int,
    hyperparameters: Hyperparameters,
    *,
    progress: Progress,
) -> Examples:
    """Return what the body, ``plain`` as a function, makes of so many versions of every patch, in place of pixels."""
    random = np.random.default_rng([hyperparameters.seed, count])
    generator = tf.random.Generator.from_seed(hyperparameters.seed)

    def change(images: Any) -> Any:  # noqa: ANN401
        jittered = brightness_jitter(images, hyperparameters, generator.uniform)
        return band_dropout(jittered, hyperparameters, generator.uniform)

    told = [partial(_tell, progress, number * len(train), count * len(train)) for number in range(count)]
    found = [_through(plain, train.pixels, told[0])]
    changed = _runner(body, change)
    for tell in told[1:]:
        versions = turned(train.pixels, np.arange(len(train)), random, hyperparameters.crops[0])
        found.append(_through(changed, versions, tell))
    return Examples(pixels=np.concatenate(found), labels=np.tile(train.labels, count))


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _runner(body: Any, change: Callable[[Any], Any] = lambda images: images) -> Any:  # noqa: ANN401
    """Return the body, after some change of patches, as a function: making it takes longer than hundreds of these."""

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def run(images: Any) -> Any:  # noqa: ANN401
        return body(change(images), training=False)

    return run


def _through(run: Any, pixels: Array, tell: Callable[[int], None] = lambda _done: None) -> FloatArray:  # noqa: ANN401
    """Return what ``run`` makes of patches, at least one, float32 of shape (N, D)."""
    found = []
    for first in range(0, len(pixels), _AT_ONCE):
        tell(first)
        part = pixels[first : first + _AT_ONCE].astype(np.float32) / np.float32(REFLECTANCE_SCALE)
        found.append(run(tf.constant(part)).numpy())
    return np.concatenate(found)


def _step(head: Any, optimizer: Any, hyperparameters: Hyperparameters) -> Any:  # noqa: ANN401
    weights, classes = head.trainable_variables, head.output["logits"].shape[-1]

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def step(rows: Any, labels: Any) -> Any:  # noqa: ANN401
        targets = smoothed(labels, classes, hyperparameters.label_smoothing)
        return descend(optimizer, weights, lambda: head(rows, training=True)["logits"], targets)

    return step
