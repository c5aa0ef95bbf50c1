"""Routes that serve the ground below scenes: tiles, names, and where a spot lies.

    /ground/{shade}/{z}/{x}/{y}.png          512 pixels a side
    /ground/names/{z}/{x}/{y}.json           [[kind, name, latitude, longitude], …], the most important first
    /ground/where/{latitude}/{longitude}.json    {"words": …}; degrees with at most three decimals

Nothing here depends on scenes, so browsers keep every answer.
"""

from __future__ import annotations

import json
import re
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from pages.ui.http.answers import Draw, Refused, answering, one_of, tile_place
from pages.ui.http.below import below_base

GROUND = 1
"""Raised when the ground comes out differently, so that browsers drop what they keep."""
GROUND_CREDIT = (
    '<a href="https://www.naturalearthdata.com/" target="_blank" rel="noopener" '
    'title="Coasts and borders at 1 : 10 million, some hundred metres off: not for measuring">Natural Earth</a>, '
    '<a href="https://www.geonames.org/" target="_blank" rel="noopener" title="CC BY 4.0">GeoNames</a>'
)
"""Who made it, as HTML for the map's corner."""
_DEGREES = re.compile(r"-?(?:0|[1-9]\d{0,2})(?:\.\d{1,3})?")


def ground_options(*, names_below: bool) -> dict[str, object]:
    """Return what the map's script needs: templates of addresses, the nearest zooms, and whether names lie below."""
    from core.imagery.ground.drawing import GROUND_ZOOM
    from core.imagery.ground.places import NAMES_ZOOM

    return {
        "tiles": below_base(f"/ground/{{shade}}/{{z}}/{{x}}/{{y}}.png?v={GROUND}"),
        "names": below_base(f"/ground/names/{{z}}/{{x}}/{{y}}.json?v={GROUND}"),
        "where": below_base(f"/ground/where/{{lat}}/{{lon}}.json?v={GROUND}"),
        "deepest": GROUND_ZOOM,
        "namesDeepest": NAMES_ZOOM,
        "attribution": GROUND_CREDIT,
        "below": names_below,
    }


def _ground(request: Request) -> tuple[Draw, str]:
    from core.imagery.ground.drawing import GROUND_ZOOM, SHADES, ground_tile

    shade = one_of(request.path_params["shade"], SHADES, "shade")
    return partial(ground_tile, *tile_place(request, GROUND_ZOOM), shade), "image/png"


def _names(request: Request) -> tuple[Draw, str]:
    from core.imagery.ground.places import NAMES_ZOOM, names_in_tile

    place = tile_place(request, NAMES_ZOOM)

    def draw() -> bytes:
        return _json([(one.kind, one.name, one.latitude, one.longitude) for one in names_in_tile(*place)])

    return draw, "application/json"


def _where(request: Request) -> tuple[Draw, str]:
    from core.imagery.ground.places import whereabouts

    latitude, longitude = _degrees(request, "latitude", 90), _degrees(request, "longitude", 180)
    return lambda: _json({"words": whereabouts(latitude, longitude)}), "application/json"


def _degrees(request: Request, name: str, most: float) -> float:
    text = request.path_params[name]
    if not _DEGREES.fullmatch(text) or abs(float(text)) > most:
        raise Refused(f"The {name} has to be a number of degrees, from −{most} to {most}, with three decimals.", 400)
    return float(text)


def _json(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode()


GROUND_ROUTES: list[Route] = [
    Route("/ground/names/{z}/{x}/{y}.json", answering(_names)),
    Route("/ground/where/{latitude}/{longitude}.json", answering(_where)),
    Route("/ground/{shade}/{z}/{x}/{y}.png", answering(_ground)),
]
"""All of them; ``app.py`` adds them to its own when the first is asked for."""
