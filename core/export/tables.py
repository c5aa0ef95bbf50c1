"""Patches as text: CSV and GeoJSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.export.geometry import geojson_geometries, middles
from core.export.rows import ExportRows
from core.scenes.labels import PatchLabels
from core.scenes.patches import PatchGrid, centres_lonlat
from core.scenes.scene import Scene

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""First characters that make a spreadsheet run a cell (OWASP, CSV injection), and some that hide them."""

Cell = str | float | int | bool | None


def geojson_text(rows: ExportRows) -> str:
    """Return patches as a GeoJSON FeatureCollection (RFC 7946), in their order.

    Each feature has the columns as properties, null where unknown. Its geometry is the outline of the patch, cut where
    it crosses the antimeridian, or null where the place is unknown.
    """
    names, outlines = list(rows.columns), geojson_geometries(rows.shapes)
    ids = rows.columns.get("patch_id")
    features = [
        {"type": "Feature"}
        | ({} if ids is None else {"id": int(ids[at])})
        | {"geometry": outlines[at], "properties": dict(zip(names, line, strict=True))}
        for at, line in enumerate(_lines(rows.columns))
    ]
    whole = {"type": "FeatureCollection", "landlike": dict(rows.about), "features": features}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False)


def csv_text(rows: ExportRows) -> str:
    """Return patches as CSV (RFC 4180), in their order.

    The columns, with ``lon`` and ``lat`` of the centre in degrees after ``patch_id`` and ``similarity``; what is
    unknown is empty. A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay.
    """
    names = list(rows.columns)
    at = 1 + max((names.index(name) for name in ("rank", "patch_id", "similarity") if name in names), default=-1)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(name) for name in [*names[:at], "lon", "lat", *names[at:]]])
    for line, place in zip(_lines(rows.columns), _centres(rows), strict=True):
        cells = [_spreadsheet(cell) for cell in line]
        writer.writerow([*cells[:at], *place, *cells[at:]])
    return text.getvalue()


def labels_csv(scene: Scene, grid: PatchGrid, labels: PatchLabels) -> str:
    """Return the labelled patches as CSV (RFC 4180), by patch id.

    Columns: patch_id, row, col (on the grid of patches), lon, lat (of the centre, degrees; empty where unknown), label,
    as in ``csv_text``.
    """
    ids = np.flatnonzero(labels.index >= 0)
    middles = centres_lonlat(scene, grid, ids)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["patch_id", "row", "col", "lon", "lat", "label"])
    for line, patch_id in enumerate(ids.tolist()):
        name = labels.classes[int(labels.index[patch_id])]
        place = ("", "") if middles is None else _degrees(middles[line])
        writer.writerow([patch_id, *grid.row_col(patch_id), *place, harmless(name)])
    return text.getvalue()


def rows_csv(columns: Mapping[str, Sequence[str]]) -> str:
    """Return columns of text as CSV (RFC 4180); no cell runs in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(list(columns))
    writer.writerows([harmless(cell) for cell in cells] for cells in zip(*columns.values(), strict=True))
    return text.getvalue()


def harmless(cell: str) -> str:
    """Return a cell of text that no spreadsheet takes for a formula."""
    risky = cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
    return f"'{cell}" if risky else cell


def _lines(columns: Mapping[str, NDArray[Any]]) -> list[tuple[Cell, ...]]:
    """Return what is said of each patch, in the order of the columns."""
    return list(zip(*(_cells(column) for column in columns.values()), strict=True))


def _cells(column: NDArray[Any]) -> list[Cell]:
    """Return a column as Python's values: None where there is none, a number with the digits that its type has."""
    if column.dtype.kind != "f":
        return [None if _missing(cell) else cell for cell in column.tolist()]
    # The shortest text that gives the same float32: 0.99, where its double would be 0.9900000095367432.
    return [float(str(number)) if np.isfinite(number) else None for number in column]


def _missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and not np.isfinite(cell))


def _spreadsheet(cell: Cell) -> str | float | int:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell


def _centres(rows: ExportRows) -> list[tuple[str, str]]:
    """Return longitude and latitude of the middle of each outline as text; empty where unknown."""
    return [_degrees(place) for place in middles(rows.shapes)]


def _degrees(place: NDArray[np.float64]) -> tuple[str, str]:
    return ("", "") if np.isnan(place).any() else (f"{place[0]:.7f}", f"{place[1]:.7f}")
