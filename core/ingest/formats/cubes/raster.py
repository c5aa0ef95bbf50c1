"""Variables of one grid as a raster: pixels of one date, north up, read block by block as they are stored."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.ingest.formats.cubes.limits import reading
from core.ingest.formats.cubes.place import StoredPlace
from core.ingest.formats.cubes.statements import NumberRules
from core.ingest.formats.geotiff import RasterFile, check_size
from core.ingest.grid.resample import Bools, PixelWindow

if TYPE_CHECKING:
    import xarray as xr

_SIDE = 512
"""A block has at least so many rows and columns, of as many chunks as that takes."""
_BLOCK_BYTES = 4 * 2**20
"""Blocks of several chunks take no more, so that those of a window of all bands are kept together."""
_KEPT_BYTES = 256 * 2**20


class Blocks:
    """Blocks of pixels that were unpacked lately: windows lie across chunks, and chunks hold several dates."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._kept: OrderedDict[tuple[int, int, int], NDArray[Any]] = OrderedDict()
        self._bytes, self._most = 0, most_bytes

    def get(self, key: tuple[int, int, int], read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return a block, read unless it is kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        block = read()
        self._kept[key] = block
        self._bytes += block.nbytes
        while self._bytes > self._most and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= old.nbytes
        return block


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """Rows and columns of one variable at one place of its other axes.

    Attributes:
        number: tells planes apart.
        variable: read when it is indexed.
        at: positions along the other axes.
        y: axis of rows.
        x: axis of columns.
        rules: how its numbers are to be taken.
        chunk: rows and columns of a chunk.
        absent: files that are not there, True each, as they lie in rows and columns; None = all are.
        piece: rows and columns of such a file: a chunk, or a shard of several.
    """

    number: int
    variable: xr.Variable
    at: Mapping[str, int]
    y: str
    x: str
    rules: NumberRules
    chunk: tuple[int, int]
    absent: Bools | None = None
    piece: tuple[int, int] = (1, 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.variable.sizes[self.y]), int(self.variable.sizes[self.x])

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns that are read at once: whole chunks, and no more of them where rows are long."""
        cols = _blocked(self.chunk[1], self.shape[1])
        most = _BLOCK_BYTES // (cols * self.rules.dtype.itemsize * self.chunk[0])
        return min(_blocked(self.chunk[0], self.shape[0]), self.chunk[0] * max(1, most)), cols

    def read(self, window: PixelWindow, blocks: Blocks) -> NDArray[Any]:
        """Read numbers of shape (height, width) in a window (row, col, height, width) as they are stored."""
        row, col, height, width = window
        out = np.empty((height, width), dtype=self.rules.dtype)
        rows, cols = self.block
        for top in range(row // rows * rows, row + height, rows):
            for left in range(col // cols * cols, col + width, cols):
                block = blocks.get((self.number, top, left), lambda top=top, left=left: self._block(top, left))  # type: ignore[misc]
                first, last = max(row, top), min(row + height, top + block.shape[0])
                start, end = max(col, left), min(col + width, left + block.shape[1])
                out[first - row : last - row, start - col : end - col] = block[
                    first - top : last - top, start - left : end - left
                ]
        return out

    def _block(self, top: int, left: int) -> NDArray[Any]:
        rows, cols = self.block
        key = {**self.at, self.y: slice(top, top + rows), self.x: slice(left, left + cols)}
        part = self.variable.isel(key)
        numbers = part.values
        return self.rules.applied(numbers if part.dims == (self.y, self.x) else numbers.T)

    def missing(self, window: PixelWindow) -> Bools | None:
        """Return where chunks are absent, shape (height, width), or None."""
        if self.absent is None:
            return None
        row, col, height, width = window
        rows, cols = np.arange(row, row + height) // self.piece[0], np.arange(col, col + width) // self.piece[1]
        return np.asarray(self.absent[np.ix_(rows, cols)])


def _blocked(chunk: int, length: int) -> int:
    """Return the length of a block of whole chunks."""
    return min(length, chunk * max(1, -(-_SIDE // chunk)))


@dataclass(frozen=True, kw_only=True)
class CubeRaster(RasterFile):
    """Bands of one grid at one date.

    Attributes:
        planes: one a band.
        ground: where they lie, and how they are stored.
        blocks: what was read lately.
    """

    planes: tuple[Plane, ...]
    ground: StoredPlace
    blocks: Blocks

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read as a raster of a file, rows from north to south and columns from west to east."""
        stored = self._stored(window)
        planes = [self.planes[index - 1] for index in indexes]
        out = np.empty((len(planes), *window[2:]), dtype=np.result_type(*(plane.rules.dtype for plane in planes)))
        with reading(self.name):
            for position, plane in enumerate(planes):
                out[position] = self._upright(plane.read(stored, self.blocks))
        return out

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read where masks among the bands say that there is nothing, or a chunk is absent; None where all is there."""
        stored, missing = self._stored(window), []
        for index in self.alpha:
            numbers = self.read([index], window)[0]
            missing.append(numbers != 0 if index in self.holes else numbers == 0)
        missing += [self._upright(one) for plane in self.planes if (one := plane.missing(stored)) is not None]
        return np.logical_or.reduce(missing) if missing else None

    def _stored(self, window: PixelWindow) -> PixelWindow:
        row, col, height, width = window
        if self.ground.south_first:
            row = self.geobox.height - row - height
        if self.ground.east_first:
            col = self.geobox.width - col - width
        return row, col, height, width

    def _upright(self, numbers: NDArray[Any]) -> NDArray[Any]:
        return numbers[:: -1 if self.ground.south_first else 1, :: -1 if self.ground.east_first else 1]

    def close(self) -> None:
        """Let the file go: its groups are closed by who opened them."""


def raster_of(
    name: str, planes: tuple[Plane, ...], texts: tuple[str, ...], ground: StoredPlace, blocks: Blocks
) -> CubeRaster:
    """Return planes of one grid as a raster.

    Args:
        name: what people call it.
        planes: one a band.
        texts: what each is called.
        ground: where they lie.
        blocks: what was read lately.

    Raises:
        SourceTooLargeError: when they are too many, or too large.
    """
    box = ground.geobox
    check_size(count=len(planes), height=box.height, width=box.width)
    return CubeRaster(
        name=name, data=None, geobox=box, count=len(planes),
        dtypes=tuple(str(plane.rules.dtype) for plane in planes), descriptions=texts,
        nodata=tuple(_finite(plane.rules.nodata) for plane in planes),
        scaling=tuple(plane.rules.scaling for plane in planes),
        alpha=(), tags={}, block=planes[0].block, masked=False, notes=ground.notes,
        declares=tuple(dict.fromkeys(words for plane in planes for words in plane.rules.declared)),
        planes=planes, ground=ground, blocks=blocks,
    )  # fmt: skip


def _finite(number: float | None) -> float | None:
    """Return a number; None for NaN, which is no data anyhow."""
    return number if number is not None and math.isfinite(number) else None


def band_of(raster: CubeRaster, index: int, name: str) -> CubeRaster:
    """Return one band of a raster as a raster of its own, under a name of its own."""
    position = index - 1
    return replace(
        raster, name=name, count=1, planes=(raster.planes[position],), dtypes=(raster.dtypes[position],),
        descriptions=(raster.descriptions[position],), nodata=(raster.nodata[position],),
        scaling=(raster.scaling[position],), alpha=(), holes=(),
    )  # fmt: skip
