"""Keeping the library of matrix products to one thread, where threads of ours share the work already.

Two layers of threads wait for each other, which takes up to five times as long; and how a product is shared among
threads decides how it is rounded, so that results would differ from computer to computer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Let matrix products inside use one thread each, in the whole process."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


def numpy_one_thread() -> AbstractContextManager[object]:
    """Let NumPy's matrix products inside use one thread, where they are so small that looking for libraries counts."""
    held: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return held


@cache
def _libraries() -> ThreadpoolController:
    """Look for NumPy's library of matrix products, once: it takes 10 ms, as long as a whole fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
