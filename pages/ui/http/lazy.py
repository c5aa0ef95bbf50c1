"""Routes whose module is imported when the first of them is asked for, so that the server answers sooner."""

from __future__ import annotations

import asyncio
from importlib import import_module

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send


class Deferred(BaseRoute):
    """The routes of a module, all of whose addresses begin with one of some prefixes.

    Attributes:
        module: dotted name of a module.
        name: of its list of routes.
        prefixes: beginnings of addresses, such as ``/tiles/``, that belong to it.
    """

    def __init__(self, module: str, name: str, prefixes: tuple[str, ...]) -> None:
        self.module, self.name, self.prefixes = module, name, prefixes
        self._router: Router | None = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return a full match for any request below the prefixes; the module says then what it does not know."""
        ours = scope["type"] == "http" and str(scope["path"]).startswith(self.prefixes)
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the module's routes."""
        if self._router is None:
            routes = getattr(await asyncio.to_thread(import_module, self.module), self.name)
            self._router = Router(routes)
        await self._router(scope, receive, send)
