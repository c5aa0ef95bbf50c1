"""Waiting for what comes true by itself, and for servers that answer."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable


def until(question: Callable[[], object], seconds: float = 30, failure: str = "it never came true") -> None:
    """Ask again and again; fails with ``failure`` when it is not true in time."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, failure
        time.sleep(0.01)


def free_port() -> int:
    """A port of this computer on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a server's ``/health`` is there."""
    try:
        urllib.request.urlopen(f"{url}/health", timeout=2).close()
    except OSError:
        return False
    return True
