"""Modules that others import and hardly use: imported when something of them is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


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
