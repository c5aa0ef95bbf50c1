"""Map tiles of collections: each patch of the mosaic drawn at its own place on Earth, as a dot when too small."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from core.imagery.locator import NEUTRAL
from core.imagery.ramps import ByteArray
from core.imagery.render import EMPTY_TILE, Palette, tile_png, veil_png
from core.scenes.patches import IntArray, PatchGrid, patch_grid
from core.scenes.places import collection_corners
from core.scenes.raster_pool import POOL
from core.scenes.scene import Scene
from core.scenes.webmercator import RADIUS, SIDE, WORLD, FloatGrid, TileSquare, mercator_y

DOT_BELOW = 3.0
"""Pixels a side below which a patch is drawn as a dot."""
DOT_HALO, DOT_RIM, DOT_CORE = 4.2, 3.3, 2.3
MANY = 128
"""Patches in a tile beyond which each shows one colour, its mean."""
_REACH = math.ceil(DOT_HALO)
_HALO_COLOUR, _RIM_COLOUR = (245, 245, 242), (30, 33, 38)
VEIL_ALPHA = 96
"""Of places without pictures, 0 to 255."""
_WHOLE = np.ones((1, 1), dtype=np.bool_)


class _Canvas:
    """A tile being drawn: ``colours`` (256, 256, 3) and ``valid`` (256, 256)."""

    def __init__(self) -> None:
        self.colours: ByteArray = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
        self.valid: NDArray[np.bool_] = np.zeros((SIDE, SIDE), dtype=np.bool_)


def collection_tile(scene: Scene, square: TileSquare, paints: Palette) -> bytes:
    """Return the tile of a collection's pictures."""
    corners = _pixel_corners(collection_corners(scene), square)
    ids = _near(corners)
    if not ids.size:
        return EMPTY_TILE
    grid = patch_grid(scene)
    means = _mean_colours(scene.pixels_path, scene.pixels_path.stat().st_mtime_ns, grid, paints)
    canvas = _Canvas()
    for patch_id in _draw_small(canvas, corners, ids, means):
        if ids.size > MANY:
            _draw_patch(canvas, corners[patch_id], means[patch_id].reshape(1, 1, 3), _WHOLE)
        else:
            _draw_patch(canvas, corners[patch_id], *_picture_of(scene, grid, patch_id, corners[patch_id], paints))
    return tile_png(canvas.colours, canvas.valid)


def outlines_tile(scene: Scene, square: TileSquare) -> bytes:
    """Return a tile of the places of patches of which there are no pictures: a veil, so that the ground shows."""
    corners = _pixel_corners(collection_corners(scene), square)
    ids, canvas = _near(corners), _Canvas()
    if not ids.size:
        return EMPTY_TILE
    neutral = np.tile(np.array(NEUTRAL, np.uint8), (len(corners), 1))
    for patch_id in _draw_small(canvas, corners, ids, neutral):
        _draw_patch(canvas, corners[patch_id], neutral[:1].reshape(1, 1, 3), _WHOLE)
    return veil_png(canvas.colours, canvas.valid, VEIL_ALPHA)


def mosaic_overlay_tile(scene: Scene, square: TileSquare, patch_ids: IntArray, colours: ByteArray) -> bytes:
    """Return a tile of some patches of a collection, each in one colour: uint8 of shape (N, 3)."""
    every = collection_corners(scene)
    by_id: ByteArray = np.zeros((len(every), 3), dtype=np.uint8)
    by_id[patch_ids] = colours
    corners = _pixel_corners(every, square)
    ids = np.intersect1d(_near(corners), patch_ids)
    if not ids.size:
        return EMPTY_TILE
    canvas = _Canvas()
    for patch_id in _draw_small(canvas, corners, ids, by_id):
        _draw_patch(canvas, corners[patch_id], by_id[patch_id].reshape(1, 1, 3), _WHOLE)
    return tile_png(canvas.colours, canvas.valid)


