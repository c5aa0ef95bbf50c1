"""The scripts, styles and pictures of our own pages."""

from __future__ import annotations

from pathlib import Path


def path(name: str) -> str:
    """Where a file of this folder lies."""
    return str(Path(__file__).parent / name)


def text(name: str) -> str:
    """The content of a file of this folder."""
    return Path(path(name)).read_text(encoding="utf-8")
