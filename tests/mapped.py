"""Scenes and collections at chosen places, whose colours tell row and column; and reading map tiles back."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning

from core.bands import BAND_NAMES
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.pixels.writer import canonical_writer
from core.scenes.scene import Scene

Affine = tuple[float, float, float, float, float, float]
UTM33: Affine = (10.0, 0.0, 400_000.0, 0.0, -10.0, 5_100_000.0)
STRETCH = {name: [[0.0, 1.0]] * 3 for name in ("true", "false", "swir")}


def ramps(height: int, width: int, bands: Sequence[str] = BAND_NAMES) -> NDArray[np.uint16]:
    """B04 rises from 500 to 9500 by row, B03 by column, every other band is 5000; nothing is 0."""
    pixels = np.full((len(bands), height, width), 5000, np.uint16)
    pixels[list(bands).index("B04")] = np.linspace(500, 9500, height)[:, None]
    pixels[list(bands).index("B03")] = np.linspace(500, 9500, width)[None, :]
    return pixels


def add_mapped(
    library: Library,
    scene_id: str = "m-1",
    *,
    crs: str | None = "EPSG:32633",
    transform: Affine = UTM33,
    pixels: NDArray[np.uint16] | None = None,
    shape: tuple[int, int] = (512, 640),
    **fields: object,
) -> Scene:
    """A scene shown from reflectance 0 (black) to 1 (white), so that colours can be told in advance."""
    values = ramps(*shape) if pixels is None else pixels
    grid = GeoBox(crs=crs, transform=transform, height=values.shape[1], width=values.shape[2])
    with library.staged() as staged:
        _write(staged, grid, values)
        scene = Scene(id=scene_id, name="Mapped", grid=grid, bands=BAND_NAMES, stretch=STRETCH, **fields)  # type: ignore[arg-type]
        return library.add(staged, scene)


def _write(staged: object, grid: GeoBox, values: NDArray[np.uint16]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # collections have no place of their own
        with canonical_writer(staged, grid, BAND_NAMES) as data:  # type: ignore[arg-type]
            data.write(values)


def square_corners(lon: float, lat: float, metres: float = 640.0) -> NDArray[np.float64]:
    """Corners around a centre, from the upper left clockwise, north up."""
    high, wide = metres / 111_320 / 2, metres / 111_320 / math.cos(math.radians(lat)) / 2
    return np.array(
        [[lon - wide, lat + high], [lon + wide, lat + high], [lon + wide, lat - high], [lon - wide, lat - high]]
    )


def add_collection(library: Library, corners: Sequence[NDArray[np.float64]], scene_id: str = "c-1") -> Scene:
    """Patches of 64 pixels; patch i is grey of reflectance (i % 9 + 1) / 10, its upper left quarter half as bright."""
    count = len(corners)
    cols = math.ceil(math.sqrt(count))
    rows = math.ceil(count / cols)
    values = np.zeros((13, rows * 64, cols * 64), np.uint16)
    for patch_id in range(count):
        row, col = (part * 64 for part in divmod(patch_id, cols))
        values[:, row : row + 64, col : col + 64] = 1000 * (patch_id % 9 + 1)
        values[:, row : row + 32, col : col + 32] = 500 * (patch_id % 9 + 1)
    with library.staged() as staged:
        grid = GeoBox(crs=None, transform=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0), height=rows * 64, width=cols * 64)
        _write(staged, grid, values)
        table = {
            "patch_id": pa.array(range(count), pa.int64()),
            "source_name": [f"p{number}.tif" for number in range(count)],
            "label": [None] * count,
            "corners": pa.array([list(item.ravel()) for item in corners], pa.list_(pa.float64(), 8)),
            "crs": ["EPSG:32633"] * count,
        }
        pq.write_table(pa.table(table), staged / "places.parquet")
        scene = Scene(
            id=scene_id,
            name="Collection",
            grid=grid,
            bands=BAND_NAMES,
            kind="collection",
            patch_size=64,
            stretch=STRETCH,
        )
        return library.add(staged, scene)


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    """RGBA of shape (height, width, 4) of an image file."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row of the tile that holds a place."""
    side = 2**z
    north = math.asinh(math.tan(math.radians(lat)))
    return math.floor((lon + 180) / 360 * side) % side, math.floor((1 - north / math.pi) / 2 * side)


def lonlat_of(z: int, x: int, y: int, row: float, col: float) -> tuple[float, float]:
    """The place of a pixel position of a tile; the textbook formula."""
    side = 2**z
    lon = (x + col / 256) / side * 360 - 180
    return lon, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + row / 256) / side))))


def source_of(scene: Scene, lon: float, lat: float) -> tuple[float, float]:
    """Fractional row and column of a place in a scene."""
    x, y = Transformer.from_crs("EPSG:4326", scene.grid.crs, always_xy=True).transform(lon, lat)
    return scene.grid.rowcol(x, y)
