"""Data in a bucket whose answers take 30 ms: requests and seconds of what people do, and of looks at many scenes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import Config
from core.files import mirrored
from core.mirror.opening import close_data, open_data
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from tests import buckets
from tests.buckets import Bucket, Fault
from tests.scenes import add_scene

pytestmark = pytest.mark.bench

DELAY = 0.03
"""Seconds that each answer takes."""
SCENES = 1001
MOST_REQUESTS = {"label patches": 4, "rename": 2, "look, nothing new": SCENES // 100}
"""What each of these may ask for."""


def test_what_people_do_and_a_look_at_many_scenes(
    tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PAGE", 1000)  # as S3 has it
    first, second = (
        Config(root=tmp_path / name, model_cache=tmp_path / "models", bucket="s3://land/some/data")
        for name in ("first", "second")
    )
    asked: dict[str, int] = {}

    def told(what: str, work: Callable[[], object]) -> None:
        before, began = len(bucket.asked), time.perf_counter()
        work()
        asked[what] = len(bucket.asked) - before
        print(f"{what}: {asked[what]:,} requests, {time.perf_counter() - began:.2f} s")

    print()
    try:
        open_data(first)
        library = Library(first.root)
        with bucket.faulty(lambda _asked: Fault(delay=DELAY)):
            told("add a scene", lambda: add_scene(library))
            [scene] = library.scenes()
            grid = patch_grid(scene, Cut.of(64))
            give_label(scene, grid, [0], "Water")
            told("label patches", lambda: give_label(scene, grid, [1], "Water"))
            told("rename", lambda: library.rename(scene.id, "Another name"))
            told("delete", lambda: library.set_aside(scene.id))
            told("bring back", lambda: library.bring_back(scene.id))
        _multiply(bucket, scene.id)
        with bucket.faulty(lambda _asked: Fault(delay=DELAY)):
            told(f"first look at {SCENES:,} scenes", lambda: open_data(second))
            shared = open_data(second)
            assert shared is not None
            told("look, nothing new", shared.refresh)
        assert len(Library(second.root).scenes()) == SCENES
    finally:
        for config in (first, second):
            close_data(config)
            mirrored(config.root, None)
    assert all(asked[what] <= most for what, most in MOST_REQUESTS.items())


def _multiply(bucket: Bucket, scene_id: str) -> None:
    """Put the scene of an id into a bucket many times, each with an id of its own."""
    of_scene = {key: data for key, data in bucket.objects.items() if f"/scenes/{scene_id}/" in key}
    for number in range(SCENES - 1):
        another = f"s-{number:020x}"
        for key, data in of_scene.items():
            bucket.objects[key.replace(f"/{scene_id}/", f"/{another}/")] = data.replace(
                f'"{scene_id}"'.encode(), f'"{another}"'.encode()
            )
