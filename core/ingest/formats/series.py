"""Rasters of one place at several dates: told from patches of a collection, by their names and where they lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath

import numpy as np

from core.errors import SourceError
from core.ingest.files import Member, Shelf
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.product_metadata import date_in, without_dates
from core.ingest.formats.tiles import in_tile_folders, shard_of

_RUN = re.compile(r"(?<=S2)[ABCD](?=_|$)|_N\d{4}(?=_|$)|_R\d{3}(?=_|$)")
"""What differs in the names of products from date to date: satellite, baseline, orbit."""
_OPENED = 8
"""So many rasters, spread over all, are looked into."""
_SAME_GROUND = 0.5
"""Dates of one place share more of the smaller one's ground than this; neighbours share an edge."""


def are_dates(shelf: Shelf, members: Sequence[Member]) -> bool:
    """Tell whether rasters that hold all bands are one place at several dates.

    Their names state dates and differ in nothing else but numbers of tiles or shards, or they lie on the same ground,
    or they are one a date in each folder of a tile. Pictures of 8 bits and what cannot be opened are left to the
    collection, which says what is wrong with them.
    """
    dates = {date_in(member.name) for member in members}
    if len(dates) < 2 or None in dates or _one_a_date_and_tile(members):
        return len(dates) > 1 and None not in dates
    folders = {without_dates(str(PurePosixPath(member.name).parent)) for member in members}
    exports = {shard_of(member.stem) for member in members}
    if len(folders) > 1 or None not in exports:
        return len(folders) == 1 and len({without_dates(export or "") for export in exports}) == 1
    with ExitStack() as opened:
        rasters = []
        for member in members[:: max(1, len(members) // _OPENED)][:_OPENED]:
            try:
                rasters.append(open_raster(shelf.path(member), member.name))
            except SourceError:
                return False
            opened.callback(rasters[-1].close)
            shelf.release(member)
        if any(np.dtype(raster.dtypes[0]).itemsize == 1 for raster in rasters):
            return False
        if all(raster.geobox.placed for raster in rasters):
            return all(_on_one_ground(rasters[0], raster) for raster in rasters[1:])
    return len({without_dates(member.stem) for member in members}) == 1


def _one_a_date_and_tile(members: Sequence[Member]) -> bool:
    return in_tile_folders(members) and len({(one.folder, date_in(one.name)) for one in members}) == len(members)


def series_name(stem: str) -> str | None:
    """Return what the names of a place's rasters have in common, dates left out; None when a name states no date."""
    return _RUN.sub("", without_dates(stem)) if date_in(stem) is not None else None


def _on_one_ground(first: RasterFile, other: RasterFile) -> bool:
    """Tell whether two rasters share most of the smaller one's ground."""
    if first.geobox.crs != other.geobox.crs:
        return False
    xs, ys = (sorted(axis) for axis in zip(*(first.geobox.corners()[n] for n in (0, 2)), strict=True))
    x2, y2 = (sorted(axis) for axis in zip(*(other.geobox.corners()[n] for n in (0, 2)), strict=True))
    width = min(xs[1], x2[1]) - max(xs[0], x2[0])
    height = min(ys[1], y2[1]) - max(ys[0], y2[0])
    smaller = min((xs[1] - xs[0]) * (ys[1] - ys[0]), (x2[1] - x2[0]) * (y2[1] - y2[0]))
    return bool(width > 0 and height > 0 and width * height > _SAME_GROUND * smaller)
