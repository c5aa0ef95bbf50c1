"""Where patches lie on Earth, of scenes and collections alike: bounds, outlines, and the patch under a place."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.scenes.geobox import METRES_PER_DEGREE, GeoBox, outlines_lonlat
from core.scenes.patches import IntArray, PatchGrid, corners_lonlat
from core.scenes.places import collection_corners, table_corners
from core.scenes.scene import Scene
from core.scenes.webmercator import FloatGrid, footprint, rowcol_lonlat

Bounds = tuple[float, float, float, float]
"""(west, south, east, north) in degrees; east exceeds 180 beyond the antimeridian."""


def bounds_lonlat(scene: Scene) -> Bounds | None:
    """Return the box around a scene or all patches of a collection, as far as web maps reach (±85.05°).

    None when no place is known or all lies beyond.
    """
    if not scene.is_collection:
        box = footprint(scene.grid) if scene.grid.crs is not None else None
        return box.lonlat() if box is not None and box.top - box.bottom > 1 else None
    return _bounds_of(scene.places_path, scene.places_path.stat().st_mtime_ns)


def outlines(scene: Scene, grid: PatchGrid, ids: IntArray) -> FloatGrid:
    """Return corners of patches as ``corners_lonlat``, turned into ``bounds_lonlat``; NaN = the place is unknown."""
    bounds = bounds_lonlat(scene)
    corners = corners_lonlat(scene, grid, ids)
    if corners is None or bounds is None:
        return np.full((len(ids), 4, 2), np.nan)
    return _turned(corners, bounds)


def _turned(corners: FloatGrid, bounds: Bounds) -> FloatGrid:
    """Return outlines turned around the Earth until they lie about some bounds."""
    middle = (bounds[0] + bounds[2]) / 2
    turns = np.round((corners[:, :, 0].mean(axis=1) - middle) / 360)
    moved: FloatGrid = corners - np.stack([360 * turns, 0 * turns], axis=1)[:, None, :]
    return moved


def left_over_outlines(scene: Scene, grid: PatchGrid) -> FloatGrid:
    """Return corners of the strips at the edge that no patch covers, as ``outlines`` gives them, shape (N, 4, 2).

    None are given of a collection, whose pictures have no edge, and of a scene whose place is unknown.
    """
    bounds = bounds_lonlat(scene)
    if scene.is_collection or scene.grid.crs is None or bounds is None:
        return np.empty((0, 4, 2))
    return _turned(_strips(scene.grid, grid), bounds)


@lru_cache(maxsize=16)
def _strips(place: GeoBox, grid: PatchGrid) -> FloatGrid:
    """Return outlines of what no patch covers; kept, for pyproj reads a reference system anew in every thread."""
    below, right = grid.left_over
    strips = np.array(
        [
            *([(0, grid.width - right, grid.height, grid.width)] if right else []),
            *([(grid.height - below, 0, grid.height, grid.width - right)] if below else []),
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    top, left, bottom, end = strips.T
    xs, ys = place.xy(np.stack([top, top, bottom, bottom], 1), np.stack([left, end, end, left], 1))
    outlined = outlines_lonlat(place.crs or "", xs, ys)
    outlined.flags.writeable = False
    return outlined


def patch_at_lonlat(
    scene: Scene, grid: PatchGrid, lon: float, lat: float, reach: float = 0.0, *, there: IntArray | None = None
) -> int | None:
    """Find the patch at a place.

    Args:
        scene: a scene or collection.
        grid: its patches.
        lon: degrees, of any turn around the Earth.
        lat: degrees.
        reach: collections only: how many metres from a patch's centre still count where no patch holds the place.
        there: scenes only: ids of the patches that count; None = all.

    Returns:
        The patch that holds the place (the one of the nearest centre where several do), or None.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)) or abs(lat) > 90:
        return None
    if scene.is_collection:
        return _nearest_place(collection_corners(scene), lon, lat, reach)
    if scene.grid.crs is None:
        return None
    row, col = rowcol_lonlat(scene.grid, np.array([lon]), np.array([lat]))
    return grid.patch_at(float(row[0]), float(col[0]), there)


def _nearest_place(corners: FloatGrid, lon: float, lat: float, reach: float) -> int | None:
    """Find the convex quadrangle that holds a place, else the nearest centre within ``reach`` metres."""
    east = (corners[:, :, 0] - lon + 180) % 360 - 180
    east = east - 360 * np.round((east - east[:, :1]) / 360)
    metres = np.stack([east * math.cos(math.radians(lat)), corners[:, :, 1] - lat], axis=2) * METRES_PER_DEGREE
    distance = np.hypot(*metres.mean(axis=1).T)
    distance[np.isnan(distance)] = np.inf
    after = np.roll(metres, -1, axis=1)
    turn = metres[:, :, 0] * after[:, :, 1] - metres[:, :, 1] * after[:, :, 0]
    holds = np.logical_or((turn >= 0).all(axis=1), (turn <= 0).all(axis=1))
    candidates = np.where(holds, distance, np.inf) if holds.any() else distance
    best = int(candidates.argmin()) if len(candidates) else -1
    if best < 0 or not np.isfinite(candidates[best]) or (not holds[best] and distance[best] > reach):
        return None
    return best


@lru_cache(maxsize=32)
def _bounds_of(path: Path, changed: int) -> Bounds | None:
    corners = table_corners(path, changed)
    known = corners[np.isfinite(corners).all(axis=(1, 2))]
    if not len(known):
        return None
    west = _start(known[:, 0, 0]) - 1e-9  # so that rounding sends no patch once around the Earth
    first = west + (known[:, :1, 0] - west) % 360
    lon = first + (known[:, :, 0] - known[:, :1, 0] + 180) % 360 - 180
    return float(lon.min()), float(known[:, :, 1].min()), float(lon.max()), float(known[:, :, 1].max())


def _start(lon: FloatGrid) -> float:
    """Return the longitude, in [−180, 180), at which the shortest arc that holds all of them begins."""
    around = np.unique((lon + 180) % 360 - 180)
    gaps = np.diff(np.append(around, around[0] + 360))
    return float(around[(int(gaps.argmax()) + 1) % len(around)])
