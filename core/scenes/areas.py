"""How much ground the patches of a scene cover: real areas on the ellipsoid, shared ground counted once.

The area of a patch is that of its pixels that hold data: the ground of its outline times the share of pixels that are
valid. Where that share is not known the whole outline counts, which is said where it is shown. Patches of a scene are
measured by their grid, those of a collection or a file by their outlines (``outline_areas``); both give the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.outline_areas import HECTARE, hectares_together, outlines_overlap, patch_hectares
from core.scenes.patches import IntArray, PatchGrid, corners_lonlat
from core.scenes.places import collection_corners
from core.scenes.scene import Scene, SceneReader, load_scene

_EQUATOR, _FLATTENING = 6_378_137.0, 1 / 298.257223563  # WGS 84
_FINE = 50_000.0
"""Metres a side up to which a flat quadrilateral between points of the ellipsoid has the area of the ground below it;
the error is about (side / 6,371 km)² / 12."""

_MOST_PARTS = 64

_Reals = NDArray[np.float64]
_Numbers = NDArray[np.float64] | NDArray[np.int64]
_Outlines = NDArray[np.object_]


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
        each: square metres with data of each patch by patch id, float64 of shape (count,); NaN = place unknown.
        cells: square metres between the edges of patches, shape (rows, columns); None where no two patches of a grid
            overlap, and for collections.
        scene: the scene, of which pixels are read where overlapping patches are partly without data.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (count,); None = all of all.
        outlines: of the patches of a collection that overlap, of shape (count,), in degrees; None where none do.
    """

    grid: PatchGrid
    each: _Reals
    cells: _Reals | None
    scene: Scene
    valid: _Reals | None = None
    outlines: _Outlines | None = None

    @property
    def overlapping(self) -> bool:
        """Whether patches share ground, so that their areas do not add up."""
        return self.cells is not None or self.outlines is not None

    def of(self, ids: IntArray) -> _Reals:
        """Return square metres with data of some patches one by one, float64 of shape (N,), NaN = place unknown."""
        found: _Reals = self.each[ids]
        return found

    def whole(self, ids: IntArray) -> _Reals:
        """Return square metres of the outlines of some patches, data or none, shape (N,), NaN = place unknown."""
        if self.valid is None:
            return self.of(ids)
        shares = self.valid[ids]
        return self.of(ids) / np.where(shares > 0, shares, np.nan)

    def partial(self, ids: IntArray) -> int:
        """Return how many of some patches are partly without data."""
        return 0 if self.valid is None else int((self.valid[ids] < 1).sum())

    def together(self, ids: IntArray) -> float:
        """Return square metres with data of some patches together, shared ground once; of unknown place count as none.

        Args:
            ids: of the patches, each once.

        Raises:
            rasterio.errors.RasterioError: when pixels have to be read and cannot be.
        """
        if self.outlines is not None:
            known = ids[np.isfinite(self.each[ids])]
            valid = None if self.valid is None else self.valid[known]
            return (hectares_together(self.outlines[known], valid) or 0.0) * HECTARE if len(known) else 0.0
        if self.cells is None:
            return float(np.nansum(self.of(ids)))
        covered = covered_cells(self.grid, ids)
        shares = _valid_cells(self.scene, self.grid) if self.partial(ids) else 1.0
        return float(np.nansum(np.where(covered, self.cells * shares, 0.0)))

    def standing(self, ids: IntArray) -> _Reals:
        """Return square metres that each of some patches stands for, which add up; as ``patch_hectares`` parts them.

        Args:
            ids: of the patches, each once.

        Returns:
            float64 of shape (N,), NaN = place unknown.
        """
        own = self.of(ids)
        known = np.flatnonzero(np.isfinite(own))
        if not self.overlapping or not len(known):
            return own
        if self.outlines is None and len(ids) == self.grid.count:
            found = _nearest_windows(self.scene.grid, self.grid)[ids]
            return found if self.valid is None else found * self.valid[ids]
        outlines = _grid_outlines(self.scene, self.grid) if self.outlines is None else self.outlines
        valid = None if self.valid is None else self.valid[ids[known]]
        found = np.full(len(ids), np.nan)
        found[known] = patch_hectares(outlines[ids[known]], valid) * HECTARE
        return found

    def unplaced(self, ids: IntArray) -> int:
        """Return how many of some patches have no known place, and so no area."""
        return int(np.isnan(self.each[ids]).sum())


