"""Where a scene lies: from the lattice of its rasters to the north-up grid of the canonical scene."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from rasterio.crs import CRS
from rasterio.warp import transform as warp_points

from core.errors import SourceTooLargeError
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.geobox import METRES_PER_DEGREE, Lattice, north_up
from core.ingest.messages import opening
from core.ingest.sandbox.limits import MAX_PIXELS
from core.scenes.quality import Basis, Finding
from core.scenes.scene import Grid

_EPSG = re.compile(r"EPSG:[0-9]{1,6}")
_FOREIGN = re.compile(r"EXTENSION|grids|://|PARAMETERFILE|BOUNDCRS|\bfile\b", re.IGNORECASE)
_MAX_CRS = 8_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a scene lies.

    Attributes:
        grid: north up; ``crs`` is None when the place is unknown.
        lattice: the lattice of the finest raster, with the reference system that counts.
        findings: what was read and decided.
    """

    grid: Grid
    lattice: Lattice
    findings: tuple[Finding, ...]


def safe_crs(text: str | None) -> bool:
    """True for reference systems that stand for themselves: an EPSG code, or WKT that refers to no file or address."""
    if not text:
        return False
    if _EPSG.fullmatch(text):
        return True
    return text.isprintable() and len(text) <= _MAX_CRS and "[" in text and not _FOREIGN.search(text)


def find_place(lattice: Lattice, *, chosen_crs: str | None, notes: tuple[str, ...], name: str) -> Place:
    """Decide where a scene lies.

    Args:
        lattice: of its finest raster.
        chosen_crs: a person's reference system, or None.
        notes: what opening the raster had to decide.
        name: the source, for sentences.

    Raises:
        SourceTooLargeError: when turning a rotated scene north up makes it too large.
    """
    lattice, finding = _reference(lattice, chosen_crs, notes)
    findings = [finding]
    transform, height, width = lattice.transform, lattice.height, lattice.width
    if lattice.placed:
        transform, height, width = north_up(lattice)
        if not lattice.axis_aligned:
            findings.append(_found("its rows do not run along the axes, so it was turned north up", "orientation"))
        elif lattice.transform[4] > 0 or lattice.transform[0] < 0:
            findings.append(_found("its rows or columns run backwards, so it was mirrored north up", "orientation"))
    if height * width > MAX_PIXELS:
        found = f"turned north up it has {height * width / 1e6:,.0f} million pixels"
        raise SourceTooLargeError(opening(name), found, "cut the area of interest out of it first")
    grid = Grid(crs=lattice.crs, transform=transform, height=height, width=width)
    turned = (height, width) != (lattice.height, lattice.width)
    because = f"the file has {lattice.width} × {lattice.height}, before turning" if turned else "as in the file"
    basis: Basis = "decided" if turned else "read"
    size = Finding(topic="size", value=f"{width} × {height} pixels", basis=basis, because=because)
    return Place(grid=grid, lattice=lattice, findings=(*findings, size, _resolution(grid)))


def _found(because: str, topic: str) -> Finding:
    return Finding(topic=topic, value="north up", basis="decided", because=because)


def _reference(lattice: Lattice, chosen: str | None, notes: tuple[str, ...]) -> tuple[Lattice, Finding]:
    """The lattice under the reference system that counts, and what to say of it."""
    if not lattice.placed:
        because = notes[0] if notes else "the file holds no position"
        unplaced = replace(lattice, crs=None)
        return unplaced, _warn("unknown, so there is no map", because)
    if chosen is not None:
        lattice = replace(lattice, crs=chosen)
    if lattice.crs is None:
        return lattice, _warn("unknown, so there is no map", "the file names no reference system")
    if not safe_crs(lattice.crs):
        return replace(lattice, crs=None), _warn(
            "unknown, so there is no map", "the reference system of the file is not one that stands for itself"
        )
    centre = centre_lonlat(lattice)
    if centre is None:
        because = f"its coordinates lie outside of {_title(lattice.crs)}"
        return replace(lattice, crs=None), _warn("unknown, so there is no map", because)
    value = f"{_title(lattice.crs)}, centre {_degrees(centre[1], 'NS')} {_degrees(centre[0], 'EW')}"
    because = "; ".join(notes) if notes else "the file says so"
    basis = "chosen" if chosen is not None else "decided" if notes else "read"
    if chosen is not None:
        because = "chosen in the ingest settings"
    return lattice, Finding(topic="place", value=value, basis=basis, because=because, override="crs")  # type: ignore[arg-type]


def _warn(value: str, because: str) -> Finding:
    return Finding(topic="place", value=value, basis="warning", because=because, override="crs")


def _title(crs: str) -> str:
    return crs if _EPSG.fullmatch(crs) else "its own reference system"


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):.3f}° {letters[0] if value >= 0 else letters[1]}"


def centre_lonlat(lattice: Lattice) -> tuple[float, float] | None:
    """Longitude and latitude of the centre, or None when a corner or the centre is nowhere on Earth."""
    ends = ((0.5, 0.5), (0, 0), (1, 0), (1, 1), (0, 1))
    points = [lattice.affine @ (x * lattice.width, y * lattice.height) for x, y in ends]
    placed = to_lonlat(lattice.crs, [x for x, _ in points], [y for _, y in points])
    if placed is None or not all(abs(lat) <= 90.001 and math.isfinite(lon) for lon, lat in placed):
        return None
    lon, lat = placed[0]
    return (lon + 180) % 360 - 180, lat


def to_lonlat(crs: str | None, xs: list[float], ys: list[float]) -> list[tuple[float, float]] | None:
    """Points in EPSG:4326 as (lon, lat), or None when the reference system cannot place them."""
    if crs is None:
        return None
    try:
        lons, lats = warp_points(CRS.from_string(crs), CRS.from_epsg(4326), xs, ys)
    except GDAL_ERRORS:
        return None
    points = list(zip(lons, lats, strict=True))
    return points if all(math.isfinite(lon) and math.isfinite(lat) for lon, lat in points) else None


def _resolution(grid: Grid) -> Finding:
    if grid.crs is None:
        value, because = "taken for 10 m a pixel", "the place is unknown"
        return Finding(topic="resolution", value=value, basis="assumed", because=because)
    width, height = pixel_metres(grid)
    value = f"{width:.1f} m × {height:.1f} m a pixel"
    if min(width, height) >= 7 and max(width, height) <= 15:
        return Finding(topic="resolution", value=value, basis="read", because="from its reference system")
    because = "patches are meant for about 10 m a pixel, so what is found may mean little"
    return Finding(topic="resolution", value=value, basis="warning", because=because)


def pixel_metres(grid: Grid) -> tuple[float, float]:
    """Width and height of the centre pixel on the ground, metres."""
    crs = CRS.from_string(grid.crs)
    a, e = abs(grid.transform[0]), abs(grid.transform[4])
    if crs.is_geographic:
        latitude = grid.transform[5] + grid.transform[4] * grid.height / 2
        return a * METRES_PER_DEGREE * math.cos(math.radians(latitude)), e * METRES_PER_DEGREE
    factor = float(crs.linear_units_factor[1]) if crs.is_projected else 1.0
    return a * factor, e * factor
