"""A fresh library for each test, and ingest without its child process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.ingest.intake import take_in
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.protocol import IngestRequest, IngestResult, result_from_dict
from core.progress import Doing, Progress
from core.scenes.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest without the child process, for tests of what it does rather than of how it is locked down."""

    def run_here(
        request: IngestRequest, _limits: Limits, progress: Progress, _cancelled: Callable[[], bool], _doing: Doing
    ) -> IngestResult:
        said = json.loads(json.dumps(take_in(request, progress).to_dict()))
        return result_from_dict(said)

    monkeypatch.setattr("core.ingest.boundary.run_sandboxed", run_here)
