"""What the server answers at once: its health, and the HTML that a browser gets first.

That page is Streamlit's, with our name and logo on show until its JavaScript has loaded.
"""

from __future__ import annotations

import json
from functools import cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pages.ui.frontend import text
from pages.ui.http.assets import asset_url
from pages.ui.http.front_end import addresses, index_page, later_scripts

PAGES = ("classify", "scenes", "models")
"""Addresses of the pages beside the first, below the server's; ``pages/main.py`` names the same."""
NO_STEPS = ("k", "above", "where", "colour", "sel", "show", "picture", "contrast", "overlay", "list")
"""Parts of an address that are no step of the browser's history; ``pages/ui/state/session.py`` names the same."""
ADDRESSES = ("/", *(f"/{name}" for name in PAGES))
"""Where this page is served; below other addresses Streamlit answers by itself."""

ROOT = '<div id="root"></div>'
"""Where Streamlit's JavaScript draws; what lies inside before is what a person sees first, and is replaced."""

TITLE = "<title>Streamlit</title>"
"""Becomes our own, and is followed by what has to run before Streamlit's scripts."""


EXPLORE = "/"
"""The page that draws by Plotly."""


@cache
def splash_page(address: str = EXPLORE) -> str:
    """Return the page at an address; Streamlit's own, unchanged, when it is not of the form that is known."""
    shown = f'<style>{text("splash.css")}</style><div class="ll-splash">{text("logo.svg")}</div>'
    ahead = _ahead() if address == EXPLORE else ""
    first = text("splash.js").replace("PAGES", "|".join(PAGES)).replace("SETTINGS", json.dumps(NO_STEPS))
    page = index_page().replace(TITLE, f"<title>Landlike</title><script>{first}</script>{ahead}")
    # The page draws this too; but Streamlit keeps that where dialogs go, and one that a click opens takes its place.
    return page.replace(ROOT, f'<div id="root">{shown}</div><style>{text("page.css")}</style>')


def _ahead() -> str:
    """Return HTML that fetches and starts what Streamlit asks for late, as ``ahead.js`` says."""
    address = asset_url("plotly.min.js")
    begin = f"ahead({json.dumps(address)}, {json.dumps(addresses(later_scripts()))});"
    early = f'<link rel="preload" as="script" fetchpriority="low" href="{address}">'
    return f"{early}<script>{text('plotly.js', 'ahead.js')}\n{begin}</script>"


async def _page(request: Request) -> Response:
    return HTMLResponse(splash_page(request.url.path), headers={"cache-control": "no-cache"})


async def _health(_request: Request) -> Response:
    """Tell whether this process answers."""
    return JSONResponse({"status": "ok"}, headers={"x-content-type-options": "nosniff", "cache-control": "no-store"})


SPLASH_ROUTES: list[Route] = [*(Route(address, _page) for address in ADDRESSES), Route("/health", _health)]
"""What ``app.py`` adds to its routes."""
