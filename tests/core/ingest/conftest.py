"""A fresh library for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.scenes.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")
