"""Records of encode runs: what was planned, skipped and finished, one small file each. Features are ``store``."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from core.encoders.base import EncoderSpec
from core.features.recipe import Recipe
from core.files import discard, write_atomically
from core.scenes.patches import IntArray


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run of a recipe.

    Attributes:
        recipe: what was asked.
        spec: the encoder that ran.
        planned: number of patches of the grid.
        stored: number of patches with features when the record was written.
        complete: True = every planned patch is stored or skipped.
        suspect: True = reading its features failed since; the next run checks them.
        rate: patches a second that the run encoded here; 0 = not measured.
    """

    recipe: Recipe
    spec: EncoderSpec
    planned: int
    stored: int
    complete: bool = False
    suspect: bool = False
    rate: float = 0.0

    def finished(self) -> RunRecord:
        """Return the same run, complete."""
        return replace(self, complete=True, suspect=False)


class Runs:
    """Records of runs in one directory: ``<recipe key>.json`` and the skipped ids beside, ``<recipe key>.npy``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def get(self, recipe: Recipe) -> RunRecord | None:
        """Return the record of a recipe; None when there is none, it is unreadable, or it is of another fingerprint."""
        record = _load(self._path(recipe))
        return record if record is not None and record.recipe.fingerprint == recipe.fingerprint else None

    def put(self, record: RunRecord) -> None:
        """Write a record, replacing an older one."""
        values = asdict(record) | {"recipe": record.recipe.to_dict()}
        write_atomically(self._path(record.recipe), json.dumps(values).encode())

    def suspect(self, recipe: Recipe) -> None:
        """Note that a run's features could not be read; it no longer counts as complete."""
        record = self.get(recipe)
        if record is not None:
            self.put(replace(record, complete=False, suspect=True))

    def of_scene(self, scene_id: str) -> list[RunRecord]:
        """Return all records of a scene, newest first."""
        paths = [path for path in self.root.glob(f"{scene_id}-*.json") if path.exists()]
        records = [_load(path) for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)]
        return [record for record in records if record is not None and record.recipe.scene_id == scene_id]

    def of_encoder(self, fingerprint: str) -> list[RunRecord]:
        """Return all records of an encoder, newest first."""
        paths = [path for path in self.root.glob(f"*-{fingerprint[:16]}-*.json") if path.exists()]
        records = [_load(path) for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)]
        return [record for record in records if record is not None and record.recipe.fingerprint == fingerprint]

    def skipped(self, recipe: Recipe) -> IntArray:
        """Return ascending ids of the patches a run skipped for want of valid data."""
        try:
            ids: IntArray = np.load(self._path(recipe).with_suffix(".npy"), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return np.empty(0, np.int64)
        return ids

    def skip(self, recipe: Recipe, ids: IntArray) -> None:
        """Add to the skipped ids."""
        buffer = io.BytesIO()
        np.save(buffer, np.union1d(self.skipped(recipe), ids).astype(np.int64))
        write_atomically(self._path(recipe).with_suffix(".npy"), buffer.getvalue())

    def forget_skipped(self, recipe: Recipe) -> None:
        """Forget the skipped ids of a recipe."""
        discard(self._path(recipe).with_suffix(".npy"))

    def remove(self, recipe: Recipe) -> None:
        """Forget a run."""
        discard(self._path(recipe))
        self.forget_skipped(recipe)

    def remove_fingerprint(self, fingerprint: str) -> None:
        """Forget all runs of an encoder."""
        for path in self.root.glob("*.json"):
            record = _load(path)
            if record is not None and record.recipe.fingerprint == fingerprint:
                self.remove(record.recipe)

    def _path(self, recipe: Recipe) -> Path:
        return self.root / f"{recipe.key}.json"


def _load(path: Path) -> RunRecord | None:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        spec = fields.pop("spec")
        spec["bands"] = tuple(spec["bands"])
        return RunRecord(recipe=Recipe.from_dict(fields.pop("recipe")), spec=EncoderSpec(**spec), **fields)
    except (OSError, ValueError, KeyError, TypeError):
        return None
