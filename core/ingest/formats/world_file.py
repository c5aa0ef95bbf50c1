"""World files, .prj and what GDAL keeps in .aux.xml, beside rasters that hold no place of their own.

A world file holds six lines, the last two the centre of the first pixel (ESRI).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from rasterio.crs import CRS
from rasterio.errors import CRSError

from core.ingest.files import Member, Shelf
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.georeference import safe_crs
from core.scenes.geobox import usable_transform

_WORLD = frozenset({".tfw", ".tifw", ".tiffw", ".wld", ".jpw", ".jgw", ".pgw", ".pngw", ".j2w", ".jp2w"})
_SYSTEM = frozenset({".prj", ".qpj"})
_MOST_BYTES, _MOST_STATISTICS = 8_000, 2**20
_OF_NO_EARTH = ("LOCAL_CS", "ENGCRS")
"""How systems begin in which nothing says where on Earth they lie."""
_KEPT_PLACE = re.compile(r"<GeoTransform>([^<>]{5,300})</GeoTransform>")
_KEPT_SYSTEM = re.compile(r"<SRS[^<>]{0,200}>([^<>]{5,8000})</SRS>")
"""What GDAL keeps of a place in .aux.xml; searched as text, never parsed."""


def placed_beside(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster under the place that a world file or .prj beside it states, as far as it does not state its own.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    own = PurePosixPath(raster.name).with_suffix("")
    beside = [m for m in members if PurePosixPath(m.name).with_suffix("") == own and m.size <= _MOST_BYTES]
    systems = (_crs(shelf.path(member).read_text(errors="replace")) for member in beside if member.suffix in _SYSTEM)
    if raster.geobox.placed:
        known = raster.geobox.crs is not None and not raster.geobox.crs.startswith(_OF_NO_EARTH)
        crs = raster.geobox.crs if known else next(systems, None)
        return raster if crs is None else replace(raster, geobox=replace(raster.geobox, crs=crs))
    world = next((member for member in beside if member.suffix in _WORLD), None)
    kept = next((m for m in members if m.name == f"{raster.name}.aux.xml" and m.size <= _MOST_STATISTICS), None)
    text = "" if kept is None else shelf.path(kept).read_text(encoding="utf-8", errors="replace")
    if world is None:
        return raster if kept is None else _by_statistics(raster, kept, text)
    lines = shelf.path(world).read_text(encoding="utf-8", errors="replace").split()
    try:
        a, d, b, e, x, y = (float(line.replace(",", ".")) for line in lines)
    except ValueError:
        return replace(raster, notes=(f"“{world.base}” does not hold six numbers, so it places nothing",))
    transform = (a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)
    if not usable_transform(transform):
        return replace(raster, notes=(f"the place in “{world.base}” is unusable",))
    crs = next(systems, None) or _kept_crs(text)
    geobox = replace(raster.geobox, crs=crs or raster.geobox.crs, transform=transform)
    return replace(raster, geobox=geobox, notes=(f"placed by “{world.base}”",))


def is_world_file(member: Member) -> bool:
    """Tell whether a file is named as one that says where a raster beside it lies."""
    return member.suffix in (*_WORLD, *_SYSTEM)


def _by_statistics(raster: RasterFile, kept: Member, text: str) -> RasterFile:
    """Return a raster under the place that GDAL keeps beside it, where it keeps one."""
    found = _KEPT_PLACE.search(text)
    try:
        c, a, b, f, d, e = (float(part) for part in found[1].split(",")) if found else (0.0,) * 6
    except ValueError:
        return raster
    if not usable_transform((a, b, c, d, e, f)):
        return raster
    geobox = replace(raster.geobox, crs=_kept_crs(text) or raster.geobox.crs, transform=(a, b, c, d, e, f))
    return replace(raster, geobox=geobox, notes=(f"placed by “{kept.base}”",))


def _kept_crs(text: str) -> str | None:
    found = _KEPT_SYSTEM.search(text)
    return _crs(html.unescape(found[1])) if found else None


def beside(rasters: Sequence[RasterFile], members: Sequence[Member]) -> list[Member]:
    """Return the files that go with rasters: world files, .prj, and what programs keep of their statistics."""
    stems = {PurePosixPath(raster.name).with_suffix("") for raster in rasters}
    names = {raster.name for raster in rasters}
    return [
        member
        for member in members
        if (is_world_file(member) and PurePosixPath(member.name).with_suffix("") in stems)
        or member.name.removesuffix(".aux.xml") in names
        or member.name.removesuffix(".ovr") in names
        or (
            member.suffix == ".hdr"
            and (member.name[:-4] in names or PurePosixPath(member.name).with_suffix("") in stems)
        )
    ]


def _crs(text: str) -> str | None:
    """Return the reference system of a .prj as ``EPSG:n`` or WKT that stands for itself, or None."""
    plain = " ".join(text.split())
    if not safe_crs(plain):
        return None
    try:
        crs = CRS.from_string(plain)
    except CRSError:
        return None
    code = crs.to_epsg(confidence_threshold=70)
    return f"EPSG:{code}" if code else str(crs.to_wkt())
