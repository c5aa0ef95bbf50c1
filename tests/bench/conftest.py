"""Keeps what benchmarks print, for ``results.json`` and the README."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest

from tests.bench.results import Result, keep, result_of

_fresh: list[Result] = []
_failed = pytest.StashKey[bool]()


class _Tee(io.TextIOBase):
    """Writes to a stream, and remembers what."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self.stream, self.said = stream, io.StringIO()

    def write(self, text: str) -> int:
        self.said.write(text)
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    tee = _Tee(sys.stdout)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdout", tee)
    yield
    if tee.said.getvalue().strip() and request.node.get_closest_marker("bench"):
        test = f"{request.node.path.name}::{request.node.name}"
        _fresh.append(result_of(test, tee.said.getvalue(), not request.node.stash.get(_failed, True)))


def pytest_sessionfinish() -> None:
    if _fresh:
        keep(_fresh)