def patch_areas(scene: Scene, grid: PatchGrid, valid: NDArray[np.floating[Any]] | None = None) -> PatchAreas | None:
    """Return the areas of all patches of a scene; None when its place is unknown.

    Args:
        scene: the scene.
        grid: its patches.
        valid: the share of the pixels of each that hold data, 0 to 1, shape (count,); None = all of all. The mosaic of
            a collection may have room for more.
    """
    if scene.given is not None and scene.given.points:
        return None
    if scene.is_collection:
        corners = collection_corners(scene)
        if not np.isfinite(corners).any():
            return None
        each, cells, outlines = _outline_areas(corners), None, _overlapping(corners)
    elif scene.grid.crs is None or not scene.grid.placed:
        return None
    else:
        outlines = None
        each, cells = _grid_areas(scene.grid, grid)
    shares = None if valid is None or np.all(valid >= 1) else valid[: len(each)].astype(np.float64)
    held = each if shares is None else each * shares
    return PatchAreas(grid=grid, each=held, cells=cells, scene=scene, valid=shares, outlines=outlines)


def _overlapping(corners: _Reals) -> _Outlines | None:
    """Return the outlines of a collection where some share ground; None where all lie apart or side by side."""
    outlines = _outlines(corners)
    return outlines if outlines_overlap(outlines[~shapely.is_missing(outlines)]) else None


def _grid_outlines(scene: Scene, grid: PatchGrid) -> _Outlines:
    corners = corners_lonlat(scene, grid, np.arange(grid.count))
    return np.full(grid.count, None, dtype=object) if corners is None else _outlines(corners)


def _outlines(corners: _Reals) -> _Outlines:
    """Return outlines in degrees of corners in order round each, shape (N, 4, 2), whole where they cross 180°."""
    found: _Outlines = np.full(len(corners), None, dtype=object)
    known = np.isfinite(corners).all(axis=(1, 2))
    turned = corners[known]
    turned = np.stack([np.unwrap(turned[..., 0], period=360), turned[..., 1]], axis=-1)
    found[known] = shapely.polygons(turned)
    return found


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
    tops, lefts = patch_edges(grid)
    cells = _window_areas(place, np.stack([tops[:-1], tops[1:]], 1), np.stack([lefts[:-1], lefts[1:]], 1))
    sums = np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    top, left = np.searchsorted(tops, grid.tops), np.searchsorted(lefts, grid.lefts)
    bottom, right = np.searchsorted(tops, grid.tops + grid.size), np.searchsorted(lefts, grid.lefts + grid.size)
    each = sums[np.ix_(bottom, right)] - sums[np.ix_(top, right)] - sums[np.ix_(bottom, left)] + sums[np.ix_(top, left)]
    each = each.ravel()
    each.flags.writeable = cells.flags.writeable = False
    return each, cells


def patch_edges(grid: PatchGrid) -> tuple[IntArray, IntArray]:
    """Return where patches begin or end, in rows and columns of pixels, each ascending."""
    rows, cols = (np.unique(np.concatenate([starts, starts + grid.size])) for starts in (grid.tops, grid.lefts))
    return rows, cols


def _window_areas(place: GeoBox, rows: _Numbers, cols: _Numbers) -> _Reals:
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


@lru_cache(maxsize=8)
def _nearest_windows(place: GeoBox, grid: PatchGrid) -> _Reals:
    """Return the ground of each patch of a whole grid that is nearer to its middle than to any other's, (count,)."""
    rows, cols = (_nearest_pixels(starts, grid.size) for starts in (grid.tops, grid.lefts))
    areas = _window_areas(place, rows, cols).ravel()
    areas.flags.writeable = False
    return areas


def _nearest_pixels(starts: IntArray, size: int) -> _Reals:
    """Return from where to where along a side each patch is the nearest one, in pixels, shape (patches, 2)."""
    between = (starts[1:] + starts[:-1] + size) / 2
    first = np.maximum(starts, np.append(starts[0], between))
    last = np.minimum(starts + size, np.append(between, starts[-1] + size))
    return np.stack([first, last], axis=1)


