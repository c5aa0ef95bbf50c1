"""Values of all patches as tiles for the map, in the colours of the plot."""

from __future__ import annotations

from core.imagery import collection_tiles, overlay
from core.imagery.render import EMPTY_TILE, tile_png
from core.scenes.webmercator import tile_square
from core.values.base import Asked, PatchValue
from pages.ui.state.scene_view import SceneView


def value_tile(view: SceneView, value: PatchValue, asked: Asked, place: tuple[int, int, int]) -> bytes:
    """Return a map tile of a value, PNG: each patch in the colour it has in the plot, those without a value left out.

    A value that is known on cells finer than patches shows these.

    Args:
        view: the scene.
        value: of ``core.values.registry``.
        asked: what it depends on.
        place: zoom, column and row.
    """
    values = view.values(value, asked)
    if values is None:
        return EMPTY_TILE
    legend, cells = view.legend(value, asked), value.cells(view, asked)
    if cells is not None:
        seen = overlay.tile_values(view.scene, tile_square(*place), cells.values, cells.side, cells.ends)
        if seen is None:
            return EMPTY_TILE
        colours, known = legend.paint(seen.ravel())
        return tile_png(colours.reshape(*seen.shape, 3), known.reshape(seen.shape))
    colours, known = legend.paint(values)
    ids, colours = view.table.patch_ids[known], colours[known]
    square = tile_square(*place)
    if view.scene.is_collection:
        return collection_tiles.mosaic_overlay_tile(view.scene, square, ids, colours)
    return overlay.overlay_tile(view.scene, view.grid, square, ids, colours, there=view.table.patch_ids)
