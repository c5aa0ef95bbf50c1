"""Landlike's launcher: the Streamlit pages, and beside them the routes for map tiles, pictures and assets.

``streamlit run app.py``, ``python app.py`` and ``python -m core serve`` all start it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Worker processes import the main module again; they need none of this.
if multiprocessing.parent_process() is None:
    from streamlit import App

    from core.config import settings
    from core.errors import LandlikeError
    from pages.ui import routes, routes_layout
    from pages.ui.engine import engine, replace_engine

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[dict[str, object]]:
        """Start the engine with the server, so that it warms up while a person still looks; close it in the end."""
        try:
            held = await asyncio.to_thread(engine)
            await asyncio.to_thread(held.start)
        except LandlikeError as error:
            # The server would print a traceback; a person at the terminal reads one sentence.
            sys.stderr.write(f"Landlike did not start. {error}\n")
            sys.stderr.flush()
            os._exit(1)
        try:
            yield {}
        finally:
            await asyncio.to_thread(replace_engine, None)

    app = App(
        Path(__file__).resolve().parent / "pages" / "main.py",
        routes=[*routes.ROUTES, *routes_layout.ROUTES],
        lifespan=lifespan,
    )

    if __name__ == "__main__":
        app.run(config={"server.port": settings().port})
