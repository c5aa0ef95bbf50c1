"""Files that are parts of one scene side by side: shards of a large export, and tiles of a grid."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.bands.names import band_of_file
from core.ingest.files import Member, Shelf
from core.ingest.findings import finding
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.product_metadata import date_in
from core.ingest.grid.resample import Bools, PixelWindow
from core.ingest.grid.stack import BandRaster, Scaling
from core.ingest.messages import clean_name
from core.scenes.geobox import GeoBox
from core.scenes.quality import Finding

_SHARD = re.compile(r"(.*?)[-_]?(\d{10})-(\d{10})$")
"""How Earth Engine ends the names of shards: row and column of the first pixel."""
_MOST = 200
_APART = 0.02
"""How far pixels of tiles may lie beside each other, in pixels."""


@dataclass(frozen=True, kw_only=True)
class TiledRaster:
    """Several rasters side by side as one; where they overlap, the first that holds something counts.

    Attributes:
        name: what people call it.
        parts: the rasters, each with the row and column of its first pixel.
        geobox: the smallest that holds all of them.
        overlapping: True = some pixels lie in several of them.
    """

    name: str
    parts: tuple[tuple[RasterFile, int, int], ...]
    geobox: GeoBox
    overlapping: bool

    @property
    def count(self) -> int:
        """Number of bands."""
        return self.parts[0][0].count

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Text of each band."""
        return self.parts[0][0].descriptions

    @property
    def dtypes(self) -> tuple[str, ...]:
        """NumPy type of each band."""
        return self.parts[0][0].dtypes

    @property
    def nodata(self) -> tuple[float | None, ...]:
        """Declared no-data value of each band, or None."""
        return self.parts[0][0].nodata

    @property
    def scaling(self) -> tuple[Scaling | None, ...]:
        """What each band's tags state of its numbers, or None."""
        return self.parts[0][0].scaling

    @property
    def block(self) -> tuple[int, int]:
        """(height, width) of what one decoding step gives."""
        return self.parts[0][0].block

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width) of 1-based bands in a window (row, col, height, width)."""
        return self._read(indexes, window)[0]

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read where no part holds anything."""
        return ~self._read([1], window)[1]

    def _read(self, indexes: list[int], window: PixelWindow) -> tuple[NDArray[Any], Bools]:
        """Read numbers, and where a part holds them."""
        row, col, height, width = window
        numbers = np.zeros((len(indexes), height, width), dtype=np.result_type(*self.dtypes))
        filled = np.zeros((height, width), dtype=bool)
        for raster, top, left in self.parts:
            first, last = max(row, top), min(row + height, top + raster.geobox.height)
            start, end = max(col, left), min(col + width, left + raster.geobox.width)
            if last <= first or end <= start:
                continue
            here = np.s_[first - row : last - row, start - col : end - col]
            part = (first - top, start - left, last - first, end - start)
            new = ~filled[here] & self._held(raster, part)
            if new.any():
                read = raster.read(indexes, part)
                numbers[(slice(None), *here)][:, new] = read[:, new]
                filled[here] |= new
        return numbers, filled

    def _held(self, raster: RasterFile, window: PixelWindow) -> Bools:
        """Return where a part holds something; where parts do not overlap, only what its own mask says counts."""
        own = raster.read_missing(window)
        held: Bools = np.ones(window[2:], dtype=bool) if own is None else ~own
        if self.overlapping:
            bands = [index for index in range(1, raster.count + 1) if index not in raster.alpha]
            numbers = raster.read(bands, window)
            empty = [0 if raster.nodata[index - 1] is None else raster.nodata[index - 1] for index in bands]
            nothing = np.array(empty, dtype=np.float64)[:, None, None]
            held &= ((numbers != 0) & (numbers != nothing) & np.isfinite(numbers)).any(axis=0)
        return held


def join_tiles(rasters: Sequence[RasterFile]) -> tuple[list[BandRaster], list[Finding]]:
    """Join rasters of the same bands that lie side by side; give the others as they are, and what to say of it."""
    groups: dict[object, list[RasterFile]] = {}
    for raster in rasters:
        groups.setdefault(_likeness(raster), []).append(raster)
    whole: list[BandRaster] = []
    parts: list[TiledRaster] = []
    for group in groups.values():
        tiled = side_by_side(group)
        if tiled is None:
            whole.extend(group)
        else:
            parts.append(tiled)
    return [*whole, *parts], _said(parts)


def _likeness(raster: RasterFile) -> object:
    """Return what has to be equal in rasters that are parts of one: place apart, all that says what they hold."""
    geobox, stem = raster.geobox, PurePosixPath(raster.name).stem
    band = band_of_file(stem) if raster.count - len(raster.alpha) == 1 else None
    told = (raster.count, raster.alpha, raster.descriptions, raster.dtypes, raster.nodata, raster.scaling)
    return band, told, geobox.crs, round(geobox.pixel_size, 9), date_in(raster.name)


