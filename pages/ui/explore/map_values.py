"""Values of all patches as pictures for the map: similarity to a query, labels. They come from ``state.cache``."""

from __future__ import annotations

import numpy as np
from PIL import ImageColor

from core.bands import FloatArray
from core.errors import PatchError
from core.features.recipe import Recipe
from core.imagery import collection_tiles as mosaic
from core.imagery import overlay
from core.imagery.ramps import LEVELS, SIMILARITY_RAMP, ByteArray
from core.imagery.render import EMPTY_TILE
from core.scenes.patches import IntArray, patch_grid
from core.scenes.webmercator import tile_square
from pages.ui.common.theme import class_colours
from pages.ui.state import cache
from pages.ui.state.engine import engine


def similarity_tile(key: str, patch_id: int, z: int, x: int, y: int) -> bytes:
    """A map tile of the similarity of all patches to one, PNG; colours run over ``cache.similarity_range``.

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
    colours = similarity_colours(cache.similarity(recipe, patch_id), *cache.similarity_range(recipe, patch_id))
    return _tile(recipe, cache.table(recipe).patch_ids, colours, (z, x, y))


def labels_version(key: str) -> str:
    """What tells the labels of a recipe's scene that people gave from any others; empty when there are none."""
    return cache.label_version(cache.recipe_by_key(key).scene_id)


def labels_tile(key: str, z: int, x: int, y: int) -> bytes:
    """A map tile of the patches that people gave a class, in its colour; arguments and errors as of the other."""
    recipe = cache.recipe_by_key(key)
    given, shown = cache.given_labels(recipe), cache.shown_labels(recipe)
    if given is None or shown is None:
        return EMPTY_TILE
    ids = np.flatnonzero(given.index >= 0)
    table = np.array([ImageColor.getrgb(colour) for colour in class_colours(shown.classes)], np.uint8)
    return _tile(recipe, ids, table[shown.index[ids]], (z, x, y))


def _tile(recipe: Recipe, ids: IntArray, colours: ByteArray, place: tuple[int, int, int]) -> bytes:
    scene, square = engine().library.get(recipe.scene_id), tile_square(*place)
    if scene.kind == "collection":
        return mosaic.overlay_tile(scene, square, ids, colours)
    return overlay.overlay_tile(scene, patch_grid(scene, recipe.patch_size, recipe.stride), square, ids, colours)


def similarity_colours(values: FloatArray, low: float, high: float) -> ByteArray:
    """Colours, uint8 of shape (N, 3), of similarities along the ramp from ``low`` to ``high``."""
    share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return SIMILARITY_RAMP.table()[np.rint(share * (LEVELS - 1)).astype(np.int64)]


def _recipe(key: str, patch_id: int) -> Recipe:
    recipe = cache.recipe_by_key(key)
    if not cache.table(recipe).holds(patch_id):
        found = "it has too little valid data or is not in the scene"
        raise PatchError(f"Looking up patch {patch_id}", found, "choose another patch")
    return recipe
