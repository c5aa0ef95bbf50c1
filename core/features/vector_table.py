"""The vectors of a scene without pixels, and what their file says of each patch; read from the scene's own files.

Such a scene is a collection: every row of the file is a patch whose id is the row, from 0, so that ``PatchRef`` joins
as ever. The mosaic that its ids are laid out on has cells of ``VECTOR_CELL`` pixels which nobody ever sees; where they
lie on Earth is in ``places.parquet``. How a file becomes one is ``core.ingest.embeddings``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.errors import SceneError
from core.files import FileState, file_state, present
from core.scenes.patches import IntArray
from core.scenes.scene import Scene

VECTOR_CELL = 8
"""Pixels a side of a cell of the mosaic: the least that a patch can have."""

NO_PIXELS = "it is a file of vectors and holds no pixels"
"""What is found where something needs pixels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorTable:
    """The vectors of a scene, in the order of its file.

    Attributes:
        ids: int64 of shape (N,): which patches they are of, each once.
        vectors: float32 of shape (N, D), mapped from the disk.
        statistics: float32 of shape (N, 26), means and deviations of bands, likewise; None = not known.
    """

    ids: IntArray
    vectors: FloatArray
    statistics: FloatArray | None

    def __len__(self) -> int:
        return len(self.ids)


def vector_table(scene: Scene) -> VectorTable:
    """Return the vectors of a scene without pixels.

    Raises:
        SceneError: when it has pixels, or its files are missing or damaged.
    """
    asked = f"Reading the vectors of “{scene.name}”"
    if scene.given is None:
        raise SceneError(asked, "it has pixels and no vectors of its own", "encode it")
    try:
        ids, vectors = _mapped(scene.directory / "rows.npy"), _mapped(scene.directory / "vectors.npy")
        statistics = _mapped(scene.directory / "statistics.npy") if scene.given.statistics else None
        check_table(ids, vectors, statistics, dimension=scene.given.encoder["dimension"], cells=_cells(scene))
    except (OSError, ValueError, KeyError) as error:
        raise SceneError(asked, "they are missing or damaged", "add the file again") from error
    return VectorTable(ids=ids, vectors=vectors, statistics=statistics)


def _cells(scene: Scene) -> int:
    return (scene.grid.height // VECTOR_CELL) * (scene.grid.width // VECTOR_CELL)


def check_table(ids: Any, vectors: Any, statistics: Any, *, dimension: int, cells: int) -> None:  # noqa: ANN401
    """Check that arrays fit each other and the mosaic.

    Raises:
        ValueError: when they do not, saying what.
    """
    if ids.dtype != np.int64 or ids.ndim != 1 or len(np.unique(ids)) != len(ids):
        raise ValueError("rows")
    if len(ids) and (ids.min() < 0 or ids.max() >= cells):
        raise ValueError("rows")
    if vectors.dtype != np.float32 or vectors.shape != (len(ids), dimension):
        raise ValueError("vectors")
    if statistics is not None and (
        statistics.dtype != np.float32 or statistics.shape != (len(ids), 2 * len(BAND_NAMES))
    ):
        raise ValueError("statistics")


def _mapped(path: Path) -> Any:  # noqa: ANN401  of any dtype
    return np.load(present(path), mmap_mode="r", allow_pickle=False)


def given_values(scene: Scene, name: str) -> NDArray[np.float32] | None:
    """Return what the file says of every cell in a column, float32 of shape (cells,), NaN = nothing; None without it.

    Of a column of classes or dates they are positions among ``GivenColumn.classes``.
    """
    path = scene.directory / "values.parquet"
    try:
        return _columns(path, file_state(path)).get(name)
    except (OSError, pa.ArrowException):
        return None


@lru_cache(maxsize=8)
def _columns(path: Path, _state: FileState) -> dict[str, NDArray[np.float32]]:
    table = pq.read_table(path)
    found = {name: table.column(name).to_numpy().astype(np.float32) for name in table.column_names}
    for values in found.values():
        values.flags.writeable = False
    return found
