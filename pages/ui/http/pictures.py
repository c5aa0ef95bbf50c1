"""Routes that serve pictures: tiles, thumbnails, quick looks, overlays.

    /tiles/{scene}/{rendering}/{z}/{x}/{y}.png?contrast=normal
    /thumbs/{scene}/{cut}/{rendering}/{patch id}.webp?side=128
    /quicklook/{scene}/{rendering}.webp?side=640
    /overlay/{recipe key}/{value}-{version}/{z}/{x}/{y}.png

What an address shows never changes, so browsers keep it. Anything else gets 400 or 404 and one sentence.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from rasterio.errors import RasterioError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.errors import LandlikeError
from core.imagery.render import CONTRASTS, RENDERINGS, THUMBNAIL_SIDES
from core.scenes.cut import Cut
from core.scenes.scene import SCENE_ID
from pages.ui.http.headers import FOR_EVER, SAME_ORIGIN
from pages.ui.state.engine import engine

if TYPE_CHECKING:
    from core.scenes.scene import Scene

PICTURES = 1
"""Raised whenever pictures of the same scene come out differently, so that browsers drop the ones they keep."""
_NUMBER = re.compile(r"0|[1-9]\d{0,8}")
_SIDE = re.compile(r"[1-9]\d{1,3}")

_painters = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1), thread_name_prefix="painter")
"""Draws as many pictures at a time as there are processors; more requests wait their turn."""

Endpoint = Callable[[Request], Awaitable[Response]]
Draw = Callable[[], bytes]


class _Refused(Exception):  # noqa: N818
    """A request that means nothing; its text is the answer."""

    def __init__(self, sentence: str, status: int = 404) -> None:
        super().__init__(sentence)
        self.status = status


def tile_url(scene_id: str, rendering: str, contrast: str = "normal") -> str:
    """Return the template of the addresses of a scene's tiles, ``{z}``, ``{x}`` and ``{y}`` left open."""
    return f"/tiles/{scene_id}/{rendering}/{{z}}/{{x}}/{{y}}.png?contrast={contrast}&v={PICTURES}"


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
    return f"/thumbs/{scene_id}/{cut.key}/{rendering}/{patch_id}.webp?{size}v={PICTURES}"


def quicklook_url(scene_id: str, rendering: str = "true", side: int = 640) -> str:
    """Return the address of a picture of the whole scene, its longer side at most ``side`` pixels."""
    return f"/quicklook/{scene_id}/{rendering}.webp?side={side}&v={PICTURES}"


def overlay_url(recipe_key: str, what: str) -> str:
    """Return the template of the addresses of map tiles of a value; ``what`` is from ``PatchValue.address``."""
    return f"/overlay/{recipe_key}/{what}/{{z}}/{{x}}/{{y}}.png?v={PICTURES}"


