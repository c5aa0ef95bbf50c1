"""The similarity of all patches to a query as pictures for the map. The numbers come from ``pages.ui.cached``."""

from __future__ import annotations

import numpy as np

from core.errors import PatchError
from core.features import Recipe
from core.mercator import tile_square
from core.mosaic import overlay_tile as mosaic_overlay
from core.overlay import grid_overlay
from core.patches import patch_grid
from core.ramps import LEVELS, SIMILARITY_RAMP, ByteArray
from pages.ui import cached
from pages.ui.engine import engine


def overlay_picture(key: str, patch_id: int) -> bytes:
    """The overlay of a scene, PNG.

    Raises:
        LandlikeError: when there are no such features or patch, or no map.
    """
    recipe = _recipe(key, patch_id)
    scene = engine().library.get(recipe.scene_id)
    grid = patch_grid(scene, recipe.patch_size, recipe.stride)
    low, high = cached.similarity_range(recipe, patch_id)
    ids = cached.table(recipe).patch_ids
    return grid_overlay(scene, grid, ids, cached.similarity(recipe, patch_id), low, high)[0]


def overlay_tile(key: str, patch_id: int, z: int, x: int, y: int) -> bytes:
    """A map tile of the overlay of a collection, PNG.

    Raises:
        LandlikeError: when there are no such features or patch.
    """
    recipe = _recipe(key, patch_id)
    scene = engine().library.get(recipe.scene_id)
    low, high = cached.similarity_range(recipe, patch_id)
    colours = similarity_colours(cached.similarity(recipe, patch_id), low, high)
    return mosaic_overlay(scene, tile_square(z, x, y), cached.table(recipe).patch_ids, colours)


def similarity_colours(values: np.ndarray, low: float, high: float) -> ByteArray:
    """Colours, uint8 of shape (N, 3), of similarities along the ramp from ``low`` to ``high``."""
    share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return SIMILARITY_RAMP.table()[np.rint(share * (LEVELS - 1)).astype(np.int64)]


def _recipe(key: str, patch_id: int) -> Recipe:
    recipe = cached.recipe_by_key(key)
    if not cached.table(recipe).holds(patch_id):
        found = "it has too little valid data or is not in the scene"
        raise PatchError(f"Looking up patch {patch_id}", found, "choose another patch")
    return recipe
