"""What numba compiled of umap-learn, kept on disk for the processes to come.

umap-learn asks for none of it to be kept, so each process would compile for half a minute before its first layout.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType


def keep_compiled(modules: Iterable[str]) -> None:
    """Have numba keep what it compiles of modules that are imported; where it can write nowhere, it keeps nothing.

    Its place is a folder ``__pycache__`` beside the module, the user's cache, or ``NUMBA_CACHE_DIR``. What is kept
    counts for the same file, numba and processor only.

    Args:
        modules: names; functions that they have from other modules are left alone.
    """
    for name in modules:
        _keep(sys.modules[name])


def _keep(module: ModuleType) -> None:
    from numba.core.caching import NullCache
    from numba.core.dispatcher import Dispatcher

    for function in vars(module).values():
        own = isinstance(function, Dispatcher) and function.py_func.__module__ == module.__name__
        if own and isinstance(function._cache, NullCache):
            try:
                function.enable_caching()
            except RuntimeError:  # no folder numba may write to
                return
