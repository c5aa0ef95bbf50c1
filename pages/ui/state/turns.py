"""Turns: only some runs of pages at a time, first come, first served.

A run of a page is work for the interpreter, and only one thread has that. Forty runs at once would each take forty
times as long, and the server's own thread, which sends what they drew, would wait behind all of them. In turns the
work is the same, and nobody waits much longer than the others. A click on a point runs a fragment of a page, without
a turn, and so passes all who wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

RUNS_AT_ONCE = 2
"""One works; another may read from disk meanwhile."""

PATIENCE_SECONDS = 2.0
"""Who has waited so long runs without a turn: some runs before it do not end."""


class Turns:
    """A gate that lets some through at a time, in the order in which they came.

    Args:
        at_once: how many.
        patience: seconds after which one goes through all the same.
    """

    def __init__(self, at_once: int = RUNS_AT_ONCE, patience: float = PATIENCE_SECONDS) -> None:
        self._free, self._patience = at_once, patience
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @property
    def free(self) -> int:
        """How many could go through at once now."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        mine = self._take()
        try:
            yield
        finally:
            if mine:
                self._pass_on()

    def _take(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(self._patience):
            return True
        with self._lock:
            if called.is_set():
                return True
            self._waiting.remove(called)
        return False

    def _pass_on(self) -> None:
        """Hand the turn to who has waited longest; nobody who comes just now can take it first."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


TURNS = Turns()
"""Those of this server's pages."""
