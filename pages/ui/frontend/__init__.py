"""The scripts and styles of our components, as text."""

from __future__ import annotations

from pathlib import Path


def text(name: str) -> str:
    """The content of a file in this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
