"""A fresh library for each test, and ingest without its child process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.library import Library
from core.progress import Progress
from core.sources.intake import take_in
from core.sources.profile import Limits
from core.sources.task import Outcome, Task, outcome_from_dict


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest without the child process, for tests of what it does rather than of how it is locked down."""

    def run_here(task: Task, _limits: Limits, progress: Progress, _cancelled: Callable[[], bool]) -> Outcome:
        said = json.loads(json.dumps(take_in(task, progress).to_dict()))
        return outcome_from_dict(said)

    monkeypatch.setattr("core.sources.ingest.run_child", run_here)
