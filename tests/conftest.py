"""Models that tests of several rooms use, built once for the whole session."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import modules


@pytest.fixture(scope="session")
def models_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "models"


@pytest.fixture(scope="session")
def model(models_root: Path) -> Callable[[str], Path]:
    """``model("tiny")``: a directory not to be changed."""
    return lambda kind: modules.build(kind, models_root)
