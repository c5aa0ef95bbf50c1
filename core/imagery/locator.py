"""Pictures in place of pixels that are not there: where a patch lies among the others of its scene. North is up."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import PatchError
from core.scenes.location import bounds_lonlat
from core.scenes.patches import PatchGrid
from core.scenes.places import collection_corners
from core.scenes.scene import Scene

NEUTRAL = (138, 148, 142)
"""Of patches on the map where there is nothing to show of them; stands out from pale and dark ground."""

_OTHERS, _HERE, _RIM = (138, 148, 142, 120), (209, 25, 111, 255), (255, 255, 255, 235)
_MOST_DOTS = 900
_FINE = 4  # drawn so many times larger, then shrunk, for smooth edges
_MARGIN = 0.13

_Middles = NDArray[np.float64]


def patch_locator(scene: Scene, grid: PatchGrid, patch_id: int, side: int = 128) -> bytes:
    """Return a transparent WebP of so many pixels a side: the patches of a scene as dots, and one of them marked.

    Raises:
        PatchError: when there is no such patch.
    """
    if not 0 <= patch_id < grid.count:
        raise PatchError(f"Looking up patch {patch_id}", f"there are {grid.count}", "choose one of them")
    places, here = dots_of_patches(scene, side * _FINE), None
    if places is not None and np.isfinite(places[patch_id]).all():
        here = (float(places[patch_id, 0]), float(places[patch_id, 1]))
    return _drawn(places, here, side)


def scene_locator(scene: Scene, side: int = 640) -> bytes:
    """Return a transparent WebP of so many pixels a side: the patches of a scene as dots."""
    return _drawn(dots_of_patches(scene, side * _FINE), None, side)


def dots_of_patches(scene: Scene, side: int) -> _Middles | None:
    """Return where the middles of all patches lie in a square picture, (cells, 2) as x and y; None = nowhere."""
    bounds = bounds_lonlat(scene)
    if bounds is None:
        return None
    west, south, east, north = bounds
    middle = collection_corners(scene).mean(axis=1)
    x = (middle[:, 0] - (west + east) / 2 + 180) % 360 - 180
    x, y = x * np.cos(np.radians((south + north) / 2)), (south + north) / 2 - middle[:, 1]
    reach = max(float(np.nanmax(np.abs(x))), float(np.nanmax(np.abs(y))), 1e-9)
    scale = side * (0.5 - _MARGIN) / reach
    placed: _Middles = np.stack([side / 2 + x * scale, side / 2 + y * scale], axis=1)
    return placed


def _drawn(places: _Middles | None, here: tuple[float, float] | None, side: int) -> bytes:
    large = side * _FINE
    image = Image.new("RGBA", (large, large), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    unit = large / 128
    if places is not None:
        known = places[np.isfinite(places).all(axis=1)]
        for x, y in known[:: max(1, len(known) // _MOST_DOTS)].tolist():
            draw.ellipse(_disc(x, y, 1.3 * unit), fill=_OTHERS)
    if here is not None:
        for radius, colour in ((6.5, _RIM), (4.6, _HERE)):
            draw.ellipse(_disc(*here, radius * unit), fill=colour)
    elif places is None:
        draw.ellipse(_disc(large / 2, large / 2, 22 * unit), outline=_OTHERS, width=round(3 * unit))
        draw.line((large / 2 - 16 * unit, large / 2 + 16 * unit, large / 2 + 16 * unit, large / 2 - 16 * unit),
                  fill=_OTHERS, width=round(3 * unit))  # fmt: skip
    buffer = io.BytesIO()
    image.reduce(_FINE).save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()


def _disc(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius
