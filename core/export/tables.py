"""A query and its neighbours as text to take away: GeoJSON and CSV. Whole tables of features go by ``geoparquet``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.export.geometry import geojson_geometry
from core.scenes.labels import PatchLabels
from core.scenes.patches import PatchGrid, PatchRef, centres_lonlat, corners_lonlat
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""First characters that make a spreadsheet run a cell (OWASP, CSV injection), and some that hide them."""


@dataclass(frozen=True)
class _Line:
    """One patch of the list; rank 0 is the query."""

    rank: int
    patch_id: int
    similarity: float
    label: str | None
    values: dict[str, float | str | None]


def _lines(
    query: PatchRef, neighbours: Neighbours, labels: PatchLabels | None, values: Mapping[str, NDArray[Any]]
) -> Iterator[_Line]:
    ids = [query.patch, *neighbours.ids.tolist()]
    similarities = [1.0, *neighbours.similarity.tolist()]
    for rank, (patch_id, similarity) in enumerate(zip(ids, similarities, strict=True)):
        index = -1 if labels is None else int(labels.index[patch_id])
        label = labels.classes[index] if labels is not None and index >= 0 else None
        cells = {name: _cell(column[rank]) for name, column in values.items()}
        yield _Line(rank, patch_id, round(similarity, 6), label, cells)


def _cell(value: np.float32 | str) -> float | str | None:
    if isinstance(value, str):
        return value
    return round(float(value), 6) if np.isfinite(value) else None


def neighbours_geojson(
    scene: Scene,
    grid: PatchGrid,
    query: PatchRef,
    neighbours: Neighbours,
    labels: PatchLabels | None = None,
    *,
    values: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> str:
    """Return the query (rank 0) and its neighbours as a GeoJSON FeatureCollection (RFC 7946), best first.

    Each feature has the properties ``rank``, ``patch_id``, ``similarity``, ``label``, ``scene`` and the values by name.
    Its geometry is the outline of the patch, cut where it crosses the antimeridian, or null where the place is unknown.

    Args:
        scene: where the patches are from.
        grid: its patches.
        query: the patch that was asked about, of the scene.
        neighbours: what was found.
        labels: truth to name the patches by; None = no labels.
        values: of the query and its neighbours by name, each float32 of shape (1 + k,), NaN = none, or strings.
    """
    lines = list(_lines(query, neighbours, labels, values))
    corners = corners_lonlat(scene, grid, np.array([line.patch_id for line in lines], dtype=np.int64))
    features = [
        {
            "type": "Feature",
            "id": line.patch_id,
            "geometry": None if corners is None else geojson_geometry(corners[line.rank]),
            "properties": {
                "rank": line.rank,
                "patch_id": line.patch_id,
                "similarity": line.similarity,
                "label": line.label,
                "scene": query.scene,
                **line.values,
            },
        }
        for line in lines
    ]
    about = {"scene": scene.id, "name": scene.name, "date": scene.date, "synthetic": scene.synthetic}
    whole = {"type": "FeatureCollection", "landlike": about, "features": features}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False)


def neighbours_csv(
    scene: Scene,
    grid: PatchGrid,
    query: PatchRef,
    neighbours: Neighbours,
    labels: PatchLabels | None = None,
    *,
    values: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> str:
    """Return the query (rank 0) and its neighbours as CSV (RFC 4180), best first.

    Columns: rank, patch_id, similarity, lon, lat (of the centre, degrees), label, scene, and the values by name;
    what is unknown is empty. A label that a spreadsheet would run as a formula gets an apostrophe in front.

    Arguments as of ``neighbours_geojson``.
    """
    lines = list(_lines(query, neighbours, labels, values))
    middles = centres_lonlat(scene, grid, np.array([line.patch_id for line in lines], dtype=np.int64))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["rank", "patch_id", "similarity", "lon", "lat", "label", "scene", *values])
    for line in lines:
        place = _degrees(middles, line.rank)
        cells = [line.rank, line.patch_id, f"{line.similarity:.6f}", *place, harmless(line.label or ""), query.scene]
        writer.writerow([*cells, *(_spreadsheet(value) for value in line.values.values())])
    return text.getvalue()


def _spreadsheet(value: float | str | None) -> float | str:
    return harmless(value) if isinstance(value, str) else "" if value is None else value


def labels_csv(scene: Scene, grid: PatchGrid, labels: PatchLabels) -> str:
    """Return the labelled patches as CSV (RFC 4180), by patch id.

    Columns: patch_id, row, col (on the grid of patches), lon, lat (of the centre, degrees; empty where unknown), label,
    as in ``neighbours_csv``.
    """
    ids = np.flatnonzero(labels.index >= 0)
    middles = centres_lonlat(scene, grid, ids)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["patch_id", "row", "col", "lon", "lat", "label"])
    for line, patch_id in enumerate(ids.tolist()):
        name = labels.classes[int(labels.index[patch_id])]
        writer.writerow([patch_id, *grid.row_col(patch_id), *_degrees(middles, line), harmless(name)])
    return text.getvalue()


def _degrees(middles: NDArray[np.float64] | None, line: int) -> tuple[str, str]:
    """Return longitude and latitude as text; empty where they are unknown."""
    if middles is None or np.isnan(middles[line]).any():
        return "", ""
    return f"{middles[line, 0]:.7f}", f"{middles[line, 1]:.7f}"


def harmless(cell: str) -> str:
    """Return a cell of text that no spreadsheet takes for a formula."""
    risky = cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
    return f"'{cell}" if risky else cell
