"""Bands of a product decoded by several threads before they are asked for: JPEG 2000 takes most of taking one in.

What is decoded stays in GDAL's cache of blocks, from which the bands are then read as ever.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from core.ingest.formats.geotiff import RasterFile
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.resample import PixelWindow

_DRIVER = "JP2OpenJPEG"
LARGE = 2_000_000
"""Pixels of the finest band from which threads are worth their while."""
_WINDOW = 200_000
"""Pixels of a window from which it is one of a walk over the whole, and the next one is foreseen."""
_THREADS = 2

RasterShare = tuple[float, float, float, float]
"""Top, left, bottom and right of a window as shares of the raster."""


def read_ahead(rasters: Sequence[RasterFile], opened: ExitStack, *, least: int = LARGE) -> list[RasterFile]:
    """Return rasters that cover one ground as such that are decoded ahead; as they are where it is not worth while.

    Args:
        rasters: bands of one tile.
        opened: ends the threads before the rasters are closed.
        least: pixels of the finest band from which it is worth while.
    """
    finest = max(rasters, key=lambda raster: raster.geobox.height * raster.geobox.width)
    large = finest.geobox.height * finest.geobox.width >= least
    if not large or any(raster.data.driver != _DRIVER for raster in rasters) or (os.cpu_count() or 1) < 2:
        return list(rasters)
    group = _Group(len(rasters))
    opened.callback(group.close)
    ahead = [replace(raster, data=AheadData(raster.data, group)) for raster in rasters]
    group.members = [raster.data for raster in ahead]
    group.leader = ahead[rasters.index(finest)].data
    return ahead


class AheadData:
    """An open file that tells its group what is read of it; one thread reads it at a time."""

    def __init__(self, data: DatasetReader, group: _Group) -> None:
        self._data, self._group, self._lock = data, group, threading.Lock()
        self.name, self.driver = data.name, data.driver
        self.height, self.width = data.height, data.width

    def read(self, indexes: list[int], window: Window) -> NDArray[Any]:
        """Read numbers of bands in a window."""
        self._group.asked(self, (int(window.row_off), int(window.col_off), int(window.height), int(window.width)))
        with self._lock:
            numbers: NDArray[Any] = self._data.read(indexes, window=window)
        return numbers

    def decode(self, share: RasterShare, beyond: int) -> None:
        """Decode what lies in a share of the raster and pixels beyond; what is wrong shows when it is read."""
        top, left = round(share[0] * self.height) - beyond, round(share[1] * self.width) - beyond
        bottom, right = round(share[2] * self.height) + beyond, round(share[3] * self.width) + beyond
        top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, self.height), min(right, self.width)
        with suppress(*GDAL_ERRORS), self._lock:
            self._data.read(1, window=Window(left, top, right - left, bottom - top))

    def close(self) -> None:
        """Let the file go."""
        self._data.close()


class _Group:
    """Bands that are read together, window by window, in the order of one of them."""

    def __init__(self, count: int) -> None:
        self.members: list[AheadData] = []
        self.leader: AheadData | None = None
        self._pool = ThreadPoolExecutor(min(_THREADS, count), thread_name_prefix="decode")
        self._begun: set[PixelWindow] = set()
        self._first: PixelWindow | None = None
        self._last: PixelWindow | None = None
        self._end = 0

    def asked(self, data: AheadData, window: PixelWindow) -> None:
        """Decode of the other bands what is read of the leader, and of all what will be read next."""
        if data is not self.leader or window[2] * window[3] < _WINDOW:
            return
        self._begin(window, [one for one in self.members if one is not data])
        following = self._following(window)
        if following is not None:
            self._begin(following, self.members)

    def _begin(self, window: PixelWindow, members: Sequence[AheadData]) -> None:
        leader = self.leader
        if window in self._begun or leader is None:
            return
        self._begun.add(window)
        row, col, height, width = window
        share = row / leader.height, col / leader.width, (row + height) / leader.height, (col + width) / leader.width
        for member in members:
            self._pool.submit(member.decode, share, 0 if member.height == leader.height else 1)

    def _following(self, window: PixelWindow) -> PixelWindow | None:
        """Return the window that is read next in a walk by rows; of a part of the raster its end is learned."""
        leader, (row, col, height, width) = self.leader, window
        if leader is None:
            return None
        if self._last is not None and row > self._last[0]:
            self._end = self._last[1] + self._last[3]
        if self._first is None or row < self._first[0]:
            self._first, self._end = window, leader.width
        self._last = window
        if col + width < self._end:
            return row, col + width, height, min(self._first[3], self._end - col - width)
        below = row + height
        return (
            (below, self._first[1], min(height, leader.height - below), self._first[3])
            if below < leader.height
            else None
        )

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
