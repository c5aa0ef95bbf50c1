"""What a step of training goes down: the loss of smoothed labels, by AdamW."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from core.training.hyperparameters import Hyperparameters


def adamw(weights: Sequence[Any], hyperparameters: Hyperparameters) -> Any:  # noqa: ANN401  tensorflow is untyped
    """Return the optimiser of some weights; its ``variables``, moments and count of steps, are all that it remembers.

    Loshchilov and Hutter, “Decoupled Weight Decay Regularization” (2019).
    """
    rate, decay = hyperparameters.learning_rate, hyperparameters.weight_decay
    optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(weights)
    return optimizer


def smoothed(labels: Any, classes: int, share: float) -> Any:  # noqa: ANN401  tensorflow is untyped
    """Return targets of shape (N, classes) of labels of shape (N,), a share of each spread over all classes."""
    return tf.one_hot(labels, classes) * (1 - share) + share / classes


def descend(
    optimizer: Any,  # noqa: ANN401  tensorflow is untyped
    weights: Sequence[Any],
    logits: Callable[[], Any],
    targets: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Take one step down the cross-entropy of logits and targets; gives the loss before it."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits()))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    return loss
