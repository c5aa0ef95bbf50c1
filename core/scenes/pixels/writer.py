"""Writing ``pixels.tif`` of a canonical scene, overviews and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from core.bands import BANDS
from core.errors import SceneError
from core.scenes.geobox import GeoBox
from core.scenes.pixels.pyramid import Pyramid

_TILE = 256


class CanonicalWriter:
    """Takes the pixels of a scene, window by window."""

    def __init__(self, data: Any, pyramid: Pyramid) -> None:  # noqa: ANN401  (rasterio has no types)
        self._data, self._pyramid = data, pyramid

    def write(self, block: NDArray[np.uint16], window: Window | None = None) -> None:
        """Write uint16 reflectance × 10 000 of all bands: at least 1 where valid, and 0 in every band where not.

        Args:
            block: shape (bands, height, width).
            window: where it lies; None = it is the whole scene. No window may overlap another.
        """
        window = window or Window(0, 0, block.shape[2], block.shape[1])
        self._data.write(block, window=window)
        self._pyramid.take(block, int(window.row_off), int(window.col_off))


@contextmanager
def canonical_writer(directory: Path, grid: GeoBox, bands: Sequence[str]) -> Iterator[CanonicalWriter]:
    """Open ``pixels.tif`` to write into; overviews are added when the block ends without error.

    Args:
        directory: where the scene is built.
        grid: where its pixels lie.
        bands: names of its bands, in product order.

    Raises:
        SceneError: when bands come in another order.
        OSError: when the disk is full.
    """
    order = [band.name for band in BANDS if band.name in bands]
    if list(bands) != order:
        raise SceneError("Writing a scene", f"its bands come as {', '.join(bands)}", "keep the product order")
    path = directory / "pixels.tif"
    options: dict[str, Any] = {
        "driver": "GTiff", "dtype": "uint16", "nodata": 0, "tiled": True, "blockxsize": _TILE, "blockysize": _TILE,
        "interleave": "band", "compress": "zstd", "zstd_level": 1, "predictor": 2, "num_threads": "all_cpus",
        "bigtiff": "if_safer", "crs": grid.crs, "transform": rasterio.Affine(*grid.transform),
    }  # fmt: skip
    shape = (len(bands), grid.height, grid.width)
    sizes = {"count": len(bands), "height": grid.height, "width": grid.width}
    pyramid = Pyramid(path, shape, options)
    try:
        with rasterio.open(path, "w", **options, **sizes) as data:
            data.descriptions = tuple(bands)
            yield CanonicalWriter(data, pyramid)
        pyramid.add()
    finally:
        pyramid.discard()
