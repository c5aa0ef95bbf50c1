"""The one engine of this process, shared by routes and pages. What an engine does is ``core.engine.operations``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.config import settings

if TYPE_CHECKING:
    from core.engine.operations import Engine

_lock = threading.Lock()
_held: list[Engine] = []


def engine() -> Engine:
    """Return the engine of this process; made on the first call, from the process's configuration.

    Raises:
        OSError: when its directory cannot be made.
    """
    with _lock:
        if not _held:
            from core.engine.operations import Engine

            _held.append(Engine(settings()))
        return _held[0]


def replace_engine(other: Engine | None) -> None:
    """Use another engine from now on, or none until one is asked for; the one before is closed."""
    with _lock:
        before = list(_held)
        _held[:] = [] if other is None else [other]
    for old in before:
        if old is not other:
            old.close()
