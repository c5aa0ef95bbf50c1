"""The route by which the plot asks what views show for a patch, before a page has run for it.

/early/{token of a visitor's session}/{patch id}.json       what changes in plot, map and gallery

Where only a run of the page can tell there is no content, 204.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.errors import LandlikeError
from pages.ui.http.answers import Refused, whole_number
from pages.ui.http.below import below_base
from pages.ui.http.headers import SAME_ORIGIN
from pages.ui.state.early import EarlyAnswers, early_answers

_GONE = "That visit has ended; load the page anew."
_ONCE = {**SAME_ORIGIN, "cache-control": "no-store"}


def early_url(answers: EarlyAnswers) -> str | None:
    """Return where the browser asks, ``{id}`` left open; None where only a run of the page can tell."""
    return below_base(f"/early/{answers.token}/{{id}}.json") if answers.offered else None


async def _early(request: Request) -> Response:
    return await asyncio.to_thread(_answer, request)


def _answer(request: Request) -> Response:
    answers = early_answers(request.path_params["token"])
    try:
        if answers is None:
            raise Refused(_GONE)
        found = answers.of_patch(whole_number(request, "patch"))
    except Refused as refusal:
        return PlainTextResponse(str(refusal), status_code=refusal.status, headers=_ONCE)
    except LandlikeError as error:
        return PlainTextResponse(str(error), status_code=404, headers=_ONCE)
    return Response(status_code=204, headers=_ONCE) if found is None else JSONResponse(found, headers=_ONCE)


EARLY_ROUTES: list[Route] = [Route("/early/{token}/{patch}.json", _early)]
"""``app.py`` adds them to its own when the first is asked for."""
