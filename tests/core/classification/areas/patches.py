"""Files of classified patches, as ``classify`` writes them, on a grid of one's own choosing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from core.export.geometry import polygons
from core.scenes.geobox import outlines_lonlat


def squares(
    cols: int, rows: int, *, side: float = 640, step: float = 640, crs: str = "EPSG:32631"
) -> NDArray[np.object_]:
    """Outlines in EPSG:4326, row by row from the upper left."""
    left, top = (500_000.0, 5_700_000.0) if crs != "EPSG:4326" else (10.0, 60.0)
    x, y = np.meshgrid(left + step * np.arange(cols), top - step * np.arange(rows))
    xs = x.ravel()[:, None] + [0, side, side, 0]
    ys = y.ravel()[:, None] - [0, 0, side, side]
    return polygons(outlines_lonlat(crs, xs, ys))


def write_classified(
    path: Path,
    classes: Sequence[str | None],
    *,
    shapes: NDArray[np.object_] | None = None,
    abstained: Sequence[bool] | None = None,
    probability: Sequence[float] | None = None,
    valid: Sequence[float | None] | None = None,
    first: int = 0,
    crs: object = "none",
) -> Path:
    """Write a row a class; ``crs`` is what the file states of its outlines, “none” = nothing."""
    count = len(classes)
    columns = {
        "patch_id": pa.array(np.arange(first, first + count)),
        "class": pa.array(list(classes), pa.string()),
        "probability": pa.array([0.9] * count if probability is None else list(probability), pa.float32()),
        "abstained": pa.array([False] * count if abstained is None else list(abstained)),
        "geometry": pa.array([None] * count if shapes is None else shapely.to_wkb(shapes).tolist(), pa.binary()),
    }
    if valid is not None:
        columns["valid_fraction"] = pa.array(valid, pa.float64())
    about = {} if crs == "none" else {"crs": crs}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"} | about}}
    pq.write_table(pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path
