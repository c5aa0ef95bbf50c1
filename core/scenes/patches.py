"""Cutting a scene into patches: ids, windows, places, and reading their pixels row by row of the grid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import PatchError
from core.scenes.geobox import GeoBox, outlines_lonlat
from core.scenes.library import SCENE_ID
from core.scenes.scene import Scene, SceneReader

IntArray = NDArray[np.int64]
MIN_VALID_FRACTION = 0.5
"""Patches with a smaller share of valid pixels are not encoded."""

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
    """Patches of ``size`` pixels every ``stride`` pixels; only whole patches count.

    A ``patch_id`` is row-major: ``row * n_cols + col``.
    """

    height: int
    width: int
    size: int
    stride: int

    @property
    def n_rows(self) -> int:
        """Rows of patches."""
        return (self.height - self.size) // self.stride + 1

    @property
    def n_cols(self) -> int:
        """Columns of patches."""
        return (self.width - self.size) // self.stride + 1

    @property
    def count(self) -> int:
        """Number of patches."""
        return self.n_rows * self.n_cols

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

    def window(self, patch_id: int) -> tuple[int, int, int, int]:
        """Return (row, col, height, width) in pixels of the scene."""
        row, col = self.row_col(patch_id)
        return row * self.stride, col * self.stride, self.size, self.size

    def patch_at(self, row: float, col: float) -> int | None:
        """Return the patch whose centre is nearest among those holding a pixel position, or None outside of all."""
        half = (self.size - self.stride) / 2
        patch_row, patch_col = int((row - half) // self.stride), int((col - half) // self.stride)
        patch_row = min(max(patch_row, 0), self.n_rows - 1)
        patch_col = min(max(patch_col, 0), self.n_cols - 1)
        top, left = patch_row * self.stride, patch_col * self.stride
        inside = top <= row < top + self.size and left <= col < left + self.size
        return patch_row * self.n_cols + patch_col if inside else None

    def touching(self, patch_id: int) -> IntArray:
        """Return ids of patches that overlap or touch a patch, itself included."""
        row, col = self.row_col(patch_id)
        reach = self.size // self.stride
        rows = np.arange(max(0, row - reach), min(self.n_rows, row + reach + 1))
        cols = np.arange(max(0, col - reach), min(self.n_cols, col + reach + 1))
        return (rows[:, None] * self.n_cols + cols[None, :]).ravel()


def patch_grid(scene: Scene, size: int = 64, stride: int | None = None) -> PatchGrid:
    """Return the patches of a scene.

    Args:
        scene: a scene or collection; a collection's own patch size replaces ``size`` and ``stride``, which have to be
            in range all the same.
        size: pixels a side, 8 to 512.
        stride: pixels from patch to patch, ``size`` / 8 to ``size``; None = ``size``.

    Raises:
        PatchError: for a size or stride out of range, or a scene smaller than one patch.
    """
    stride = size if stride is None else stride
    _check_cut(size, stride)
    if scene.patch_size is not None:
        size = stride = scene.patch_size
        _check_cut(size, stride)
    grid = scene.grid
    if min(grid.height, grid.width) < size:
        found = f"the scene is {grid.width} × {grid.height} pixels, smaller than one patch of {size} × {size}"
        raise PatchError("Cutting the scene into patches", found, "choose a smaller patch size or a larger scene")
    return PatchGrid(height=grid.height, width=grid.width, size=size, stride=stride)


def _check_cut(size: int, stride: int) -> None:
    if not 8 <= size <= 512 or not max(1, size // 8) <= stride <= size:
        found = f"patch size {size}, stride {stride}"
        remedy = "choose a size of 8 to 512 and a stride from size / 8 to size"
        raise PatchError("Cutting the scene into patches", found, remedy)


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
    rows, cols = np.divmod(ids, grid.n_cols)
    top, left = rows * float(grid.stride), cols * float(grid.stride)
    size = float(grid.size)
    xs, ys = place.xy(
        np.stack([top, top, top + size, top + size], axis=1),
        np.stack([left, left + size, left + size, left], axis=1),
    )
    return outlines_lonlat(place.crs or "", xs, ys)


def collection_corners(scene: Scene) -> NDArray[np.float64]:
    """Return corners of all patches of a collection by patch_id, as ``corners_lonlat`` gives them; read-only."""
    return table_corners(scene.places_path, scene.places_path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def table_corners(path: Path, _changed: int) -> NDArray[np.float64]:
    """Return the corners in a ``places.parquet``, read again only when it has changed."""
    flat = pq.read_table(path, columns=["corners"]).column(0).combine_chunks().flatten()
    corners: NDArray[np.float64] = flat.to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, 4, 2)
    corners.flags.writeable = False
    return corners


def centres_lonlat(scene: Scene, grid: PatchGrid, ids: IntArray) -> NDArray[np.float64] | None:
    """Return centres of patches in EPSG:4326, shape (N, 2), lon in [−180, 180); None when the place is unknown."""
    corners = corners_lonlat(scene, grid, ids)
    if corners is None:
        return None
    centre: NDArray[np.float64] = corners.mean(axis=1)
    centre[:, 0] = (centre[:, 0] + 180) % 360 - 180
    return centre


def source_names(scene: Scene) -> list[str] | None:
    """Return for a collection the file each patch came from, by patch_id; None for scenes."""
    if scene.kind != "collection":
        return None
    names: list[str] = pq.read_table(scene.places_path, columns=["source_name"]).column(0).to_pylist()
    return names


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
    scene: Scene, grid: PatchGrid, bands: Sequence[str], *, skip: frozenset[int] = frozenset()
) -> Iterator[PatchBatch]:
    """Read patches, one row of the grid or a part of it at a time, so that memory does not grow with the scene.

    Patches with less than ``MIN_VALID_FRACTION`` valid pixels come with their valid fraction and pixels all zero where
    nothing is valid; the caller decides. Rows whose patches are all in ``skip`` are not read.
    """
    step = max(1, READ_BYTES // (grid.size**2 * len(bands) * 4))
    with SceneReader(scene) as reader:
        for row, first in product(range(grid.n_rows), range(0, grid.n_cols, step)):
            cols = np.arange(first, min(first + step, grid.n_cols), dtype=np.int64)
            ids = row * grid.n_cols + cols
            wanted = np.array([int(patch_id) not in skip for patch_id in ids])
            if wanted.any():
                width = (len(cols) - 1) * grid.stride + grid.size
                pixels, mask = reader.read(bands, (row * grid.stride, first * grid.stride, grid.size, width))
                yield _cut(pixels, mask, ids[wanted], np.flatnonzero(wanted), grid)


def _cut(
    pixels: FloatArray, mask: NDArray[np.bool_], ids: IntArray, cols: NDArray[np.intp], grid: PatchGrid
) -> PatchBatch:
    """Cut patches out of a strip of shape (bands, size, width); ``cols`` counts from the strip's left edge."""
    views = np.lib.stride_tricks.sliding_window_view(pixels, grid.size, axis=2)[:, :, :: grid.stride]
    masks = np.lib.stride_tricks.sliding_window_view(mask, grid.size, axis=1)[:, :: grid.stride]
    cut = np.ascontiguousarray(views[:, :, cols].transpose(2, 1, 3, 0))
    valid = np.ascontiguousarray(masks[:, cols].transpose(1, 0, 2))
    fraction = valid.mean(axis=(1, 2), dtype=np.float32)
    for position in np.flatnonzero((fraction > 0) & (fraction < 1)):
        cut[position][~valid[position]] = cut[position][valid[position]].mean(axis=0)
    return PatchBatch(ids=ids, pixels=cut, valid_fraction=fraction)


def read_patch(
    scene: Scene, grid: PatchGrid, patch_id: int, bands: Sequence[str]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Read one patch: reflectance of shape (bands, size, size) and mask of shape (size, size), True = valid."""
    with SceneReader(scene) as reader:
        return reader.read(bands, grid.window(patch_id))
