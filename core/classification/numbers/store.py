"""The number that was learned for the patches of a recipe, kept on disk; the latest alone."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.classification.numbers.regression import ValueModel, widened
from core.features.recipe import Recipe
from core.files import discard, disk_errors, write_atomically
from core.scenes.patches import IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedNumber:
    """A number and what predicts it.

    Attributes:
        title: what it is, as the file calls it.
        source: name of the file it came in.
        model: that predicts it.
        said: what of the file was left out or joined, a sentence each.
        version: what tells it from any other, 16 hexadecimal digits.
    """

    title: str
    source: str
    model: ValueModel
    said: tuple[str, ...] = ()
    version: str = ""


class LearnedNumbers:
    """Numbers under ``root``/numbers, a file a recipe."""

    def __init__(self, root: Path) -> None:
        self.root = root / "numbers"

    def put(self, recipe: Recipe, learned: LearnedNumber) -> None:
        """Keep a number in place of the one before.

        Raises:
            StoreError: when the disk refuses it.
        """
        buffer, model = io.BytesIO(), learned.model
        about = {"version": 1, "title": learned.title, "source": learned.source, "said": list(learned.said)}
        about["held_apart"] = model.held_apart
        plain = np.array([model.bias, model.half_width, model.coverage, model.penalty, float(model.spatial)])
        np.savez_compressed(
            buffer, about=np.bytes_(json.dumps(about)), weights=model.weights, plain=plain,
            patch_ids=model.patch_ids, actual=model.actual, held_out=model.held_out,
            blocks=np.zeros(0, np.int64) if model.blocks is None else model.blocks,
        )  # fmt: skip
        advice = "free some space and start again"
        with disk_errors("Keeping what was learned", full=advice, other=advice):
            path = self._path(recipe)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue())

    def get(self, recipe: Recipe) -> LearnedNumber | None:
        """Return the number of a recipe; None where there is none, or its file is damaged."""
        try:
            content = self._path(recipe).read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                about = json.loads(held["about"].item())
                bias, half_width, coverage, penalty, spatial = held["plain"].tolist()
                model = ValueModel(
                    weights=held["weights"], bias=bias, half_width=half_width, coverage=coverage, penalty=penalty,
                    patch_ids=held["patch_ids"], actual=held["actual"], held_out=held["held_out"],
                    spatial=bool(spatial), blocks=_blocks_of(held), held_apart=bool(about.get("held_apart", False)),
                )  # fmt: skip
            model = model if model.held_apart else widened(model)
            return LearnedNumber(
                title=str(about["title"]), source=str(about["source"]), model=model, said=tuple(about["said"]),
                version=hashlib.blake2b(content, digest_size=8).hexdigest(),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
            return None

    def stamp(self, recipe: Recipe) -> int:
        """Return what tells the file of a recipe from the one before; 0 where there is none."""
        try:
            return self._path(recipe).stat().st_mtime_ns
        except OSError:
            return 0

    def delete(self, recipe: Recipe) -> None:
        """Remove the number of a recipe; nothing happens where there is none."""
        discard(self._path(recipe))

    def delete_scene(self, scene_id: str) -> None:
        """Remove all numbers of a scene."""
        discard(self.root / scene_id)

    def disk_bytes(self, scene_id: str) -> int:
        """Return the bytes on disk of a scene's numbers."""
        return sum(path.stat().st_size for path in (self.root / scene_id).glob("*.npz"))

    def _path(self, recipe: Recipe) -> Path:
        return self.root / recipe.scene_id / f"{recipe.key}.npz"


def _blocks_of(held: Mapping[str, NDArray[Any]]) -> IntArray | None:
    """Return the block of each patch; None in a file of before, which has none."""
    blocks = held.get("blocks")
    return blocks if blocks is not None and len(blocks) else None
