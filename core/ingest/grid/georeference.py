"""Where a scene lies: what an open raster says of its place, and the north-up grid that becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj.exceptions import ProjError
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.transform import from_gcps

from core.errors import SourceError, SourceTooLargeError
from core.ingest.formats.tiff_tags import TiffDirectory
from core.ingest.sandbox.limits import MAX_PIXELS
from core.scenes.geobox import UNPLACED, GeoBox, outlines_lonlat, pixel_metres, usable_transform
from core.scenes.quality import Basis, Finding

_EPSG = re.compile(r"EPSG:[0-9]{1,6}")
_FOREIGN = re.compile(r"EXTENSION|grids|://|PARAMETERFILE|BOUNDCRS|\bfile\b", re.IGNORECASE)
_MAX_CRS = 8_000
_FINEST, _COARSEST = 5.0, 60.0
"""Sides of pixels in metres that 10 m can be interpolated from; of finer ones, most would be left out."""


@dataclass(frozen=True, kw_only=True)
class Georeference:
    """What a file says of its place: an affine, or control points, or neither."""

    crs: CRS | None
    transform: Affine | None
    points: tuple[GroundControlPoint, ...]


def read_georeference(data: DatasetReader, path: Path, driver: str, directory: TiffDirectory | None) -> Georeference:
    """Return the georeference of a file that passed the first check.

    The view without overviews gives numbers of chance for an affine that is not there, so a TIFF's own tags decide
    whether there is one, JPEG 2000 is opened a second time, and plain pictures have none.
    """
    if driver in {"ENVI", "HFA"}:
        return _stated(data, None if data.transform.is_identity else data.transform)
    if directory is not None:
        return _stated(data, data.transform if directory.placed and not data.transform.is_identity else None)
    if driver != "JP2OpenJPEG":
        return Georeference(crs=None, transform=None, points=())
    with rasterio.open(path, driver=driver, sharing=False) as plain:
        return _stated(plain, None if plain.transform.is_identity else plain.transform)


def _stated(data: DatasetReader, transform: Affine | None) -> Georeference:
    points, points_crs = data.gcps
    if transform is None and len(points) > 2:
        return Georeference(crs=points_crs, transform=None, points=tuple(points))
    return Georeference(crs=data.crs, transform=transform, points=())


def geobox_of(georeference: Georeference, height: int, width: int) -> tuple[GeoBox, tuple[str, ...]]:
    """Return where the pixels lie, and what had to be decided about it."""
    transform, points = georeference.transform, georeference.points
    notes: tuple[str, ...] = ()
    nowhere = GeoBox(crs=None, transform=UNPLACED, height=height, width=width)
    if points:
        transform = from_gcps(points)
        miss = max(math.dist(transform @ (point.col, point.row), (point.x, point.y)) for point in points)
        size = max(abs(transform.determinant) ** 0.5, 1e-12)
        notes = (f"placed by {len(points)} control points, off by at most {miss / size:.1f} pixels",)
    if transform is None:
        return nowhere, ()
    a, b, c, d, e, f = (float(value) for value in tuple(transform)[:6])
    if not usable_transform((a, b, c, d, e, f)):
        return nowhere, ("the position in the file is unusable",)
    crs = _crs_text(georeference.crs)
    return GeoBox(crs=crs, transform=(a, b, c, d, e, f), height=height, width=width), notes


def _crs_text(crs: CRS | None) -> str | None:
    """Return ``EPSG:n`` where the CRS is one, else its WKT; None without CRS."""
    if not crs:
        return None
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def safe_crs(text: str | None) -> bool:
    """Return True for an EPSG code, or WKT that refers to no file and no address: what stands for itself."""
    if not text:
        return False
    if _EPSG.fullmatch(text):
        return True
    return text.isprintable() and len(text) <= _MAX_CRS and "[" in text and not _FOREIGN.search(text)


def canonical_grid(
    geobox: GeoBox, *, chosen_crs: str | None = None, notes: tuple[str, ...] = ()
) -> tuple[GeoBox, tuple[Finding, ...]]:
    """Decide where a scene lies.

    Args:
        geobox: of its finest raster.
        chosen_crs: a person's reference system, or None.
        notes: what opening the raster had to decide.

    Returns:
        The scene's grid, north up, its ``crs`` None when the place is unknown; and what was read and decided.

    Raises:
        SourceTooLargeError: when turning a rotated scene north up makes it too large.
    """
    geobox, finding = _reference(geobox, chosen_crs, notes)
    findings = [finding]
    grid = geobox.north_up() if geobox.placed else geobox
    if geobox.placed:
        if not geobox.axis_aligned:
            findings.append(_found("its rows do not run along the axes, so it was turned north up", "orientation"))
        elif geobox.transform[4] > 0 or geobox.transform[0] < 0:
            findings.append(_found("its rows or columns run backwards, so it was mirrored north up", "orientation"))
    if grid.height * grid.width > MAX_PIXELS:
        found = f"turned north up it has {grid.height * grid.width / 1e6:,.0f} million pixels"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
    turned = (grid.height, grid.width) != (geobox.height, geobox.width)
    because = f"the file has {geobox.width} × {geobox.height}, before turning" if turned else "as in the file"
    basis: Basis = "decided" if turned else "read"
    size = Finding(topic="size", value=f"{grid.width} × {grid.height} pixels", basis=basis, because=because)
    return grid, (*findings, size, _resolution(grid))


def _found(because: str, topic: str) -> Finding:
    return Finding(topic=topic, value="north up", basis="decided", because=because)


def _reference(geobox: GeoBox, chosen: str | None, notes: tuple[str, ...]) -> tuple[GeoBox, Finding]:
    """Decide which reference system counts; give the geobox under it and what to say of it."""
    if not geobox.placed:
        because = notes[0] if notes else "the file holds no position"
        unplaced = replace(geobox, crs=None)
        return unplaced, _warn("unknown, so there is no map", because)
    if chosen is not None:
        geobox = replace(geobox, crs=chosen)
    if geobox.crs is None:
        return geobox, _warn("unknown, so there is no map", "the file names no reference system")
    if not safe_crs(geobox.crs):
        return replace(geobox, crs=None), _warn(
            "unknown, so there is no map", "the reference system of the file is not one that stands for itself"
        )
    centre = centre_lonlat(geobox)
    if centre is None:
        because = f"its coordinates lie outside of {_title(geobox.crs)}"
        return replace(geobox, crs=None), _warn("unknown, so there is no map", because)
    value = f"{_title(geobox.crs)}, centre {_degrees(centre[1], 'NS')} {_degrees(centre[0], 'EW')}"
    because = "; ".join(notes) if notes else "the file says so"
    basis = "chosen" if chosen is not None else "decided" if notes else "read"
    if chosen is not None:
        because = "chosen under “How to read files”"
    return geobox, Finding(topic="place", value=value, basis=basis, because=because, override="crs")  # type: ignore[arg-type]


def _warn(value: str, because: str) -> Finding:
    return Finding(topic="place", value=value, basis="warning", because=because, override="crs")


def _title(crs: str) -> str:
    return crs if _EPSG.fullmatch(crs) else "its own reference system"


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):.3f}° {letters[0] if value >= 0 else letters[1]}"


def centre_lonlat(geobox: GeoBox) -> tuple[float, float] | None:
    """Return longitude and latitude of the centre, or None when a corner or the centre is nowhere on Earth."""
    if geobox.crs is None:
        return None
    points = np.array([geobox.affine @ (geobox.width / 2, geobox.height / 2), *geobox.corners()])
    try:
        outline = outlines_lonlat(geobox.crs, points[None, :, 0], points[None, :, 1])[0]
    except ProjError:
        return None
    if not np.isfinite(outline).all() or (np.abs(outline[:, 1]) > 90.001).any():
        return None
    lon, lat = outline[0]
    return (float(lon) + 180) % 360 - 180, float(lat)


def at_ten_metres(grid: GeoBox, located: Sequence[Finding]) -> tuple[GeoBox, tuple[Finding, ...]]:
    """Return a grid of pixels of 10 m on the same ground, and what is then to be said of where the scene lies.

    Args:
        grid: north up.
        located: what ``canonical_grid`` said of it.

    Raises:
        SourceError: when its pixels are of unknown size, or of one that interpolation does not lead from.
        SourceTooLargeError: when the scene becomes too large.
    """
    sides = None if grid.crs is None else pixel_metres(grid)
    if sides is None:
        found = "pixels of 10 m are wished for, and its place is unknown"
        raise SourceError(found=found, remedy="leave its pixels as they are, or give its coordinate system")
    width, height = sides
    if not all(_FINEST <= side <= _COARSEST for side in (width, height)):
        found = f"pixels of 10 m are wished for, and its own are {width:.1f} m × {height:.1f} m"
        remedy = f"leave its pixels as they are; interpolation is for those of {_FINEST:.0f} m to {_COARSEST:.0f} m"
        raise SourceError(found=found, remedy=remedy)
    a, _, c, _, e, f = grid.transform
    # On maps such as UTM, whose metre is one to less than half a hundredth, Sentinel-2's own pixels are 10 of the map.
    across, down = (10 / (unit if abs(side / unit - 1) < 0.005 else side) for unit, side in ((a, width), (-e, height)))
    rows, cols = max(1, round(grid.height / down)), max(1, round(grid.width / across))
    fine = replace(grid, transform=(a * across, 0.0, c, 0.0, e * down, f), height=rows, width=cols)
    if fine.height * fine.width > MAX_PIXELS:
        found = f"at 10 m it has {fine.height * fine.width / 1e6:,.0f} million pixels"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
    before = f"from {grid.width} × {grid.height} pixels of {width:.1f} m × {height:.1f} m, as wished"
    size = Finding(
        topic="size", value=f"{fine.width} × {fine.height} pixels", basis="chosen", because=f"interpolated {before}",
        override="ten_metres",
    )  # fmt: skip
    kept = (line for line in located if line.topic not in {"size", "resolution"})
    return fine, (*kept, size, _resolution(fine))


def _resolution(grid: GeoBox) -> Finding:
    if grid.crs is None:
        value, because = "taken for 10 m a pixel", "the place is unknown"
        return Finding(topic="resolution", value=value, basis="assumed", because=because)
    sides = pixel_metres(grid)
    if sides is None:
        because = "its reference system does not say how long a metre is there"
        return Finding(topic="resolution", value="taken for 10 m a pixel", basis="assumed", because=because)
    width, height = sides
    value = f"{width:.1f} m × {height:.1f} m a pixel"
    if min(width, height) >= 7 and max(width, height) <= 15:
        return Finding(topic="resolution", value=value, basis="read", because="from its reference system")
    because = "patches are meant for about 10 m a pixel, so what is found may mean little"
    return Finding(topic="resolution", value=value, basis="warning", because=because)