def _near(corners: FloatGrid) -> IntArray:
    """Return ids of patches that a tile may show."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    ids: IntArray = np.flatnonzero(((high > -_REACH) & (low < SIDE + _REACH)).all(axis=1))
    return ids


def _draw_small(canvas: _Canvas, corners: FloatGrid, ids: IntArray, colours: ByteArray) -> IntArray:
    """Draw patches too small to see as dots; gives the ids of the others."""
    small = np.ptp(corners[ids], axis=1).max(axis=1) < DOT_BELOW
    _draw_dots(canvas, corners[ids[small]].mean(axis=1), colours[ids[small]])
    rest: IntArray = ids[~small]
    return rest


def _pixel_corners(corners: FloatGrid, square: TileSquare) -> FloatGrid:
    """Return corners in pixels of a tile, (N, 4, 2) as column and row, each patch on the turn nearest to the tile."""
    x = np.radians(corners[:, :, 0]) * RADIUS
    x = x - WORLD * np.round((x - x[:, :1]) / WORLD)
    middle = square.left + SIDE / 2 * square.pixel
    x = x - WORLD * np.round((x.mean(axis=1, keepdims=True) - middle) / WORLD)
    return np.stack([x - square.left, square.top - mercator_y(corners[:, :, 1])], axis=2) / square.pixel


@lru_cache(maxsize=8)
def _mean_colours(path: Path, _changed: int, grid: PatchGrid, paints: Palette) -> ByteArray:
    """Return the mean colour of each patch, uint8 of shape (N, 3)."""
    with POOL.borrow(path) as data:
        window = Window(0, 0, grid.n_cols * grid.size, grid.n_rows * grid.size)
        shape = (len(paints.indexes), grid.n_rows, grid.n_cols)
        numbers = data.read(paints.indexes, window=window, out_shape=shape, resampling=Resampling.average)
    return paints.paint(numbers).reshape(-1, 3)


def _draw_dots(canvas: _Canvas, centres: FloatGrid, colours: ByteArray) -> None:
    """Discs with a dark rim, and a light one around it that shows on dark ground, around (column, row) centres."""
    if not len(centres):
        return
    at = np.floor(centres + 1e-6).astype(np.int64)  # alike in neighbouring tiles, whatever the rounding
    for radius, rim in ((DOT_HALO, _HALO_COLOUR), (DOT_RIM, _RIM_COLOUR), (DOT_CORE, None)):
        for down in range(-_REACH, _REACH + 1):
            for across in range(-_REACH, _REACH + 1):
                if math.hypot(down, across) <= radius:
                    rows, cols = at[:, 1] + down, at[:, 0] + across
                    ok = (rows >= 0) & (rows < SIDE) & (cols >= 0) & (cols < SIDE)
                    canvas.colours[rows[ok], cols[ok]] = colours[ok] if rim is None else rim
                    canvas.valid[rows[ok], cols[ok]] = True


def _picture_of(
    scene: Scene, grid: PatchGrid, patch_id: int, corners: FloatGrid, paints: Palette
) -> tuple[ByteArray, NDArray[np.bool_]]:
    """Return colours of a patch and where they are valid, at about the resolution of the tile."""
    row, col, height, width = grid.window(patch_id)
    side = min(height, max(4, math.ceil(float(np.ptp(corners, axis=0).max()))))
    with POOL.borrow(scene.pixels_path) as data:
        shape = (len(paints.indexes), side, side)
        window = Window(col, row, width, height)
        numbers = data.read(paints.indexes, window=window, out_shape=shape, resampling=Resampling.average)
    return paints.paint(numbers), numbers[0] != 0


def _draw_patch(canvas: _Canvas, corners: FloatGrid, colours: ByteArray, mask: NDArray[np.bool_]) -> None:
    """Warp one picture so that three of its corners fall in place (a patch is too small for more to matter)."""
    first = np.clip(np.floor(corners.min(axis=0)), 0, SIDE).astype(np.int64)
    end = np.clip(np.ceil(corners.max(axis=0)), 0, SIDE).astype(np.int64)
    cols, rows = np.meshgrid(np.arange(first[0], end[0]), np.arange(first[1], end[1]))
    upper_left, upper_right, _, lower_left = corners
    across, down = upper_right - upper_left, lower_left - upper_left
    basis = np.stack([across, down], axis=1)
    if abs(np.linalg.det(basis)) < 1.0:
        return
    inverse = np.linalg.inv(basis)
    places = np.stack([cols + 0.5 - upper_left[0], rows + 0.5 - upper_left[1]], axis=-1) @ inverse.T
    ok = ((places >= 0) & (places < 1)).all(axis=-1)
    source = (places[ok] * [colours.shape[1], colours.shape[0]]).astype(np.int64)
    keep = mask[source[:, 1], source[:, 0]]
    rows, cols, source = rows[ok][keep], cols[ok][keep], source[keep]
    canvas.colours[rows, cols] = colours[source[:, 1], source[:, 0]]
    canvas.valid[rows, cols] = True
