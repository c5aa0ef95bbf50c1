"""Finished features as plain arrays on disk, mapped into memory in milliseconds and shared between processes.

They repeat what ``features.store`` keeps in its tables, so that the web process opens a scene without importing LanceDB
(2 s and 77,000 objects for the garbage collector). A snapshot that is damaged counts as absent.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.features.arrow import READ_COLUMNS, from_columns, to_numpy
from core.features.recipe import Features, Recipe
from core.files import discard, move_in, present, staged_folder, write_atomically
from core.scenes.patches import IntArray

_CHUNK_BYTES = 2**22
_SUMS = "crc.json"


class Snapshots:
    """Snapshots in one directory: ``<recipe key>/<column>.npy`` and their checksums in ``crc.json``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def write(self, recipe: Recipe, ids: IntArray, batches: Iterable[pa.RecordBatch]) -> None:
        """Write the rows of some patches, a batch at a time.

        Args:
            recipe: names the snapshot.
            ids: ascending ids of all patches.
            batches: rows with ``READ_COLUMNS``, in any order; of repeated patches the last one counts.

        Raises:
            OSError: when it cannot be written; nothing is left behind then.
        """
        with staged_folder(self.root, ".new-") as staged:
            _fill(staged, ids, batches)
            sums = {name: _checksum(staged / f"{name}.npy") for name in READ_COLUMNS}
            write_atomically(staged / _SUMS, json.dumps(sums).encode())
            self.remove(recipe)
            move_in(staged, self.root / recipe.key, whole=_SUMS)

    def read(self, recipe: Recipe) -> Features | None:
        """Return the features of a recipe, arrays read-only; None when there is no whole snapshot."""
        directory = self.root / recipe.key
        try:
            sums = json.loads((directory / _SUMS).read_text(encoding="utf-8"))
            present(directory)
            columns = {name: _load(directory / f"{name}.npy", sums[name]) for name in READ_COLUMNS}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return from_columns(recipe, columns)

    def remove(self, recipe: Recipe) -> None:
        """Remove a snapshot; who has it open keeps it."""
        discard(self.root / recipe.key, first=_SUMS)


def _fill(directory: Path, ids: IntArray, batches: Iterable[pa.RecordBatch]) -> None:
    maps: dict[str, Any] = {}
    for batch in batches:
        places = np.searchsorted(ids, batch.column("patch_id").to_numpy())
        for name in READ_COLUMNS:
            values = to_numpy(batch.column(name))
            if name not in maps:
                shape = (len(ids), *values.shape[1:])
                maps[name] = np.lib.format.open_memmap(directory / f"{name}.npy", "w+", values.dtype, shape)
            maps[name][places] = values
    for values in maps.values():
        values.flush()


def _load(path: Path, checksum: int) -> Any:  # noqa: ANN401  of any dtype
    if _checksum(path) != checksum:
        raise ValueError(path.name)
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
