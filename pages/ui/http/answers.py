"""What our routes of pictures share: numbers of an address, refusals in a sentence, and drawing in threads."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from rasterio.errors import RasterioError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.errors import LandlikeError
from pages.ui.http.headers import FOR_EVER, SAME_ORIGIN

PICTURES = 2
"""Raised whenever pictures of the same thing come out differently, so that browsers drop the ones they keep."""
_NUMBER = re.compile(r"0|[1-9]\d{0,8}")

_painters = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1), thread_name_prefix="painter")
"""Draws as many pictures at a time as there are processors; more requests wait their turn."""

Endpoint = Callable[[Request], Awaitable[Response]]
Draw = Callable[[], bytes]


class Refused(Exception):  # noqa: N818
    """A request that means nothing; its text is the answer."""

    def __init__(self, sentence: str, status: int = 404) -> None:
        super().__init__(sentence)
        self.status = status


def answering(plan: Callable[[Request], tuple[Draw, str]]) -> Endpoint:
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
    except Refused as refusal:
        return PlainTextResponse(str(refusal), status_code=refusal.status, headers=SAME_ORIGIN)
    except LandlikeError as error:
        return PlainTextResponse(str(error), status_code=404, headers=SAME_ORIGIN)
    except (RasterioError, OSError):
        sentence = "The picture cannot be drawn: the scene's files are missing or damaged; add the scene again."
        return PlainTextResponse(sentence, status_code=404, headers=SAME_ORIGIN)


def one_of(value: str, known: Collection[str], what: str) -> str:
    """Return a value that is known; refuse any other by naming those."""
    if value not in known:
        raise Refused(f"There is no such {what}; choose {', '.join(known)}.", 400)
    return value


def whole_number(request: Request, name: str) -> int:
    """Return a number of the path: digits without a sign, at most nine."""
    text = request.path_params[name]
    if not _NUMBER.fullmatch(text):
        raise Refused("The address holds something that is no number.", 400)
    return int(text)


def tile_place(request: Request, nearest: int) -> tuple[int, int, int]:
    """Return zoom, column and row of a tile that exists, down to the zoom ``nearest``."""
    z, x, y = (whole_number(request, name) for name in "zxy")
    if z > nearest or max(x, y) >= 2**z:
        raise Refused("There is no such tile.", 400)
    return z, x, y