def _answering(plan: Callable[[Request], tuple[Draw, str]]) -> Endpoint:
    """Return an endpoint that checks a request and draws its picture in another thread.

    ``plan`` returns what draws the picture, and its media type.
    """

    async def endpoint(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(_painters, _answer, plan, request)

    return endpoint


def _answer(plan: Callable[[Request], tuple[Draw, str]], request: Request) -> Response:
    digest = hashlib.sha256(f"{request.url.path}?{request.url.query}".encode()).hexdigest()
    headers = {**FOR_EVER, "etag": f'"{PICTURES}-{digest[:24]}"'}
    try:
        draw, kind = plan(request)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(draw(), media_type=kind, headers=headers)
    except _Refused as refusal:
        return PlainTextResponse(str(refusal), status_code=refusal.status, headers=SAME_ORIGIN)
    except LandlikeError as error:
        return PlainTextResponse(str(error), status_code=404, headers=SAME_ORIGIN)
    except (RasterioError, OSError):
        sentence = "The picture cannot be drawn: the scene's files are missing or damaged; add the scene again."
        return PlainTextResponse(sentence, status_code=404, headers=SAME_ORIGIN)


def _scene(request: Request) -> Scene:
    scene_id = request.path_params["scene"]
    if not SCENE_ID.fullmatch(scene_id):
        raise _Refused("That is no scene's id.", 400)
    return engine().library.get(scene_id)


def _one_of(value: str, known: Collection[str], what: str) -> str:
    if value not in known:
        raise _Refused(f"There is no such {what}; choose {', '.join(known)}.", 400)
    return value


def _rendering(request: Request) -> str:
    return _one_of(request.path_params["rendering"], RENDERINGS, "rendering")


def _number(request: Request, name: str) -> int:
    text = request.path_params[name]
    if not _NUMBER.fullmatch(text):
        raise _Refused("The address holds something that is no number.", 400)
    return int(text)


def _side(request: Request) -> int | None:
    text = request.query_params.get("side")
    if text is not None and not _SIDE.fullmatch(text):
        raise _Refused("The side has to be a number of pixels.", 400)
    return None if text is None else int(text)


def _zxy(request: Request) -> tuple[int, int, int]:
    from core.imagery.tiles import MAX_ZOOM

    z, x, y = (_number(request, name) for name in "zxy")
    if z > MAX_ZOOM or max(x, y) >= 2**z:
        raise _Refused("There is no such tile.", 400)
    return z, x, y


def _tile(request: Request) -> tuple[Draw, str]:
    from core.imagery.tiles import map_tile
    from core.scenes.location import bounds_lonlat

    name, (z, x, y) = _rendering(request), _zxy(request)
    contrast = _one_of(request.query_params.get("contrast", "normal"), CONTRASTS, "contrast")
    scene = _scene(request)
    if bounds_lonlat(scene) is None:
        raise _Refused("This scene has no map: its place is unknown or too near a pole.")
    return partial(map_tile, scene, z, x, y, name, contrast), "image/png"


def _thumb(request: Request) -> tuple[Draw, str]:
    from core.imagery.render import thumbnail
    from core.scenes.patches import patch_grid

    cut = Cut.parse(request.path_params["cut"])
    if cut is None:
        raise _Refused("The address holds no way of cutting into patches.", 400)
    name, patch_id, side = _rendering(request), _number(request, "patch"), _side(request)
    if side is not None and side not in THUMBNAIL_SIDES:
        raise _Refused(f"Choose a side of {', '.join(str(known) for known in THUMBNAIL_SIDES)}.", 400)
    scene = _scene(request)
    grid = patch_grid(scene, cut)
    return partial(thumbnail, scene, grid, patch_id, name, side), "image/webp"


def _quicklook(request: Request) -> tuple[Draw, str]:
    from core.imagery.render import quicklook

    name, side = _rendering(request), _side(request) or 640
    if not 16 <= side <= 2048:
        raise _Refused("Choose a side of 16 to 2048 pixels.", 400)
    return partial(quicklook, _scene(request), name, side), "image/webp"


def _overlay(request: Request) -> tuple[Draw, str]:
    from core.values.registry import read_address
    from pages.ui.http.points import RECIPE_KEY
    from pages.ui.http.value_tiles import value_tile
    from pages.ui.state import cache

    key, found, place = request.path_params["recipe"], read_address(request.path_params["what"]), _zxy(request)
    if not RECIPE_KEY.fullmatch(key):
        raise _Refused("That is no recipe's name.", 400)
    if found is None:
        raise _Refused("There are no such values.", 400)
    view = cache.view_of_key(key)
    if view.values(*found) is None:
        raise _Refused("There are no such values here, or no longer.")
    return partial(value_tile, view, *found, place), "image/png"


PICTURE_ROUTES: list[Route] = [
    Route("/tiles/{scene}/{rendering}/{z}/{x}/{y}.png", _answering(_tile)),
    Route("/thumbs/{scene}/{cut}/{rendering}/{patch}.webp", _answering(_thumb)),
    Route("/quicklook/{scene}/{rendering}.webp", _answering(_quicklook)),
    Route("/overlay/{recipe}/{what}/{z}/{x}/{y}.png", _answering(_overlay)),
]
"""All of them; ``app.py`` adds them to its own when the first is asked for."""