def side_by_side(rasters: Sequence[RasterFile]) -> TiledRaster | None:
    """Lay rasters side by side; None when they are not on one grid, lie on each other, or hang not together."""
    if len(rasters) < 2 or not all(raster.geobox.placed and raster.geobox.axis_aligned for raster in rasters):
        return None
    a, _, c, _, e, f = rasters[0].geobox.transform
    places = []
    for raster in rasters:
        box = raster.geobox
        row, col = (box.transform[5] - f) / e, (box.transform[2] - c) / a
        same = math.isclose(box.transform[0], a, rel_tol=1e-6) and math.isclose(box.transform[4], e, rel_tol=1e-6)
        if not same or abs(row - round(row)) > _APART or abs(col - round(col)) > _APART:
            return None
        places.append((round(row), round(col), box.height, box.width))
    if not _hang_together(places):
        return None
    top, left = min(place[0] for place in places), min(place[1] for place in places)
    bottom, right = max(p[0] + p[2] for p in places), max(p[1] + p[3] for p in places)
    overlapping = any(_shared(p, q) > 0 for n, p in enumerate(places) for q in places[:n])
    transform = (a, rasters[0].geobox.transform[1], c + left * a, rasters[0].geobox.transform[3], e, f + top * e)
    return TiledRaster(
        name=_common_name([raster.name for raster in rasters]),
        parts=tuple((raster, p[0] - top, p[1] - left) for raster, p in zip(rasters, places, strict=True)),
        geobox=replace(rasters[0].geobox, transform=transform, height=bottom - top, width=right - left),
        overlapping=overlapping,
    )


def _hang_together(places: Sequence[PixelWindow]) -> bool:
    """Tell whether every rectangle touches the others along an edge, and none lies mostly on another."""
    for n, place in enumerate(places):
        for other in places[:n]:
            if _shared(place, other) > 0.5 * min(place[2] * place[3], other[2] * other[3]):
                return False
    reached, waiting = {0}, [0]
    while waiting:
        place = places[waiting.pop()]
        near = [n for n, other in enumerate(places) if n not in reached and _touch(place, other)]
        reached.update(near)
        waiting.extend(near)
    return len(reached) == len(places)


def _overlap(p: PixelWindow, q: PixelWindow) -> tuple[int, int]:
    """Return rows and columns that two rectangles share; 0 = they touch there, less = they are apart."""
    rows = min(p[0] + p[2], q[0] + q[2]) - max(p[0], q[0])
    return rows, min(p[1] + p[3], q[1] + q[3]) - max(p[1], q[1])


def _shared(p: PixelWindow, q: PixelWindow) -> int:
    rows, cols = _overlap(p, q)
    return max(rows, 0) * max(cols, 0)


def _touch(p: PixelWindow, q: PixelWindow) -> bool:
    rows, cols = _overlap(p, q)
    return min(rows, cols) >= 0 and max(rows, cols) > 0


def _common_name(names: Sequence[str]) -> str:
    """Return what to call tiles: their name without rows and columns, or the first of them; its band stays in it."""
    shard = _SHARD.fullmatch(PurePosixPath(names[0]).stem)
    return f"{shard[1]}.tif" if shard and shard[1] else names[0]


def _said(parts: Sequence[TiledRaster]) -> list[Finding]:
    if not parts:
        return []
    most = max(parts, key=lambda tiled: len(tiled.parts))
    covered = sum(raster.geobox.height * raster.geobox.width for raster, _, _ in most.parts)
    value = f"{len(most.parts)} side by side, {clean_name(most.name.rsplit('/', 1)[-1], 60)}"
    because = "they hold the same bands on one grid, so they are one scene"
    if most.overlapping:
        because += "; where they overlap, the first that holds something counts"
    elif covered < most.geobox.height * most.geobox.width:
        return [finding("tiles", value, "warning", f"{because}; what none of them covers is no data")]
    return [finding("tiles", value, "read", because)]


def shard_of(stem: str) -> str | None:
    """Return the name of the export of which a file is a shard, or None."""
    match = _SHARD.fullmatch(stem)
    return match[1] if match else None


def are_tiles(shelf: Shelf, members: Sequence[Member]) -> bool:
    """Tell whether rasters that hold all bands are parts of one scene, by their names, or by where they lie.

    Labelled folders are no tiles. What cannot be opened is none either: it shows later what is wrong with it.
    """
    if not 2 <= len(members) <= _MOST or len({member.folder for member in members}) > 1:
        return False
    stems = {match[1] for member in members if (match := _SHARD.fullmatch(member.stem))}
    if len(stems) == 1 and all(_SHARD.fullmatch(member.stem) for member in members):
        return True
    with ExitStack() as opened:
        rasters = []
        for member in members:
            try:
                rasters.append(open_raster(shelf.path(member), member.name))
            except SourceError:
                return False
            opened.callback(rasters[-1].close)
            if np.dtype(rasters[-1].dtypes[0]).itemsize == 1 or rasters[-1].geobox.crs is None:
                return False
        return len({_likeness(raster) for raster in rasters}) == 1 and side_by_side(rasters) is not None
