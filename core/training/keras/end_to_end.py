"""Training all weights of a network, from pixels to classes.

Patches are turned, mirrored and cut (``training.keras.batches``), and changed in ways of ``training.keras.augment``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import FloatArray
from core.encoders.atmosphere import air_reflectance
from core.progress import Progress
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.hyperparameters import Array, Examples, Hyperparameters
from core.training.keras.augment import Uniform, air_jitter, band_dropout, brightness_jitter, mixup
from core.training.keras.batches import batch_size, draw_batches, evenly, step_count
from core.training.keras.inference import judged, predict
from core.training.keras.loop import Judged
from core.training.keras.optimise import adamw, descend, smoothed
from core.training.keras.trainable_graph import GraphLayer

WORTH_COMPILING = 8_000
"""Patches an epoch from which compiling the step saves more than it takes."""


class EndToEnd:
    """A learner (``training.keras.loop``) of all weights of a network.

    Where batches are small, batch normalisation in the body uses the statistics it has from here on.
    """

    def __init__(
        self,
        network: Any,  # noqa: ANN401  tensorflow is untyped
        train: Examples,
        held_out: Examples,
        hyperparameters: Hyperparameters,
        *,
        bands: Sequence[str],
        compiles: bool = True,
    ) -> None:
        """Make a network ready.

        Args:
            network: of ``training.keras.network.build``, or one with the same outputs.
            train: what it learns from; classes are drawn alike often, however many patches they have.
            held_out: what it is judged by after each epoch; may be empty.
            hyperparameters: how.
            bands: of the patches, in product order.
            compiles: False = the network has operations that cannot be compiled.
        """
        if batch_size(len(train), hyperparameters) < hyperparameters.frozen_batch_norm_below:
            freeze_batch_norm(network)
        self.optimizer = adamw(network.trainable_variables, hyperparameters)
        self.weights = list(network.weights)
        self.variables = [*self.weights, *self.optimizer.variables]
        self.steps, self.preparation = step_count(len(train), hyperparameters), 0
        self._network, self._train, self._hyperparameters = network, train, hyperparameters
        self._judges = evenly(held_out)
        self._generator = tf.random.Generator.from_seed(hyperparameters.seed)
        compiled = compiles and len(train) >= WORTH_COMPILING
        uniform, back = self._generator.uniform, air_reflectance(bands)
        self._step = _step(network, self.optimizer, hyperparameters, uniform, back=back, compiled=compiled)

    def prepare(self, progress: Progress) -> None:
        """Do nothing: there is nothing to be done before the first epoch."""

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """Draw the batches of an epoch, pixels and labels."""
        seed = [self._hyperparameters.seed, epoch]
        self._generator.reset_from_seed(seed)
        share = crop(self._hyperparameters, epoch)
        return draw_batches(self._train, self._hyperparameters, np.random.default_rng(seed), share)

    def step(self, inputs: Array, labels: Array) -> Any:  # noqa: ANN401
        """Change the weights by a batch; gives its loss."""
        return self._step(tf.constant(inputs), tf.constant(labels))

    def judge(self) -> Judged:
        """Return how well held-out patches are named as it is now."""
        return judged(predict(self._network, self._judges.pixels)[1], self._judges.labels)


def crop(hyperparameters: Hyperparameters, epoch: int) -> float:
    """Return the share of a patch's side that an epoch, from 1, sees."""
    progress = (epoch - 1) / hyperparameters.epochs
    return hyperparameters.crops[sum(progress >= end for end in hyperparameters.milestones)]


def freeze_batch_norm(network: Any) -> None:  # noqa: ANN401  tensorflow is untyped
    """Let batch normalisation in the body use the statistics it has; that of the embedding goes on centring it."""
    for layer in network.layers:
        if isinstance(layer, GraphLayer):
            layer.frozen_batch_norm = True
        elif isinstance(layer, tf.keras.layers.BatchNormalization) and layer.name != "embedding":
            layer.trainable = False


def _step(
    network: Any,  # noqa: ANN401
    optimizer: Any,  # noqa: ANN401
    hyperparameters: Hyperparameters,
    uniform: Uniform,
    *,
    back: FloatArray,
    compiled: bool,
) -> Any:  # noqa: ANN401
    weights, classes = network.trainable_variables, network.output["logits"].shape[-1]
    # Compiled code needs every size; else one trace serves all sizes of crops, and takes longer than some trainings.
    signature = [
        tf.TensorSpec((None, None, None, network.input.shape[-1]), tf.uint16),
        tf.TensorSpec((None,), tf.int64),
    ]

    @tf.function(input_signature=None if compiled else signature, jit_compile=compiled, autograph=False)  # type: ignore[untyped-decorator]
    def step(pixels: Any, labels: Any) -> Any:  # noqa: ANN401
        targets = smoothed(labels, classes, hyperparameters.label_smoothing)
        images = brightness_jitter(tf.cast(pixels, tf.float32) / REFLECTANCE_SCALE, hyperparameters, uniform)
        images = air_jitter(images, back, hyperparameters, uniform)
        images, targets = mixup(images, targets, hyperparameters, uniform)
        images = band_dropout(images, hyperparameters, uniform)
        return descend(optimizer, weights, lambda: network(images, training=True)["logits"], targets)

    return step
