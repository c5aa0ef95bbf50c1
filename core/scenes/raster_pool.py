"""Canonical rasters kept open for the next request, by any number of threads. Files from outside never come here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio

BLOCK_CACHE_BYTES = 2**28
"""GDAL's own cache of decoded blocks, for all rasters of the process together; rasterio takes it in bytes."""

_Key = tuple[Path, int | None, int, int]


class RasterPool:
    """Open rasters, each lent to one thread at a time; the longest unused are closed beyond ``limit``."""

    def __init__(self, limit: int = 32) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._idle: list[tuple[_Key, rasterio.DatasetReader]] = []

    @contextmanager
    def borrow(self, path: Path, level: int | None = None) -> Iterator[rasterio.DatasetReader]:
        """Lend a raster, or one of its overviews (0 = the first, of half the size), until the block ends.

        Raises:
            rasterio.errors.RasterioIOError: when the file is missing or damaged.
            FileNotFoundError: when it is missing.
        """
        state = path.stat()
        key = (path, level, state.st_mtime_ns, state.st_ino)
        with rasterio.Env(GDAL_CACHEMAX=BLOCK_CACHE_BYTES):
            data = self._take(key) or _open(path, level)
            try:
                yield data
            except BaseException:
                data.close()
                raise
            self._give(key, data)

    def close(self) -> None:
        """Close all idle rasters."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, data in idle:
            data.close()

    def _take(self, key: _Key) -> rasterio.DatasetReader | None:
        with self._lock:
            for position in range(len(self._idle) - 1, -1, -1):
                if self._idle[position][0] == key:
                    return self._idle.pop(position)[1]
        return None

    def _give(self, key: _Key, data: rasterio.DatasetReader) -> None:
        with self._lock:
            self._idle.append((key, data))
            surplus = self._idle[: -self._limit]
            self._idle = self._idle[-self._limit :]
        for _, old in surplus:
            old.close()


def _open(path: Path, level: int | None) -> rasterio.DatasetReader:
    options = {} if level is None else {"OVERVIEW_LEVEL": level}
    return rasterio.open(path, driver="GTiff", **options)


POOL = RasterPool()
"""The pool of this process."""
