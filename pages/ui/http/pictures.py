"""Routes that serve pictures: tiles, thumbnails, quick looks, overlays.

    /tiles/{scene}/{rendering}/{z}/{x}/{y}.png?contrast=normal
    /thumbs/{scene}/{cut}/{rendering}/{patch id}.webp?side=128
    /quicklook/{scene}/{rendering}.webp?side=640
    /overlay/{recipe key}/{value}-{version}/{z}/{x}/{y}.png

What an address shows never changes, so browsers keep it. Anything else gets 400 or 404 and one sentence.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from core.imagery.render import CONTRASTS, RENDERINGS, THUMBNAIL_SIDES
from core.scenes.cut import Cut
from core.scenes.scene import SCENE_ID
from pages.ui.http.answers import PICTURES, Draw, Refused, answering, one_of, tile_place, whole_number
from pages.ui.http.below import below_base
from pages.ui.state.engine import engine

if TYPE_CHECKING:
    from core.scenes.scene import Scene

_SIDE = re.compile(r"[1-9]\d{1,3}")


def tile_url(scene_id: str, rendering: str, contrast: str = "normal") -> str:
    """Return the template of the addresses of a scene's tiles, ``{z}``, ``{x}`` and ``{y}`` left open."""
    return below_base(f"/tiles/{scene_id}/{rendering}/{{z}}/{{x}}/{{y}}.png?contrast={contrast}&v={PICTURES}")


def thumb_url(scene_id: str, cut: Cut, rendering: str, patch_id: int, side: int | None = None) -> str:
    """Return the address of a patch's picture.

    Args:
        scene_id: the scene.
        cut: how the scene is cut.
        rendering: of ``core.imagery.render.RENDERINGS``.
        patch_id: which patch.
        side: pixels a side, of ``core.imagery.render.THUMBNAIL_SIDES``; None = as many as the patch has.
    """
    size = "" if side is None else f"side={side}&"
    return below_base(f"/thumbs/{scene_id}/{cut.key}/{rendering}/{patch_id}.webp?{size}v={PICTURES}")


def quicklook_url(scene_id: str, rendering: str = "true", side: int = 640) -> str:
    """Return the address of a picture of the whole scene, its longer side at most ``side`` pixels."""
    return below_base(f"/quicklook/{scene_id}/{rendering}.webp?side={side}&v={PICTURES}")


def overlay_url(recipe_key: str, what: str) -> str:
    """Return the template of the addresses of map tiles of a value; ``what`` is from ``PatchValue.address``."""
    return below_base(f"/overlay/{recipe_key}/{what}/{{z}}/{{x}}/{{y}}.png?v={PICTURES}")


def _scene(request: Request) -> Scene:
    scene_id = request.path_params["scene"]
    if not SCENE_ID.fullmatch(scene_id):
        raise Refused("That is no scene's id.", 400)
    return engine().library.get(scene_id)


def _rendering(request: Request) -> str:
    return one_of(request.path_params["rendering"], RENDERINGS, "rendering")


def _side(request: Request) -> int | None:
    text = request.query_params.get("side")
    if text is not None and not _SIDE.fullmatch(text):
        raise Refused("The side has to be a number of pixels.", 400)
    return None if text is None else int(text)


def _tile(request: Request) -> tuple[Draw, str]:
    from core.imagery.tiles import MAX_ZOOM, map_tile
    from core.scenes.location import bounds_lonlat

    name, (z, x, y) = _rendering(request), tile_place(request, MAX_ZOOM)
    contrast = one_of(request.query_params.get("contrast", "normal"), CONTRASTS, "contrast")
    scene = _scene(request)
    if bounds_lonlat(scene) is None:
        raise Refused("This scene has no map: its place is unknown or too near a pole.")
    return partial(map_tile, scene, z, x, y, name, contrast), "image/png"


def _thumb(request: Request) -> tuple[Draw, str]:
    from core.imagery.render import thumbnail
    from core.scenes.patches import patch_grid

    cut = Cut.parse(request.path_params["cut"])
    if cut is None:
        raise Refused("The address holds no way of cutting into patches.", 400)
    name, patch_id, side = _rendering(request), whole_number(request, "patch"), _side(request)
    if side is not None and side not in THUMBNAIL_SIDES:
        raise Refused(f"Choose a side of {', '.join(str(known) for known in THUMBNAIL_SIDES)}.", 400)
    scene = _scene(request)
    grid = patch_grid(scene, cut)
    return partial(thumbnail, scene, grid, patch_id, name, side), "image/webp"


def _quicklook(request: Request) -> tuple[Draw, str]:
    from core.imagery.render import quicklook

    name, side = _rendering(request), _side(request) or 640
    if not 16 <= side <= 2048:
        raise Refused("Choose a side of 16 to 2048 pixels.", 400)
    chip = engine().chips.scene(request.path_params["scene"])  # A picture that was given to search by.
    return partial(quicklook, chip or _scene(request), name, side), "image/webp"


def _overlay(request: Request) -> tuple[Draw, str]:
    from core.imagery.tiles import MAX_ZOOM
    from core.values.registry import read_address
    from pages.ui.http.points import RECIPE_KEY
    from pages.ui.http.value_tiles import value_tile
    from pages.ui.state import cache

    key, found, place = (
        request.path_params["recipe"],
        read_address(request.path_params["what"]),
        tile_place(request, MAX_ZOOM),
    )
    if not RECIPE_KEY.fullmatch(key):
        raise Refused("That is no recipe's name.", 400)
    if found is None:
        raise Refused("There are no such values.", 400)
    view = cache.view_of_key(key)
    if view.values(*found) is None:
        raise Refused("There are no such values here, or no longer.")
    return partial(value_tile, view, *found, place), "image/png"


PICTURE_ROUTES: list[Route] = [
    Route("/tiles/{scene}/{rendering}/{z}/{x}/{y}.png", answering(_tile)),
    Route("/thumbs/{scene}/{cut}/{rendering}/{patch}.webp", answering(_thumb)),
    Route("/quicklook/{scene}/{rendering}.webp", answering(_quicklook)),
    Route("/overlay/{recipe}/{what}/{z}/{x}/{y}.png", answering(_overlay)),
]
"""All of them; ``app.py`` adds them to its own when the first is asked for."""
