"""Small Parquet files of vectors as other programs write them, whose numbers say which row they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS

ROWS, DIMENSION = 30, 16
STEP = 0.02
"""Degrees from square to square."""


def vectors(rows: int = ROWS, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Vectors that turn from row to row, so that the row before and the row after are the nearest."""
    angle = (np.linspace(0.2, 1.4, rows) ** 2)[:, None] * (1 + np.arange(dimension // 2) / dimension)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def centre(row: int) -> tuple[float, float]:
    """Longitude and latitude of a row: six squares a line, from 10° east and 50° north to the south."""
    return 10 + STEP * (row % 6), 50 - STEP * (row // 6)


def squares(rows: int = ROWS) -> list[shapely.Polygon]:
    """A square around the centre of each row."""
    half = STEP / 2
    return [shapely.box(x - half, y - half, x + half, y + half) for x, y in map(centre, range(rows))]


def wkb(shapes: list[Any]) -> pa.Array:
    """A column of WKB, null where there is no shape."""
    return pa.array([None if one is None else shapely.to_wkb(one) for one in shapes], pa.binary())


def lists(values: NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """A column of lists."""
    return pa.array(values.tolist(), pa.list_(kind or pa.float32()))


def geo(crs: Any = "unsaid", encoding: str = "WKB", name: str = "geometry", **more: Any) -> dict[str, str]:
    """The footer of GeoParquet: ``crs`` as PROJJSON, None, or not said."""
    column: dict[str, Any] = {"encoding": encoding, "geometry_types": [], **more}
    if crs != "unsaid":
        column["crs"] = CRS.from_user_input(crs).to_json_dict() if crs is not None else None
    return {"geo": json.dumps({"version": "1.1.0", "primary_column": name, "columns": {name: column}})}


def write(path: Path, columns: Mapping[str, Any], footer: Mapping[str, str] | None = None, **how: Any) -> Path:
    """Write a file with columns and a footer."""
    pq.write_table(pa.table(dict(columns)).replace_schema_metadata(dict(footer or {})), path, **how)
    return path


def plain(path: Path, values: NDArray[Any] | None = None, shapes: list[Any] | None = None, **more: Any) -> Path:
    """Write squares with their vectors in a column ``embedding``."""
    values = vectors() if values is None else values
    shapes = squares(len(values)) if shapes is None else shapes
    return write(path, {"embedding": lists(values), "geometry": wkb(shapes), **more}, geo("EPSG:4326"))
