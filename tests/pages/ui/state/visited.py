"""Serve the app, let visitors come and go in groups, and print how many objects there are after each group.

``python -m tests.pages.ui.state.visited 140 150 150``
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import threading
import time
import urllib.request
from importlib import import_module

from tests.visitors import come_and_go


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return


def _objects() -> int:
    """Count all objects that the collector knows, frozen ones too, once garbage is gone."""
    gc.unfreeze()
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects())


def _visit(url: str, groups: list[int]) -> None:
    counts = []
    _wait(url)
    for group in groups:
        come_and_go(url, group, query="encoder=spectral")
        time.sleep(1)  # The last of them are still leaving.
        counts.append(_objects())
    print(json.dumps(counts), flush=True)
    os._exit(0)


if __name__ == "__main__":
    port = _free_port()
    wanted = [int(group) for group in sys.argv[1:]]
    threading.Thread(target=_visit, args=(f"http://127.0.0.1:{port}", wanted), daemon=True).start()
    import_module("app").app.run(config={"server.port": port, "browser.serverAddress": "localhost"})
