"""A training under way, as it was after its last epoch: kept on disk, found again, loaded back into its variables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.files import disk_errors, replacing, write_atomically
from core.training.hyperparameters import Epoch
from core.training.trained_models import STATE, under_way

LAST = "last.npz"
"""The last epoch, in the folder beside the result that ``training.trained_models`` names.

Weights, the optimiser's moments and how it went are one file, because they are worth nothing if of different epochs.
"""

_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile)


class Checkpoint:
    """The last epoch of the training whose result will lie in a directory.

    Attributes:
        history: fields of ``Epoch`` of each epoch that is done.
    """

    def __init__(self, directory: Path, variables: Sequence[Any], key: str, former_key: str | None = None) -> None:
        """Note what is kept.

        Args:
            directory: where the model will lie.
            variables: what changes in an epoch: weights and what the optimiser remembers.
            key: what tells this training from any other, on the same patches or not.
            former_key: the same as version 0.1 wrote it; None = there is none.
        """
        self.directory, self.folder = directory, under_way(directory)
        self.history: list[dict[str, float]] = []
        self._variables, self._key, self._keys = variables, key, {key, former_key}

    def resume(self) -> None:
        """Go on where the same training was stopped, if it was: set the variables and the history.

        Raises:
            StoreError: when the disk cannot be written.
        """
        with kept_when_full(self.directory):
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with (self.folder / LAST).open("rb") as opened, np.load(opened) as file:
                state = json.loads(file["state"].item())
                if state["key"] in self._keys:
                    history = [asdict(Epoch(**epoch)) for epoch in state["history"]]
                    self._load(file)
                    self.history = history
        except _DAMAGED:
            pass  # What cannot be read is as good as none: the training begins anew.

    def keep(self, epoch: Epoch) -> None:
        """Keep the variables as they are after one more epoch.

        Raises:
            StoreError: when the disk cannot be written; the epoch before stays.
        """
        self.history.append(asdict(epoch))
        with kept_when_full(self.directory):
            state = json.dumps({"key": self._key, "history": self.history}).encode()
            self._save(state)
            write_atomically(self.folder / STATE, state)

    def reload(self) -> None:
        """Set the variables to what they were after the last whole epoch."""
        with np.load(self.folder / LAST) as file:
            self._load(file)

    def remove(self) -> None:
        """Forget the training."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _save(self, state: bytes) -> None:
        """Write variables and state; not as HDF5, whose library ends the process when the disk is full."""
        with replacing(self.folder / LAST) as fresh, fresh.open("wb") as file:
            np.savez(file, *(variable.numpy() for variable in self._variables), state=np.bytes_(state))

    def _load(self, file: Mapping[str, Any]) -> None:
        values = [file[f"arr_{number}"] for number in range(len(self._variables))]
        if [value.shape for value in values] != [tuple(variable.shape) for variable in self._variables]:
            raise ValueError("the variables are of another network")
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


def kept_when_full(directory: Path) -> AbstractContextManager[None]:
    """Tell an error of the disk while a model is written there in one sentence; what was kept before stays.

    Raises:
        StoreError: when the block that this guards raises an OSError.
    """
    full = "make room on the disk and repeat it, the last whole epoch is kept"
    return disk_errors(f"Writing the model “{directory.name}”", full=full, other=full)
