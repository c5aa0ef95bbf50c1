"""A training's last epoch, kept and found again: whole, or the training begins anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import StoreError
from core.training.checkpoint import LAST, Checkpoint
from core.training.hyperparameters import Epoch
from core.training.trained_models import history_of, under_way

EPOCH = {"number": 1, "loss": 0.5, "accuracy": 1.0, "seconds": 2.0, "held_out_loss": 0.2}
MODEL = "reed"


class Variable:
    """As far as it is kept."""

    def __init__(self, value: list[float]) -> None:
        self.assign(np.array(value))

    def assign(self, value: np.ndarray) -> None:
        self.value, self.shape = value, value.shape

    def numpy(self) -> np.ndarray:
        return self.value


def last_of(folder: Path) -> Path:
    return under_way(folder / MODEL) / LAST


def resumed(folder: Path, size: int = 3, former_key: str | None = None) -> tuple[list[dict[str, float]], list[float]]:
    """History and variable of a training that was asked for again."""
    variable = Variable([0] * size)
    checkpoint = Checkpoint(folder / MODEL, [variable], "this one", [] if former_key is None else [former_key])
    checkpoint.resume()
    return checkpoint.history, variable.value.tolist()


def write(folder: Path, history: Any, key: str = "this one") -> Path:
    """A file of one variable, with any history."""
    last_of(folder).parent.mkdir(exist_ok=True)
    state = json.dumps({"key": key, "history": history}).encode()
    np.savez(last_of(folder), np.array([1, 2, 3]), state=np.bytes_(state))
    return last_of(folder)


def begins_anew(folder: Path, size: int = 3) -> None:
    assert resumed(folder, size) == ([], [0] * size), "nothing of it is taken over"


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    variable = Variable([4, 5, 6])
    checkpoint = Checkpoint(tmp_path / MODEL, [variable], "this one")
    checkpoint.resume()
    assert checkpoint.history == []
    checkpoint.keep(Epoch(**EPOCH))  # type: ignore[arg-type]
    assert resumed(tmp_path) == ([EPOCH], [4, 5, 6])
    assert history_of(tmp_path / MODEL) == [EPOCH]
    assert sorted(path.name for path in last_of(tmp_path).parent.iterdir()) == [LAST, "state.json"]
    variable.assign(np.zeros(3))
    checkpoint.reload()
    assert variable.value.tolist() == [4, 5, 6]
    checkpoint.remove()
    begins_anew(tmp_path)


def test_a_training_is_known_by_its_former_key_too(tmp_path: Path) -> None:
    write(tmp_path, [EPOCH], key="before")
    begins_anew(tmp_path)
    assert resumed(tmp_path, former_key="before") == ([EPOCH], [1, 2, 3])


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    under_way(tmp_path / MODEL).write_text("in the way")
    with pytest.raises(StoreError, match="Writing the model “reed”: file exists; make room on the disk and repeat it"):
        resumed(tmp_path)


@pytest.mark.parametrize("history", [3, [{"loss": 1}], [3], None])
def test_no_history_begins_anew(history: Any, tmp_path: Path) -> None:
    write(tmp_path, history)
    begins_anew(tmp_path)


def test_what_is_damaged_or_of_another_training_begins_anew(tmp_path: Path) -> None:
    begins_anew(tmp_path)
    write(tmp_path, [EPOCH], key="another one")
    begins_anew(tmp_path)
    whole = write(tmp_path, [EPOCH]).read_bytes()
    begins_anew(tmp_path, size=2)
    for at in range(0, len(whole), 7):
        last_of(tmp_path).write_bytes(whole[:at])
        begins_anew(tmp_path)
    np.savez(last_of(tmp_path), np.array([1.0, 2, 3]))
    begins_anew(tmp_path)
    np.savez(last_of(tmp_path), state=np.bytes_(b"[]"))
    begins_anew(tmp_path)


def test_bits_that_have_flipped_begin_anew_or_change_nothing(tmp_path: Path) -> None:
    whole = write(tmp_path, [EPOCH]).read_bytes()
    for bit in range(0, 8 * len(whole), 5):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        last_of(tmp_path).write_bytes(flipped)
        assert resumed(tmp_path) in (([], [0, 0, 0]), ([EPOCH], [1, 2, 3]))


def kept(folder: Path, *epochs: tuple[int, float, float], base: float | None = None) -> tuple[Checkpoint, Variable]:
    """A training that went through epochs of a number, an accuracy and a held-out loss; its weight is the number."""
    weight = Variable([0.0])
    checkpoint = Checkpoint(folder / MODEL, [weight, Variable([9.0])], "this one", weights=[weight])
    checkpoint.resume()
    if base is not None:
        checkpoint.consider(Epoch(number=0, loss=0.0, accuracy=base, seconds=0.0, held_out_loss=1.0))
    for number, accuracy, loss in epochs:
        weight.assign(np.array([float(number)]))
        checkpoint.keep(Epoch(number=number, loss=1.0, accuracy=accuracy, seconds=1.0, held_out_loss=loss))
    return checkpoint, weight


@pytest.mark.parametrize(
    ("base", "best"),
    [(None, 3), (0.8, 3), (0.9, 0), (0.95, 0)],
    ids=["scratch", "worse", "as good, which a lower loss does not change", "better"],
)
def test_the_best_epoch_is_kept_and_not_the_last(base: float | None, best: int, tmp_path: Path) -> None:
    checkpoint, weight = kept(tmp_path, (1, 0.7, 0.1), (2, 0.9, 0.5), (3, 0.9, 0.4), (4, 0.9, 0.6), base=base)
    assert checkpoint.best is not None
    assert checkpoint.best.number == best
    checkpoint.restore_best()
    assert weight.value.tolist() == [best]


def test_a_training_that_goes_on_knows_its_best_epoch(tmp_path: Path) -> None:
    kept(tmp_path, (1, 0.9, 0.1), (2, 0.8, 0.1))
    again, weight = kept(tmp_path)
    assert weight.value.tolist() == [2], "it goes on from the last"
    assert [again.stalled(patience) for patience in (0, 1, 2)] == [False, True, False]
    again.restore_best()
    assert weight.value.tolist() == [1]


def test_without_figures_the_last_epoch_is_the_model(tmp_path: Path) -> None:
    checkpoint, weight = kept(tmp_path, (1, float("nan"), 0.1), (2, float("nan"), 0.1))
    checkpoint.restore_best()
    assert (checkpoint.best, weight.value.tolist(), checkpoint.stalled(1)) == (None, [2], False)
