"""Values of a scene's patches on the map: one colour a patch, warped to web mercator. Not of collections."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.bands import FloatArray
from core.errors import PatchError
from core.imagery.ramps import ByteArray
from core.imagery.render import EMPTY_TILE, tile_png
from core.scenes.geobox import GeoBox
from core.scenes.location import Bounds
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene
from core.scenes.webmercator import SIDE, WORLD, FloatGrid, TileSquare, footprint, source_positions

PIXELS_A_PATCH = 16
LEAST_SIDE, MOST_SIDE = 256, 1280


def mask_overlay(
    scene: Scene, grid: PatchGrid, patch_ids: IntArray, colour: tuple[int, int, int], there: IntArray | None = None
) -> tuple[bytes, Bounds]:
    """Return some patches in one colour, the rest transparent.

    Args:
        scene: a scene with a CRS; patches of a collection do not lie side by side.
        grid: its patches; where they overlap, the one of the nearest centre shows.
        patch_ids: int64 of shape (N,).
        colour: red, green and blue, 0 to 255.
        there: the patches of which one may show, these among them; None = all of the grid.

    Returns:
        PNG, and (west, south, east, north) of its edges in degrees (straight in web mercator).

    Raises:
        PatchError: for a collection or a scene without a place.
    """
    levels = np.zeros(grid.count + 1, dtype=np.uint8)
    levels[patch_ids] = 1
    return _drawn(scene, grid, levels, bytes(3) + bytes(colour), there)


def overlay_tile(
    scene: Scene,
    grid: PatchGrid,
    square: TileSquare,
    patch_ids: IntArray,
    colours: ByteArray,
    *,
    there: IntArray | None = None,
) -> bytes:
    """Return a map tile of some patches of a scene, exact at every zoom.

    Args:
        scene: a scene; of one without a place every tile is empty.
        grid: its patches.
        square: from ``core.scenes.webmercator.tile_square``.
        patch_ids: int64 of shape (N,).
        colours: uint8 of shape (N, 3).
        there: as of ``mask_overlay``.
    """
    if _beside(scene, square):
        return EMPTY_TILE
    by_id: ByteArray = np.zeros((grid.count + 1, 3), dtype=np.uint8)
    by_id[patch_ids] = colours
    known = np.zeros(grid.count + 1, dtype=np.bool_)
    known[patch_ids] = True
    cells = _cell_at(grid, *source_positions(scene.grid, *square.centres((0, SIDE, 0, SIDE))), there)
    return tile_png(by_id[cells], known[cells])


def tile_values(
    scene: Scene, square: TileSquare, values: FloatArray, side: int, ends: tuple[int, int]
) -> FloatArray | None:
    """Return a value on cells of a scene as the pixels of a map tile show it, exact at every zoom.

    Args:
        scene: a scene.
        square: from ``core.scenes.webmercator.tile_square``.
        values: float32 of shape (rows, columns), NaN = none; the first cell begins at the first pixel.
        side: pixels of the scene along a cell.
        ends: rows and columns of pixels beyond which there is nothing.

    Returns:
        float32 of shape (256, 256), NaN = none; None where the scene does not reach the tile, or has no place.
    """
    if _beside(scene, square):
        return None
    rows, cols = source_positions(scene.grid, *square.centres((0, SIDE, 0, SIDE)))
    inside = (rows >= 0) & (cols >= 0) & (rows < ends[0]) & (cols < ends[1])
    row, col = (np.where(inside, at, 0).astype(np.int64) // side for at in (rows, cols))
    return np.where(inside, values[row, col], np.float32(np.nan))


def _beside(scene: Scene, square: TileSquare) -> bool:
    """Return whether a tile shows nothing of a scene."""
    if scene.grid.crs is None:
        return True
    box = footprint(scene.grid)
    return all(square.pixels_of(box, shift) is None for shift in (0.0, -WORLD, WORLD))


def _drawn(
    scene: Scene, grid: PatchGrid, levels: NDArray[np.uint8], entries: bytes, there: IntArray | None
) -> tuple[bytes, Bounds]:
    if scene.is_collection or scene.grid.crs is None:
        found = "its patches do not lie side by side on a map"
        raise PatchError("Colouring the map", found, "use the plot or the gallery instead")
    cells, bounds = _cells(scene.grid, grid, None if there is None else there.astype(np.int64).tobytes())
    image = Image.fromarray(levels[cells]).convert("P")
    image.putpalette(entries)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, transparency=0)
    return buffer.getvalue(), bounds


@lru_cache(maxsize=8)
def _cells(grid: GeoBox, patches: PatchGrid, there: bytes | None) -> tuple[NDArray[np.int32], Bounds]:
    """Return which patch shows at each pixel of the overlay (``patches.count`` = none), and the edges.

    The ids of those that may show are given as bytes, by which what was found is kept.
    """
    box = footprint(grid)
    wide, high = box.right - box.left, box.top - box.bottom
    longest = min(MOST_SIDE, max(LEAST_SIDE, PIXELS_A_PATCH * max(patches.n_rows, patches.n_cols)))
    pixel = max(wide, high) / longest
    width, height = max(1, round(wide / pixel)), max(1, round(high / pixel))
    xs = box.left + (np.arange(width, dtype=np.float64) + 0.5) * (wide / width)
    ys = box.top - (np.arange(height, dtype=np.float64) + 0.5) * (high / height)
    some = None if there is None else np.frombuffer(there, np.int64)
    cells = _cell_at(patches, *source_positions(grid, xs, ys), some)
    cells.flags.writeable = False
    return cells, box.lonlat()


def _cell_at(patches: PatchGrid, rows: FloatGrid, cols: FloatGrid, there: IntArray | None) -> NDArray[np.int32]:
    """Return the patch that shows at each pixel position; ``patches.count`` = none."""
    found = patches.patches_at(rows, cols, there)
    return np.where(found < 0, patches.count, found).astype(np.int32)
