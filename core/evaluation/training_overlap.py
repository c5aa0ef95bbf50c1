"""Which patches a model has learned from, told by the statistics of their bands; kept in a file beside the model.

Figures measured on such patches flatter the model, so whoever measures has to know. A model that goes on from another
has learned from the patches of both.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.config import Config
from core.encoders.files import LEARNED
from core.errors import EncoderError
from core.evaluation.band_statistics import statistics_of_bands
from core.features.recipe import Recipe, companion_of

TOLERANCE = 1e-5
"""Statistics that differ by less in every number, in reflectance, are of the same patch: rounding makes up to 1e-6."""


@dataclass(frozen=True, kw_only=True)
class TrainingBlock:
    """The patches of one training.

    Attributes:
        bands: that they had, in the order of the columns.
        statistics: float32 of shape (M, 2 · bands), as of ``core.evaluation.band_statistics``.
    """

    bands: tuple[str, ...]
    statistics: FloatArray

    def holds(self, statistics: FloatArray) -> NDArray[np.bool_]:
        """Return which patches, given by the statistics of these bands, are among them: shape (N,)."""
        order = np.argsort(self.statistics[:, 0], kind="stable")
        rows = self.statistics[order]
        first = np.searchsorted(rows[:, 0], statistics[:, 0] - TOLERANCE)
        last = np.searchsorted(rows[:, 0], statistics[:, 0] + TOLERANCE, side="right")
        found = np.zeros(len(statistics), dtype=bool)
        waiting = np.flatnonzero(first < last)
        while waiting.size:
            alike = (np.abs(rows[first[waiting]] - statistics[waiting]) < TOLERANCE).all(axis=1)
            found[waiting[alike]] = True
            first[waiting] += 1
            waiting = waiting[~alike & (first[waiting] < last[waiting])]
        return found


@dataclass(frozen=True, kw_only=True)
class TrainingPatches:
    """All patches that a model has learned from.

    Attributes:
        blocks: of its trainings, its own first.
    """

    blocks: tuple[TrainingBlock, ...]

    def holds(self, band_mean: FloatArray, band_std: FloatArray) -> NDArray[np.bool_]:
        """Return which patches are among them, from the means and deviations of 13 bands: shape (N,)."""
        found = np.zeros(len(band_mean), dtype=bool)
        for block in self.blocks:
            found |= block.holds(statistics_of_bands(band_mean, band_std, block.bands))
        return found

    def holds_statistics(self, bands: Sequence[str], statistics: FloatArray) -> NDArray[np.bool_]:
        """Return which patches are among them, from the statistics of some bands; a block of other bands holds none."""
        count, found = len(bands), np.zeros(len(statistics), dtype=bool)
        for block in self.blocks:
            if set(block.bands) <= set(bands):
                columns = [list(bands).index(name) for name in block.bands]
                found |= block.holds(statistics[:, [*columns, *(count + column for column in columns)]])
        return found

    def to_bytes(self) -> bytes:
        """Return the content of a file."""
        buffer = io.BytesIO()
        arrays: dict[str, NDArray[np.generic]] = {}
        for number, block in enumerate(self.blocks):
            arrays |= {f"bands_{number}": np.array(block.bands), f"light_{number}": block.statistics}
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> TrainingPatches:
        """Read a file of ``to_bytes``.

        Raises:
            EncoderError: when it cannot be read or is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                blocks = tuple(
                    TrainingBlock(bands=tuple(data[f"bands_{number}"].tolist()), statistics=data[f"light_{number}"])
                    for number in range(len(data.files) // 2)
                )
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
            raise _damaged(path) from error
        if not blocks or not all(_whole(block) for block in blocks):
            raise _damaged(path)
        return cls(blocks=blocks)


def _whole(block: TrainingBlock) -> bool:
    known = all(name in BAND_NAMES for name in block.bands)
    return known and block.statistics.dtype.kind == "f" and block.statistics.shape[1:] == (2 * len(block.bands),)


def _damaged(path: Path) -> EncoderError:
    found = f"{path.name} cannot be read or is damaged"
    return EncoderError("Looking up what the encoder has learned from", found, "get the model again")


def training_patches(recipe: Recipe, config: Config) -> TrainingPatches | None:
    """Return what the encoder of a recipe has learned from; None when that is not known, as of most models of others.

    Raises:
        EncoderError: when the file that says so is damaged.
    """
    path = companion_of(recipe, LEARNED, config)
    return None if path is None else TrainingPatches.load(path)
