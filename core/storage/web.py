"""Files of the web that a person named by their addresses, fetched with patience; no address is told in an error."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

from core.errors import SourceError, SourceTooLargeError
from core.files import disk_errors
from core.storage.bucket import DEFAULT_PATIENCE, Patience

Found = TypeVar("Found")

_CHUNK = 2**20
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_ANYBODY = "give an address that anybody may read, or one that is signed"
_SAID = {
    401: ("it wants to know who asks", _ANYBODY),
    403: ("it may not be read", _ANYBODY),
    404: ("there is no such file", "check the address"),
    410: ("it is there no more", "check the address"),
}


def web_state(url: str, patience: Patience = DEFAULT_PATIENCE) -> str:
    """Return what a server says of a file as it is now: mark, size and time; empty where it says nothing of these.

    Raises:
        SourceError: when it cannot be had.
    """

    def ask() -> str:
        with _opened(url, patience) as answer:  # Addresses that are signed are for this way of asking alone.
            told = [answer.headers.get(name) or "" for name in ("ETag", "Content-Length", "Last-Modified")]
        return "|".join(told).strip("|")

    return _patiently(ask, patience)


def fetch_web(url: str, path: Path, most: int, patience: Patience = DEFAULT_PATIENCE) -> None:
    """Write a file of the web to the disk; it gets the time that the server says, as far as it says one.

    Args:
        url: begins with ``https://`` or ``http://``.
        path: where it goes.
        most: bytes.
        patience: how long the server is waited for.

    Raises:
        SourceError: when it cannot be had, or is larger.
        StoreError: when it cannot be written.
    """
    _patiently(lambda: _copy(url, path, most, patience), patience)


def _copy(url: str, path: Path, most: int, patience: Patience) -> None:
    keeping, size = f"Keeping a copy of “{path.name}”", 0
    with _opened(url, patience) as answer:
        with disk_errors(keeping, full="free some space, then start again", other="check the disk"):
            file = path.open("wb")
        with file:
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    remedy = "cut the area of interest out of it first"
                    raise SourceTooLargeError(found=f"it takes more than {most >> 30} GB", remedy=remedy)
                with disk_errors(keeping, full="free some space, then start again", other="check the disk"):
                    file.write(chunk)
        told = answer.headers.get("Content-Length")
        if told is not None and size != int(told):
            raise http.client.IncompleteRead(b"", int(told) - size)
        said = answer.headers.get("Last-Modified")
    if said:
        seconds = parsedate_to_datetime(said).timestamp()
        os.utime(path, (seconds, seconds))


def _opened(url: str, patience: Patience) -> Any:  # noqa: ANN401  urllib gives one of several
    request = urllib.request.Request(url, headers={"User-Agent": "landlike"})  # noqa: S310  the two schemes alone
    return urllib.request.urlopen(request, timeout=patience.request)  # noqa: S310  likewise


def _patiently(ask: Callable[[], Found], patience: Patience) -> Found:
    """Return what a server answers; ask again what may pass, as late as it wishes.

    Raises:
        SourceError: what is the matter, without the address.
    """
    began, pause = time.monotonic(), 0.2
    while True:
        wish = 0.0
        try:
            return ask()
        except urllib.error.HTTPError as error:
            found, remedy = _SAID.get(error.code, (f"its server answers {error.code}", "try again later"))
            wish = _seconds(error.headers.get("Retry-After")) if error.code in _PASSING else float("inf")
        except (OSError, http.client.HTTPException):
            found, remedy = "its server cannot be reached", "check the address and the network"
        wait = max(pause, wish)
        if time.monotonic() - began + wait > patience.seconds:
            raise SourceError(found=found, remedy=remedy) from None
        time.sleep(wait)
        pause = min(2 * pause, patience.longest)


def _seconds(said: str | None) -> float:
    """Return the seconds of a ``Retry-After``; 0 where it says a date, or nothing."""
    return float(said) if said and said.isdecimal() else 0.0
