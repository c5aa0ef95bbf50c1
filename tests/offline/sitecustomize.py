"""Keeps Python processes that tests start from reaching beyond this computer; loopback stays open.

``tests/conftest.py`` puts this folder on ``PYTHONPATH``, and Python imports ``sitecustomize`` when it starts. In the
tests' own process pytest-socket does the same. Neither covers native code that opens sockets itself: libcurl, and with
it GDAL, is held by proxy variables of the environment, and Chromium by an argument; other native code is not held. The
ingest's child has an environment of its own, so this module is not read there; Landlock and GDAL's settings hold it.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

_NAMES = frozenset({"", "localhost", "0.0.0.0", "::"})


def near(host: object) -> bool:
    """Return whether a host is this computer; None stands for it."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in _NAMES:
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


class _NearSocket(socket.socket):
    """A socket that connects to this computer only."""

    def connect(self, address: Any) -> None:
        _check(self, address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        _check(self, address)
        return super().connect_ex(address)


def _check(one: socket.socket, address: Any) -> None:
    if one.family in {socket.AF_INET, socket.AF_INET6} and not near(address[0]):
        raise OSError(errno.ENETUNREACH, f"tests do not reach beyond this computer: {address[0]}")


_getaddrinfo = socket.getaddrinfo


def _near_getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
    if not near(host):
        raise socket.gaierror(socket.EAI_NONAME, f"tests do not reach beyond this computer: {host!r}")
    return _getaddrinfo(host, *arguments, **named)


def hold() -> None:
    """Put the limits in place."""
    socket.socket = _NearSocket  # type: ignore[misc]
    socket.getaddrinfo = _near_getaddrinfo


hold()
