"""Serves ``map_page.py`` with the app's own routes: ``python -m tests.browser.map_app PORT``."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit import App

from pages.ui.http.assets import ASSET_ROUTES
from pages.ui.http.ground import GROUND_ROUTES
from pages.ui.http.pictures import PICTURE_ROUTES

app = App(Path(__file__).with_name("map_page.py"), routes=[*PICTURE_ROUTES, *GROUND_ROUTES, *ASSET_ROUTES])

if __name__ == "__main__":
    app.run(config={"server.port": int(sys.argv[1]), "server.headless": True, "browser.gatherUsageStats": False,
                    "server.fileWatcherType": "none", "client.showErrorDetails": "full"})  # fmt: skip
