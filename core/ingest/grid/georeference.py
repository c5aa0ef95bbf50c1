"""What an open raster says of its place, as a lattice; what becomes of it is ``place``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.transform import from_gcps

from core.ingest.formats.tiff_tags import TiffDirectory
from core.ingest.grid.geobox import Lattice, usable_transform


@dataclass(frozen=True, kw_only=True)
class Georeference:
    """What a file says of its place: an affine, or control points, or neither."""

    crs: CRS | None
    transform: Affine | None
    points: tuple[GroundControlPoint, ...]


def read_georeference(data: DatasetReader, path: Path, driver: str, directory: TiffDirectory | None) -> Georeference:
    """The georeference of a file that passed the first check.

    The view without overviews gives numbers of chance for an affine that is not there, so a TIFF's own tags decide
    whether there is one, JPEG 2000 is opened a second time, and plain pictures have none.
    """
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


def lattice_of(georeference: Georeference, height: int, width: int) -> tuple[Lattice, tuple[str, ...]]:
    """Where the pixels lie, and what had to be decided about it."""
    transform, points = georeference.transform, georeference.points
    notes: tuple[str, ...] = ()
    nowhere = Lattice(crs=None, transform=(1, 0, 0, 0, 1, 0), placed=False, height=height, width=width)
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
    return Lattice(crs=crs, transform=(a, b, c, d, e, f), height=height, width=width), notes


def _crs_text(crs: CRS | None) -> str | None:
    """``EPSG:n`` where the CRS is one, else its WKT; None without CRS."""
    if not crs:
        return None
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())
