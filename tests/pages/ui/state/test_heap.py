"""What lives long is frozen, what died is not kept by that, and visitors who left leave nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from core.config import Config
from core.engine.operations import Engine
from pages.ui.state.heap import HeapWatch
from tests.scenes import add_scene
from tests.trials import leave_word
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[4]


SETTLED = """
import gc, weakref
from pages.ui.state.heap import settle

class Circle:
    def __init__(self):
        self.me = self

circle = Circle()
dead = weakref.ref(circle)
settle()
print(gc.get_freeze_count() > 1000, any(found is circle for found in gc.get_objects()))
del circle
gc.collect()
print(dead() is not None)
settle()
print(dead() is None)
"""
"""Where a process holds little: a pass over all that these tests import takes most of a second."""


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each time that a watch settles; a real pass shows no more of when it does."""
    done: list[None] = []
    monkeypatch.setattr("pages.ui.state.heap.settle", lambda: done.append(None))
    return done


def test_what_is_alive_is_frozen_and_what_died_frozen_goes_at_the_next_time() -> None:
    code = [sys.executable, "-c", SETTLED]
    alive, passed_over, gone = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n", 3
    )[:3]
    assert alive == "True False"
    assert passed_over == "True", "a frozen circle is passed over; else this test shows nothing"
    assert gone == "True"


def test_the_watch_settles_when_modules_came_in_and_are_all_there(passes: list[None]) -> None:
    counts = iter([5, 5, 5, 5, 6, 7, 8, 8, 8, 8])
    watch = HeapWatch(look=0.001, modules=lambda: next(counts, 8))
    watch.start()
    until(lambda: watch.settled == 2)
    watch.stop()
    assert watch.settled == len(passes) == 2


def test_the_watch_settles_again_after_a_while(passes: list[None]) -> None:
    watch = HeapWatch(look=0.001, again=0.0, modules=lambda: 5)
    watch.start()
    until(lambda: watch.settled > 2)
    watch.stop()
    assert watch.settled == len(passes) > 2


def test_visitors_leave_nothing_behind(tmp_path: Path) -> None:
    """More come before each count than have a session that is kept. Who leaves ten objects behind is found.

    What is needed once, and then kept, may come with any of them; what they leave behind comes with all.
    """
    engine = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    scene = add_scene(engine.library, height=64, width=128)  # Too few patches for a layout, which takes a process.
    engine.encode_now(scene, engine.recipe(scene, "spectral"))
    leave_word(tmp_path)  # Else the server tries the encoder, beside them.
    code = [sys.executable, "-m", "tests.pages.ui.state.visited", "8", "8", "8", "8", "8"]
    environment = {**os.environ, "LANDLIKE_DATA": str(tmp_path)}
    result = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout.splitlines()[-1])
    assert counts[0] > 100_000, "the app is not in it"
    left = min(after - before for before, after in pairwise(counts))
    assert left < 50, f"8 visitors left {left} objects behind"
