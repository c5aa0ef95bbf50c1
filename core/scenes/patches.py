"""The patches of a scene: ids, windows, places. Cuts are ``core.scenes.cut``; pixels, ``core.features.batches``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.errors import PatchError
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.places import collection_corners
from core.scenes.scene import SCENE_ID, Scene

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class PatchRef:
    """A patch among all scenes: what links, exports and labels name it by, and what joins them.

    Arrays of patch ids are int64 and of one scene, which whoever holds them knows.

    Attributes:
        scene: id of the scene.
        patch: id of the patch in the scene's grid, which is row-major.
    """

    scene: str
    patch: int

    def __str__(self) -> str:
        return f"{self.scene}:{self.patch}"

    @classmethod
    def parse(cls, text: str, scene: str | None = None) -> PatchRef | None:
        """Return the patch that a text names; None when it names none.

        Args:
            text: ``scene:patch`` as ``str`` gives it, or a number alone, as in links of earlier versions.
            scene: the scene that a number alone is of.
        """
        named, colon, number = text.rpartition(":")
        where = named if colon else scene
        known = where is not None and SCENE_ID.fullmatch(where) and re.fullmatch(r"[0-9]{1,9}", number)
        return cls(where, int(number)) if known and where is not None else None


@dataclass(frozen=True, slots=True)
class PatchRefs:
    """Patches of one scene, as many as there may be: it holds their numbers, and gives a ``PatchRef`` each.

    Attributes:
        scene: id of the scene.
        patches: ids of the patches, each once.
    """

    scene: str
    patches: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.patches)

    def __iter__(self) -> Iterator[PatchRef]:
        return (PatchRef(self.scene, patch) for patch in self.patches)


def patch_refs(scene: str, ids: Iterable[int]) -> PatchRefs:
    """Return patches of one scene by their ids, in any order."""
    return PatchRefs(scene, tuple(sorted(set(ids))))


@dataclass(frozen=True, kw_only=True)
class PatchGrid:
    """The patches that a cut gives of a raster; only whole patches count.

    A ``patch_id`` is row-major: ``row * n_cols + col``. Row and column count patches, not pixels: where the edge is
    covered, the last ones lie less than a stride after those before.

    Attributes:
        height: rows of pixels, at least the size of a patch.
        width: columns of pixels, likewise.
        cut: the way of cutting.
    """

    height: int
    width: int
    cut: Cut

    @property
    def size(self) -> int:
        """Pixels a side of a patch."""
        return self.cut.size

    @property
    def tops(self) -> IntArray:
        """First pixel row of each row of patches, int64 of shape (n_rows,), ascending; read-only."""
        return _starts(self.height, self.cut)

    @property
    def lefts(self) -> IntArray:
        """First pixel column of each column of patches, int64 of shape (n_cols,), ascending; read-only."""
        return _starts(self.width, self.cut)

    @property
    def n_rows(self) -> int:
        """Rows of patches."""
        return len(self.tops)

    @property
    def n_cols(self) -> int:
        """Columns of patches."""
        return len(self.lefts)

    @property
    def count(self) -> int:
        """Number of patches."""
        return self.n_rows * self.n_cols

    @property
    def side_by_side(self) -> bool:
        """Whether no two patches share a pixel."""
        apart = (len(starts) == 1 or int(np.diff(starts).min()) >= self.size for starts in (self.tops, self.lefts))
        return all(apart)

    @property
    def left_over(self) -> tuple[int, int]:
        """Rows of pixels at the lower edge and columns at the right one that no patch covers."""
        return self.height - int(self.tops[-1]) - self.size, self.width - int(self.lefts[-1]) - self.size

    def row_col(self, patch_id: int) -> tuple[int, int]:
        """Return row and column of a patch in the grid of patches.

        Raises:
            PatchError: when there is no such patch.
        """
        if not 0 <= patch_id < self.count:
            raise PatchError(
                f"Looking up patch {patch_id}",
                f"the scene has patches 0 to {self.count - 1}",
                "choose one of them",
            )
        return divmod(patch_id, self.n_cols)

    def rows_cols(self, ids: IntArray) -> tuple[IntArray, IntArray]:
        """Return rows and columns of patches in the grid of patches, two of shape (N,); ids are not checked."""
        return np.divmod(ids, self.n_cols)

    def first_pixels(self, ids: IntArray) -> IntArray:
        """Return row and column of the first pixel of patches, int64 of shape (N, 2)."""
        rows, cols = self.rows_cols(ids)
        return np.stack([self.tops[rows], self.lefts[cols]], axis=1)

    def window(self, patch_id: int) -> tuple[int, int, int, int]:
        """Return (row, col, height, width) in pixels of the scene."""
        row, col = self.row_col(patch_id)
        return int(self.tops[row]), int(self.lefts[col]), self.size, self.size

    def patch_of_window(self, top: int, left: int, side: int) -> int | None:
        """Return the patch of just that window, or None."""
        row, col = np.searchsorted(self.tops, top), np.searchsorted(self.lefts, left)
        there = side == self.size and row < self.n_rows and col < self.n_cols
        whole = there and self.tops[row] == top and self.lefts[col] == left
        return int(row) * self.n_cols + int(col) if whole else None

    def patch_at(self, row: float, col: float, there: IntArray | None = None) -> int | None:
        """Return the patch whose centre is nearest among those holding a pixel position, or None outside of all.

        Args:
            row: of the position, from the upper edge.
            col: likewise, from the left one.
            there: ids of the patches that count; None = all.
        """
        found = int(self.patches_at(np.array([row]), np.array([col]), there)[0])
        return None if found < 0 else found

    def patches_at(
        self, rows: NDArray[np.float64], cols: NDArray[np.float64], there: IntArray | None = None
    ) -> IntArray:
        """Return for pixel positions what ``patch_at`` gives for one, int64 of their shape; −1 = none."""
        row, row_ok = _nearest(rows, self.tops, self.cut)
        col, col_ok = _nearest(cols, self.lefts, self.cut)
        found = np.where(row_ok & col_ok, row * self.n_cols + col, -1)
        if there is None or len(there) == self.count:
            return found
        counts = np.zeros(self.count, np.bool_)
        counts[there] = True
        lacking = (found >= 0) & ~counts[found]
        if self.side_by_side:
            found[lacking] = -1
        else:
            row_at, col_at = (np.broadcast_to(along, found.shape)[lacking] for along in (rows, cols))
            found[lacking] = self._nearest_of(row_at, col_at, counts)
        return found

    def _nearest_of(self, rows: NDArray[np.float64], cols: NDArray[np.float64], counts: NDArray[np.bool_]) -> IntArray:
        """Return for positions, shape (M,), the nearest patch that holds them and counts, shape (count,); −1 = none."""
        (top, bottom), (left, right) = (
            (np.searchsorted(starts, at - self.size, "right"), np.searchsorted(starts, at, "right"))
            for starts, at in ((self.tops, rows), (self.lefts, cols))
        )
        sums = np.pad(counts.reshape(self.n_rows, self.n_cols).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        some = np.flatnonzero(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
        best, nearest = np.full(len(some), -1, np.int64), np.full(len(some), np.inf)
        most = (int((last - first)[some].max(initial=0)) for first, last in ((top, bottom), (left, right)))
        for down, across in np.ndindex(*most):
            row, col = top[some] + down, left[some] + across
            holds = np.flatnonzero((row < bottom[some]) & (col < right[some]))
            patch, at = row[holds] * self.n_cols + col[holds], some[holds]
            away = (self.tops[row[holds]] + self.size / 2 - rows[at]) ** 2
            away += (self.lefts[col[holds]] + self.size / 2 - cols[at]) ** 2
            nearer = counts[patch] & (away < nearest[holds])
            best[holds[nearer]], nearest[holds[nearer]] = patch[nearer], away[nearer]
        found = np.full(len(rows), -1, np.int64)
        found[some] = best
        return found

    def touching(self, patch_id: int) -> IntArray:
        """Return ids of patches that overlap or touch a patch, itself included."""
        top, left, _, _ = self.window(patch_id)
        return self.reaching(top - self.size, left - self.size, 3 * self.size)

    def reaching(self, top: int, left: int, side: int) -> IntArray:
        """Return ids of patches that lie wholly in a square of pixels, which may reach beyond the raster."""
        rows, cols = (
            np.flatnonzero((starts >= first) & (starts + self.size <= first + side))
            for starts, first in ((self.tops, top), (self.lefts, left))
        )
        return (rows[:, None] * self.n_cols + cols[None, :]).ravel()


@lru_cache(maxsize=64)
def _starts(length: int, cut: Cut) -> IntArray:
    """Return where patches begin along a side of so many pixels."""
    starts = np.arange((length - cut.size) // cut.stride + 1) * cut.stride
    if cut.edge == "cover" and starts[-1] + cut.size < length:
        starts = np.append(starts, length - cut.size)
    starts.flags.writeable = False
    return starts


def _nearest(places: NDArray[np.float64], starts: IntArray, cut: Cut) -> tuple[IntArray, NDArray[np.bool_]]:
    """Along one axis: the patch whose centre is nearest to a pixel position, and whether it holds it."""
    moved = len(starts) > 1 and starts[-1] - starts[-2] < cut.stride
    regular = len(starts) - 1 if moved else len(starts)
    nearest = np.floor((places - (cut.size - cut.stride) / 2) / cut.stride)
    with np.errstate(invalid="ignore"):
        index = np.clip(nearest, 0, regular - 1).astype(np.int64)
    if moved:
        index[places >= (starts[-2] + starts[-1] + cut.size) / 2] = regular
    index = np.clip(index, 0, len(starts) - 1)  # A place that is no number is none of them, and is held by none.
    first = starts[index]
    return index, (places >= first) & (places < first + cut.size)


def patch_grid(scene: Scene, cut: Cut = DEFAULT_CUT) -> PatchGrid:
    """Return the patches of a scene.

    Args:
        scene: a scene or collection; a collection's own patch size replaces the cut.
        cut: how it is cut.

    Raises:
        PatchError: for a scene smaller than one patch.
    """
    if scene.patch_size is not None:
        cut = Cut.of(scene.patch_size, least_valid=cut.least_valid, area=cut.area)
    grid = scene.grid
    if min(grid.height, grid.width) < cut.size:
        found = f"the scene is {grid.width} × {grid.height} pixels, smaller than one patch of {cut.size} × {cut.size}"
        raise PatchError("Cutting the scene into patches", found, "choose a smaller patch size or a larger scene")
    return PatchGrid(height=grid.height, width=grid.width, cut=cut)


def corners_lonlat(scene: Scene, grid: PatchGrid, ids: IntArray) -> NDArray[np.float64] | None:
    """Return corners of patches in EPSG:4326: shape (N, 4, 2), lon then lat, from the upper left clockwise.

    None when the scene's place is unknown. Patches of a collection without a place hold NaN. Longitudes of one patch
    are unwrapped: beyond the antimeridian they exceed ±180 rather than jump.
    """
    if scene.is_collection:
        corners: NDArray[np.float64] = collection_corners(scene)[ids]
        return None if np.isnan(corners).all() else corners
    if scene.grid.crs is None:
        return None
    if grid.count <= _MOST_KEPT:
        kept: NDArray[np.float64] = _all_corners(scene.grid, grid)[ids]
        return kept
    return _corners(scene.grid, grid, ids)


_MOST_KEPT = 100_000
"""Corners of grids of at most so many patches are kept in memory: 6.4 MB for the largest."""


@lru_cache(maxsize=4)
def _all_corners(place: GeoBox, grid: PatchGrid) -> NDArray[np.float64]:
    """Return the corners of all patches of a grid; pyproj reads a reference system anew in every thread."""
    return _corners(place, grid, np.arange(grid.count))


def _corners(place: GeoBox, grid: PatchGrid, ids: IntArray) -> NDArray[np.float64]:
    corners = corners_xy(place, grid, ids)
    return outlines_lonlat(place.crs or "", corners[:, :, 0], corners[:, :, 1])


def corners_xy(place: GeoBox, grid: PatchGrid, ids: IntArray) -> NDArray[np.float64]:
    """Return corners of patches in the reference system of a scene's grid: shape (N, 4, 2), x then y, clockwise."""
    top, left = grid.first_pixels(ids).T.astype(np.float64)
    size = float(grid.size)
    xs, ys = place.xy(
        np.stack([top, top, top + size, top + size], axis=1),
        np.stack([left, left + size, left + size, left], axis=1),
    )
    return np.stack([xs, ys], axis=2)


def centres_lonlat(scene: Scene, grid: PatchGrid, ids: IntArray) -> NDArray[np.float64] | None:
    """Return centres of patches in EPSG:4326, shape (N, 2), lon in [−180, 180); None when the place is unknown."""
    corners = corners_lonlat(scene, grid, ids)
    if corners is None:
        return None
    centre: NDArray[np.float64] = corners.mean(axis=1)
    centre[:, 0] = (centre[:, 0] + 180) % 360 - 180
    return centre
