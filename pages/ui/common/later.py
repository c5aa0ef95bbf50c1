"""How modules are imported where somebody waits: those hardly used when they are asked for, others giving way."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

OFTEN_SECONDS = 0.0005
"""While modules are imported, other threads get their turn so often; else a browser waits for each of its files."""


class _Later(ModuleType):
    """Stands in for a module; what is asked of it is asked of the module itself, imported then."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  as various as what a module holds
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def later(name: str) -> Iterator[None]:
    """Let what is imported inside get a module that is imported when it is first used; one that is loaded stays."""
    standing_in = sys.modules.setdefault(name, _Later(name))
    try:
        yield
    finally:
        if isinstance(standing_in, _Later) and sys.modules.get(name) is standing_in:
            del sys.modules[name]


@contextmanager
def giving_way() -> Iterator[None]:
    """Let other threads have their turn often, and the garbage collector none: of modules nothing is garbage."""
    usual, collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(OFTEN_SECONDS)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collecting:
            gc.enable()
