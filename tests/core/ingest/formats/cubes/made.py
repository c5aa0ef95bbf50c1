"""Small cubes for tests: their pixels encode row and column, written by xarray as producers write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from tests.core.ingest.rasters import land

SIX = ("B02", "B03", "B04", "B08", "B11", "B12")
WEST, NORTH = 400_000.0, 5_000_000.0
UTM_WKT = CRS.from_epsg(32633).to_wkt("WKT1_GDAL")


def centres(first: float, step: float, count: int) -> NDArray[np.float64]:
    """Coordinates of pixel centres from an outer edge on."""
    return first + step * (np.arange(count) + 0.5)


def cube(
    names: Sequence[str] = SIX, dates: Sequence[str] = (), *, bands: Sequence[str] | None = None, **attrs: Any
) -> xr.Dataset:
    """A cube of a variable a band of 64 × 80 pixels in UTM 33; each date adds 1 to the numbers.

    Args:
        names: of the variables.
        dates: along its axis of time; empty = it has none.
        bands: whose numbers they hold, where the names do not say.
        attrs: of each variable.
    """
    pixels = land(bands or SIX[: len(names)] if bands is None and names != SIX else bands or names)
    dims: tuple[str, ...] = ("y", "x")
    coords: dict[str, Any] = {"y": centres(NORTH, -10, 64), "x": centres(WEST, 10, 80)}
    if dates:
        dims = ("time", *dims)
        coords["time"] = np.array(dates, dtype="datetime64[ns]")
        pixels = np.stack([pixels + number for number in range(len(dates))], axis=1).astype(np.uint16)
    made = {name: (dims, pixels[n], {"grid_mapping": "spatial_ref"} | attrs) for n, name in enumerate(names)}
    mapping = ((), np.int32(0), {"crs_wkt": UTM_WKT, "spatial_ref": UTM_WKT})
    return xr.Dataset({**made, "spatial_ref": mapping}, coords=coords)


def written(path: Path, made: xr.Dataset, **options: Any) -> Path:
    """Write a cube as NetCDF, or as Zarr where its name says so."""
    if path.suffix == ".zarr":
        made.to_zarr(path, **({"zarr_format": 2, "consolidated": False} | options))
    else:
        made.to_netcdf(path, **({"engine": "h5netcdf"} | options))
    return path
