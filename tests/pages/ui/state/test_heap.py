"""What lives long is frozen, what died is not kept by that, and visitors who left leave nothing behind."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Config
from core.engine.operations import Engine
from pages.ui.state.heap import HeapWatch, settle
from tests.scenes import add_scene
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[4]


class Circle:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_alive_is_frozen() -> None:
    kept = Circle()
    settle()
    assert gc.get_freeze_count() > 10_000
    assert not any(found is kept for found in gc.get_objects())


def test_what_died_frozen_goes_at_the_next_time() -> None:
    circle = Circle()
    dead = weakref.ref(circle)
    settle()
    del circle
    gc.collect()
    assert dead() is not None, "a frozen circle is passed over; else this test shows nothing"
    settle()
    assert dead() is None


def test_the_watch_settles_when_modules_came_in_and_are_all_there() -> None:
    counts = iter([5, 5, 5, 5, 6, 7, 8, 8, 8, 8])
    watch = HeapWatch(look=0.001, modules=lambda: next(counts, 8))
    watch.start()
    until(lambda: watch.settled == 2)
    watch.stop()
    assert watch.settled == 2


def test_the_watch_settles_again_after_a_while() -> None:
    watch = HeapWatch(look=0.001, again=0.0, modules=lambda: 5)
    watch.start()
    until(lambda: watch.settled > 2)
    watch.stop()
    assert watch.settled > 2


def test_visitors_leave_nothing_behind(tmp_path: Path) -> None:
    """More come before the count than have a session that is kept, twice: some hold what was only needed at first.

    Who leaves ten objects behind is found.
    """
    engine = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    scene = add_scene(engine.library)
    engine.encode_now(scene, engine.recipe(scene, "spectral"))
    code = [sys.executable, "-m", "tests.pages.ui.state.visited", "10", "10", "15"]
    environment = {**os.environ, "LANDLIKE_DATA": str(tmp_path)}
    result = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout.splitlines()[-1])
    assert counts[0] > 100_000, "the app is not in it"
    assert counts[-1] - counts[-2] < 100, f"15 visitors left {counts[-1] - counts[-2]} objects behind"
