"""The scripts, styles and pictures of our own pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def path(name: str) -> str:
    """Where a file of this folder lies."""
    return str(Path(__file__).parent / name)


@cache
def text(*names: str) -> str:
    """Return the content of files of this folder, one after the other; each is read once."""
    return "\n".join(Path(path(name)).read_text(encoding="utf-8") for name in names)
