"""How much ground patches cover: real areas on the ellipsoid in whatever reference system, shared ground counted once.

What counts is the outline of a patch; where the share of its pixels that are valid is given, only these count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.places import collection_corners
from core.scenes.scene import Scene, SceneReader, load_scene

HECTARE = 10_000.0
"""Square metres of a hectare."""

_EQUATOR, _FLATTENING = 6_378_137.0, 1 / 298.257223563  # WGS 84
_FINE = 50_000.0
"""Metres a side up to which a flat quadrilateral between points of the ellipsoid has the area of the ground below it;
the error is about (side / 6,371 km)² / 12."""

_MOST_PARTS = 64

_Reals = NDArray[np.float64]


def quadrilateral_areas(lon: _Reals, lat: _Reals) -> _Reals:
    """Return the ground of the cells of lattices of points, in square metres.

    A cell's area is that of the flat quadrilateral between its corners in space, so that neither the antimeridian nor
    the poles are special. It is exact to a millionth for sides up to 20 km.

    Args:
        lon: longitude in degrees, shape (…, R + 1, C + 1).
        lat: latitude in degrees, likewise.

    Returns:
        Shape (…, R, C); NaN where a corner is nowhere on Earth.
    """
    points = _in_space(lon, lat)
    first = points[..., 1:, 1:, :] - points[..., :-1, :-1, :]
    second = points[..., 1:, :-1, :] - points[..., :-1, 1:, :]
    found: _Reals = np.linalg.norm(np.cross(first, second), axis=-1) / 2
    return found


def _in_space(lon: _Reals, lat: _Reals) -> _Reals:
    """Return points of the ellipsoid in metres from the middle of the Earth, shape (…, 3); NaN where not finite."""
    known = np.isfinite(lon) & np.isfinite(lat)
    east, north = (np.radians(np.where(known, axis, np.nan)) for axis in (lon, lat))
    squared = _FLATTENING * (2 - _FLATTENING)
    normal = _EQUATOR / np.sqrt(1 - squared * np.sin(north) ** 2)
    flat = normal * np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), (1 - squared) * normal * np.sin(north)], axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchAreas:
    """The ground of the patches of a scene; ground that several of them show counts once.

    Attributes:
        grid: the patches.
        each: square metres of each patch by patch id, float64 of shape (count,); NaN where its place is unknown.
        cells: square metres between the edges of patches, shape (rows, columns); None where no two patches overlap.
        scene: the scene, of which pixels are read where overlapping patches are partly invalid.
    """

    grid: PatchGrid
    each: _Reals
    cells: _Reals | None
    scene: Scene

    def of(self, ids: IntArray, valid: NDArray[np.floating[Any]] | None = None) -> _Reals:
        """Return square metres of some patches one by one, float64 of shape (N,), NaN = unknown.

        Args:
            ids: of the patches.
            valid: the share of each that counts, 0 to 1, shape (N,); None = all of it.
        """
        found = self.each[ids]
        return found if valid is None else found * valid

    def together(self, ids: IntArray, valid: NDArray[np.floating[Any]] | None = None) -> float:
        """Return square metres of some patches together, shared ground once; those of unknown place count as none.

        Args:
            ids: of the patches, each once.
            valid: the share of the pixels of each that are valid, 0 to 1, shape (N,); None = all pixels count.

        Raises:
            rasterio.errors.RasterioError: when pixels have to be read and cannot be.
        """
        if self.cells is None:
            return float(np.nansum(self.of(ids, valid)))
        covered = _covered_cells(self.grid, ids)
        shares = 1.0 if valid is None or np.all(valid >= 1) else _valid_cells(self.scene, self.grid)
        return float(np.nansum(np.where(covered, self.cells * shares, 0.0)))

    def unplaced(self, ids: IntArray) -> int:
        """Return how many of some patches have no known place, and so no area."""
        return int(np.isnan(self.each[ids]).sum())


def patch_areas(scene: Scene, grid: PatchGrid) -> PatchAreas | None:
    """Return the areas of all patches of a scene; None when its place is unknown.

    Patches of a collection count one by one, also where two of them show the same ground.
    """
    if scene.kind == "collection":
        corners = collection_corners(scene)
        known = np.isfinite(corners).any()
        return PatchAreas(grid=grid, each=_outline_areas(corners), cells=None, scene=scene) if known else None
    if scene.grid.crs is None or not scene.grid.placed:
        return None
    each, cells = _grid_areas(scene.grid, grid)
    return PatchAreas(grid=grid, each=each, cells=cells, scene=scene)


def _outline_areas(corners: _Reals) -> _Reals:
    """Return areas of outlines, corners in order round each, shape (N, 4, 2)."""
    lattice = corners[:, [0, 1, 3, 2]].reshape(-1, 2, 2, 2)
    return quadrilateral_areas(lattice[..., 0], lattice[..., 1])[:, 0, 0]


@lru_cache(maxsize=8)
def _grid_areas(place: GeoBox, grid: PatchGrid) -> tuple[_Reals, _Reals | None]:
    """Return the area of each patch, and of the cells between edges where patches overlap; read-only."""
    if grid.side_by_side:
        rows, cols = (np.stack([starts, starts + grid.size], 1) for starts in (grid.tops, grid.lefts))
        each = _window_areas(place, rows, cols).ravel()
        each.flags.writeable = False
        return each, None
    tops, lefts = _edges(grid)
    cells = _window_areas(place, np.stack([tops[:-1], tops[1:]], 1), np.stack([lefts[:-1], lefts[1:]], 1))
    sums = np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    top, left = np.searchsorted(tops, grid.tops), np.searchsorted(lefts, grid.lefts)
    bottom, right = np.searchsorted(tops, grid.tops + grid.size), np.searchsorted(lefts, grid.lefts + grid.size)
    each = sums[np.ix_(bottom, right)] - sums[np.ix_(top, right)] - sums[np.ix_(bottom, left)] + sums[np.ix_(top, left)]
    each = each.ravel()
    each.flags.writeable = cells.flags.writeable = False
    return each, cells


def _edges(grid: PatchGrid) -> tuple[IntArray, IntArray]:
    """Return where patches begin or end, in rows and columns of pixels, each ascending."""
    rows, cols = (np.unique(np.concatenate([starts, starts + grid.size])) for starts in (grid.tops, grid.lefts))
    return rows, cols


def _window_areas(place: GeoBox, rows: IntArray, cols: IntArray) -> _Reals:
    """Return square metres of windows of pixels, shape (R, C), by first and last edges of rows (R, 2) and of columns.

    Windows too large to be flat are taken apart.
    """
    parts = _parts(place, rows, cols)
    steps = np.linspace(0, 1, parts + 1)
    ys, xs = (span[:, :1] + (span[:, 1:] - span[:, :1]) * steps for span in (rows, cols))
    areas = np.empty((len(rows), len(cols)))
    for number, row in enumerate(ys):
        y, x = np.broadcast_arrays(row[None, :, None], xs[:, None, :])
        east, north = place.xy(y.reshape(-1, 1), x.reshape(-1, 1))
        lonlat = outlines_lonlat(place.crs or "", east, north).reshape(*y.shape, 2)
        areas[number] = quadrilateral_areas(lonlat[..., 0], lonlat[..., 1]).sum(axis=(1, 2))
    return areas


def _parts(place: GeoBox, rows: IntArray, cols: IntArray) -> int:
    """Return into how many parts a side of windows is cut, so that each is flat."""
    tall, wide = np.ptp(rows, axis=1).max(), np.ptp(cols, axis=1).max()
    middle = np.array([[place.height / 2], [place.height / 2 + tall], [place.height / 2]])
    beside = np.array([[place.width / 2], [place.width / 2], [place.width / 2 + wide]])
    lonlat = outlines_lonlat(place.crs or "", *place.xy(middle, beside))[:, 0]
    points = _in_space(lonlat[:, 0], lonlat[:, 1])
    side = float(np.linalg.norm(points[1:] - points[0], axis=1).max())
    return min(_MOST_PARTS, max(1, int(np.ceil(side / _FINE)))) if np.isfinite(side) else 1


def _covered_cells(grid: PatchGrid, ids: IntArray) -> NDArray[np.bool_]:
    """Return which cells between edges some patches cover: corners are marked, and summed up (a 2-D prefix sum)."""
    tops, lefts = _edges(grid)
    first = grid.first_pixels(ids)
    top, bottom = (np.searchsorted(tops, first[:, 0] + more) for more in (0, grid.size))
    left, right = (np.searchsorted(lefts, first[:, 1] + more) for more in (0, grid.size))
    marks = np.zeros((len(tops), len(lefts)), np.int32)
    for row, col, sign in ((top, left, 1), (bottom, right, 1), (top, right, -1), (bottom, left, -1)):
        np.add.at(marks, (row, col), sign)
    covered: NDArray[np.bool_] = marks.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return covered


def _valid_cells(scene: Scene, grid: PatchGrid) -> _Reals:
    """Return the share of valid pixels between edges of patches, shape (rows, columns), from the pixels; kept."""
    return _valid_shares(scene.directory, grid)


@lru_cache(maxsize=4)
def _valid_shares(directory: Path, grid: PatchGrid) -> _Reals:
    scene = load_scene(directory)
    tops, lefts = _edges(grid)
    shares = np.empty((len(tops) - 1, len(lefts) - 1))
    with SceneReader(scene) as reader:
        for number, (top, bottom) in enumerate(pairwise(tops.tolist())):
            window = (top, int(lefts[0]), bottom - top, int(lefts[-1] - lefts[0]))
            _, mask = reader.read(scene.bands[:1], window)
            columns = np.add.reduceat(mask.sum(axis=0), lefts[:-1] - lefts[0])
            shares[number] = columns / ((bottom - top) * np.diff(lefts))
    shares.flags.writeable = False
    return shares
