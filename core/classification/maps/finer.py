"""Finer maps of classes: the probabilities of overlapping patches on the cells between their edges, kept on disk."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.cells import ChanceCells, chance_cells
from core.classification.heads import Head
from core.classification.saved import SUFFIX, load_head, save_head
from core.features.derived import DerivedArrays
from core.features.recipe import Recipe
from core.progress import Progress, silent
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

_ROWS = 8192


class FinerMaps(DerivedArrays):
    """Maps under ``root``/finer, float16 of shape (rows, columns, classes + 1), the last = share of unknown land.

    A map is kept under the recipe of the overlapping patches and the key of the head, which lies beside it.
    """

    what = "a finer map"

    def __init__(self, root: Path) -> None:
        super().__init__(root / "finer")

    def put_cells(self, recipe: Recipe, key: str, cells: ChanceCells) -> None:
        """Keep a map; errors as of ``put``."""
        self.put(recipe, key, np.concatenate([cells.chances, cells.novel[..., None]], axis=2).astype(np.float16))

    def cells(self, recipe: Recipe, key: str) -> ChanceCells | None:
        """Return a map, its place left out; None where there is none."""
        found = self.get(recipe, key)
        if found is None or found.ndim != 3:
            return None
        table = found.astype(np.float32)
        return ChanceCells(chances=table[..., :-1], novel=table[..., -1])

    def made(self, recipe: Recipe, key: str) -> date | None:
        """Return the day, in UTC, on which a map was made; None where there is none."""
        try:
            return datetime.fromtimestamp(self._path(recipe, key).stat().st_mtime, UTC).date()
        except OSError:
            return None

    def put_head(self, recipe: Recipe, key: str, head: Head) -> None:
        """Keep the head that a map is to be made by.

        Raises:
            StoreError: when the disk refuses it.
        """
        path = self._head(recipe, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_head(head, path)

    def head(self, recipe: Recipe, key: str) -> Head:
        """Return that head.

        Raises:
            EncoderError: when it is not there any more, or damaged.
        """
        return load_head(self._head(recipe, key))

    def _head(self, recipe: Recipe, key: str) -> Path:
        return self.root / recipe.scene_id / f"{recipe.key}-{key}{SUFFIX}"


def finer_cells(
    head: Head,
    vectors: FloatArray,
    *,
    place: GeoBox,
    grid: PatchGrid,
    ids: IntArray,
    novel: NDArray[np.bool_] | None = None,
    progress: Progress = silent,
) -> ChanceCells:
    """Return the mean probabilities of all patches over each cell, as ``chance_cells`` does.

    Args:
        head: that names them.
        vectors: features of overlapping patches, shape (N, D).
        place: where the pixels of the scene lie.
        grid: the patches.
        ids: int64 of shape (N,).
        novel: True = land that the encoder does not know, shape (N,).
        progress: told (patches named, patches).

    Raises:
        EncoderError: when the features are not of the head's encoder.
        SettingsError: when there would be too many cells.
    """
    parts = []
    for start in range(0, len(vectors), _ROWS):
        parts.append(head.chances(vectors[start : start + _ROWS]))
        progress(min(start + _ROWS, len(vectors)), len(vectors))
    unheard = ~head.heard(vectors)
    return chance_cells(place, grid, ids, np.concatenate(parts), unheard if novel is None else unheard | novel)
