"""A server with people on it: how long a rerun of Explore and an answer on health take, and what memory it holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Chromium, Server, browser, serving
from tests.browser.views import wait_for_views
from tests.visitors import Load, come_and_go, measured

pytestmark = pytest.mark.bench
__all__ = ["browser"]

SECONDS = 40.0
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
