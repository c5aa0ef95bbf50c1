"""Areas of interest: only their patches are cut of a scene. They are kept beside it, under names made of their shape.

A patch belongs to an area when some of it lies inside, so that the patches of an area cover all of it. A vector of a
point belongs to it when the point does: the square that is drawn around it says nothing of what it covers.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import PatchError, SettingsError
from core.files import write_atomically
from core.scenes.areas import covered_cells, patch_edges
from core.scenes.geobox import outlines_lonlat
from core.scenes.patches import PatchGrid, corners_lonlat
from core.scenes.regions.map_region import MapRegion, read_region_file
from core.scenes.scene import Scene, load_scene

_ASKED = "Cutting the scene into patches"
_DIGITS = 7
"""Of a degree: one of the last is a centimetre."""
_SHARE = 1e-6
"""Of a patch that has to lie inside; less is rounding at a shared edge."""


def keep_area(scene: Scene, region: MapRegion) -> str:
    """Keep an area beside a scene; return the name that cuts know it by, ``Cut.area``.

    Raises:
        PatchError: when none of the scene lies inside, or where the scene lies is not known.
    """
    key = area_key(region)
    _inside_scene(scene, region)
    path = _path(scene, key)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps(region.to_feature()).encode())
    return key


def area_key(region: MapRegion) -> str:
    """Return the name of an area: shapes that differ by less than a centimetre have the same."""
    rounded = shapely.normalize(shapely.transform(region.shape, lambda corners: np.round(corners, _DIGITS) + 0.0))
    return f"a{hashlib.sha256(shapely.to_wkb(rounded, byte_order=1)).hexdigest()[:12]}"


def kept_areas(scene: Scene) -> list[str]:
    """Return the names of the areas that are kept beside a scene, the latest first."""
    folder = _path(scene, "a").parent
    paths = sorted(folder.glob("a*.geojson"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.stem for path in paths]


def kept_area(scene: Scene, key: str) -> MapRegion:
    """Return an area that is kept beside a scene.

    Raises:
        PatchError: when it is not there, or damaged.
    """
    try:
        return read_region_file(_path(scene, key))
    except SettingsError as error:
        found = "the area that it is cut by is not kept beside it, or damaged"
        raise PatchError(_ASKED, found, "choose the area again") from error


def inside_area(scene: Scene, grid: PatchGrid) -> NDArray[np.bool_] | None:
    """Return which patches of a grid belong to the area of its cut, bool of shape (count,); None where it has none.

    Raises:
        PatchError: when the area is not there, no patch belongs to it, or where the scene lies is not known.
    """
    if not grid.cut.area:
        return None
    found = _inside(scene.directory, grid)
    if not found.any():
        raise PatchError(_ASKED, "no patch lies in the area", "choose an area of the scene, or smaller patches")
    return found


def outside_windows(scene: Scene, grid: PatchGrid) -> list[tuple[int, int, int, int]]:
    """Return the pixels that no patch of a cut's area covers: (top, left, bottom, right) of windows side by side.

    None are given where the cut has no area. Errors as of ``inside_area``.
    """
    inside = inside_area(scene, grid)
    if inside is None:
        return []
    ends_of = zip(patch_edges(grid), (grid.height, grid.width), strict=True)
    tops, lefts = (np.append(edges[:-1], end).tolist() for edges, end in ends_of)
    found = []
    for row, members in enumerate(covered_cells(grid, np.flatnonzero(inside))):
        ends = np.flatnonzero(np.diff(np.concatenate([[True], members, [True]]).astype(np.int8))).tolist()
        found += [
            (tops[row], lefts[first], tops[row + 1], lefts[last])
            for first, last in zip(ends[::2], ends[1::2], strict=True)
        ]
    return found


def outside_shape(scene: Scene, grid: PatchGrid) -> shapely.Geometry:
    """Return ``outside_windows`` as one shape in EPSG:4326; empty where the cut has no area, or it cannot be told."""
    if not grid.cut.area or scene.is_collection or scene.grid.crs is None:
        return shapely.GeometryCollection()
    return _outside(scene.directory, grid)


@lru_cache(maxsize=8)
def _outside(directory: Path, grid: PatchGrid) -> shapely.Geometry:
    scene = load_scene(directory)
    top, left, bottom, right = np.array(outside_windows(scene, grid), dtype=np.float64).reshape(-1, 4).T
    pixels = shapely.union_all(shapely.box(left, top, right, bottom))  # Exact, for these are whole numbers.
    # The grid's lines are no straight lines in degrees.
    return shapely.transform(shapely.segmentize(pixels, grid.size), lambda corners: _lonlat(scene, corners))


def _lonlat(scene: Scene, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    xs, ys = scene.grid.xy(corners[None, :, 1], corners[None, :, 0])
    found: NDArray[np.float64] = outlines_lonlat(scene.grid.crs or "", xs, ys)[0]
    return found


def patches_in_area(scene: Scene, grid: PatchGrid) -> int:
    """Return how many patches a grid has, of an area those that belong to it. Errors as of ``inside_area``."""
    inside = inside_area(scene, grid)
    return grid.count if inside is None else int(inside.sum())


@lru_cache(maxsize=8)
def _inside(directory: Path, grid: PatchGrid) -> NDArray[np.bool_]:
    scene = load_scene(directory)
    region = kept_area(scene, grid.cut.area)
    corners = corners_lonlat(scene, grid, np.arange(grid.count))
    if corners is None:
        raise _nowhere()
    points = scene.given is not None and scene.given.points
    found = region.holds(corners.mean(axis=1)) if points else region.shares(corners) > _SHARE
    found.flags.writeable = False
    return found


def _inside_scene(scene: Scene, region: MapRegion) -> None:
    """Refuse an area that has nothing of a scene.

    Raises:
        PatchError: when it is so.
    """
    from core.scenes.location import bounds_lonlat

    bounds = bounds_lonlat(scene)
    if bounds is None:
        raise _nowhere()
    west, south, east, north = bounds
    corners = np.array([[[west, north], [east, north], [east, south], [west, south]]])
    if region.shares(corners)[0] <= 0:
        w, s, e, n = region.shape.bounds
        found = f"the area lies at {_place(w, s, e, n)}, and the scene at {_place(west, south, east, north)}"
        raise PatchError(_ASKED, found, "choose an area of the scene")


def _place(west: float, south: float, east: float, north: float) -> str:
    """Return a box in words: ``75.98° W to 75.86° W, 37.24° N to 37.32° N``."""
    lon = " to ".join(f"{abs(one):.4g}° {'W' if one < 0 else 'E'}" for one in (west, east))
    return lon + ", " + " to ".join(f"{abs(one):.4g}° {'S' if one < 0 else 'N'}" for one in (south, north))


def _nowhere() -> PatchError:
    found = "where the scene lies on Earth is not known"
    return PatchError(_ASKED, found, "cut the whole scene, or add it with its place")


def _path(scene: Scene, key: str) -> Path:
    return scene.directory / "areas" / f"{key}.geojson"
