"""Map tiles: web-mercator pictures of 256 pixels a side, reprojected on demand from the canonical raster."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.imagery.collection_tiles import collection_tile, outlines_tile
from core.imagery.ramps import ByteArray
from core.imagery.render import EMPTY_TILE, Palette, palette, tile_png
from core.scenes.geobox import GeoBox
from core.scenes.raster_pool import POOL
from core.scenes.scene import Scene
from core.scenes.webmercator import (
    MAX_ZOOM,
    SIDE,
    WORLD,
    FloatGrid,
    PixelBox,
    TileSquare,
    footprint,
    source_positions,
    tile_square,
)

__all__ = ["MAX_ZOOM", "map_tile"]


def map_tile(scene: Scene, z: int, x: int, y: int, rendering: str, contrast: str = "normal") -> bytes:  # noqa: PLR0917
    """Return one map tile as PNG of 256 × 256 pixels, transparent where there are no data.

    Args:
        scene: any; of one without a place every tile is empty.
        z: zoom, 0 to ``MAX_ZOOM``.
        x: column, 0 to 2^z − 1 from the antimeridian eastward.
        y: row, 0 to 2^z − 1 from the north.
        rendering: of ``core.imagery.render.RENDERINGS``.
        contrast: of ``core.imagery.render.CONTRASTS``.

    Raises:
        SettingsError: for an unknown rendering or contrast.
    """
    square = tile_square(z, x, y)
    if not scene.has_pixels:
        return outlines_tile(scene, square)
    paints = palette(scene, rendering, contrast)
    if scene.is_collection:
        return collection_tile(scene, square, paints)
    if scene.grid.crs is None:
        return EMPTY_TILE
    box = footprint(scene.grid)
    for shift in (0.0, -WORLD, WORLD):
        pixels = square.pixels_of(box, shift)
        if pixels is not None:
            return _drawn(scene, square, pixels, paints)
    return EMPTY_TILE


def _drawn(scene: Scene, square: TileSquare, pixels: PixelBox, paints: Palette) -> bytes:
    """Return a tile of which at most ``pixels`` are filled."""
    rows, cols = source_positions(scene.grid, *square.centres(pixels))
    inside = (rows >= 0) & (rows < scene.grid.height) & (cols >= 0) & (cols < scene.grid.width)
    if not inside.any():
        return EMPTY_TILE
    colours, valid = _sampled(scene, rows, cols, inside, paints)
    if pixels == (0, SIDE, 0, SIDE):
        return tile_png(colours, valid)
    full = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    here = np.s_[pixels[0] : pixels[1], pixels[2] : pixels[3]]
    full[here], mask[here] = colours, valid
    return tile_png(full, mask)


def _sampled(
    scene: Scene, rows: FloatGrid, cols: FloatGrid, inside: NDArray[np.bool_], paints: Palette
) -> tuple[ByteArray, NDArray[np.bool_]]:
    """Colours and validity at fractional positions, read from the overview that fits."""
    with POOL.borrow(scene.pixels_path) as data:
        level = _level(scene.grid, rows, cols, len(data.overviews(1)))
    with POOL.borrow(scene.pixels_path, level) as data:
        # An overview has ceil(size / factor) pixels, so its scale is not quite a power of two.
        rows = rows * (data.height / scene.grid.height) - 0.5
        cols = cols * (data.width / scene.grid.width) - 0.5
        top, left = (max(0, math.floor(values[inside].min())) for values in (rows, cols))
        bottom = min(data.height, math.floor(rows[inside].max()) + 2)
        right = min(data.width, math.floor(cols[inside].max()) + 2)
        numbers = data.read(paints.indexes, window=Window(left, top, right - left, bottom - top))
    return _bilinear(paints.paint(numbers), numbers[0] != 0, rows - top, cols - left, inside)


def _level(grid: GeoBox, rows: FloatGrid, cols: FloatGrid, count: int) -> int | None:
    """Return the coarsest of ``count`` overviews with about a pixel a pixel of the tile; None = full resolution."""
    row, col = rows.shape[0] // 2, rows.shape[1] // 2
    below, right = min(row + 1, rows.shape[0] - 1), min(col + 1, rows.shape[1] - 1)
    down = math.hypot(rows[below, col] - rows[row, col], cols[below, col] - cols[row, col])
    across = math.hypot(rows[row, right] - rows[row, col], cols[row, right] - cols[row, col])
    scale = max(down, across) or max(grid.height, grid.width)
    level = min(math.floor(math.log2(scale) + 0.3), count) - 1
    return level if level >= 0 else None


def _bilinear(
    colours: ByteArray, valid: NDArray[np.bool_], rows: FloatGrid, cols: FloatGrid, inside: NDArray[np.bool_]
) -> tuple[ByteArray, NDArray[np.bool_]]:
    """Colours between pixel centres, no-data pixels left out; validity is that of the nearest pixel."""
    height, width = valid.shape
    rows, cols = np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)
    row, col = rows.astype(np.int64), cols.astype(np.int64)
    below, right = np.minimum(row + 1, height - 1) * width, np.minimum(col + 1, width - 1)
    down, across = (rows - row).astype(np.float32), (cols - col).astype(np.float32)
    places = (row * width + col, row * width + right, below + col, below + right)
    shares = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
    flags = valid.ravel()
    if not flags.all():
        shares = [share * flags.take(place) for place, share in zip(places, shares, strict=True)]
        total = np.maximum(sum(shares), np.float32(1e-6))
        shares = [share / total for share in shares]
    result: ByteArray = np.empty((*rows.shape, 3), dtype=np.uint8)
    for channel in range(3):
        plane = np.ascontiguousarray(colours[..., channel]).ravel()
        # 0.5 rounds when the fraction is cut off.
        result[..., channel] = sum((plane.take(at) * share for at, share in zip(places, shares, strict=True)), 0.5)
    nearest = flags[np.rint(rows).astype(np.int64) * width + np.rint(cols).astype(np.int64)]
    return result, inside & nearest
