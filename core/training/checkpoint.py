"""A training under way, as it was after its last epoch: kept on disk, found again, loaded back into its variables."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.bands import FloatArray
from core.files import discard, disk_errors, present, replacing, write_atomically
from core.training.hyperparameters import Epoch
from core.training.trained_models import STATE, under_way

LAST = "last.npz"
"""The last epoch, in the folder beside the result that ``training.trained_models`` names.

Weights, the optimiser's moments and how it went are one file, because they are worth nothing if of different epochs.
"""

_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile)


class Checkpoint:
    """The last epoch of the training whose result will lie in a directory, and the weights of its best one.

    Attributes:
        history: fields of ``Epoch`` of each epoch that is done.
        best: the best epoch, 0 = the base before the first; None = no patches are held out to tell.
        rivals: what the page draws beside the epochs: ``Rivals`` of ``training.evaluate`` as JSON; may be set.
    """

    def __init__(
        self,
        directory: Path,
        variables: Sequence[Any],
        key: str,
        former_keys: Collection[str] = (),
        weights: Sequence[Any] | None = None,
    ) -> None:
        """Note what is kept.

        Args:
            directory: where the model will lie.
            variables: what changes in an epoch: weights and what the optimiser remembers.
            key: what tells this training from any other, on the same patches or not.
            former_keys: the same as earlier versions wrote it.
            weights: those among the variables that are kept of the best epoch; None = no patches tell which it is.
        """
        self.directory, self.folder = directory, under_way(directory)
        self.history: list[dict[str, float]] = []
        self.best: Epoch | None = None
        self._variables, self._key, self._keys = variables, key, {key, *former_keys}
        self.rivals: Mapping[str, Any] = {}
        self._weights, self._of_best = weights, list[FloatArray]()

    def resume(self) -> None:
        """Go on where the same training was stopped, if it was: set the variables and the history.

        Raises:
            StoreError: when the disk cannot be written.
        """
        with kept_when_full(self.directory):
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with present(self.folder / LAST).open("rb") as opened, np.load(opened) as file:
                state = json.loads(file["state"].item())
                if state["key"] in self._keys:
                    history = [asdict(Epoch(**epoch)) for epoch in state["history"]]
                    best = Epoch(**state["best"]) if state.get("best") else None
                    of_best = [] if best is None else [file[f"best_{row}"] for row in range(len(self._weights or ()))]
                    self._load(file)
                    self.history, self.best, self._of_best = history, best, of_best
        except _DAMAGED:
            pass  # What cannot be read is as good as none: the training begins anew.

    def consider(self, epoch: Epoch) -> None:
        """Remember the weights as they are, where they are the best so far; an epoch without figures is not."""
        known = self._weights is not None and not math.isnan(epoch.accuracy)
        if known and (self.best is None or epoch.better_than(self.best)):
            self.best, self._of_best = epoch, [np.array(weight.numpy()) for weight in self._weights or ()]

    def keep(self, epoch: Epoch) -> None:
        """Keep the variables as they are after one more epoch, and the weights of the best.

        Raises:
            StoreError: when the disk cannot be written; the epoch before stays.
        """
        self.consider(epoch)
        self.history.append(asdict(epoch))
        with kept_when_full(self.directory):
            state = self._state()
            self._save(state)
            write_atomically(self.folder / STATE, state)

    def tell(self) -> None:
        """Write how it stands, for the page to draw, before the first epoch is over.

        Raises:
            StoreError: when the disk cannot be written.
        """
        with kept_when_full(self.directory):
            write_atomically(self.folder / STATE, self._state())

    def reload(self) -> None:
        """Set the variables to what they were after the last whole epoch."""
        with np.load(present(self.folder / LAST)) as file:
            self._load(file)

    def restore_best(self) -> None:
        """Set the weights to those of the best epoch, where there is one."""
        if self.best is not None:
            for weight, value in zip(self._weights or (), self._of_best, strict=True):
                weight.assign(value)

    def stalled(self, patience: int) -> bool:
        """Return whether so many epochs in a row were no better than the best before them; never for 0."""
        done = self.history[-1]["number"] if self.history else 0
        return bool(patience) and self.best is not None and done - self.best.number >= patience

    def remove(self) -> None:
        """Forget the training."""
        discard(self.folder, first=LAST)

    def _state(self) -> bytes:
        best = None if self.best is None else asdict(self.best)
        state = {"key": self._key, "history": self.history, "best": best, "rivals": dict(self.rivals)}
        return json.dumps(state).encode()

    def _save(self, state: bytes) -> None:
        """Write variables and state; not as HDF5, whose library ends the process when the disk is full."""
        with replacing(self.folder / LAST) as fresh, fresh.open("wb") as file:
            best: dict[str, Any] = {f"best_{row}": weight for row, weight in enumerate(self._of_best)}
            np.savez(file, *(variable.numpy() for variable in self._variables), state=np.bytes_(state), **best)

    def _load(self, file: Mapping[str, Any]) -> None:
        values = [file[f"arr_{number}"] for number in range(len(self._variables))]
        if [value.shape for value in values] != [tuple(variable.shape) for variable in self._variables]:
            raise ValueError("the variables are of another network")
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


def kept_key(directory: Path) -> str | None:
    """Return the key of the training that was stopped whose result will lie in a directory; None without one."""
    try:
        with present(under_way(directory) / LAST).open("rb") as opened, np.load(opened) as file:
            return str(json.loads(file["state"].item())["key"])
    except _DAMAGED:
        return None


def kept_when_full(directory: Path) -> AbstractContextManager[None]:
    """Tell an error of the disk while a model is written there in one sentence; what was kept before stays.

    Raises:
        StoreError: when the block that this guards raises an OSError.
    """
    full = "make room on the disk and repeat it, the last whole epoch is kept"
    return disk_errors(f"Writing the model “{directory.name}”", full=full, other=full)
