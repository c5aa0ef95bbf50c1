"""Projections kept on disk, a checked file for each recipe and settings; making them is ``core.projection.layout``."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np

from core.bands import FloatArray
from core.errors import StoreError
from core.features.recipe import Recipe
from core.scenes.library import write_atomically

_DIGEST_BYTES = 32


class Layouts:
    """Projections under ``root``/projections; each file is an ``.npy`` with its SHA-256 behind it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "projections"
        self.root.mkdir(parents=True, exist_ok=True)

    def put(self, recipe: Recipe, settings_key: str, positions: FloatArray) -> None:
        """Keep positions of shape (N, 2).

        Raises:
            StoreError: when they cannot be written.
        """
        buffer = io.BytesIO()
        np.save(buffer, positions.astype(np.float32))
        data = buffer.getvalue()
        path = self._path(recipe, settings_key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data + hashlib.sha256(data).digest())
        except OSError as error:
            found = f"the disk refused it ({error.strerror})"
            raise StoreError("Storing a projection", found, "free some space and start again") from error

    def get(self, recipe: Recipe, settings_key: str) -> FloatArray | None:
        """Positions of shape (N, 2), read-only; None when there are none, or the file is damaged."""
        try:
            data = self._path(recipe, settings_key).read_bytes()
            if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
                return None
            positions: FloatArray = np.load(io.BytesIO(data), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        positions.flags.writeable = False
        return positions

    def has(self, recipe: Recipe, settings_key: str) -> bool:
        """Whether there is a whole projection."""
        return self.get(recipe, settings_key) is not None

    def delete_scene(self, scene_id: str) -> None:
        """Remove all projections of a scene, and the reports on them."""
        shutil.rmtree(self.root / scene_id, ignore_errors=True)

    def disk_bytes(self, scene_id: str) -> int:
        """Bytes on disk of a scene's projections and the reports on them."""
        return sum(path.stat().st_size for path in (self.root / scene_id).glob("*"))

    def _path(self, recipe: Recipe, settings_key: str) -> Path:
        return self.root / recipe.scene_id / f"{recipe.key}-{settings_key}.npy"
