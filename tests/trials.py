"""Trying the 8-bit form of an encoder once for all tests.

On a processor without bfloat16 each new data folder tries it, which takes seconds, and nearly each test has a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.config import Config
from core.encoders import eight_bits
from core.encoders.eight_bits import Trial, form_digest, keep, remembered
from core.encoders.registry import default_encoder, describe
from core.files import locked
from core.progress import Progress

untouched = _tried = eight_bits._tried
"""What tries a form, as it is without ``once``."""


def once(folder: Path) -> Callable[[Path, Path, Progress], Trial]:
    """What stands for ``eight_bits._tried`` where all processes of a session keep what came out in ``folder``."""

    def tried(directory: Path, memory: Path, progress: Progress) -> Trial:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f"{form_digest(directory)}.lock"):
            found = remembered(directory, folder) or _tried(directory, folder, progress)
        with suppress(OSError):
            keep(found, directory, memory)
        return found

    return tried


def leave_word(root: Path) -> None:
    """Leave word in a data folder of how the default encoder does here, for a process that is going to use it."""
    describe(default_encoder(), Config(root=root, model_cache=root / "models"))
