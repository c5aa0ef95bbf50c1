"""Small rasters for the tests of ingest: their pixels encode row and column, so that any misplacement shows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from core.bands import BAND_NAMES

UTM = "EPSG:32633"
NORTH_UP = rasterio.Affine(10, 0, 400_000, 0, -10, 5_000_000)

# Digital numbers of vegetation, one a band in product order (L1C); rows and columns are added on top.
LAND = dict(zip(BAND_NAMES, (1200, 900, 700, 400, 900, 2200, 2800, 3000, 3100, 900, 12, 1600, 800), strict=True))


def ramp(height: int, width: int) -> NDArray[np.float64]:
    """Row and column as one number, row + col / 2; linear, so that bilinear interpolation keeps it."""
    rows, cols = np.mgrid[0:height, 0:width]
    return np.asarray(rows + cols * 0.5)


def land(bands: Sequence[str] = BAND_NAMES, height: int = 64, width: int = 80) -> NDArray[np.uint16]:
    """Digital numbers of shape (bands, height, width) that look like land and encode their place."""
    step = ramp(height, width)
    return np.stack([LAND[name] * (1 + step / 400) for name in bands]).astype(np.uint16)


def write_tif(path: Path, pixels: NDArray[Any], names: Sequence[str] | None = None, **options: Any) -> Path:
    """Write a GeoTIFF of shape (bands, height, width); placed in UTM 33 unless told otherwise."""
    profile: dict[str, Any] = {"crs": UTM, "transform": NORTH_UP} | options
    tags = profile.pop("tags", {})
    gcps, mask = profile.pop("gcps", None), profile.pop("mask", None)
    options = {"driver": "GTiff", "count": len(pixels), "height": pixels.shape[1], "width": pixels.shape[2]} | profile
    kept = {key: value for key, value in options.items() if value is not None}
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        stack.enter_context(rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True))
        data = stack.enter_context(rasterio.open(path, "w", dtype=pixels.dtype, **kept))
        data.write(pixels)
        if mask is not None:
            data.write_mask(mask)
        if names is not None:
            data.descriptions = tuple(names)
        if tags:
            data.update_tags(**tags)
        if gcps is not None:
            data.gcps = gcps
    return path


def read_scene(directory: Path) -> NDArray[np.uint16]:
    """All numbers of a canonical scene, shape (bands, height, width)."""
    with rasterio.open(directory / "pixels.tif") as data:
        numbers: NDArray[np.uint16] = data.read()
    return numbers
