"""Objects that live as long as the process, kept out of the garbage collector's sight.

Each full pass of the collector walks every object that might be part of a circle, and nothing else runs meanwhile.
Modules, their functions and their types are most of them and never go: frozen, they are passed over, so that a pass
takes as long as what visitors hold. A pass is left to Python itself; Streamlit's own after every run is switched off
in ``.streamlit/config.toml`` (``runner.postScriptGC``).

What is frozen and dies in a circle stays until the next thaw. So everything thaws and is collected before each freeze,
which comes again when modules came in, and now and then for what visitors held at the last one.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 2.0
"""How often the watch looks whether modules came in."""

AGAIN_SECONDS = 3600.0
"""A freeze is repeated after so long, for the sake of what died frozen."""


def settle() -> None:
    """Collect what is garbage, also among the frozen, and freeze what is left; nothing else runs for a moment."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class HeapWatch:
    """A thread that settles the heap whenever modules came in, once their import is over.

    Args:
        look: seconds between two looks.
        again: seconds after which it settles without a reason.
        modules: gives the number of modules; a test may count something else.
    """

    def __init__(
        self,
        look: float = LOOK_SECONDS,
        again: float = AGAIN_SECONDS,
        modules: Callable[[], int] = lambda: len(sys.modules),
    ) -> None:
        self._look, self._again, self._modules = look, again, modules
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="heap")
        self.settled = 0

    def start(self) -> None:
        """Settle now, and whenever it is due."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        frozen_with, seen, due = -1, self._modules(), 0.0
        while not self._over.is_set():
            now = self._modules()
            # Two looks that agree: nothing is being imported at this moment.
            if now == seen and (now != frozen_with or time.monotonic() >= due):
                settle()
                self.settled += 1
                frozen_with, due = now, time.monotonic() + self._again
            seen = now
            self._over.wait(self._look)
