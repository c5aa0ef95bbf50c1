"""LanceDB, imported without the client of its web service, which takes as long to import as all else of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_SERVICE = "lance_namespace_urllib3_client"
"""Hundreds of classes of requests and answers; LanceDB names them, and makes them of a service alone."""


class _Nothing(ModuleType):
    """A package in which there is an empty class of whatever name is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (), {"__module__": self.__name__}))
        return self.__dict__[name]  # type: ignore[no-any-return]


class _Finder(Loader):
    """Finds nothing where the client of the service is looked for."""

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where such a module comes from; None for any other."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] == _SERVICE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        return _Nothing(spec.name)

    def exec_module(self, _module: ModuleType) -> None:
        """Do nothing: it is complete."""


@contextmanager
def _without_service() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load() -> Any:  # noqa: ANN401  lancedb is untyped
    """Return the module ``lancedb``; the first call takes seconds."""
    with _without_service():
        import lancedb
    return lancedb


def connect(address: str, options: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  lancedb is untyped
    """Return a connection to the tables of a folder, or of a bucket.

    Args:
        address: of the folder or the bucket.
        options: how a bucket is asked.
    """
    return load().connect(address, storage_options=None if options is None else dict(options))
