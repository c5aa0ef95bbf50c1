"""A file of classified patches as designs of samples and areas need it: what each patch is, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from core.classification.areas.estimation import ABSTAINED
from core.errors import ClassificationError
from core.export.geometry import Shapes, middles, outlines_of
from core.export.geoparquet import open_table
from core.export.selection import valid_shares
from core.scenes.patches import IntArray

_REMEDY = "give a file that “python -m core classify” wrote"


@dataclass(frozen=True, kw_only=True)
class ClassifiedPatches:
    """Patches of a map of classes.

    Attributes:
        name: of the file, for sentences.
        ids: patch ids, int64 of shape (N,), each once.
        classes: of each, shape (N,); ``ABSTAINED`` where none was given.
        probability: that the class is right, float64 of shape (N,), 0 to 1, NaN = not known.
        shapes: outlines in EPSG:4326, longitude first, shape (N,), None = place unknown.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (N,); None = not known.
    """

    name: str
    ids: IntArray
    classes: NDArray[np.object_]
    probability: NDArray[np.float64]
    shapes: Shapes
    valid: NDArray[np.float64] | None = None

    @cached_property
    def strata(self) -> dict[str, IntArray]:
        """Rows of each class by its name, in the order of names, ``ABSTAINED`` last."""
        names = sorted(set(self.classes.tolist()), key=lambda name: (name == ABSTAINED, name))
        return {name: np.flatnonzero(self.classes == name) for name in names}

    def places(self, rows: IntArray) -> NDArray[np.float64]:
        """Return longitude and latitude of the middle of some patches, shape (n, 2), NaN where unknown."""
        return middles(self.shapes[rows])


def read_classified(path: Path) -> ClassifiedPatches:
    """Read a Parquet file with ``patch_id``, ``class``, and perhaps ``probability``, ``abstained``, ``geometry``.

    Raises:
        ClassificationError: when a column is missing or holds something else, or patches stand twice.
        StoreError: when it is no Parquet file.
    """
    asked = f"Reading “{path.name}”"
    table = open_table(path, asked, _REMEDY)
    lacking = [name for name in ("patch_id", "class") if name not in table.column_names]
    if lacking:
        raise ClassificationError(asked, f"it has no column {' and no column '.join(lacking)}", _REMEDY)
    if not table.num_rows:
        raise ClassificationError(asked, "it has no patches", _REMEDY)
    try:
        ids = table.column("patch_id").to_numpy().astype(np.int64, casting="safe")
        classes = _names(table)
        probability = _probability(table)
        shapes, valid = outlines_of(table), valid_shares(table)
    except (pa.ArrowException, ValueError, TypeError, AttributeError, KeyError, shapely.errors.ShapelyError) as error:
        found = f"its columns are not those of classified patches ({str(error).splitlines()[0][:120]})"
        raise ClassificationError(asked, found, _REMEDY) from error
    if len(np.unique(ids)) != len(ids):
        raise ClassificationError(asked, "some patch ids occur twice", _REMEDY)
    return ClassifiedPatches(
        name=path.name, ids=ids, classes=classes, probability=probability, shapes=shapes, valid=valid
    )


def _names(table: pa.Table) -> NDArray[np.object_]:
    """Return the class of each patch, or ``ABSTAINED``."""
    column = table.column("class")
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        raise TypeError("the classes are not names")
    given = [None if name is None else str(name).strip() for name in column.to_pylist()]
    if ABSTAINED in given:
        raise ValueError(f"a class is called “{ABSTAINED}”")
    none = [False] * len(given)
    if "abstained" in table.column_names:
        none = [bool(one) for one in table.column("abstained").cast(pa.bool_()).to_pylist()]
    named = [ABSTAINED if out or not name else name for name, out in zip(given, none, strict=True)]
    return np.array(named, dtype=object)


def _probability(table: pa.Table) -> NDArray[np.float64]:
    if "probability" not in table.column_names:
        return np.full(table.num_rows, np.nan)
    found: NDArray[np.float64] = table.column("probability").cast(pa.float64()).to_numpy(zero_copy_only=False)
    if (found < 0).any() or (found > 1).any():
        raise ValueError("a probability is not between 0 and 1")
    return found
