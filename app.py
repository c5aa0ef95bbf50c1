"""Landlike's launcher: the Streamlit pages, and beside them the routes for map tiles, pictures and assets.

``streamlit run app.py``, ``python app.py`` and ``python -m core serve`` all start it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

# Worker processes import the main module again; they need none of this.
if multiprocessing.parent_process() is None:
    from streamlit import App

    from core.config import settings
    from core.errors import LandlikeError
    from core.jobs.scheduler import absence
    from pages.ui.common.later import giving_way
    from pages.ui.http import assets, splash
    from pages.ui.http.below import all_below
    from pages.ui.http.front_end import FrontEndScripts
    from pages.ui.http.kept_files import keep_files
    from pages.ui.http.lazy import Deferred
    from pages.ui.http.nodelay import send_at_once
    from pages.ui.http.run_order import keep_runs_in_order
    from pages.ui.http.together import hand_over_together
    from pages.ui.http.uploads import UploadRoute
    from pages.ui.state.engine import engine, replace_engine
    from pages.ui.state.heap import HeapWatch
    from pages.ui.state.turns import TURNS

    PICTURES = Deferred("pages.ui.http.pictures", "PICTURE_ROUTES", ("/tiles/", "/thumbs/", "/quicklook/", "/overlay/"))
    GROUND = Deferred("pages.ui.http.ground", "GROUND_ROUTES", ("/ground/",))
    EARLY = Deferred("pages.ui.http.early", "EARLY_ROUTES", ("/early/",))
    POINTS = Deferred("pages.ui.http.points", "POINT_ROUTES", ("/layout/", "/values/", "/outlines/"))

    NOBODY_SECONDS, DRAWN_SECONDS = 8.0, 2.0
    """What other pages need is imported when nobody has come for so long, or so long after the first page was made."""
    CLOSING = threading.Event()
    HEAP = HeapWatch()

    PAGES = Path(__file__).resolve().parent / "pages"
    # Streamlit puts this folder in front of sys.path and takes it out again with every run of a page, unless it is
    # there. A thread that imports a module at that moment skips a folder and does not find it.
    if str(PAGES) not in sys.path:
        sys.path.append(str(PAGES))

    def prepare() -> None:
        """Start the engine and import what the pages need, while a browser still loads Streamlit's JavaScript."""
        try:
            engine().start()
        except (LandlikeError, OSError) as error:
            # The server would go on without it; a person at the terminal reads one sentence.
            sys.stderr.write(f"Landlike did not start. {error}\n")
            sys.stderr.flush()
            os._exit(1)
        if (scheduler := engine().config.scheduler) and (sentence := absence(scheduler)):
            sys.stderr.write(f"{sentence}\n")
        with giving_way():
            warm = import_module("pages.ui.state.warm")
            warm.try_encoder()
            warm.import_first()
            warm.read_newest_scene()
            if not TURNS.held:  # Else the page that is being made asks for it, once the rest of it is on its way.
                warm.import_map()
        if TURNS.made_a_page.wait(NOBODY_SECONDS):
            CLOSING.wait(DRAWN_SECONDS)
        if not CLOSING.is_set():
            with giving_way():
                warm.import_next()
            HEAP.start()

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[dict[str, object]]:
        """Prepare while the server already answers; close the engine in the end."""
        send_at_once()
        keep_runs_in_order()
        hand_over_together()
        keep_files()
        preparing = threading.Thread(target=prepare, daemon=True, name="prepare")
        preparing.start()
        try:
            yield {}
        finally:
            CLOSING.set()
            TURNS.made_a_page.set()
            await asyncio.to_thread(preparing.join)
            await asyncio.to_thread(HEAP.stop)
            await asyncio.to_thread(replace_engine, None)

    app = App(
        PAGES / "main.py",
        routes=all_below(
            [
                *splash.SPLASH_ROUTES,
                *assets.ASSET_ROUTES,
                FrontEndScripts(),
                UploadRoute(),
                PICTURES,
                GROUND,
                EARLY,
                POINTS,
            ]
        ),
        lifespan=lifespan,
    )

    if __name__ == "__main__":
        try:
            config = settings()
        except LandlikeError as error:
            sys.exit(f"Landlike did not start. {error}")
        app.run(config={"server.port": config.port, "server.baseUrlPath": config.base_path})
