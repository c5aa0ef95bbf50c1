"""The patches of a scene: ids, windows, places, and reading their pixels. Ways of cutting are ``core.scenes.cut``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import PatchError
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.places import collection_corners
from core.scenes.scene import SCENE_ID, Scene, SceneReader

IntArray = NDArray[np.int64]
READ_BYTES = 2**27
"""Pixels read together by ``iter_patches``, at most, unless one patch has more."""


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

    def patch_at(self, row: float, col: float) -> int | None:
        """Return the patch whose centre is nearest among those holding a pixel position, or None outside of all."""
        found = int(self.patches_at(np.array([row]), np.array([col]))[0])
        return None if found < 0 else found

    def patches_at(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> IntArray:
        """Return for pixel positions what ``patch_at`` gives for one, int64 of their shape; −1 = none."""
        row, row_ok = _nearest(rows, self.tops, self.cut)
        col, col_ok = _nearest(cols, self.lefts, self.cut)
        return np.where(row_ok & col_ok, row * self.n_cols + col, -1)

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
        cut = Cut.of(scene.patch_size, least_valid=cut.least_valid)
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
    if scene.kind == "collection":
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


@dataclass(frozen=True, kw_only=True)
class PatchBatch:
    """Patches read together.

    Attributes:
        ids: int64 of shape (N,).
        pixels: float32 reflectance of shape (N, size, size, bands); no-data pixels hold the patch's mean of the band.
        valid_fraction: float32 of shape (N,), 0 to 1.
    """

    ids: IntArray
    pixels: FloatArray
    valid_fraction: NDArray[np.float32]


def iter_patches(
    scene: Scene,
    grid: PatchGrid,
    bands: Sequence[str],
    *,
    skip: frozenset[int] = frozenset(),
    open_scene: Callable[[Scene], SceneReader] = SceneReader,
    most_bytes: int = READ_BYTES,
) -> Iterator[PatchBatch]:
    """Read patches, one row of the grid or a part of it at a time, so that memory does not grow with the scene.

    What overlapping patches share is read once: the lower part of a strip of pixels stays in memory for the next row
    of patches. A scene too wide for that goes in columns of strips, which share little. So patches come row by row
    within a column of strips.

    Patches with less valid pixels than the cut wants come with their valid fraction, and pixels all zero where nothing
    is valid; the caller decides. Rows whose patches are all in ``skip`` are not read.

    Args:
        scene: the scene.
        grid: its patches.
        bands: of the pixels, in the wanted order.
        skip: ids of patches to leave out.
        open_scene: gives the reader.
        most_bytes: of pixels read together and of patches given together, at most, unless one patch has more.
    """
    most = max(1, most_bytes // (grid.size**2 * len(bands) * 4))
    with open_scene(scene) as reader:
        for first, last in _columns(grid, most_bytes // (grid.size * len(bands) * 4)):
            strip = _Strip(reader, bands, grid, (first, last))
            for row in range(grid.n_rows):
                ids = row * grid.n_cols + np.arange(first, last, dtype=np.int64)
                wanted = np.flatnonzero([int(patch_id) not in skip for patch_id in ids])
                if wanted.size:
                    strip.go_to(int(grid.tops[row]))
                for start in range(0, wanted.size, most):
                    cols = wanted[start : start + most]
                    yield strip.cut(ids[cols], grid.lefts[first + cols])


def _columns(grid: PatchGrid, widest: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns of patches that are at most so many pixels wide together, or one patch."""
    first = 0
    while first < grid.n_cols:
        fitting = int(np.searchsorted(grid.lefts, grid.lefts[first] + widest - grid.size, "right"))
        last = max(first + 1, fitting)
        yield first, last
        first = last


class _Strip:
    """The pixels of a row of patches, from one column of patches to another; going down, it reads only what is new."""

    def __init__(self, reader: SceneReader, bands: Sequence[str], grid: PatchGrid, columns: tuple[int, int]) -> None:
        self._reader, self._bands, self._size = reader, bands, grid.size
        self._left = int(grid.lefts[columns[0]])
        self._width = int(grid.lefts[columns[1] - 1]) + grid.size - self._left
        self._end = 0
        self._pixels: FloatArray = np.empty((len(bands), 0, self._width), np.float32)
        self._mask: NDArray[np.bool_] = np.empty((0, self._width), np.bool_)

    def go_to(self, top: int) -> None:
        """Hold the rows from ``top`` on, which is below where it was."""
        kept = max(0, self._end - top)
        window = (top + kept, self._left, self._size - kept, self._width)
        pixels, mask = self._reader.read(self._bands, window)
        if kept:
            pixels = np.concatenate([self._pixels[:, -kept:], pixels], axis=1)
            mask = np.concatenate([self._mask[-kept:], mask])
        self._pixels, self._mask, self._end = pixels, mask, top + self._size

    def cut(self, ids: IntArray, lefts: IntArray) -> PatchBatch:
        """Return the patches that begin at some columns of pixels of the scene."""
        views = np.lib.stride_tricks.sliding_window_view(self._pixels, self._size, axis=2)
        masks = np.lib.stride_tricks.sliding_window_view(self._mask, self._size, axis=1)
        pixels = np.ascontiguousarray(views[:, :, lefts - self._left].transpose(2, 1, 3, 0))
        valid = np.ascontiguousarray(masks[:, lefts - self._left].transpose(1, 0, 2))
        return _filled(ids, pixels, valid)


def iter_windows(
    scene: Scene, places: IntArray, size: int, bands: Sequence[str], *, ids: IntArray, most_bytes: int = READ_BYTES // 4
) -> Iterator[PatchBatch]:
    """Read squares of pixels that lie anywhere in a scene, as ``iter_patches`` reads patches.

    Args:
        scene: the scene.
        places: row and column of the first pixel of each, int64 of shape (N, 2); near ones beside each other.
        size: pixels a side.
        bands: of the pixels, in the wanted order.
        ids: what each is called, int64 of shape (N,).
        most_bytes: of pixels given together, at most, unless one square has more.
    """
    most = max(1, most_bytes // (size**2 * len(bands) * 4))
    with SceneReader(scene) as reader:
        for start in range(0, len(ids), most):
            read = [reader.read(bands, (top, left, size, size)) for top, left in places[start : start + most].tolist()]
            pixels = np.ascontiguousarray(np.stack([one for one, _ in read]).transpose(0, 2, 3, 1))
            yield _filled(ids[start : start + most], pixels, np.stack([mask for _, mask in read]))


def _filled(ids: IntArray, pixels: FloatArray, valid: NDArray[np.bool_]) -> PatchBatch:
    """Return patches whose pixels that are not valid hold the mean of the band over those that are."""
    fraction = valid.mean(axis=(1, 2), dtype=np.float32)
    for position in np.flatnonzero((fraction > 0) & (fraction < 1)):
        pixels[position][~valid[position]] = pixels[position][valid[position]].mean(axis=0)
    return PatchBatch(ids=ids, pixels=pixels, valid_fraction=fraction)
