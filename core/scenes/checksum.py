"""A checksum of a scene: what its pixels, or its vectors, are and where they lie, however a file holds them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import rasterio
from rasterio.windows import Window

from core.errors import SceneError
from core.files import FileState, file_state, present
from core.scenes.scene import Scene

_ROWS = 512


def scene_checksum(scene: Scene) -> str:
    """Return SHA-256 in hexadecimal over place, bands and pixels, as uint16 little-endian, band by band.

    Of a scene without pixels it is over its vectors.
    It reads every pixel. Equal scenes have equal sums on any computer, also where GDAL packed them otherwise.

    Raises:
        SceneError: when the pixels cannot be read.
    """
    grid = asdict(scene.grid) | {"transform": [float(number) for number in scene.grid.transform]}
    said = json.dumps({"grid": grid, "bands": list(scene.bands)}, sort_keys=True)
    try:
        if not scene.has_pixels:
            return hashlib.sha256(said.encode() + present(scene.directory / "vectors.npy").read_bytes()).hexdigest()
        return _sum_of_pixels(scene.pixels_path, file_state(scene.pixels_path), said)
    except (OSError, rasterio.RasterioIOError) as error:
        asked, found = f"Reading the scene “{scene.name}”", "its pixels are damaged"
        raise SceneError(asked, found, "add the scene again") from error


@lru_cache(maxsize=64)
def _sum_of_pixels(path: Path, _state: FileState, begin: str) -> str:
    """Return the sum of a text and the pixels of a file, which are read again only when it has changed."""
    said = hashlib.sha256(begin.encode())
    with rasterio.open(path, driver="GTiff") as data:
        for band in range(1, data.count + 1):
            for top in range(0, data.height, _ROWS):
                rows = min(_ROWS, data.height - top)
                said.update(data.read(band, window=Window(0, top, data.width, rows)).astype("<u2").tobytes())
    return said.hexdigest()
