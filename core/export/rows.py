"""Patches with all that is said of them, as every format of files takes them. How they are written is ``formats``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.bands import FloatArray
from core.export.geometry import Shapes, patch_shapes
from core.scenes.geobox import GeoBox
from core.scenes.labels import PatchLabels
from core.scenes.outline_areas import outline_hectares
from core.scenes.patches import IntArray, PatchGrid, corners_xy
from core.scenes.scene import Scene

NO_COLUMNS: Mapping[str, NDArray[Any]] = MappingProxyType({})

_LEADING = (
    "rank",
    "patch_id",
    "similarity",
    "measure",
    "label",
    "class",
    "probability",
    "scene",
    "date",
    "encoder",
    "area_ha",
    "valid_fraction",
)
"""Columns that come first, in their order, where there are any."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportRows:
    """Patches to write.

    Attributes:
        columns: by name, each of shape (N,): numbers (NaN = none), truth values, or strings (None = none).
        shapes: outlines in EPSG:4326, of shape (N,); None where the place is unknown.
        crs: reference system of the scene; None where it has none, and for collections.
        planar: outlines in that system, shape (N,); None without one.
        matrices: numbers of each patch that only Parquet can hold, such as ``vector``: float32 of shape (N, D).
        about: what the file says of scene, encoder and cutting, as ``landlike`` in files of features.
    """

    columns: Mapping[str, NDArray[Any]]
    shapes: Shapes
    crs: str | None = None
    planar: Shapes | None = None
    matrices: Mapping[str, FloatArray] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.shapes)


def scene_rows(
    scene: Scene,
    grid: PatchGrid,
    ids: IntArray,
    *,
    encoder: str = "",
    labels: PatchLabels | None = None,
    valid: FloatArray | None = None,
    columns: Mapping[str, NDArray[Any]] = NO_COLUMNS,
) -> ExportRows:
    """Return patches of a scene with their names, labels and areas.

    Args:
        scene: where they are from.
        grid: its patches.
        ids: of shape (N,), in the order of the file.
        encoder: name of the encoder that the columns come from, or empty.
        labels: classes to name them by; None = no labels.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (N,); None = not known.
        columns: what else is said of them, such as ``rank`` and indices, each of shape (N,).
    """
    shapes = patch_shapes(scene, grid, ids)
    named: dict[str, NDArray[Any]] = {
        "patch_id": ids,
        "label": label_names(labels, ids),
        "scene": constant(scene.id, len(ids)),
        "date": constant(scene.date, len(ids)),
        "encoder": constant(encoder or None, len(ids)),
        "area_ha": area_column(shapes, valid),
    }
    if valid is not None:
        named["valid_fraction"] = valid
    planar = None if scene.is_collection else planar_shapes(scene.grid, grid, ids)
    about = {"scene": {"id": scene.id, "name": scene.name, "date": scene.date, "synthetic": scene.synthetic}}
    crs = scene.grid.crs if planar is not None else None
    return ExportRows(columns=ordered(named | dict(columns)), shapes=shapes, crs=crs, planar=planar, about=about)


def area_column(shapes: Shapes, valid: NDArray[np.floating[Any]] | None) -> NDArray[np.float64]:
    """Return the areas of patches as files have them: hectares to 1 m², of shape (N,); NaN where there is none.

    Args:
        shapes: outlines.
        valid: the share of the pixels of each that hold data, of which alone the area is; None = whole outlines.
    """
    whole = outline_hectares(shapes)
    return np.round(whole if valid is None else whole * valid, 4)


def constant(text: str | None, count: int) -> NDArray[np.object_]:
    """Return a column of one text, or of none."""
    return np.full(count, text, dtype=object)


def ordered(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return columns in the order that all files have."""
    first = [name for name in _LEADING if name in columns]
    return {name: columns[name] for name in [*first, *(name for name in columns if name not in first)]}


def label_names(labels: PatchLabels | None, ids: IntArray) -> NDArray[np.object_]:
    """Return the class of each of some patches, of shape (N,), None where there is none."""
    if labels is None:
        return constant(None, len(ids))
    names = np.array([*labels.classes, None], dtype=object)  # An index of −1 is the last: none.
    return names[np.where(labels.index[ids] < 0, -1, labels.index[ids])]


def planar_shapes(place: GeoBox, grid: PatchGrid, ids: IntArray) -> Shapes | None:
    """Return outlines in the reference system of a grid; None without one."""
    if place.crs is None:
        return None
    shapes: Shapes = shapely.orient_polygons(shapely.polygons(corners_xy(place, grid, ids)))
    return shapes
