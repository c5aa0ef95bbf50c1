"""From a click to its neighbours, drawn in plot, map and gallery of a real browser; and from start to first paint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from core.scenes.library import Library
from tests.browser.conftest import PROJECTOR, Chromium, Server, browser, serving, start
from tests.browser.conftest import own_page as page
from tests.browser.views import LONG, click_a_point, wait_for_query, wait_for_ranks, wait_for_views
from tests.scenes import add_scene
from tests.waiting import free_port

pytestmark = pytest.mark.bench
__all__ = ["browser", "page"]

CLICKS = 25
MARKS = """
() => { const frame = document.querySelector("iframe[title*='folium']").contentDocument;
  return [...frame.querySelectorAll('.landlike-rank')].map(mark => mark.style.transform).join(); }
"""
DRAWN = """
([query, marks]) => {
  const roots = [...document.querySelectorAll('*')].map(element => element.shadowRoot).filter(Boolean);
  const gallery = [document, ...roots].map(root => root.querySelector('.gallery')).find(Boolean);
  const tile = gallery && gallery.querySelector('.tile.query');
  const tiles = gallery ? gallery.querySelectorAll('.tile') : [];
  if (!tile || +tile.dataset.patch === query || tiles.length !== 21) return false;
  if (![...tiles].slice(0, 5).every(one => one.querySelector('img').complete)) return false;
  const frame = document.querySelector("iframe[title*='folium']").contentDocument;
  const found = [...frame.querySelectorAll('.landlike-rank')].map(mark => mark.style.transform);
  if (found.length !== 21 || found.join() === marks) return false;
  return performance.now() - window.clickedAt;
}
"""
PAINT = "(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)"
LISTEN = "() => document.addEventListener('mousedown', () => { window.clickedAt = performance.now(); }, true)"


def latencies(page: Page, clicks: int = CLICKS) -> list[float]:
    """Milliseconds from pressing the mouse on a picture of the gallery to everything drawn."""
    page.evaluate(LISTEN)
    asked = click_a_point(page)
    wait_for_ranks(page, 20)
    taken = []
    for turn in range(clicks + 3):
        page.wait_for_timeout(400)
        marks = page.evaluate(MARKS)
        page.locator(".gallery .tile").nth(2 + turn % 3).click()
        handle = page.wait_for_function(DRAWN, arg=[asked, marks], polling="raf", timeout=LONG)
        taken.append(float(handle.json_value()))
        asked = wait_for_query(page, asked)
    return taken[3:]


def report(title: str, taken: list[float]) -> tuple[float, float]:
    """Print the times of some clicks; gives the median and the 95th percentile."""
    low, median, high = np.percentile(taken, [5, 50, 95])
    print(f"\n{title}: {median:.0f} ms at the median, {low:.0f} to {high:.0f} ms at 5 and 95 % of {len(taken)} clicks")
    return float(median), float(high)


def add_full_tile(root: Path) -> None:
    """A scene of 29,241 patches."""
    side = 171 * 64
    rng = np.random.default_rng(0)
    small = rng.integers(200, 4000, (4, side // 32, side // 32), dtype=np.uint16)
    pixels = np.kron(small, np.ones((1, 32, 32), dtype=np.uint16))
    add_scene(Library(root), height=side, width=side, bands=("B02", "B03", "B04", "B08"), pixels=pixels)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("latency")) as made:
        yield made


def test_a_click_on_the_sample(page: Page, server: Server) -> None:
    page.goto(server.url)
    wait_for_views(page)
    median, _ = report("1,600 patches", latencies(page))
    assert median <= 400


def test_a_click_on_a_full_tile(page: Page, tmp_path: Path) -> None:
    add_full_tile(tmp_path)
    with serving(tmp_path) as made:
        page.goto(made.url)
        wait_for_views(page)
        _, high = report("29,241 patches", latencies(page))
    assert high <= 250


def test_a_start_to_the_first_paint(page: Page, server: Server, tmp_path: Path) -> None:
    """A fresh server on a library with the sample in it: seconds to its health and to the first contentful paint."""
    server.stop()
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        fresh = start(server.root)
        answered = time.perf_counter() - began
        opened = time.perf_counter() - began
        page.goto(fresh.url)
        page.wait_for_function(f"{PAINT}() !== undefined", timeout=LONG)
        painted = opened + page.evaluate(PAINT) / 1000
        wait_for_views(page)
        taken.append((answered, painted, time.perf_counter() - began))
        fresh.stop()
    answered, painted, explored = np.median(np.array(taken[1:]), axis=0)
    print(f"\nstart: answers after {answered:.1f} s, first paint {painted:.1f} s, scene explored {explored:.1f} s")
    assert painted <= 3


def explored(page: Page, root: Path, port: int) -> tuple[float, float]:
    """Start a server on a folder and visit it: seconds until it answers, and from then until all views are there."""
    began = time.perf_counter()
    fresh = start(root, port, LANDLIKE_FIRST_SCENE="sample")
    try:
        answered = time.perf_counter()
        page.goto(fresh.url)
        wait_for_views(page)
        return answered - began, time.perf_counter() - answered
    finally:
        page.goto("about:blank")
        fresh.stop()


def test_the_first_start_on_an_empty_disk_and_those_after_it(browser: Chromium, tmp_path: Path) -> None:
    """The real scene, from the files of its package to all views; then of a library that holds it.

    The browser is one that a person has: it keeps what it loaded, on disk, and the server has the same address again,
    as it has by ``make run``. For visitors from elsewhere later starts are measured too.
    """
    root, port = tmp_path / "data", free_port()
    with browser.with_profile(tmp_path / "profile") as page:
        answered, first = explored(page, root, port)
        afterwards = np.median([explored(page, root, port)[1] for _ in range(5)])
    stranger = browser.new_page(viewport=PROJECTOR)
    elsewhere = np.median([explored(stranger, root, free_port())[1] for _ in range(5)])
    print(f"\nempty disk: answers after {answered:.1f} s, real scene explored {first:.1f} s later")
    print(f"later starts: {afterwards:.1f} s after the answer, {elsewhere:.1f} s at an address new to the browser")
    assert first <= 20
    assert afterwards <= 3


def test_a_scene_is_reopened(page: Page, tmp_path: Path) -> None:
    """From the button on the Scenes page to all views of a scene of 29,241 encoded patches, on a warm server."""
    add_full_tile(tmp_path)
    with serving(tmp_path) as made:
        page.goto(made.url)
        wait_for_views(page)
        taken = []
        for _ in range(6):
            page.get_by_role("link", name="Scenes").click()
            button = page.locator("[class*='st-key-explore_'] button").first
            button.wait_for(timeout=LONG)
            page.wait_for_timeout(1000)
            began = time.perf_counter()
            button.click()
            wait_for_views(page)
            taken.append(time.perf_counter() - began)
    print(f"\na scene of 29,241 patches is reopened in {np.median(taken[1:]):.1f} s, {taken[0]:.1f} s the first time")
    assert np.median(taken[1:]) <= 2
