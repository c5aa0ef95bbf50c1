"""What lies beside an array in a patch of eo-learn: its place in ``bbox.geojson``, its data mask in ``IS_DATA``."""

from __future__ import annotations

import json
import math
import re
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from core.errors import SourceError
from core.ingest.files import Member, SourceFiles
from core.ingest.formats.arrays.numpy_header import read_header
from core.ingest.grid.resample import Bools
from core.scenes.geobox import GeoBox

_BOX, _MASK = "bbox.geojson", "IS_DATA"
_MOST_BYTES = 2**20
_DEFAULT_CRS = "EPSG:4326"
"""What GeoJSON means that names no reference system."""
_CODE = re.compile(r"EPSG:+(?:[\d.]*:)?(\d{4,6})$", re.IGNORECASE)


def place_beside(files: SourceFiles, scene: Member, height: int, width: int) -> tuple[GeoBox, Member] | None:
    """Return where the pixels of an array lie as the box of its patch states it, and the file; None where none does.

    Args:
        files: the source.
        scene: the array; the box lies in its folder or in that above.
        height: rows of the array, the first in the north.
        width: columns, the first in the west.
    """
    folders = {PurePosixPath(scene.name).parent, PurePosixPath(scene.name).parent.parent}
    for member in files.members:
        path = PurePosixPath(member.name)
        if path.name.lower() == _BOX and path.parent in folders and member.size <= _MOST_BYTES:
            found = _box_of(files.shelf.path(member).read_bytes())
            if found is not None:
                crs, (west, south, east, north) = found
                transform = ((east - west) / width, 0.0, west, 0.0, (south - north) / height, north)
                return GeoBox(crs=crs, transform=transform, height=height, width=width), member
    return None


def _box_of(content: bytes) -> tuple[str, tuple[float, float, float, float]] | None:
    """Return the reference system and (west, south, east, north) of a document; None unless it is one upright box."""
    try:
        document = json.loads(content)
        features = document["features"] if document.get("type") == "FeatureCollection" else [document]
        [feature] = features
        geometry = feature.get("geometry", feature)
        [ring] = geometry["coordinates"] if geometry["type"] == "Polygon" else []
        corners = {(float(x), float(y)) for x, y, *_ in ring}
        crs = _crs_of(document.get("crs") or feature.get("crs"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    xs, ys = sorted({x for x, _ in corners}), sorted({y for _, y in corners})
    upright = len(corners) == 4 and len(xs) == len(ys) == 2 and all(map(math.isfinite, (*xs, *ys)))
    return (crs, (xs[0], ys[0], xs[1], ys[1])) if upright and crs is not None else None


def _crs_of(stated: Any) -> str | None:  # noqa: ANN401  whatever the document holds
    """Return the reference system that GeoJSON names, or its own where it names none; None for one nobody knows."""
    if stated is None:
        return _DEFAULT_CRS
    name = str(stated["properties"]["name"])
    if name.upper().endswith("CRS84"):
        return _DEFAULT_CRS
    code = _CODE.search(name)
    if code is None:
        return None
    try:
        return f"EPSG:{CRS.from_epsg(int(code[1])).to_epsg()}"
    except CRSError:
        return None


def mask_beside(files: SourceFiles, scene: Member, shape: tuple[int, int, int]) -> tuple[NDArray[Any], Member] | None:
    """Return where an array holds data as another one states it, and that one; None where none does.

    Args:
        files: the source.
        scene: the array.
        shape: its (dates, height, width).

    Returns:
        Mapped numbers of that shape, 0 = nothing.
    """
    for member in files.others([scene]):
        if member.stem != _MASK or member.suffix != ".npy":
            continue
        path = files.shelf.path(member)
        try:
            stated, fortran, dtype, start = read_header(path)
        except SourceError:
            continue
        size = math.prod(stated) * dtype.itemsize
        if dtype.kind in "bu" and stated in (shape, (*shape, 1)) and path.stat().st_size >= start + size:
            mask = np.memmap(path, dtype=dtype, mode="r", offset=start, shape=stated, order="F" if fortran else "C")
            return mask.reshape(shape), member
    return None


def missing_in(mask: NDArray[Any], window: tuple[int, int, int, int]) -> Bools:
    """Return where a mask of shape (height, width) says that there is nothing, in (row, col, height, width)."""
    row, col, height, width = window
    return np.asarray(mask[row : row + height, col : col + width] == 0)
