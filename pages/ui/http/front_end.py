"""Streamlit's own page and scripts, found in its package: served from memory, and what a view of ours needs of them.

Streamlit reads each of some hundred scripts from disk in a thread of its own. While the pages' modules are imported,
each thread waits for the interpreter several times, and a browser that opens the page then waits a second for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from pages.ui.http.below import below_base
from pages.ui.http.headers import FOR_EVER

ADDRESS = "/static/js/"
"""Where Streamlit has its scripts; their names change with their content."""

EXPLORE_PARTS = ("Html", "Selectbox", "Button", "Checkbox", "BidiComponent", "ComponentInstance")
"""Scripts of elements that the Explore page draws; Streamlit asks for each when the first of its kind is drawn."""

_IMPORT = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


@cache
def _static() -> Path:
    spec = find_spec("streamlit")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("streamlit")
    return Path(spec.origin).parent / "static"


@cache
def index_page() -> str:
    """Return the HTML that Streamlit would serve."""
    return (_static() / "index.html").read_text(encoding="utf-8")


@cache
def page_scripts() -> frozenset[str]:
    """Return the names of the scripts that the page itself asks for."""
    return frozenset(re.findall(r"static/js/([\w.-]+\.js)", index_page()))


@cache
def later_scripts(parts: tuple[str, ...] = EXPLORE_PARTS) -> tuple[str, ...]:
    """Return the names of the scripts of some elements and of all that they import, without those of the page."""
    folder = _static() / "static" / "js"
    waiting = [path.name for part in parts for path in folder.glob(f"{part}.*.js")]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name in page_scripts() or not (folder / name).is_file():
            continue
        found[name] = None
        waiting += _IMPORT.findall(_script(name).decode())
    return tuple(found)


@lru_cache(maxsize=256)
def _script(name: str) -> bytes:
    return (_static() / "static" / "js" / name).read_bytes()


class FrontEndScripts(BaseRoute):
    """Answers for the scripts that pages need at once; Streamlit itself does for all others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return a full match for a script that is kept in memory."""
        asked = scope["type"] == "http" and scope["method"] == "GET" and str(scope["path"]).startswith(ADDRESS)
        ours = asked and str(scope["path"]).removeprefix(ADDRESS) in _kept()
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the script, in this thread: it is in memory, or small enough to read at once."""
        content = _script(str(scope["path"]).removeprefix(ADDRESS))
        await Response(content, media_type="text/javascript", headers=FOR_EVER)(scope, receive, send)


@cache
def _kept() -> frozenset[str]:
    return page_scripts().union(later_scripts())


def addresses(names: Iterable[str]) -> list[str]:
    """Return where scripts are served."""
    return [below_base(ADDRESS + name) for name in names]
