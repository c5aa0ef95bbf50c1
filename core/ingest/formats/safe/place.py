"""Where metadata say that pixels lie, held against where the rasters lie; the rasters' own place counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.ingest.findings import finding
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.safe.images import BandImage
from core.ingest.formats.safe.metadata import TileMetadata
from core.scenes.geobox import GeoBox
from core.scenes.quality import Finding

_APART = 0.5
"""Pixels by which corners may lie apart and still be said to be in one place."""
_TOPIC = "geometry"


@dataclass(frozen=True, kw_only=True)
class PlacedImage:
    """An open file of a band, and where the metadata of its tile say that it lies, or None."""

    image: BandImage
    raster: RasterFile
    stated: GeoBox | None


def placed_image(image: BandImage, raster: RasterFile, tile: TileMetadata | None) -> PlacedImage:
    """Return a band with what is stated of its place; a raster that states none lies where its tile does."""
    stated = tile.grids.get(image.side) if tile else None
    if stated is not None and not raster.geobox.placed:
        box = replace(stated, height=raster.geobox.height, width=raster.geobox.width)
        raster = replace(raster, geobox=box.stretched_to(stated))
        note = "placed by the metadata of the tile, for its files state no place"
        raster = replace(raster, notes=(*raster.notes, note))
    return PlacedImage(image=image, raster=raster, stated=stated)


def place_said(placed: Sequence[PlacedImage], name: str) -> list[Finding]:
    """Say where rasters and metadata contradict each other, a line a kind of contradiction.

    Args:
        placed: bands of one tile.
        name: of the metadata.
    """
    elsewhere = [one for one in placed if one.stated is not None and not _in_place(one.raster.geobox, one.stated)]
    sized = [one for one in placed if one not in elsewhere and one.stated is not None and _other_size(one)]
    lines = []
    if elsewhere:
        first = elsewhere[0]
        value = f"{_bands(elsewhere)} lie elsewhere than “{name}” states"
        because = f"it states {_where(first.stated)}, and the files {_where(first.raster.geobox)}; these count"
        lines.append(finding(_TOPIC, value, "warning", because, "crs"))
    if sized:
        value = "; ".join(_sizes(group) for group in _alike(sized))
        because = f"“{name}” states pixels of another size on the same ground; the rasters count"
        lines.append(finding(_TOPIC, value, "warning", because))
    return lines


def _in_place(box: GeoBox, stated: GeoBox) -> bool:
    """Tell whether a raster covers what is stated, but for half of its own pixels."""
    return box.crs == stated.crs and box.same_extent(stated, _APART * box.pixel_size + 1e-6)


def _other_size(one: PlacedImage) -> bool:
    box, stated = one.raster.geobox, one.stated
    return stated is not None and (box.height, box.width) != (stated.height, stated.width)


def _alike(placed: Sequence[PlacedImage]) -> list[list[PlacedImage]]:
    groups: dict[object, list[PlacedImage]] = {}
    for one in placed:
        groups.setdefault((one.raster.geobox, one.stated), []).append(one)
    return list(groups.values())


def _sizes(group: Sequence[PlacedImage]) -> str:
    box, stated = group[0].raster.geobox, group[0].stated
    own = f"{box.pixel_size:.4g} m ({box.width:,} × {box.height:,})"
    told = f"{stated.pixel_size:.4g} m ({stated.width:,} × {stated.height:,})" if stated else ""
    return f"{_bands(group)}: {own}, and not {told}"


def _bands(placed: Sequence[PlacedImage]) -> str:
    return ", ".join(one.image.band for one in placed)


def _where(box: GeoBox | None) -> str:
    if box is None:
        return "nothing"
    _, _, left, _, _, top = box.transform
    return f"{box.crs or 'no reference system'}, upper left corner {left:.0f}, {top:.0f}"
