"""What rasterio raises when GDAL fails: its own errors, and GDAL's where rasterio lets them through."""

from __future__ import annotations

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

GDAL_ERRORS: tuple[type[Exception], ...] = (RasterioError, CPLE_BaseError)
