"""The similarity of all patches to a query as pictures for the map. The numbers come from ``pages.ui.cached``."""

from __future__ import annotations

import numpy as np

from core import mosaic, overlay
from core.bands import FloatArray
from core.errors import PatchError
from core.features import Recipe
from core.mercator import tile_square
from core.patches import patch_grid
from core.ramps import LEVELS, SIMILARITY_RAMP, ByteArray
from pages.ui import cached
from pages.ui.engine import engine


def overlay_tile(key: str, patch_id: int, z: int, x: int, y: int) -> bytes:
    """A map tile of the similarity of all patches to one, PNG; colours run over ``cached.similarity_range``.

    Args:
        key: ``Recipe.key`` of a recipe in the store.
        patch_id: the query.
        z: zoom.
        x: column.
        y: row.

    Raises:
        LandlikeError: when there are no such features or no such patch.
    """
    recipe = _recipe(key, patch_id)
    scene, ids = engine().library.get(recipe.scene_id), cached.table(recipe).patch_ids
    colours = similarity_colours(cached.similarity(recipe, patch_id), *cached.similarity_range(recipe, patch_id))
    square = tile_square(z, x, y)
    if scene.kind == "collection":
        return mosaic.overlay_tile(scene, square, ids, colours)
    return overlay.overlay_tile(scene, patch_grid(scene, recipe.patch_size, recipe.stride), square, ids, colours)


def similarity_colours(values: FloatArray, low: float, high: float) -> ByteArray:
    """Colours, uint8 of shape (N, 3), of similarities along the ramp from ``low`` to ``high``."""
    share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return SIMILARITY_RAMP.table()[np.rint(share * (LEVELS - 1)).astype(np.int64)]


def _recipe(key: str, patch_id: int) -> Recipe:
    recipe = cached.recipe_by_key(key)
    if not cached.table(recipe).holds(patch_id):
        found = "it has too little valid data or is not in the scene"
        raise PatchError(f"Looking up patch {patch_id}", found, "choose another patch")
    return recipe
