"""The path that the server's addresses begin with where a proxy gives Landlike a part of a site, such as ``/land``."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send
from streamlit import config


def below_base(path: str) -> str:
    """Return where a browser finds a path of ours, such as ``/assets/map.js``."""
    return f"{base_path()}{path}"


def base_path() -> str:
    """Return the path that all addresses begin with, such as ``/land``; empty where Landlike has a site of its own."""
    given = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{given}" if given else ""


class BelowBase(BaseRoute):
    """A route that lies below the base path; it is asked as if it had a site of its own."""

    def __init__(self, route: BaseRoute) -> None:
        self._route = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return what the route says to a request below the base path, and no match for any other."""
        base, path = base_path(), str(scope.get("path", ""))
        if not base:
            return self._route.matches(scope)
        if not path.startswith(f"{base}/"):
            return Match.NONE, {}
        own = {"path": path.removeprefix(base)}
        match, found = self._route.matches({**scope, **own})
        return match, {**own, **found}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route."""
        await self._route.handle(scope, receive, send)


class ToBase(BaseRoute):
    """Leads from the base path itself, ``/land``, to the first page, ``/land/``; whatever a proxy calls this server."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return a full match for the base path."""
        ours = scope["type"] == "http" and base_path() and str(scope["path"]) == base_path()
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with where it is; an address with a host would name this server as the proxy does."""
        query = bytes(scope["query_string"]).decode("latin-1")
        await RedirectResponse(f"{base_path()}/{f'?{query}' if query else ''}")(scope, receive, send)


def all_below(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Return routes, each below the base path, and one that leads to the first page from that path itself."""
    return [ToBase(), *(BelowBase(route) for route in routes)]
