"""Labels of square tiles of a scene from a table with the columns row, col and label."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_CLASSES
from core.text import decode_text

MAX_TABLE_BYTES = 64 * 2**20
_COLUMNS = {"row", "col", "label"}


@dataclass(frozen=True, kw_only=True)
class TileLabels:
    """The truth of tiles.

    Attributes:
        classes: names, sorted.
        index: uint16 of shape (rows, cols), 0 = none, else 1 + index of the class.
    """

    classes: tuple[str, ...]
    index: NDArray[np.uint16]

    def raster(self, height: int, width: int) -> tuple[NDArray[np.uint16], int] | None:
        """Return the class of each pixel of a scene, and pixels a tile; None when the tiles do not fit the scene.

        Tiles are square and start at the upper left; they fit when their number along rows and columns gives the same
        size, fractions of a tile at the far edges apart.
        """
        rows, cols = self.index.shape
        side = min(height // rows, width // cols)
        if side < 1 or height // side != rows or width // side != cols:
            return None
        truth = np.zeros((height, width), dtype=np.uint16)
        truth[: rows * side, : cols * side] = np.kron(self.index, np.ones((side, side), dtype=np.uint16))
        return truth, side


def read_labels(path: Path) -> TileLabels | str:
    """Read a table of labels; on failure the reason, a clause."""
    if path.stat().st_size > MAX_TABLE_BYTES:
        return "the table of labels is too large"
    try:
        with StringIO(decode_text(path.read_bytes()), newline="") as file:
            reader = csv.DictReader(file)
            names = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
            if not names.keys() >= _COLUMNS:
                return "the table has no columns row, col and label"
            cells = [
                (
                    int(line[names["row"]]),
                    int(line[names["col"]]),
                    clean_name(str(line[names["label"]] or "").strip(), 120),
                )
                for line in reader
            ]
    except (UnicodeDecodeError, csv.Error, ValueError, TypeError):
        return "the table of labels cannot be read"
    return _arrange(cells)


def _arrange(cells: list[tuple[int, int, str]]) -> TileLabels | str:
    classes = tuple(sorted({label for _, _, label in cells if label}))
    if not classes or len(classes) > MAX_CLASSES:
        return f"the table of labels has {len(classes):,} classes"
    if min(min(row, col) for row, col, _ in cells) < 0 or max(max(row, col) for row, col, _ in cells) > 10_000:
        return "the table of labels has rows or columns outside of any scene"
    index = np.zeros((max(row for row, _, _ in cells) + 1, max(col for _, col, _ in cells) + 1), dtype=np.uint16)
    for row, col, label in cells:
        index[row, col] = classes.index(label) + 1 if label else 0
    return TileLabels(classes=classes, index=index)
