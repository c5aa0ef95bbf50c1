"""The one loop that every training goes through, epoch by epoch, whatever learns; it knows no TensorFlow.

The step size follows a cosine after a short rise (Loshchilov and Hutter, “SGDR”, 2017). What an epoch draws follows
from the seed and its number, so that a training which is stopped and goes on draws what it would have drawn.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.files import never
from core.progress import Progress
from core.training.hyperparameters import Epoch, Hyperparameters

RISE = 0.05
"""Share of a training in which the step size goes up; it begins at as small a share of the highest."""

LEAST_RATE = 1e-3
"""Share of the highest step size that it never goes below."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How well held-out patches are named.

    Attributes:
        accuracy: share named rightly, all classes counting alike; NaN without any.
        loss: mean cross-entropy; None without any.
    """

    accuracy: float = math.nan
    loss: float | None = None


class Learner(Protocol):
    """What can be trained: a whole network, or its head alone.

    Attributes:
        optimizer: of its weights; has not taken a step yet, or goes on with its variables as they were.
        variables: all that changes in an epoch, in a fixed order: weights, and what the optimiser remembers.
        weights: those of them that the network is written from.
        steps: batches an epoch.
        preparation: how many steps ``prepare`` takes as long as, about.
    """

    optimizer: Any
    variables: list[Any]
    weights: list[Any]
    steps: int
    preparation: int

    def prepare(self, progress: Progress) -> None:
        """Do what is to be done once before the first epoch, telling how far it is."""

    def batches(self, epoch: int) -> Iterator[tuple[Any, Any]]:
        """Draw the batches of an epoch, inputs and labels, which follow from its number, from 1, and the seed."""

    def step(self, inputs: Any, labels: Any) -> Any:  # noqa: ANN401  tensorflow is untyped
        """Change the weights by a batch; gives its loss."""

    def judge(self) -> Judged:
        """Return how well held-out patches are named as it is now."""


def unwatched(_epoch: Epoch) -> None:
    """Tell nobody how a training begins."""


def fit(
    learner: Learner,
    hyperparameters: Hyperparameters,
    *,
    first: int = 1,
    report: Callable[[Epoch], None],
    progress: Progress,
    begun: Callable[[Epoch], None] = unwatched,
    enough: Callable[[], bool] = never,
) -> None:
    """Train in place.

    Args:
        learner: what is trained, which has gone through the epochs before the first.
        hyperparameters: how.
        first: epoch to begin with, from 1; beyond the last nothing is done.
        report: told after each epoch; the learner is then as that epoch left it.
        progress: told at each step how many of all there are is done; what it raises to stop the work passes through,
            and the learner keeps what it has learned.
        begun: told before the first of all epochs how the learner is, as epoch 0.
        enough: asked before each epoch; True = no further one is needed.
    """
    epochs, steps = hyperparameters.epochs, learner.steps
    if first > epochs or enough():
        return
    began, total = time.monotonic(), learner.preparation + epochs * steps
    learner.prepare(lambda done, of: progress(done * learner.preparation // max(of, 1), total))
    if first == 1:
        found = learner.judge()
        begun(Epoch(number=0, loss=0.0, accuracy=found.accuracy, seconds=0.0, held_out_loss=found.loss))
    for number in range(first, epochs + 1):
        if enough():
            break
        losses = []
        for place, (inputs, labels) in enumerate(learner.batches(number)):
            progress(learner.preparation + (number - 1) * steps + place, total)
            learner.optimizer.learning_rate.assign(
                learning_rate(hyperparameters, (number - 1 + place / steps) / epochs)
            )
            losses.append(learner.step(inputs, labels))
        found, loss = learner.judge(), float(np.mean([float(loss) for loss in losses]))
        seconds = time.monotonic() - began
        report(Epoch(number=number, loss=loss, accuracy=found.accuracy, seconds=seconds, held_out_loss=found.loss))
    progress(total, total)


def learning_rate(hyperparameters: Hyperparameters, progress: float) -> float:
    """Return the step size at a share of the way, 0 to 1: up over the first twentieth, then down along a cosine."""
    highest = hyperparameters.learning_rate
    if progress < RISE:
        return highest * (RISE + (1 - RISE) * progress / RISE)
    return highest * max(LEAST_RATE, 0.5 * (1 + math.cos(math.pi * (progress - RISE) / (1 - RISE))))
