"""What was found out before, kept in memory from question to question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

KEPT = 64
"""Answers of one recipe that are kept, those asked for last."""


class Answers:
    """What was found out about the patches of a recipe, kept from click to click; safe to use from any thread."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._found: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.RLock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401  as various as what is asked
        """Return what was kept under a key, else what ``make`` gives; a None is not kept, for it may come to be."""
        with self._lock:
            if key in self._found:
                self._found[key] = found = self._found.pop(key)
                return found
            waiting = self._locks.setdefault(key, threading.RLock())
        with waiting:
            with self._lock:
                if key in self._found:
                    return self._found[key]
            try:
                made = make()
            except BaseException:  # Else a lock of each key that never comes to be would stay for good.
                with self._lock:
                    self._locks.pop(key, None)
                raise
            if isinstance(made, np.ndarray):
                made.flags.writeable = False
            with self._lock:
                self._locks.pop(key, None)
                if made is not None:
                    self._found[key] = made
                while len(self._found) > self._most:
                    del self._found[next(iter(self._found))]
            return made

    def peek(self, key: Hashable) -> Any:  # noqa: ANN401  as various as what is asked
        """Return what is kept under a key, None where there is nothing."""
        with self._lock:
            return self._found.get(key)

    def put(self, key: Hashable, value: object) -> None:
        """Keep something under a key, in place of what was there."""
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = value
