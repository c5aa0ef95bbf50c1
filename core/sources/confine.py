"""Taking the rest of the file system and the network away from this process, where the kernel can (Linux Landlock)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def confine(*, read: Iterable[Path], write: Iterable[Path]) -> bool:
    """Placeholder."""
    return bool(read) and bool(write)
