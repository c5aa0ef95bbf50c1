"""Files that are parts of one scene side by side: shards of a large export, and tiles of a grid."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from core.errors import BandsError, SourceError
from core.ingest.bands.names import band_of_file
from core.ingest.bands.offset import lifted
from core.ingest.files import Member, Shelf
from core.ingest.findings import finding
from core.ingest.formats.aligned import AlignedRaster, aligned, unlike
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.product_metadata import date_in
from core.ingest.grid.georeference import safe_crs
from core.ingest.grid.resample import Bools, PixelWindow
from core.ingest.grid.stack import BandRaster, Scaling
from core.ingest.grid.warp import Warped, reaches
from core.ingest.messages import clean_name
from core.scenes.geobox import GeoBox
from core.scenes.quality import Basis, Finding

_SHARD = re.compile(r"(.*?)[-_]?(\d{10})-(\d{10})$")
"""How Earth Engine ends the names of shards: row and column of the first pixel."""
_TILE_FOLDER = re.compile(r"X\d{4}_Y\d{4}|T?\d{2}[A-Z]{3}")
"""How FORCE calls the folders of its tiles, and Sentinel-2 its tiles."""
_MOST = 200
_APART = 0.02
"""How far pixels of tiles may lie beside each other, in pixels."""
_SEAMS, _SEAM_PIXELS, _FEWEST_MET = 6, 64, 60
"""Places along a seam that are looked at, pixels of each, and with how few nothing is said."""
_UNEVEN, _ALIKE = 3.0, 1.5
"""By how much the middle of tiles does not differ where they meet, and factors of bands do not where units differ."""
_UNIT = 2.0
"""Fractional numbers below this are reflectance as it is."""

TilePart = RasterFile | Warped | AlignedRaster


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
    parts: tuple[tuple[TilePart, int, int], ...]
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
            if filled[here].all():
                continue
            held, read = self._held(raster, indexes, part)
            new = ~filled[here] & held
            if new.any():
                numbers[(slice(None), *here)][:, new] = read[:, new]
                filled[here] |= new
        return numbers, filled

    def _held(self, raster: TilePart, indexes: list[int], window: PixelWindow) -> tuple[Bools, NDArray[Any]]:
        """Return where a part holds something, and its numbers.

        Where parts do not overlap, only what its own mask says counts.
        """
        own = raster.read_missing(window)
        held: Bools = np.ones(window[2:], dtype=bool) if own is None else ~own
        bands = [index for index in range(1, raster.count + 1) if index not in raster.alpha]
        if self.overlapping:
            numbers = raster.read(bands, window)
            empty = [0 if raster.nodata[index - 1] is None else raster.nodata[index - 1] for index in bands]
            nothing = np.array(empty, dtype=np.float64)[:, None, None]
            held &= ((numbers != 0) & (numbers != nothing) & np.isfinite(numbers)).any(axis=0)
            if all(index in bands for index in indexes):
                return held, numbers[[bands.index(index) for index in indexes]]
        return held, raster.read(indexes, window)


def join_tiles(rasters: Sequence[RasterFile]) -> tuple[list[BandRaster], list[Finding]]:
    """Join rasters of the same bands that lie side by side; give the others as they are, and what to say of it.

    Raises:
        BandsError: when rasters of the same bands lie apart, so that what lies between is missing.
        SourceError: when one of them holds the offset of 0.1 and the one beside it does not.
    """
    groups: dict[object, list[RasterFile]] = {}
    for raster in rasters:
        groups.setdefault(_likeness(raster), []).append(raster)
    kinds: dict[object, list[RasterFile]] = {}
    for raster in rasters:
        kinds.setdefault(_rough_likeness(raster), []).append(raster)
    zone = _main_zone(kinds.values())
    whole: list[BandRaster] = []
    joined: list[TiledRaster] = []
    for alike in _brought_together(groups, zone):
        _refuse_other_numbers(alike, alike=False)
        joined.append(alike)
    for group in groups.values():
        tiled = side_by_side(_in_zone(group, zone), apart=_are_shards(group))
        if tiled is None:
            _refuse_apart(group)
            whole.extend(group)
        else:
            if not _are_shards(group):  # Those of one export are alike.
                _refuse_other_numbers(tiled, alike=True)
            joined.append(tiled)
    _refuse_unlike([group[0] for group in groups.values()])
    return [*whole, *joined], _said(joined, zone)


def _brought_together(groups: dict[object, list[RasterFile]], zone: str | None) -> list[TiledRaster]:
    """Join rasters that lie side by side and hold the same bands in different ways; take their groups away."""
    kinds: dict[object, list[object]] = {}
    for key, group in groups.items():
        kinds.setdefault(_rough_likeness(group[0]), []).append(key)
    found = []
    for keys in kinds.values():
        keys.sort(key=lambda key: -len(groups[key]))
        rasters = [raster for key in keys for raster in groups[key]]
        alike = aligned(rasters) if len(keys) > 1 and (zone is None or _of_one_kind(rasters)) else None
        tiled = side_by_side(_in_zone(alike, zone)) if alike is not None else None
        if tiled is not None:
            found.append(tiled)
            for key in keys:
                del groups[key]
    return found


def _of_one_kind(rasters: Sequence[RasterFile]) -> bool:
    """Tell whether all rasters hold whole numbers, or all fractions."""
    return len({np.dtype(raster.dtypes[0]).kind in "iu" for raster in rasters}) == 1


def _rough_likeness(raster: RasterFile) -> object:
    """Return what has to be equal in rasters that may be parts of one, however they hold their bands."""
    band, (count, alpha, *_), *rest = _likeness(raster)
    return band, count - len(alpha), *rest


def _refuse_other_numbers(tiled: TiledRaster, *, alike: bool) -> None:
    """Refuse tiles whose numbers mean something else than those of the tile beside, by what they hold where they meet.

    Args:
        tiled: the tiles.
        alike: True = they hold their bands in one way.

    Raises:
        SourceError: naming two of them, of which one holds the offset of 0.1.
        BandsError: naming two of them whose numbers are of other sizes.
    """
    places = [(top, left, part.geobox.height, part.geobox.width) for part, top, left in tiled.parts]
    uneven: list[BandsError] = []
    for m, n in combinations(range(len(places)), 2):
        if _touch(places[n], places[m]):
            one, other = tiled.parts[n][0], tiled.parts[m][0]
            numbers = _where_they_meet(one, places[n], other, places[m])
            _refuse_offset_in_one(one, other, numbers)
            uneven.extend(filter(None, [_uneven(one, other, numbers, alike=alike)]))
    if uneven:
        raise uneven[0]


def _uneven(one: TilePart, other: TilePart, numbers: NDArray[np.float64], *, alike: bool) -> BandsError | None:
    """Return the error for two tiles whose numbers are of other sizes where they meet; None where they are not.

    Where tiles are alike, only one factor in all bands tells of units.
    """
    if numbers.shape[-1] < _FEWEST_MET:
        types = f"differ in the type of their numbers, {_kind(other)} and {_kind(one)}"
        return _unlike_tiles(other, one, types) if _of_unsure_units(one, other) else None
    middles = np.maximum(np.abs(np.median(numbers, axis=-1)), 1e-9)
    factors = np.maximum(middles[0] / middles[1], middles[1] / middles[0])
    one_factor = bool(factors.min() > _UNEVEN and factors.max() < _ALIKE * factors.min())
    if not (one_factor if alike else np.percentile(factors, 67) > _UNEVEN):
        return None
    return _unlike_tiles(other, one, f"their numbers differ by a factor of {np.median(factors):.3g} where they meet")


def _kind(part: TilePart) -> str:
    return part.source.dtypes[0] if isinstance(part, AlignedRaster) else part.dtypes[0]


def _of_unsure_units(one: TilePart, other: TilePart) -> bool:
    """Tell whether one of two tiles holds whole numbers and the other fractions, and no tags say what they mean."""
    return one.scaling[0] is None and len({np.dtype(_kind(part)).kind in "iu" for part in (one, other)}) > 1


def _unlike_tiles(one: TilePart, other: TilePart, what: str) -> BandsError:
    """Return the error for two tiles that are not of one scene, or not written in one way."""
    first, second = (f"“{clean_name(PurePosixPath(part.name).name, 60)}”" for part in (one, other))
    remedy = "export all tiles in one way, or open those of one kind alone"
    return BandsError(found=f"{first} and {second} lie side by side, but {what}", remedy=remedy)


def _refuse_unlike(rasters: Sequence[RasterFile]) -> None:
    """Refuse rasters of several bands that lie side by side and differ in how they hold them.

    Raises:
        BandsError: naming two of them, and in what they differ.
    """
    several = [raster for raster in rasters if raster.count - len(raster.alpha) > 1]
    for one, other in combinations(several, 2):
        places = _places([one, other]) if one.geobox.crs == other.geobox.crs else None
        if places is None or _doubled([one, other], places) or not _touch(*places):
            continue
        if date_in(one.name) != date_in(other.name):
            continue
        raise _unlike_tiles(one, other, f"differ in {unlike(one, other)}")


def _likeness(raster: RasterFile) -> tuple[Any, ...]:
    """Return what has to be equal in rasters that are parts of one: place apart, all that says what they hold."""
    geobox, stem = raster.geobox, PurePosixPath(raster.name).stem
    band = band_of_file(stem) if raster.count - len(raster.alpha) == 1 else None
    nodata = tuple(map(str, raster.nodata))  # As text NaN is equal to itself.
    told = (raster.count, raster.alpha, raster.descriptions, raster.dtypes, nodata, raster.scaling)
    zone = None if _zone(geobox.crs) else geobox.crs
    return band, told, zone, round(geobox.pixel_size, 9), date_in(raster.name)


@lru_cache(maxsize=64)
def _zone(crs: str | None) -> str | None:
    """Return the UTM zone of a reference system such as ``33N``, or None."""
    return CRS.from_user_input(crs).utm_zone if crs is not None and safe_crs(crs) else None


def _main_zone(groups: Iterable[Sequence[RasterFile]]) -> str | None:
    """Return the reference system of the zone that holds most land, where rasters of one kind lie in several."""
    land: dict[str, float] = {}
    for group in groups:
        if len({raster.geobox.crs for raster in group}) > 1:
            for raster in group:
                land[str(raster.geobox.crs)] = land.get(str(raster.geobox.crs), 0.0) + reaches(raster)
    return max(land, key=lambda crs: land[crs]) if land else None


def _in_zone(group: Sequence[RasterFile | AlignedRaster], zone: str | None) -> list[TilePart]:
    """Return rasters in one reference system, those of the main zone first."""
    main: list[TilePart] = [raster for raster in group if raster.geobox.crs == zone]
    if zone is None or not main or len(main) == len(group):
        return list(group)
    return [*main, *(Warped(raster, main[0].geobox) for raster in group if raster.geobox.crs != zone)]


def side_by_side(rasters: Sequence[TilePart], *, apart: bool = False) -> TiledRaster | None:
    """Lay rasters side by side; None when they are not on one grid, lie on each other, or hang not together.

    Args:
        rasters: of the same bands.
        apart: True = they are known to be of one export, so that they need not touch.
    """
    places = _places(rasters) if len(rasters) > 1 else None
    if places is None or _doubled(rasters, places) or not (apart or _hang_together(places)):
        return None
    first = rasters[0].geobox
    row, col = places[0][:2]
    top, left = min(place[0] for place in places), min(place[1] for place in places)
    bottom, right = max(p[0] + p[2] for p in places), max(p[1] + p[3] for p in places)
    overlapping = any(_shared(p, q) > 0 for n, p in enumerate(places) for q in places[:n])
    a, b, c, d, e, f = first.transform
    moved = (a, b, c + (left - col) * a, d, e, f + (top - row) * e) if first.placed else first.transform
    return TiledRaster(
        name=_common_name([raster.name for raster in rasters]),
        parts=tuple((raster, p[0] - top, p[1] - left) for raster, p in zip(rasters, places, strict=True)),
        geobox=replace(first, transform=moved, height=bottom - top, width=right - left),
        overlapping=overlapping or any(isinstance(raster, Warped) for raster in rasters),
    )


def _places(rasters: Sequence[TilePart]) -> list[PixelWindow] | None:
    """Return row, column, height and width of each raster on the grid of the first; None when there is no such grid.

    Shards without a place are where their names say.
    """
    boxes = [raster.geobox for raster in rasters]
    if not any(box.placed for box in boxes) and _are_shards(rasters):
        return [(*_starts(raster.name), raster.geobox.height, raster.geobox.width) for raster in rasters]
    if not all(box.placed and box.axis_aligned for box in boxes):
        return None
    a, _, c, _, e, f = boxes[0].transform
    places = []
    for box in boxes:
        row, col = (box.transform[5] - f) / e, (box.transform[2] - c) / a
        same = math.isclose(box.transform[0], a, rel_tol=1e-6) and math.isclose(box.transform[4], e, rel_tol=1e-6)
        if box.crs != boxes[0].crs or not same or abs(row - round(row)) > _APART or abs(col - round(col)) > _APART:
            return None
        places.append((round(row), round(col), box.height, box.width))
    return places


def _doubled(rasters: Sequence[TilePart], places: Sequence[PixelWindow]) -> bool:
    """Tell whether a raster lies mostly on another, so that they are no tiles; those of two zones share much."""
    for n, place in enumerate(places):
        for m, other in enumerate(places[:n]):
            most = 0.5 if isinstance(rasters[n], Warped) == isinstance(rasters[m], Warped) else 0.9
            if _shared(place, other) > most * min(place[2] * place[3], other[2] * other[3]):
                return True
    return False


def _refuse_apart(group: Sequence[RasterFile]) -> None:
    """Refuse rasters of the same bands on one grid that do not touch each other.

    Raises:
        BandsError: when they are.
    """
    places = _places(group) if len(group) > 1 and len({raster.geobox.crs for raster in group}) == 1 else None
    if places is not None and not _doubled(group, places):
        names = " and ".join(f"“{clean_name(PurePosixPath(raster.name).name, 60)}”" for raster in group[:2])
        found = f"{len(group)} rasters of the same bands, {names} among them, lie apart as if one between were missing"
        raise BandsError(found=found, remedy="add what lies between, or open one at a time")


def _refuse_offset_in_one(one: TilePart, other: TilePart, numbers: NDArray[np.float64]) -> None:
    """Refuse two tiles of which one holds the offset of 0.1, by what they hold where they meet.

    Raises:
        SourceError: naming them.
    """
    if numbers.shape[-1] < _FEWEST_MET:
        return
    reflectance = np.dtype(one.dtypes[0]).kind == "f" and np.abs(numbers).max() < _UNIT
    apart = np.median(numbers[0] - numbers[1], axis=-1) * (10_000 if reflectance else 1)
    if any(lifted(sign * apart).all() for sign in (1, -1)):
        brighter, darker = (one, other) if apart[0] > 0 else (other, one)
        names = [f"“{clean_name(PurePosixPath(part.name).name, 60)}”" for part in (brighter, darker)]
        light = np.median(np.abs(apart)) / 10_000
        found = (
            f"{names[0]} is brighter by {light:.2f} than {names[1]} where they meet, in every band, so one of them "
            "holds the offset of 0.1 and the other does not"
        )
        raise SourceError(found=found, remedy="export all tiles in one way, or open those of one kind alone")


def _where_they_meet(one: TilePart, place: PixelWindow, other: TilePart, beside: PixelWindow) -> NDArray[np.float64]:
    """Return numbers of two tiles side by side or at the same pixels, shape (2, bands, pixels)."""
    bands = [index for index in range(1, one.count + 1) if index not in one.alpha]
    declared = [0 if one.nodata[index - 1] is None else one.nodata[index - 1] for index in bands]
    nothing = np.array(declared)[:, None, None]
    pairs = []
    for row, col, height, width, down, right in _seams(place, beside):
        windows = [
            (raster, (row + d - own[0], col + r - own[1], height, width))
            for raster, own, d, r in ((one, place, 0, 0), (other, beside, down, right))
        ]
        first, second = (raster.read(bands, window).astype(np.float64) for raster, window in windows)
        held = ((first != 0) & (second != 0) & (first != nothing) & (second != nothing)).all(axis=0)
        held &= np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
        for raster, window in windows:
            if (missing := raster.read_missing(window)) is not None:
                held &= ~missing
        pairs.append(np.stack([first[:, held], second[:, held]]))
    return np.concatenate(pairs, axis=-1) if pairs else np.empty((2, len(bands), 0))


def _seams(p: PixelWindow, q: PixelWindow) -> Iterable[tuple[int, int, int, int, int, int]]:
    """Give windows of the first of two tiles along their seam, and how far down and right the second's pixels lie.

    Where they overlap, these are the same pixels.
    """
    rows, cols = _overlap(p, q)
    top, left = max(p[0], q[0]), max(p[1], q[1])
    if rows > 0 and cols > 0:
        side = (min(rows, _SEAM_PIXELS), min(cols, _SEAM_PIXELS))
        for part in range(_SEAMS):
            row, col = (top + (rows - side[0]) * part // (_SEAMS - 1), left + (cols - side[1]) * part // (_SEAMS - 1))
            yield row, col, *side, 0, 0
        return
    along = max(rows, cols)
    length = min(along, _SEAM_PIXELS)
    for part in range(_SEAMS):
        start = (along - length) * part // (_SEAMS - 1)
        if rows == 0:  # One above the other.
            down = -1 if p[0] > q[0] else 1
            yield (p[0] if down < 0 else p[0] + p[2] - 1), left + start, 1, length, down, 0
        else:
            right = -1 if p[1] > q[1] else 1
            yield top + start, (p[1] if right < 0 else p[1] + p[3] - 1), length, 1, 0, right


def _hang_together(places: Sequence[PixelWindow]) -> bool:
    """Tell whether every rectangle touches the others along an edge."""
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


def _said(joined: Sequence[TiledRaster], zone: str | None) -> list[Finding]:
    """Say of how many parts the scene is, what none of them covers, and which lie in another zone."""
    if not joined:
        return []
    most = max(joined, key=lambda tiled: len(tiled.parts))
    value = f"{len(most.parts)} side by side, {clean_name(most.name.rsplit('/', 1)[-1], 60)}"
    because = ["they hold the same bands on one grid, so they are one scene"]
    if most.overlapping:
        because.append("where they overlap, the first that holds something counts")
    first = most.parts[0][0]
    if isinstance(first, AlignedRaster):
        shown = clean_name(PurePosixPath(first.name).name, 60)
        because.append(f"type, order or packing of their bands differ, and those of {shown} count for all")
    warped = [part for part, _, _ in most.parts if isinstance(part, Warped)]
    if warped:
        names = ", ".join(clean_name(PurePosixPath(part.name).name, 40) for part in warped[:3])
        because.append(
            f"{names}{' and others' if len(warped) > 3 else ''} of another UTM zone were laid over {zone}, "
            "which holds most land, each pixel with the nearest number"
        )
    holes = 1 - _covered(most) / (most.geobox.height * most.geobox.width)
    late = _first_missing(most)
    if late:
        because.append(f"the names of the shards begin at {late}, so some before are missing")
    if holes > 0:
        because.append(f"{max(holes, 0.001):.1%} of their rectangle none of them covers, which is no data")
    basis: Basis = "warning" if late or (holes > 0 and not warped) else "read"
    return [finding("tiles", value, basis, "; ".join(because))]


def _covered(tiled: TiledRaster) -> int:
    """Return how many pixels of the rectangle lie in at least one part."""
    spans = [(top, top + part.geobox.height, left, left + part.geobox.width) for part, top, left in tiled.parts]
    rows = np.unique([edge for span in spans for edge in span[:2]])
    cols = np.unique([edge for span in spans for edge in span[2:]])
    cells = np.zeros((len(rows) - 1, len(cols) - 1), dtype=bool)
    for top, bottom, left, right in spans:
        cells[np.searchsorted(rows, top) : np.searchsorted(rows, bottom),
              np.searchsorted(cols, left) : np.searchsorted(cols, right)] = True  # fmt: skip
    return int((cells * np.outer(np.diff(rows), np.diff(cols))).sum())


def _first_missing(tiled: TiledRaster) -> str:
    """Return where the names of shards begin, when it is not at the first row and column; else nothing."""
    if not _are_shards([part for part, _, _ in tiled.parts]):
        return ""
    starts = [_starts(part.name) for part, _, _ in tiled.parts]
    row, col = min(start[0] for start in starts), min(start[1] for start in starts)
    return f"row {row:,} and column {col:,}" if row or col else ""


def _are_shards(rasters: Sequence[TilePart]) -> bool:
    """Tell whether rasters are the shards of one export, by their names."""
    return None not in (stems := {shard_of(PurePosixPath(raster.name).stem) for raster in rasters}) and len(stems) == 1


def _starts(name: str) -> tuple[int, int]:
    """Return row and column of the first pixel that the name of a shard states."""
    match = _SHARD.fullmatch(PurePosixPath(name).stem)
    return (int(match[2]), int(match[3])) if match else (0, 0)


def shard_of(stem: str) -> str | None:
    """Return the name of the export of which a file is a shard, or None."""
    match = _SHARD.fullmatch(stem)
    return match[1] if match else None


def in_tile_folders(members: Sequence[Member]) -> bool:
    """Tell whether files lie in several folders, each called as a tile of FORCE or Sentinel-2."""
    folders = {member.folder for member in members}
    return len(folders) > 1 and all(map(_TILE_FOLDER.fullmatch, folders))


def _in_one_folder_or_of_one_name(members: Sequence[Member]) -> bool:
    return len({member.folder for member in members}) == 1 or len({member.base for member in members}) == 1


def are_tiles(shelf: Shelf, members: Sequence[Member]) -> bool:
    """Tell whether rasters that hold all bands are parts of one scene, by their names, or by where they lie.

    Labelled folders are no tiles, unless they are called as tiles, or hold one file of the same name each. What cannot
    be opened is none either: it shows later what is wrong with it.
    """
    if not 2 <= len(members) <= _MOST or not (in_tile_folders(members) or _in_one_folder_or_of_one_name(members)):
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
        if len({_rough_likeness(raster) for raster in rasters}) > 1:
            return False
        alike: Sequence[RasterFile | AlignedRaster] | None = rasters
        if len({_likeness(raster) for raster in rasters}) > 1:
            alike = aligned(rasters)
        return alike is not None and side_by_side(_in_zone(alike, _main_zone([rasters]))) is not None
