"""Batches of patches: their pixels, read from a scene so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene, SceneReader

READ_BYTES = 2**27
"""Pixels read together by ``iter_patches``, at most, unless one patch has more."""


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
    within: tuple[range, range] | None = None,
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
        within: rows and columns of the grid to keep to, without gaps; None = all.
        open_scene: gives the reader.
        most_bytes: of pixels read together and of patches given together, at most, unless one patch has more.
    """
    most = max(1, most_bytes // (grid.size**2 * len(bands) * 4))
    rows, cols = within or (range(grid.n_rows), range(grid.n_cols))
    with open_scene(scene) as reader:
        for first, last in _columns(grid, cols, most_bytes // (grid.size * len(bands) * 4)):
            strip = _Strip(reader, bands, grid, (first, last))
            for row in rows:
                ids = row * grid.n_cols + np.arange(first, last, dtype=np.int64)
                wanted = np.flatnonzero([int(patch_id) not in skip for patch_id in ids])
                if wanted.size:
                    strip.go_to(int(grid.tops[row]))
                for start in range(0, wanted.size, most):
                    some = wanted[start : start + most]
                    yield strip.cut(ids[some], grid.lefts[first + some])


def _columns(grid: PatchGrid, cols: range, widest: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns of patches that are at most so many pixels wide together, or one patch."""
    first = cols.start
    while first < cols.stop:
        fitting = int(np.searchsorted(grid.lefts, grid.lefts[first] + widest - grid.size, "right"))
        last = min(cols.stop, max(first + 1, fitting))
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
        pixels = np.empty((len(ids), self._size, self._size, len(self._bands)), np.float32)
        valid = np.empty(pixels.shape[:3], np.bool_)
        # Patch by patch, for one fits into the processor's cache while its bands are interleaved: half the time.
        for number, left in enumerate((lefts - self._left).tolist()):
            pixels[number] = self._pixels[:, :, left : left + self._size].transpose(1, 2, 0)
            valid[number] = self._mask[:, left : left + self._size]
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
