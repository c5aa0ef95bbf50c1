"""A server with people on it: how long a rerun of Explore and an answer on health take, and what memory it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.scenes.library import Library
from core.synthetic.landscape import make_synthetic
from tests.browser.conftest import Chromium, Server, browser, serving
from tests.browser.views import wait_for_views
from tests.visitors import Load, come_and_go, measured, megabytes
from tests.waiting import until

pytestmark = pytest.mark.bench
__all__ = ["browser"]

SECONDS = 40.0
SCENES = 5
MEMORY_GROWTH = 1.15
"""Memory after 2,000 sessions, as a multiple of what it was under the same load before them."""


@pytest.fixture(scope="module")
def server(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server that has shown the synthetic landscape to one browser."""
    with serving(tmp_path_factory.mktemp("load")) as made:
        page = browser.new_page()
        page.goto(made.url)
        wait_for_views(page)
        page.wait_for_timeout(15_000)  # The sample's layout is made meanwhile, in a worker.
        page.close()
        yield made


def loaded(server: Server, idle: int, active: int) -> Load:
    return measured(server.url, server.process.pid, idle=idle, active=active, seconds=SECONDS)


def test_forty_idle_and_ten_active_on_a_fresh_server_and_after_two_thousand_sessions(server: Server) -> None:
    fresh = loaded(server, 40, 10)
    print(f"\n40 idle and 10 active, fresh: {fresh.words()}")
    come_and_go(server.url, 2000)
    worn = loaded(server, 40, 10)
    print(f"\n40 idle and 10 active, after 2,000 sessions: {worn.words()}")
    for load in (fresh, worn):
        assert load.milliseconds(95) <= 150
        assert load.health_milliseconds(99) <= 100
    assert worn.memory[-1] <= MEMORY_GROWTH * fresh.memory[-1]


def test_two_hundred_idle_and_forty_active(server: Server) -> None:
    load = loaded(server, 200, 40)
    print(f"\n200 idle and 40 active: {load.words()}")
    assert load.milliseconds(95) <= 800


def held(server: Server) -> tuple[float, float]:
    """Megabytes of the server's own process, and of its worker processes."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return megabytes(server.process.pid), sum(megabytes(child.pid) for child in children)


def test_each_further_scene_that_somebody_explores(tmp_path: Path) -> None:
    root = tmp_path / "data"
    scenes = [make_synthetic(Library(root), seed=seed).id for seed in range(SCENES)]
    with serving(root) as server:
        found = []
        for scene in scenes:

            def explored(scene: str = scene) -> bool:
                come_and_go(server.url, 1, query=f"scene={scene}&encoder=spectral")
                return any((root / "projections" / scene).glob("*.npy"))

            until(explored, 240, f"{scene} was not arranged")
            come_and_go(server.url, 2, query=f"scene={scene}&encoder=spectral")
            found.append(held(server))
    (first, _), (last, workers) = found[0], found[-1]
    each = (last - first) / (SCENES - 1)
    print(
        f"\nafter one scene of 1,600 patches {first:.0f} MB, after {SCENES} {last:.0f} MB: {each:.1f} MB a further one"
    )
    print(f"worker processes beside it: {workers:.0f} MB")
    assert each <= 10
