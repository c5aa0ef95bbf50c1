"""Where tests find real data: a ``shared/data`` folder beside the checkout, or what LANDLIKE_TEST_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("LANDLIKE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def shared(name: str) -> Path:
    """The path of a real file; skips the test where it is absent."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"real data are absent: {name} is not beside the checkout (set LANDLIKE_TEST_DATA)")
    return path
