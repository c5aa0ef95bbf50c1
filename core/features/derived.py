"""Arrays made from features and kept on disk, a checked file for each recipe and settings; what they are is told above.

Layouts (``core.projection.store``), groups, stabilities and novelties (beside this) are kept so.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.features.recipe import Recipe
from core.files import discard, disk_errors, write_atomically

_DIGEST_BYTES = 32
_MOST_SEEN = 1000


class DerivedArrays:
    """Arrays under one directory; each file is an ``.npy`` with its SHA-256 behind it."""

    what = "an array"
    """What is kept, for sentences of failure."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)
        self._whole: set[tuple[Recipe, str, int, int]] = set()

    def put(self, recipe: Recipe, settings_key: str, array: NDArray[Any]) -> None:
        """Keep an array; readers see the old one or the new one whole.

        Raises:
            StoreError: when it cannot be written.
        """
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        data = buffer.getvalue()
        path = self._path(recipe, settings_key)
        advice = "free some space and start again"
        with disk_errors(f"Storing {self.what}", full=advice, other=advice):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data + hashlib.sha256(data).digest())

    def get(self, recipe: Recipe, settings_key: str) -> NDArray[Any] | None:
        """Return an array, read-only; None when there is none, or its file is damaged."""
        try:
            data = self._path(recipe, settings_key).read_bytes()
            if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
                return None
            array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        array.flags.writeable = False
        return array

    def has(self, recipe: Recipe, settings_key: str) -> bool:
        """Return whether there is a whole array; a file that has not changed is read once only."""
        try:
            stat = self._path(recipe, settings_key).stat()
        except OSError:
            return False
        seen = (recipe, settings_key, stat.st_mtime_ns, stat.st_size)
        if seen not in self._whole and self.get(recipe, settings_key) is not None:
            if len(self._whole) >= _MOST_SEEN:
                self._whole.clear()
            self._whole.add(seen)
        return seen in self._whole

    def delete_scene(self, scene_id: str) -> None:
        """Remove all files of a scene."""
        discard(self.root / scene_id)

    def delete(self, recipe: Recipe) -> None:
        """Remove all files of a recipe, and what lies beside them under its name."""
        for path in (self.root / recipe.scene_id).glob(f"{recipe.key}-*"):
            discard(path)

    def drop(self, recipe: Recipe, settings_key: str) -> None:
        """Remove one array, if it is there."""
        discard(self._path(recipe, settings_key))

    def disk_bytes(self, scene_id: str) -> int:
        """Return the bytes on disk of a scene's files."""
        return sum(path.stat().st_size for path in (self.root / scene_id).glob("*"))

    def _path(self, recipe: Recipe, settings_key: str) -> Path:
        return self.root / recipe.scene_id / f"{recipe.key}-{settings_key}.npy"
