"""The header of a NumPy file: shape, order and type, read before anything else of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from core.ingest.messages import damaged


def read_header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return the shape of an array, whether its first axis runs fastest, its type, and where its numbers begin.

    Raises:
        SourceError: when the file is damaged or no array.
    """
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(file, max_header_size=10_000)
            return tuple(shape), fortran, dtype, file.tell()
    except (ValueError, EOFError, SyntaxError, TypeError) as error:
        raise damaged() from error
