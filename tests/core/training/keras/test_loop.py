"""The one loop of all trainings, with a learner that only notes what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.errors import JobCancelledError
from core.progress import Progress, silent
from core.training.hyperparameters import Epoch, Hyperparameters
from core.training.keras.loop import Judged, Learner, fit, learning_rate


class Rate:
    """A learning rate that remembers what it was."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def assign(self, value: float) -> None:
        self.values.append(value)


class Optimizer:
    def __init__(self) -> None:
        self.learning_rate = Rate()


class Noting:
    """A learner of four batches an epoch, whose losses are epoch + batch / 10."""

    def __init__(self, preparation: int = 0) -> None:
        self.optimizer, self.variables, self.weights = Optimizer(), list[Any](), list[Any]()
        self.steps, self.preparation = 4, preparation
        self.prepared, self.accuracies = 0, iter(np.arange(9) / 10)

    def prepare(self, progress: Progress) -> None:
        self.prepared += 1
        for done in range(2):
            progress(done, 2)

    def batches(self, epoch: int) -> Iterator[tuple[Any, Any]]:
        for place in range(self.steps):
            yield epoch, place

    def step(self, inputs: Any, labels: Any) -> Any:
        return inputs + labels / 10

    def judge(self) -> Judged:
        return Judged(accuracy=float(next(self.accuracies)), loss=0.5)


def trained(learner: Learner, epochs: int = 3, first: int = 1) -> tuple[list[Epoch], list[tuple[int, int]]]:
    """Epochs and progress that were told of."""
    told: list[Epoch] = []
    steps: list[tuple[int, int]] = []
    settings = Hyperparameters(epochs=epochs)
    fit(learner, settings, first=first, report=told.append, progress=lambda *step: steps.append(step))
    return told, steps


def test_each_epoch_tells_its_mean_loss_and_accuracy() -> None:
    told, _ = trained(Noting())
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert [epoch.loss for epoch in told] == pytest.approx([1.15, 2.15, 3.15])
    assert [epoch.accuracy for epoch in told] == [0.1, 0.2, 0.3]
    seconds = [epoch.seconds for epoch in told]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(("preparation", "before"), [(0, [0, 0]), (12, [0, 6])])
def test_progress_counts_every_step_of_every_epoch(preparation: int, before: list[int]) -> None:
    total = preparation + 12
    _, steps = trained(Noting(preparation))
    assert steps == [(step, total) for step in (*before, *range(preparation, total + 1))]


def test_a_training_that_goes_on_tells_the_steps_and_rates_that_are_left() -> None:
    whole, rest = Noting(), Noting()
    _, steps = trained(whole)
    told, left = trained(rest, first=3)
    assert [epoch.number for epoch in told] == [3]
    assert left[2:] == steps[2:][8:]
    assert rest.optimizer.learning_rate.values == whole.optimizer.learning_rate.values[8:]


def test_a_training_that_is_over_prepares_nothing() -> None:
    learner = Noting()
    assert trained(learner, first=4) == ([], [])
    assert learner.prepared == 0


def test_the_rate_rises_and_falls() -> None:
    settings = Hyperparameters(learning_rate=0.1)
    rates = [learning_rate(settings, progress) for progress in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.005)
    assert np.argmax(rates) == 5
    assert max(rates) == pytest.approx(0.1)
    assert (np.diff(rates[5:]) <= 0).all()
    assert rates[-1] == pytest.approx(1e-4), "never nothing"


def test_what_stops_the_work_passes_through() -> None:
    def stop(done: int, _total: int) -> None:
        if done == 6:
            raise JobCancelledError("Training", "it was cancelled", "start it again")

    told: list[Epoch] = []
    with pytest.raises(JobCancelledError):
        fit(Noting(), Hyperparameters(epochs=3), report=told.append, progress=stop)
    assert [epoch.number for epoch in told] == [1]
    fit(Noting(), Hyperparameters(epochs=1), report=told.append, progress=silent)
    assert len(told) == 2


def test_no_further_epoch_once_it_is_enough_and_the_beginning_is_told_once() -> None:
    told: list[Epoch] = []
    begun: list[Epoch] = []
    fit(
        Noting(), Hyperparameters(epochs=5), report=told.append, progress=silent, begun=begun.append,
        enough=lambda: len(told) == 2,
    )  # fmt: skip
    assert [epoch.number for epoch in told] == [1, 2]
    assert [(epoch.number, epoch.accuracy) for epoch in begun] == [(0, 0.0)]
    rest = Noting()
    fit(rest, Hyperparameters(epochs=5), first=3, report=told.append, progress=silent, begun=begun.append)
    assert len(begun) == 1, "a training that goes on has begun before"
    fit(rest, Hyperparameters(epochs=9), first=6, report=told.append, progress=silent, enough=lambda: True)
    assert rest.prepared == 1
