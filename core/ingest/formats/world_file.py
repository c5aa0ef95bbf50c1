"""World files and .prj beside rasters that hold no place of their own (ESRI: six lines, centre of the first pixel)."""

from __future__ import annotations

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
_MOST_BYTES = 8_000


def placed_beside(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster under the place that a world file beside it states; as it is when it has a place, or none does.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    if raster.geobox.placed:
        return raster
    own = PurePosixPath(raster.name).with_suffix("")
    beside = [m for m in members if PurePosixPath(m.name).with_suffix("") == own and m.size <= _MOST_BYTES]
    world = next((member for member in beside if member.suffix in _WORLD), None)
    if world is None:
        return raster
    text = shelf.path(world).read_text(encoding="utf-8", errors="replace")
    try:
        a, d, b, e, x, y = (float(line.replace(",", ".")) for line in text.split())
    except ValueError:
        return replace(raster, notes=(f"“{world.base}” does not hold six numbers, so it places nothing",))
    transform = (a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)
    if not usable_transform(transform):
        return replace(raster, notes=(f"the place in “{world.base}” is unusable",))
    crs = next(
        (_crs(shelf.path(member).read_text(errors="replace")) for member in beside if member.suffix == ".prj"), None
    )
    geobox = replace(raster.geobox, crs=crs or raster.geobox.crs, transform=transform)
    return replace(raster, geobox=geobox, notes=(f"placed by “{world.base}”",))


def beside(rasters: Sequence[RasterFile], members: Sequence[Member]) -> list[Member]:
    """Return the files that go with rasters: world files, .prj, and what programs keep of their statistics."""
    stems = {PurePosixPath(raster.name).with_suffix("") for raster in rasters}
    names = {raster.name for raster in rasters}
    return [
        member
        for member in members
        if (member.suffix in (*_WORLD, ".prj") and PurePosixPath(member.name).with_suffix("") in stems)
        or member.name.removesuffix(".aux.xml") in names
        or member.name.removesuffix(".ovr") in names
    ]


def _crs(text: str) -> str | None:
    """Return the reference system of a .prj as ``EPSG:n`` or WKT that stands for itself, or None."""
    plain = " ".join(text.split())
    if not safe_crs(plain):
        return None
    try:
        crs = CRS.from_wkt(plain)
    except CRSError:
        return None
    code = crs.to_epsg(confidence_threshold=70)
    return f"EPSG:{code}" if code else str(crs.to_wkt())
