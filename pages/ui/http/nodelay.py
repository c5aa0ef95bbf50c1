"""Answers that leave at once: small ones must not wait until the browser has acknowledged what was sent before."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

DESCRIPTORS = Path("/dev/fd")
"""Where a process sees its open files; not on every system."""


def send_at_once() -> None:
    """Switch Nagle's algorithm off for this process's listening sockets; their connections take that over.

    asyncio does so for sockets that name TCP as their protocol, and Streamlit's does not. An answer of two writes,
    head and body, or several messages to a page, then take 40 ms longer each (RFC 896, RFC 1122 4.2.3.2).
    """
    for entry in list(DESCRIPTORS.iterdir()) if DESCRIPTORS.is_dir() else ():
        with suppress(OSError, ValueError):
            _set(int(entry.name))


def _set(descriptor: int) -> None:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    with socket.socket(fileno=os.dup(descriptor)) as found:
        over_ip = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
        if over_ip and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
