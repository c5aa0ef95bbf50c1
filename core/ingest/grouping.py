"""Which files make one source, and of what kind it is: asked by the page about uploads, and in the sandbox.

A folder, a zip, and what is handed to ``boundary.ingest`` at once are one source. Files chosen one by one may be
several; what the page takes for one collection here is what the sandbox takes for one there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from core.ingest.bands.assign import MIN_BANDS
from core.ingest.bands.names import band_of_file
from core.ingest.files import RASTER_SUFFIXES, TABLE_SUFFIXES, Member, SourceFiles
from core.ingest.formats.archives.names import is_archive_name
from core.ingest.formats.archives.opening import BESIDE_SUFFIXES
from core.ingest.formats.class_folders import holds_all_bands, patch_files
from core.ingest.formats.cubes.containers import CUBE_SUFFIXES
from core.ingest.formats.envi.header import header_names
from core.ingest.formats.envi.raster import OTHER_SUFFIXES
from core.ingest.formats.kind import SourceKind
from core.ingest.formats.product_metadata import date_in
from core.ingest.formats.registry import SOURCE_KINDS, is_own_source
from core.ingest.formats.series import series_name
from core.ingest.formats.tiles import shard_of
from core.ingest.scenes_apart import scenes_apart, with_what_lies_beside

MOST_SCENES = 12
"""Rasters chosen together that are a scene each; more are patches of a collection, if patches they can be."""

FEWEST_PATCHES = 3
"""Fewer rasters with a table are not taken for a collection."""
SMALL_BYTES = 2 * 2**20
"""Patches of up to 250 pixels a side, all bands, take no more."""

_REQUEST = re.compile(r"request(?:[-_]\S*)?\.json", re.IGNORECASE)
UNREAD = frozenset({".hdf"})
"""Files of data that no kind reads: each is refused by itself, and is not left out of a scene beside it."""


def kind_of(files: SourceFiles, kinds: Sequence[SourceKind] = SOURCE_KINDS) -> SourceKind:
    """Return the first kind that recognises a source."""
    return next(kind for kind in kinds if kind.recognises(files))


def bytes_on_disk(path: Path) -> int:
    """Return the size of a file."""
    return path.stat().st_size


def sources_of(
    paths: Sequence[Path], bands: tuple[str, ...] | None = None, *, size: Callable[[Path], int] = bytes_on_disk
) -> list[list[Path]]:
    """Part files chosen one by one into sources, by names and sizes; none is opened.

    Every archive, array and cube and every raster that is not named as a band is a source of its own, but for shards
    of one export, dates of one place, and cubes of a band each. Band files belong together unless they are of
    ``scenes_apart``, and so do all files when a person named their bands, and many rasters, or some small ones with a
    table, which are the patches of a collection. What is named after a whole raster goes with it; other tables and
    metadata go with the rasters that belong together, or with the only one.

    Args:
        paths: the files, by names that tell them apart.
        bands: as a person named them, or None.
        size: gives the bytes of a file, which need not be on the disk yet.
    """
    apart = [path for path in paths if _is_apart(path)]
    together = [path for path in paths if path not in apart]
    if _is_answered(apart, together):
        return [list(paths)]
    alone = _own_sources(apart)
    names = {path.name for path in together}
    rasters = [path for path in together if path.suffix.lower() in RASTER_SUFFIXES or _in_envi(path, names)]
    whole = [path for path in rasters if holds_all_bands(path.stem)]
    collection = len(whole) > MOST_SCENES or _have_a_table(whole, together, size)
    if any(map(_is_request, together)):
        return [*alone, together]
    if bands is None and len(rasters) > 1 and not (collection and patch_files(_members(together, size))):
        others = [path for path in together if path not in whole]
        groups, others = with_what_lies_beside(_parts_together(whole), others)
        return alone + groups + scenes_apart(others)
    return alone + ([together] if together else [])


def scenes_of_files(paths: Sequence[Path]) -> list[list[Path]]:
    """Part the files of a folder into sources of a scene each, by names alone; what is no data is left out.

    As ``sources_of``, but dates of one place are scenes apart, and many rasters are never patches of a collection: each
    can be done by itself, and be done anew when it changes.

    Args:
        paths: files of one folder; none is opened.
    """
    apart = {path: True for path in paths if _is_apart(path)}
    together = [path for path in paths if path not in apart]
    if _is_answered(list(apart), together):
        return [list(paths)]
    names = {path.name for path in together}
    data = {path for path in together if path.suffix.lower() in RASTER_SUFFIXES or _in_envi(path, names)}
    shards: dict[tuple[str, str], list[Path]] = {}
    for path in together:
        if path in data and holds_all_bands(path.stem):
            shard = shard_of(path.stem)
            shards.setdefault(("shards", shard) if shard else ("alone", path.name), []).append(path)
    whole = {path for group in shards.values() for path in group}
    groups, others = with_what_lies_beside(list(shards.values()), [path for path in together if path not in whole])
    found = [*([path] for path in apart), *groups, *scenes_apart(others)]
    return [group for group in found if group[0] in apart or not data.isdisjoint(group)]


def _is_apart(path: Path) -> bool:
    """Tell whether a file is a source by itself, or refused by itself."""
    return path.suffix.lower() in UNREAD or is_own_source(path.name)


def _is_answered(apart: Sequence[Path], together: Sequence[Path]) -> bool:
    """Tell whether files are one archive and what belongs to it, as the answer to a request beside the request."""
    beside = bool(together) and all(path.suffix.lower() in BESIDE_SUFFIXES for path in together)
    return beside and len(apart) == 1 and is_archive_name(apart[0].name)


def _is_request(path: Path) -> bool:
    """Tell whether a file is called as a request to Sentinel Hub, whose outputs are files of one scene."""
    return _REQUEST.fullmatch(path.name) is not None


def _own_sources(paths: Sequence[Path]) -> list[list[Path]]:
    """Return files that are a source each; cubes of one place at several dates, or of a band each, are one."""
    cubes = [path for path in paths if path.suffix.lower() in CUBE_SUFFIXES]
    bands = {path: band for path in cubes if (band := band_of_file(path.stem)) is not None}
    keys: dict[Path, tuple[str, str]] = {path: ("alone", path.name) for path in paths}
    if len(bands) >= MIN_BANDS and len(set(bands.values())) == len(bands):
        keys.update(dict.fromkeys(bands, ("bands", "")))
    names: dict[str, list[Path]] = {}
    for path in cubes:
        if path not in bands and (place := series_name(path.stem)) is not None:
            names.setdefault(place, []).append(path)
    for place, group in names.items():
        if len({date_in(path.name) for path in group}) == len(group):
            keys.update(dict.fromkeys(group, ("dates", place)))
    groups: dict[tuple[str, str], list[Path]] = {}
    for path, key in keys.items():
        groups.setdefault(key, []).append(path)
    return list(groups.values())


def _in_envi(path: Path, names: Collection[str]) -> bool:
    """Tell whether a file has a header of ENVI's among others, so that it is a raster whatever its name ends in."""
    return path.suffix.lower() not in OTHER_SUFFIXES and not header_names(path.name).isdisjoint(names)


