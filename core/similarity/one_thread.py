"""Keeping the library of matrix products to one thread, where threads of ours share the work already.

Two layers of threads wait for each other, which takes up to five times as long; and how a product is shared among
threads decides how it is rounded, so that results would differ from computer to computer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Let matrix products inside use one thread each, in the whole process."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
