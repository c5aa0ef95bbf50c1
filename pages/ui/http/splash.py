"""What the server answers at once: its health, and the HTML that a browser gets first.

That page is Streamlit's, with our name and logo on show until its JavaScript has loaded.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pages.ui.frontend import text
from pages.ui.http.assets import asset_url

ADDRESSES = ("/", "/scenes", "/models")
"""The pages' own addresses; below others Streamlit answers by itself."""

ROOT = '<div id="root"></div>'
"""Where Streamlit's JavaScript draws; what lies inside before is what a person sees first, and is replaced."""

TITLE = "<title>Streamlit</title>"
"""Becomes our own, and is followed by what has to run before Streamlit's scripts."""


EXPLORE = "/"
"""The page that draws by Plotly."""


@cache
def splash_page(address: str = EXPLORE) -> str:
    """Return the page at an address; Streamlit's own, unchanged, when it is not of the form that is known."""
    spec = find_spec("streamlit")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("streamlit")
    page = (Path(spec.origin).parent / "static" / "index.html").read_text(encoding="utf-8")
    shown = f'<style>{text("splash.css")}</style><div class="ll-splash">{text("logo.svg")}</div>'
    ahead = _plotly_ahead() if address == EXPLORE else ""
    page = page.replace(TITLE, f"<title>Landlike</title><script>{text('splash.js')}</script>{ahead}")
    return page.replace(ROOT, f'<div id="root">{shown}</div>')


def _plotly_ahead() -> str:
    """Return HTML that loads Plotly, which takes long to start, as soon as our name is painted."""
    address = asset_url("plotly.min.js")
    begin = f"requestAnimationFrame(() => setTimeout(() => plotly('{address}').catch(() => {{}})));"
    return f'<link rel="preload" as="script" href="{address}"><script>{text("plotly.js")}\n{begin}</script>'


async def _page(request: Request) -> Response:
    return HTMLResponse(splash_page(request.url.path), headers={"cache-control": "no-cache"})


async def _health(_request: Request) -> Response:
    """Tell whether this process answers."""
    return JSONResponse({"status": "ok"}, headers={"x-content-type-options": "nosniff", "cache-control": "no-store"})


SPLASH_ROUTES: list[Route] = [*(Route(address, _page) for address in ADDRESSES), Route("/health", _health)]
"""What ``app.py`` adds to its routes."""
