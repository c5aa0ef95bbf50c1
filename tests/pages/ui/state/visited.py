"""Serve the app, let visitors come and go in groups, and print how many objects there are after each group.

Streamlit keeps the latest 128 sessions for those who lose their connection; here it keeps ``KEPT``, so that fewer have
to come until each who comes drives one out.

``python -m tests.pages.ui.state.visited 8 8 8 8 8``
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
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from pages.ui.http.kept_files import keep_files
from tests.visitors import come_and_go
from tests.waiting import answers, free_port, until

KEPT = 3


def _objects() -> int:
    """Count all objects that the collector knows, frozen ones too, once garbage is gone."""
    gc.unfreeze()
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects()) + gc.get_freeze_count()  # The app may freeze them again meanwhile.


def _visit(url: str, groups: list[int]) -> None:
    counts = []
    until(lambda: answers(url), 60)
    sessions = get_instance()._session_mgr
    sessions._session_storage = MemorySessionStorage(maxsize=KEPT)
    for group in groups:
        come_and_go(url, group, query="encoder=spectral")
        until(lambda: not sessions.num_active_sessions(), failure="some visitors do not leave")
        # Other pages' modules come once nobody waits for a page; only then visitors hold what all after them do.
        until(lambda: import_module("app").HEAP.settled, 60, "the app is still importing")
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
    keep_files(0)  # Else what visitors could have downloaded would be there for half a minute after them.
    threading.Thread(target=_end, args=(f"http://127.0.0.1:{port}", wanted), daemon=True).start()
    import_module("app").app.run(config={"server.port": port, "browser.serverAddress": "localhost"})
