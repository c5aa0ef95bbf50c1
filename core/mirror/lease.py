"""Locks that all computers know: an object that whoever holds it writes again and again, so that his death shows.

No clock is compared. Who waits looks whether the object has changed; when it has not for ``LeaseTimes.dead`` seconds of
his own, its holder is dead, and one of those who wait takes it over by a conditional write.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from core.errors import JobCancelledError, StoreError
from core.storage.base import ObjectInfo, Storage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LeaseTimes:
    """How often things are done about a lease, in seconds.

    Attributes:
        beat: its holder writes it.
        look: who waits reads it.
        dead: its holder counts as dead when it has stayed as it is.
    """

    beat: float = 10.0
    look: float = 1.0
    dead: float = 60.0


@contextmanager
def leased(
    storage: Storage,
    key: str,
    holder: str,
    *,
    hurried: Storage,
    times: LeaseTimes,
    cancelled: Callable[[], bool],
    waiting: Callable[[str], None],
) -> Iterator[None]:
    """Hold a lease for a block; waits for it as long as it takes.

    Args:
        storage: of the object.
        key: of the object.
        holder: names this working copy, whose processes do not hold one lease at once: what it held before is its own.
        hurried: the same with little patience: it is written again soon anyway, and its end waits for nobody.
        times: how often things are done.
        cancelled: asked while waiting.
        waiting: told what is waited for; an empty text when that is over.

    Raises:
        JobCancelledError: when ``cancelled`` says so while waiting.
        StoreError: when the storage cannot be used.
    """
    held = _Held(holder=holder, info=_taken(storage, key, _Wait(holder, times, cancelled, waiting)))
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(hurried, held, times, stop), daemon=True, name="lease")
    beating.start()
    try:
        yield
    finally:
        stop.set()
        beating.join()
        try:
            if held.info is not None:
                hurried.replace_if(held.info, _said(""))
        except StoreError as error:
            _log.warning("A lease was not given back, and others wait until it counts as dead: %s", error)


@dataclass
class _Held:
    """A lease that is held; ``info`` is what it was written as last, None once it was lost."""

    holder: str
    info: ObjectInfo | None


@dataclass(frozen=True)
class _Wait:
    """Who waits for a lease, and how."""

    holder: str
    times: LeaseTimes
    cancelled: Callable[[], bool]
    waiting: Callable[[str], None]


def _taken(storage: Storage, key: str, wait: _Wait) -> ObjectInfo:
    """Return what a lease was written as, once it is held."""
    seen, since, told, times = "", 0.0, False, wait.times
    while True:
        mine, there = _said(wait.holder), storage.get(key)
        if there is None:
            info = storage.put_if_absent(key, mine)
        elif _holder(there.data) in {"", wait.holder}:
            info = storage.replace_if(there.info, mine)
        else:
            if there.info.etag != seen:
                seen, since = there.info.etag, time.monotonic()
            dead = time.monotonic() - since > times.dead
            info = storage.replace_if(there.info, mine) if dead else None
        if info is not None:
            if told:
                wait.waiting("")
            return info
        if not told:
            wait.waiting("waiting for another server, which does the same")
            told = True
        ended = time.monotonic() + times.look
        while time.monotonic() < ended:
            if wait.cancelled():
                raise JobCancelledError("Waiting for the same work elsewhere", "it was cancelled", "start it again")
            time.sleep(min(0.1, times.look))


def _beat(storage: Storage, held: _Held, times: LeaseTimes, stop: threading.Event) -> None:
    while held.info is not None and not stop.wait(times.beat):
        try:
            held.info = storage.replace_if(held.info, _said(held.holder))
            if held.info is None:
                _log.warning("Another server took over a lease of this one, which was not heard for too long")
        except StoreError as error:
            _log.warning("%s", error)


def _said(holder: str) -> bytes:
    return json.dumps({"holder": holder, "word": uuid4().hex}).encode()


def _holder(data: bytes) -> str:
    """Return who holds a lease; nobody, where that cannot be read."""
    try:
        return str(json.loads(data)["holder"])
    except (ValueError, KeyError, TypeError):
        return ""
