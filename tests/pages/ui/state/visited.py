"""Serve the app, let visitors come and go in groups, and print how many objects there are after each group.

``python -m tests.pages.ui.state.visited 150 20 40``
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import traceback
from importlib import import_module

from streamlit.runtime import get_instance

from tests.visitors import come_and_go
from tests.waiting import answers, free_port, until


def _objects() -> int:
    """Count all objects that the collector knows, frozen ones too, once garbage is gone."""
    gc.unfreeze()
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects())


def _visit(url: str, groups: list[int]) -> None:
    counts = []
    until(lambda: answers(url), 60)
    for group in groups:
        come_and_go(url, group, query="encoder=spectral")
        until(lambda: not get_instance()._session_mgr.num_active_sessions(), failure="some visitors do not leave")
        counts.append(_objects())
    print(json.dumps(counts), flush=True)


def _end(url: str, groups: list[int]) -> None:
    """Let them visit and end this process, which serves for ever, whatever comes of it."""
    code = 1
    try:
        _visit(url, groups)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


if __name__ == "__main__":
    port = free_port()
    wanted = [int(group) for group in sys.argv[1:]]
    threading.Thread(target=_end, args=(f"http://127.0.0.1:{port}", wanted), daemon=True).start()
    import_module("app").app.run(config={"server.port": port, "browser.serverAddress": "localhost"})
