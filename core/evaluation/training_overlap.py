"""Which patches a model has learned from, told by their light; kept in a file beside the model.

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
from core.evaluation.band_statistics import light_of_bands
from core.features.recipe import Recipe, companion_of

TOLERANCE = 1e-5
"""Light that differs by less in every number, in reflectance, is that of the same patch: rounding makes up to 1e-6."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """The patches of one training.

    Attributes:
        bands: that they had, in the order of the columns.
        light: float32 of shape (M, 2 · bands), as of ``core.evaluation.band_statistics``.
    """

    bands: tuple[str, ...]
    light: FloatArray

    def holds(self, light: FloatArray) -> NDArray[np.bool_]:
        """Which patches, given by their light in these bands, are among them: shape (N,)."""
        order = np.argsort(self.light[:, 0], kind="stable")
        rows = self.light[order]
        first = np.searchsorted(rows[:, 0], light[:, 0] - TOLERANCE)
        last = np.searchsorted(rows[:, 0], light[:, 0] + TOLERANCE, side="right")
        found = np.zeros(len(light), dtype=bool)
        waiting = np.flatnonzero(first < last)
        while waiting.size:
            alike = (np.abs(rows[first[waiting]] - light[waiting]) < TOLERANCE).all(axis=1)
            found[waiting[alike]] = True
            first[waiting] += 1
            waiting = waiting[~alike & (first[waiting] < last[waiting])]
        return found


@dataclass(frozen=True, kw_only=True)
class Learned:
    """All patches that a model has learned from.

    Attributes:
        blocks: of its trainings, its own first.
    """

    blocks: tuple[Block, ...]

    def holds(self, band_mean: FloatArray, band_std: FloatArray) -> NDArray[np.bool_]:
        """Which patches are among them, from the means and deviations of 13 bands: shape (N,)."""
        found = np.zeros(len(band_mean), dtype=bool)
        for block in self.blocks:
            found |= block.holds(light_of_bands(band_mean, band_std, block.bands))
        return found

    def holds_light(self, bands: Sequence[str], light: FloatArray) -> NDArray[np.bool_]:
        """Which patches are among them, from their light in some bands; a block of other bands holds none."""
        count, found = len(bands), np.zeros(len(light), dtype=bool)
        for block in self.blocks:
            if set(block.bands) <= set(bands):
                columns = [list(bands).index(name) for name in block.bands]
                found |= block.holds(light[:, [*columns, *(count + column for column in columns)]])
        return found

    def to_bytes(self) -> bytes:
        """The content of a file."""
        buffer = io.BytesIO()
        arrays: dict[str, NDArray[np.generic]] = {}
        for number, block in enumerate(self.blocks):
            arrays |= {f"bands_{number}": np.array(block.bands), f"light_{number}": block.light}
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> Learned:
        """Read a file of ``to_bytes``.

        Raises:
            EncoderError: when it cannot be read or is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                blocks = tuple(
                    Block(bands=tuple(data[f"bands_{number}"].tolist()), light=data[f"light_{number}"])
                    for number in range(len(data.files) // 2)
                )
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
            raise _damaged(path) from error
        if not blocks or not all(_whole(block) for block in blocks):
            raise _damaged(path)
        return cls(blocks=blocks)


def _whole(block: Block) -> bool:
    known = all(name in BAND_NAMES for name in block.bands)
    return known and block.light.dtype.kind == "f" and block.light.shape[1:] == (2 * len(block.bands),)


def _damaged(path: Path) -> EncoderError:
    found = f"{path.name} cannot be read or is damaged"
    return EncoderError("Looking up what the encoder has learned from", found, "get the model again")


def learned_from(recipe: Recipe, config: Config) -> Learned | None:
    """What the encoder of a recipe has learned from; None when that is not known, as of most models of others.

    Raises:
        EncoderError: when the file that says so is damaged.
    """
    path = companion_of(recipe, LEARNED, config)
    return None if path is None else Learned.load(path)
