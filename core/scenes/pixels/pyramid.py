"""Overviews of pixels that are being written: averaged while they are at hand, and added to their file at the end.

GDAL would unpack all pixels again for it, which takes longer than to write them. What it would make is made here,
number for number, as long as halves are even; where they are not, or pixels come in odd pieces, GDAL makes it.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import tifftools
from numpy.typing import NDArray
from rasterio.windows import Window
from tifftools.tifftools import write_ifd

Reflectances = NDArray[np.uint16]

SMALLEST = 128
"""Pixels on the longer side below which no further overview is made."""
_MOST_LEVELS = 9
_AVERAGED = 2
"""Levels that are averaged here: they hold nearly all the work."""
_NEW_SUBFILE_TYPE = tifftools.Tag.NewSubfileType.value
_NOT_IN_OVERVIEWS = (
    tifftools.Tag.ModelPixelScaleTag.value,
    tifftools.Tag.ModelTiePointTag.value,
    tifftools.Tag.ModelTransformationTag.value,
    tifftools.Tag.GeoKeyDirectoryTag.value,
    tifftools.Tag.GeoDoubleParamsTag.value,
    tifftools.Tag.GeoAsciiParamsTag.value,
)


def factors_of(height: int, width: int) -> list[int]:
    """Return by how much each overview of a raster is smaller, finest first."""
    longer = max(height, width)
    return [2**level for level in range(1, _MOST_LEVELS + 1) if longer / 2**level >= SMALLEST]


class Pyramid:
    """Overviews of one raster of uint16, in which 0 is no data.

    Args:
        path: the raster; overviews wait in files beside it.
        shape: its bands, height and width.
        options: how rasterio writes it, and so its overviews.
    """

    def __init__(self, path: Path, shape: tuple[int, int, int], options: dict[str, Any]) -> None:
        count, height, width = shape
        self._path = path
        self._factors = factors_of(height, width)
        self._levels: list[tuple[Path, Any]] = []
        for level, factor in enumerate(self._factors[:_AVERAGED], 1):
            if height % factor or width % factor:
                break
            beside = path.with_name(f"{path.stem}-{level}.tif")
            sizes = {"height": height // factor, "width": width // factor, "count": count}
            self._levels.append((beside, rasterio.open(beside, "w", **{**options, **sizes})))

    def take(self, block: Reflectances, row: int, col: int) -> None:
        """Average a window of the raster: shape (bands, height, width), its first pixel at ``row`` and ``col``."""
        step = 2 ** len(self._levels)
        if any(number % step for number in (row, col, *block.shape[1:])):
            self.discard()
        for _, data in self._levels:
            block = halved(block)
            row, col = row // 2, col // 2
            data.write(block, window=Window(col, row, block.shape[2], block.shape[1]))

    def add(self) -> None:
        """Put the overviews into the raster, which is closed by now, and their files away.

        Raises:
            OSError: when the disk is full.
        """
        for _, data in self._levels:
            data.close()
        done = len(self._levels)
        build_overviews(self._levels[-1][0] if done else self._path, [one // 2**done for one in self._factors[done:]])
        if done:
            append([path for path, _ in self._levels], self._path)
        self.discard()

    def discard(self) -> None:
        """Put files away; what is taken from now on is left to GDAL."""
        for path, data in self._levels:
            data.close()
            path.unlink(missing_ok=True)
        self._levels = []


def build_overviews(path: Path, factors: list[int]) -> None:
    """Have GDAL average overviews of a raster."""
    if not factors:
        return
    # Without these GDAL packs overviews tighter than the pixels themselves, in more than twice the time.
    with (
        rasterio.Env(ZSTD_LEVEL_OVERVIEW=1, PREDICTOR_OVERVIEW=2, GDAL_NUM_THREADS="ALL_CPUS"),
        rasterio.open(path, "r+", driver="GTiff") as data,
    ):
        data.build_overviews(factors, rasterio.enums.Resampling.average)


def halved(block: Reflectances) -> Reflectances:
    """Return means of 2 × 2 pixels as GDAL rounds them, 0 left out; shape (bands, height / 2, width / 2)."""
    result = np.empty((block.shape[0], block.shape[1] // 2, block.shape[2] // 2), dtype=np.uint16)
    for position, band in enumerate(block):
        result[position] = _halved_full(band) if band.all() else _halved_with_gaps(band)
    return result


def _halved_full(band: Reflectances) -> Reflectances:
    # Two neighbours in a row are one number of 32 bits: so no pixel has to be moved.
    pairs = np.ascontiguousarray(band).view(np.uint32)
    sums = (pairs & 0xFFFF) + (pairs >> 16)
    total = sums[0::2] + sums[1::2]
    total += 2
    total >>= 2
    return total.astype(np.uint16)


def _halved_with_gaps(band: Reflectances) -> Reflectances:
    quarters = [band[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    total = np.zeros(quarters[0].shape, dtype=np.uint32)
    count = np.zeros(quarters[0].shape, dtype=np.uint32)
    for quarter in quarters:
        total += quarter
        count += quarter > 0
    return ((total + count // 2) // np.maximum(count, 1)).astype(np.uint16)


def append(paths: list[Path], target: Path) -> None:
    """Add the images of TIFF files to another as its overviews.

    Raises:
        OSError: when a file was cut short because the disk is full.
    """
    main = _written(target)
    big, order = main["bigtiff"], ">" if main["bigEndian"] else "<"
    last = main["ifds"][-1]
    after = last["offset"] + (8 + 20 * len(last["tags"]) if big else 2 + 12 * len(last["tags"]))
    with target.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        for image in (image for path in paths for image in _written(path)["ifds"]):
            tags = {tag: value for tag, value in image["tags"].items() if tag not in _NOT_IN_OVERVIEWS}
            tags[_NEW_SUBFILE_TYPE] = {"datatype": tifftools.Datatype.LONG, "data": [1]}
            after = write_ifd(file, file, order, big, {**image, "tags": tags}, after)


def _written(path: Path) -> dict[str, Any]:
    """Return what a TIFF file holds that was written just now.

    Raises:
        OSError: when some of it is not there: a disk that fills up may cut a file without any call failing.
    """
    try:
        found: dict[str, Any] = tifftools.read_tiff(path)
    except tifftools.TifftoolsError as error:
        raise _no_room() from error
    if not found["ifds"] or not all(map(_whole, found["ifds"])):
        raise _no_room()
    return found


def _whole(image: dict[str, Any]) -> bool:
    """Tell whether all tiles of an image lie in its file."""
    starts, lengths = (
        image["tags"].get(tag.value, {"data": []})["data"]
        for tag in (tifftools.Tag.TileOffsets, tifftools.Tag.TileByteCounts)
    )
    inside = (0 < start <= image["size"] - length for start, length in zip(starts, lengths, strict=False))
    return 0 < len(starts) == len(lengths) and all(inside)


def _no_room() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
