"""Turns: only some runs of pages at a time, first come, first served.

A run of a page is work for the interpreter, and only one thread has that. Forty runs at once would each take forty
times as long, and the server's own thread, which sends what they drew, would wait behind all of them. In turns the
work is the same, and nobody waits much longer than the others. A click on a point runs a fragment of a page, without
a turn, and so passes all who wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

RUNS_AT_ONCE = 2
"""One works; another may read from disk meanwhile."""

PATIENCE_SECONDS = 1.0
"""A run that takes longer, such as one that keeps a large upload, no longer counts when others wait."""


class Turns:
    """A gate that lets some through at a time, in the order in which they came.

    Args:
        at_once: how many.
        patience: seconds after which those who have a turn may lose it to those who wait.
    """

    def __init__(self, at_once: int = RUNS_AT_ONCE, patience: float = PATIENCE_SECONDS) -> None:
        self._at_once, self._patience = at_once, patience
        self.made_a_page = threading.Event()
        """Set as soon as somebody has held a turn."""
        self._lock = threading.Lock()
        self._holding: dict[threading.Event, float] = {}
        self._waiting: deque[threading.Event] = deque()

    @property
    def held(self) -> int:
        """How many turns are held now."""
        return len(self._holding)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            self._call()
        while not mine.wait(self._patience):
            with self._lock:
                self._forget_slow()
                self._call()
        try:
            yield
        finally:
            with self._lock:
                self._holding.pop(mine, None)
                self._call()
            self.made_a_page.set()

    def _call(self) -> None:
        """Give the turns that are free to those who have waited longest."""
        while self._waiting and len(self._holding) < self._at_once:
            called = self._waiting.popleft()
            self._holding[called] = time.monotonic()
            called.set()

    def _forget_slow(self) -> None:
        due = time.monotonic() - self._patience
        self._holding = {held: since for held, since in self._holding.items() if since > due}


TURNS = Turns()
"""Those of this server's pages."""
