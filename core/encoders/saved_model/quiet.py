"""Importing TensorFlow without the lines that its libraries write before anybody can ask them to be quiet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.config import hush


def import_tensorflow() -> None:
    """Import TensorFlow; what it says meanwhile of processors and graphics cards is dropped, failures are raised."""
    hush()
    if "tensorflow" not in sys.modules:
        with _without_stderr():
            import tensorflow  # noqa: F401


@contextmanager
def _without_stderr() -> Iterator[None]:
    """The process's standard error leads nowhere inside, for libraries in C too."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