def _parts(place: GeoBox, rows: _Numbers, cols: _Numbers) -> int:
    """Return into how many parts a side of windows is cut, so that each is flat."""
    tall, wide = np.ptp(rows, axis=1).max(), np.ptp(cols, axis=1).max()
    middle = np.array([[place.height / 2], [place.height / 2 + tall], [place.height / 2]])
    beside = np.array([[place.width / 2], [place.width / 2], [place.width / 2 + wide]])
    lonlat = outlines_lonlat(place.crs or "", *place.xy(middle, beside))[:, 0]
    points = _in_space(lonlat[:, 0], lonlat[:, 1])
    side = float(np.linalg.norm(points[1:] - points[0], axis=1).max())
    return min(_MOST_PARTS, max(1, int(np.ceil(side / _FINE)))) if np.isfinite(side) else 1


def covered_cells(grid: PatchGrid, ids: IntArray) -> NDArray[np.bool_]:
    """Return which cells between ``patch_edges`` some patches cover, bool of shape (rows, columns)."""
    tops, lefts = patch_edges(grid)
    first = grid.first_pixels(ids)
    top, bottom = (np.searchsorted(tops, first[:, 0] + more) for more in (0, grid.size))
    left, right = (np.searchsorted(lefts, first[:, 1] + more) for more in (0, grid.size))
    marks = np.zeros((len(tops), len(lefts)), np.int32)  # of corners, which are summed up: a 2-D prefix sum
    for row, col, sign in ((top, left, 1), (bottom, right, 1), (top, right, -1), (bottom, left, -1)):
        np.add.at(marks, (row, col), sign)
    covered: NDArray[np.bool_] = marks.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return covered


def cell_ground(scene: Scene, grid: PatchGrid, *, whole: bool) -> _Reals | None:
    """Return square metres with data of cells as wide as patches lie apart, shape (rows, columns).

    They begin at the first pixel, and the last end with the last patch. None where the place is unknown.

    Args:
        scene: the scene, none of a collection.
        grid: its patches.
        whole: True = every pixel holds data, so that none has to be read.

    Raises:
        rasterio.errors.RasterioError: when pixels have to be read and cannot be.
    """
    if scene.grid.crs is None or not scene.grid.placed:
        return None
    ends = (int(grid.tops[-1]) + grid.size, int(grid.lefts[-1]) + grid.size)
    rows, cols = (np.append(np.arange(0, end, grid.cut.stride), end) for end in ends)
    areas = _window_areas(scene.grid, np.stack([rows[:-1], rows[1:]], 1), np.stack([cols[:-1], cols[1:]], 1))
    return areas if whole else areas * _valid_shares(scene.directory, tuple(rows.tolist()), tuple(cols.tolist()))


def _valid_cells(scene: Scene, grid: PatchGrid) -> _Reals:
    """Return the share of valid pixels between edges of patches, shape (rows, columns), from the pixels; kept."""
    rows, cols = patch_edges(grid)
    return _valid_shares(scene.directory, tuple(rows.tolist()), tuple(cols.tolist()))


@lru_cache(maxsize=4)
def _valid_shares(directory: Path, rows: tuple[int, ...], cols: tuple[int, ...]) -> _Reals:
    """Return the share of valid pixels between edges of rows and columns, from the pixels; kept."""
    scene, tops, lefts = load_scene(directory), np.array(rows), np.array(cols)
    shares = np.empty((len(tops) - 1, len(lefts) - 1))
    with SceneReader(scene) as reader:
        for number, (top, bottom) in enumerate(pairwise(tops.tolist())):
            window = (top, int(lefts[0]), bottom - top, int(lefts[-1] - lefts[0]))
            _, mask = reader.read(scene.bands[:1], window)
            columns = np.add.reduceat(mask.sum(axis=0), lefts[:-1] - lefts[0])
            shares[number] = columns / ((bottom - top) * np.diff(lefts))
    shares.flags.writeable = False
    return shares


def partial_words(count: int, *, overlapping: bool) -> str:
    """Return in a sentence or two that patches partly without data count in part; empty where all hold data everywhere.

    Args:
        count: patches that are partly without data.
        overlapping: True = patches share ground, so that it is not known which of them lacks the data of their part.
    """
    if not count:
        return ""
    some = "1 patch is" if count == 1 else f"{count:,} patches are"
    about = " Where patches overlap there, hectares are right to about a per cent." if overlapping else ""
    return f"Hectares are those of pixels that hold data: {some} partly without.{about}"