def _have_a_table(whole: Sequence[Path], files: Sequence[Path], size: Callable[[Path], int]) -> bool:
    """Tell whether whole rasters may be patches of a collection because a table lies beside them, of classes it seems.

    They are as small as patches are, each for itself and no band file among them, and the table is named after none.
    """
    tables = [path for path in files if path.suffix.lower() in TABLE_SUFFIXES]
    own = [path for path in tables if any(path.name.startswith(f"{raster.stem}.") for raster in whole)]
    rasters = [path for path in files if path.suffix.lower() in RASTER_SUFFIXES]
    return (
        len(tables) == 1
        and not own
        and len(whole) == len(rasters) >= FEWEST_PATCHES
        and all(size(path) <= SMALL_BYTES for path in whole)
        and all(len(group) == 1 for group in _parts_together(whole))
    )


def _parts_together(rasters: Sequence[Path]) -> list[list[Path]]:
    """Part whole rasters into sources: shards of one export and dates of one place together, every other one alone."""
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in rasters:
        shard = shard_of(path.stem)
        place = series_name(shard or path.stem)
        key = ("dates", place) if place is not None else ("shards", shard) if shard else ("alone", path.name)
        groups.setdefault(key, []).append(path)
    return [part for key, group in groups.items() for part in (_apart(group) if key[0] == "dates" else [group])]


def _apart(group: list[Path]) -> list[list[Path]]:
    """Return rasters of one name but for dates: together where they are of several dates, each of a date of its own."""
    by_date: dict[str | None, list[Path]] = {}
    for path in group:
        by_date.setdefault(date_in(path.name), []).append(path)
    whole = all(len(paths) == 1 or all(shard_of(path.stem) for path in paths) for paths in by_date.values())
    return [group] if whole else [[path] for path in group]


def _members(paths: Sequence[Path], size: Callable[[Path], int]) -> list[Member]:
    return [Member(number=n, name=path.name, size=size(path)) for n, path in enumerate(paths)]
